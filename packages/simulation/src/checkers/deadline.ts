/** The work is stopped before the leader's deadline. */
import type { Checker, Violation } from "../Checker.ts"
import type { Event } from "../EventLog.ts"
import { millisecond, second } from "../EventScheduler.ts"
import * as Analysis from "../internal/analysis.ts"
import { deadlines, leases, shortened } from "../internal/beliefs.ts"
import { workRuns } from "../internal/workRuns.ts"

/** What rounding and the order of things at one instant may come to. */
const tolerance = millisecond

export const checker: Checker = {
  name: "deadline",
  promise:
    "work is interrupted when its leader's belief ends, which nothing revives, begins nothing after it, neither by " +
    "itself nor under guard, and is reported if it goes on",
  check: (analysis) => {
    const violations: Array<Violation> = []
    const stored = leases(analysis)
    const frozen = Analysis.faults(analysis.history).filter(({ kind }) =>
      kind === "freeze" || kind === "suspend" || kind === "stall"
    )
    for (const { begins, ended, ends, finalizer, guarded, process, guardTimeout, steps, term } of workRuns(analysis)) {
      const fail = (at: number, message: string) =>
        violations.push({
          checker: "deadline",
          at,
          who: process.name,
          message: `${process.name}, term ${term}: ${message}`
        })
      /** How long it could do nothing between two instants. */
      const frozenFor = (from: number, to: number): number =>
        frozen.reduce(
          (sum, span) =>
            span.who === process.name ? sum + Math.max(0, Math.min(to, span.to) - Math.max(from, span.from)) : sum,
          0
        )
      /** When a wall clock that passes a deadline is noticed: never, where it was set back before the process went on. */
      const shownAwake = (at: number): number => {
        const span = frozen.find(({ from, to, who }) => who === process.name && from <= at && at < to)
        if (span === undefined) return at
        const setBack = process.events.some((event) =>
          event.what === "clock" && event.at > at && event.at <= span.to &&
          Number(event.details["wall"]) < Analysis.wallAt(process, at)
        )
        return setBack ? Number.POSITIVE_INFINITY : at
      }
      const confirmations = process.events.filter(({ at, details, what }) =>
        (what === "elected" || what === "renewed") && String(details["term"]) === String(term) &&
        at <= (ended ?? process.died)
      )
      const last = confirmations.at(-1)
      if (last === undefined) continue
      const leaseOf = ({ details }: Event) => stored.get(BigInt(String(details["ballot"] ?? term)))?.duration
      const lease = leaseOf(last)
      if (lease === undefined) continue
      const until = Number(last.details["until"])
      const confirmed = deadlines(process, last, lease)
      const limit = process.events.findLast(({ at, details, what }) =>
        what === "shortened" && at >= last.at && String(details["term"]) === String(term)
      )
      const limited = limit === undefined ? confirmed : shortened(process, limit)
      const due = Math.min(confirmed.monotonic, limited.monotonic)
      // A wall clock that has jumped is noticed before the next step; a work that waits is told of it within a margin.
      const over = Math.min(due, shownAwake(confirmed.wall), shownAwake(limited.wall))
      confirmations.forEach((confirmation, index) => {
        const before = confirmations[index - 1]
        const stored = before === undefined ? undefined : leaseOf(before)
        if (before === undefined || stored === undefined) return
        const { monotonic, wall } = deadlines(process, before, stored)
        const end = Math.min(monotonic, wall)
        if (confirmation.at > end + 2 * tolerance) {
          fail(
            confirmation.at,
            `a belief that was over for ${((confirmation.at - end) / second).toFixed(3)} s is revived`
          )
        }
      })
      for (const { at, details } of guarded) {
        const begun = Number(details["begun"])
        const { outcome } = details
        if (begun > over + 2 * tolerance && outcome !== "LeadershipLost" && outcome !== "interrupted") {
          fail(at, `a guarded transaction is let through ${((begun - over) / second).toFixed(3)} s after the deadline`)
        }
      }
      for (const { at } of steps) {
        if (at > over + 2 * tolerance) {
          fail(at, `a step begins ${((at - over) / second).toFixed(3)} s after the deadline`)
        }
      }
      const stopped = ends ?? process.died
      // A commit under way is waited for, and its timeout does not run out while its host is suspended.
      const busy = steps.some(({ at }) => at <= due && at + guardTimeout / 0.95 + frozenFor(at, due) >= due)
      const grace = busy ? guardTimeout / 0.95 : 0
      if (stopped - frozenFor(due - grace, stopped) > due + grace + tolerance && begins <= due) {
        fail(due, `it is interrupted ${((stopped - due) / second).toFixed(3)} s after the deadline`)
      }
      // A wall clock that has jumped is noticed within a margin of the monotonic clock, even by a work that waits.
      const wall = Math.min(shownAwake(confirmed.wall), shownAwake(limited.wall))
      const longest = Math.max(...confirmations.map((confirmation) => leaseOf(confirmation) ?? lease))
      const glance = Math.max(process.margin ?? longest / 10, longest / 100)
      const noticed = Analysis.whenShown(process, "monotonic", Analysis.monotonicAt(process, wall) + glance, wall)
      if (
        wall >= begins && noticed < due &&
        stopped - frozenFor(wall, stopped) > noticed + guardTimeout / 0.95 + tolerance &&
        !process.stretches.some(({ from }) => from > wall && from < noticed)
      ) {
        fail(
          wall,
          `its wall clock ends its belief, and it is interrupted ${((stopped - wall) / second).toFixed(3)} s later`
        )
      }
      if (ended === undefined) continue
      const lapse = Analysis.whenShown(process, "monotonic", until + (process.margin ?? lease / 10), last.at)
      const reported = process.events.some(({ details, what }) =>
        what === "overrun" && String(details["term"]) === String(term)
      )
      if (ended > lapse + 10 * tolerance && frozenFor(lapse, ended) === 0 && finalizer > 0 && !reported) {
        fail(ended, "it goes on when its lease has lapsed, and nobody is told")
      }
    }
    return violations
  }
}
