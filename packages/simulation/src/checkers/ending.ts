import * as Checker from "../Checker.ts"
import { claimOf, resignationOf } from "../internal/ledger.ts"
import { workRuns } from "../internal/workRuns.ts"

export const ending = Checker.make(
  "ending",
  "a tenure is ended, and another campaign begun, only after the finalizers of the work have run",
  function*(analysis) {
    for (const { begins, ended, process: { died, events, name }, term } of workRuns(analysis)) {
      const isWithin = (at: number): boolean => at > begins && at < (ended ?? died)
      for (const entry of analysis.ledger) {
        const { at, by } = entry.commit
        if (by !== name || !isWithin(at) || typeof entry.before.leader !== "object") continue
        if (resignationOf(entry)?.term === term) {
          yield [at, name, `${name}, term ${term}: it resigns before its work has ended`]
        }
        if (claimOf(entry) !== undefined) yield [at, name, `${name}, term ${term}: it claims before its work has ended`]
      }
      const registered = events.find(({ at, what }) => what === "registered" && isWithin(at))
      if (registered !== undefined) {
        yield [registered.at, name, `${name}, term ${term}: it registers anew before its work has ended`]
      }
      for (const { at, what } of events) {
        if (what !== "work-begins" || !isWithin(at)) continue
        yield [at, name, `${name}, term ${term}: another work begins before this one has ended`]
      }
    }
  }
)
