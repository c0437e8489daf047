import * as Checker from "../Checker.ts"
import { resignationOf } from "../internal/ledger.ts"

export const scopes = Checker.make(
  "scopes",
  "nothing of a tenure's scope is held or runs when the tenure has been ended, or, except finalizers and reported overruns, beside the next leader",
  function*({ history, ledger, owners, processes }) {
    const elected = history.events.filter(({ what }) => what === "elected")
    for (const { died, events, name } of processes.values()) {
      for (const { at: acquired, details: { term } } of events.filter(({ what }) => what === "acquires")) {
        const own = events.filter(({ details }) => details.term === term)
        const released = own.find(({ what }) => what === "releases")?.at ?? died
        const ended = ledger.findLast((entry) => {
          const leader = resignationOf(entry)
          return leader?.term === term && entry.commit.by === name &&
            owners.get(leader?.who.registration ?? "") === name
        })?.commit.at ?? Number.POSITIVE_INFINITY
        const next = elected.find(({ at, details }) => at >= acquired && details.term! > term!)
        const whose = `${name}, term ${term}`
        if (released > ended) yield [ended, name, `${whose}: it resigns while something of its scope is still held`]
        if (next !== undefined && next.who === name && released > next.at) {
          yield [next.at, name, `${whose}: it leads again while something of an earlier scope is still held`]
        }
        // Work that cannot be interrupted at once, for example in a commit, may need its fibers. It is then reported as an overrun.
        const isReported = own.some(({ what }) => what === "overrun")
        // Finalizers may need what is forked: the scope is closed after them. They begin in the instant of the loss, in which the
        // work's fiber may give way before it comes to them.
        const lost = own.find(({ what }) => what === "lost")?.at
        const finalizes = own.findIndex(({ what }) => what === "work-ends")
        for (const [index, { at, what }] of own.entries()) {
          if (what !== "forked-step") continue
          if (at > released || at > ended) {
            yield [at, name, `${whose}: a fiber of its scope runs after that is closed`]
          } else if (
            next !== undefined && at > next.at && !isReported && (finalizes < 0 || index < finalizes) && at !== lost
          ) {
            yield [at, name, `${whose}: a fiber of its scope runs beside ${next.who}, which leads`]
          }
        }
      }
    }
  }
)
