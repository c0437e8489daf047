/** A resignation is followed by a successor within two round trips. */
import type { Checker, Violation } from "../Checker.ts"
import type { Event } from "../EventLog.ts"
import { millisecond, second } from "../EventScheduler.ts"
import { longestTransaction } from "../FaultRates.ts"
import * as Analysis from "../internal/analysis.ts"
import type { State } from "../internal/ledger.ts"

/** For so long at most a follower lets others go first that have registered before it, in nanoseconds. */
const longestHeadStart = 10 * millisecond

/** See the module; in nanoseconds. */
const bound = 2 * longestTransaction + longestHeadStart

const isLostWatch = ({ details, what }: Event): boolean => what === "fault" && details["kind"] === "lost-watch"

/** Whether somebody else is there who could succeed: registered long enough, and not yielding to others himself. */
const successors = (analysis: Analysis.Analysis, state: State, by: string, at: number, settled: number): number => {
  let count = 0
  for (const process of analysis.processes.values()) {
    if (process.name === by || process.died < at + bound) continue
    const registered = process.events.findLast((event) => event.what === "registered" && event.at < at)
    if (registered === undefined || registered.at > at - settled) continue
    const candidate = state.candidates.get(String(registered.details["id"]))
    if (typeof candidate !== "object" || candidate.registration !== registered.details["registration"]) continue
    const last = process.events.findLast((event) => event.what === "following" || event.what === "lost")
    const followed = process.events.findLast((event) => event.at < at && event.what === "following")
    if (last === undefined || followed === undefined || followed.at > at - 100 * millisecond) continue
    const lost = process.events.findLast((event) =>
      event.at < at && (event.what === "lost" || event.what === "elected")
    )
    if (lost !== undefined && lost.at > at - settled) continue
    // A watch that is lost stays lost, long after the storm, until the next campaign: its owner polls.
    if (process.events.some((event) => isLostWatch(event) && event.at >= (lost?.at ?? process.born) && event.at < at)) {
      continue
    }
    count++
  }
  return count
}

export const checker: Checker = {
  name: "handover",
  promise: "in good weather a resignation is followed by a successor within two round trips",
  check: (analysis) => {
    const violations: Array<Violation> = []
    const faults = Analysis.faults(analysis.history)
    const disturbances = analysis.history.events.filter(({ what }) =>
      what === "fault" || what === "starts" || what === "exits" || what === "crashes" || what === "retried" ||
      what === "prioritizes" || what === "configures" || what === "disables" || what === "enables" ||
      what === "spoils" || what === "repairs" || what === "evicts" || what === "forges" || what === "stops"
    )
    analysis.ledger.forEach(({ after, before, commit }, index) => {
      if (before.leader === after.leader || typeof after.leader !== "object" || typeof before.leader !== "object") {
        return
      }
      if (!before.leader.held || after.leader.held || after.leader.successor !== undefined) return
      if (typeof after.config !== "object" || !after.config.enabled) return
      const { at, by } = commit
      const settled = 2 * Number(after.config.heartbeat) + 3 * second
      const isNear = (from: number, to: number) => from < at + bound && to > at - settled
      if (at + bound > analysis.history.endedAt || faults.some(({ from, to }) => isNear(from, to))) return
      if (disturbances.some((event) => isNear(event.at, event.at))) return
      if (successors(analysis, after, by, at, settled) === 0) return
      const next = analysis.ledger.slice(index + 1).find(({ after, before }) =>
        before.leader !== after.leader && typeof after.leader === "object" && after.leader.held
      )
      if (next !== undefined && next.commit.at <= at + bound) return
      const took = next === undefined ? "never" : `${((next.commit.at - at) / millisecond).toFixed(1)} ms later`
      violations.push({
        checker: "handover",
        at,
        who: by,
        message: `${by} resigns, and a successor comes ${took}, not within ${bound / millisecond} ms`
      })
    })
    return violations
  }
}
