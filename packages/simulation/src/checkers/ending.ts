/** The order of things at the end of a tenure. */
import type { Checker, Violation } from "../Checker.ts"
import { workRuns } from "../internal/workRuns.ts"

export const checker: Checker = {
  name: "ending",
  promise: "a tenure is ended, and another campaign begun, only after the work's finalizers have run",
  check: (analysis) => {
    const violations: Array<Violation> = []
    for (const { begins, ended, process, term } of workRuns(analysis)) {
      const until = ended ?? process.died
      const fail = (at: number, message: string) =>
        violations.push({
          checker: "ending",
          at,
          who: process.name,
          message: `${process.name}, term ${term}: ${message}`
        })
      for (const { after, before, commit } of analysis.ledger) {
        if (commit.by !== process.name || commit.at <= begins || commit.at >= until || before.leader === after.leader) {
          continue
        }
        if (typeof after.leader !== "object" || typeof before.leader !== "object") continue
        if (before.leader.held && before.leader.term === term && !after.leader.held) {
          fail(commit.at, "it resigns before its work has ended")
        }
        if (after.leader.held) fail(commit.at, "it claims before its work has ended")
      }
      for (const { at, what } of process.events) {
        if (at > begins && at < until && what === "work-begins") {
          fail(at, "another work begins before this one has ended")
        }
      }
    }
    return violations
  }
}
