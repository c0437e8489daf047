/** The work is stopped before the leader's deadline. */
import type { Checker, Violation } from "../Checker.ts"
import type { Event } from "../EventLog.ts"
import { deadlines, leases, shortened } from "../internal/beliefs.ts"
import * as Evidence from "../internal/evidence.ts"
import { works } from "../internal/works.ts"
import { millisecond, second } from "../World.ts"

/** What rounding and the order of things at one instant may come to. */
const tolerance = millisecond

export const checker: Checker = {
  name: "deadline",
  promise:
    "work is interrupted when its leader's belief ends, which nothing revives, begins nothing after it, neither by " +
    "itself nor under guard, and is reported if it goes on",
  check: (evidence) => {
    const violations: Array<Violation> = []
    const stored = leases(evidence)
    const frozen = Evidence.faults(evidence.history).filter(({ kind }) =>
      kind === "freeze" || kind === "suspend" || kind === "stall"
    )
    for (const { begins, ended, ends, finalizer, guarded, life, patience, steps, term } of works(evidence)) {
      const fail = (at: number, message: string) =>
        violations.push({ checker: "deadline", at, who: life.name, message: `${life.name}, term ${term}: ${message}` })
      /** How long it could do nothing between two instants. */
      const frozenFor = (from: number, to: number): number =>
        frozen.reduce(
          (sum, span) =>
            span.who === life.name ? sum + Math.max(0, Math.min(to, span.to) - Math.max(from, span.from)) : sum,
          0
        )
      /** When a wall clock that passes a deadline is noticed: never, where it was set back before the process went on. */
      const shownAwake = (at: number): number => {
        const span = frozen.find(({ from, to, who }) => who === life.name && from <= at && at < to)
        if (span === undefined) return at
        const setBack = life.events.some((event) =>
          event.what === "clock" && event.at > at && event.at <= span.to &&
          Number(event.details["wall"]) < Evidence.wallAt(life, at)
        )
        return setBack ? Number.POSITIVE_INFINITY : at
      }
      const confirmations = life.events.filter(({ at, details, what }) =>
        (what === "elected" || what === "renewed") && String(details["term"]) === String(term) &&
        at <= (ended ?? life.died)
      )
      const last = confirmations.at(-1)
      if (last === undefined) continue
      const leaseOf = ({ details }: Event) => stored.get(BigInt(String(details["ballot"] ?? term)))?.duration
      const lease = leaseOf(last)
      if (lease === undefined) continue
      const until = Number(last.details["until"])
      const confirmed = deadlines(life, last, lease)
      const limit = life.events.findLast(({ at, details, what }) =>
        what === "shortened" && at >= last.at && String(details["term"]) === String(term)
      )
      const limited = limit === undefined ? confirmed : shortened(life, limit)
      const due = Math.min(confirmed.monotonic, limited.monotonic)
      // A wall clock that has jumped is noticed before the next step; a work that waits is told of it within a margin.
      const over = Math.min(due, shownAwake(confirmed.wall), shownAwake(limited.wall))
      confirmations.forEach((confirmation, index) => {
        const before = confirmations[index - 1]
        const stored = before === undefined ? undefined : leaseOf(before)
        if (before === undefined || stored === undefined) return
        const { monotonic, wall } = deadlines(life, before, stored)
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
      const stopped = ends ?? life.died
      // A commit under way is waited for, and its patience does not run out while its host is suspended.
      const busy = steps.some(({ at }) => at <= due && at + patience / 0.95 + frozenFor(at, due) >= due)
      const grace = busy ? patience / 0.95 : 0
      if (stopped - frozenFor(due - grace, stopped) > due + grace + tolerance && begins <= due) {
        fail(due, `it is interrupted ${((stopped - due) / second).toFixed(3)} s after the deadline`)
      }
      // A wall clock that has jumped is noticed within a margin of the monotonic clock, even by a work that waits.
      const wall = Math.min(shownAwake(confirmed.wall), shownAwake(limited.wall))
      const longest = Math.max(...confirmations.map((confirmation) => leaseOf(confirmation) ?? lease))
      const glance = Math.max(life.margin ?? longest / 10, longest / 100)
      const noticed = Evidence.whenShown(life, "monotonic", Evidence.monotonicAt(life, wall) + glance, wall)
      if (
        wall >= begins && noticed < due && stopped - frozenFor(wall, stopped) > noticed + patience / 0.95 + tolerance &&
        !life.stretches.some(({ from }) => from > wall && from < noticed)
      ) {
        fail(
          wall,
          `its wall clock ends its belief, and it is interrupted ${((stopped - wall) / second).toFixed(3)} s later`
        )
      }
      if (ended === undefined) continue
      const lapse = Evidence.whenShown(life, "monotonic", until + (life.margin ?? lease / 10), last.at)
      const reported = life.events.some(({ details, what }) =>
        what === "overrun" && String(details["term"]) === String(term)
      )
      if (ended > lapse + 10 * tolerance && frozenFor(lapse, ended) === 0 && finalizer > 0 && !reported) {
        fail(ended, "it goes on when its lease has lapsed, and nobody is told")
      }
    }
    return violations
  }
}
