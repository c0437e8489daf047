import * as Checker from "../Checker.ts"
import type { Event } from "../EventLog.ts"
import { millisecond, second } from "../EventScheduler.ts"
import { type Analysis, shownAt, whenShown } from "../internal/analysis.ts"
import { confirmed, leases, shortened } from "../internal/beliefs.ts"
import { type WorkRun, workRuns } from "../internal/workRuns.ts"

/** The tolerance for rounding and the order of events at one instant. */
const tolerance = millisecond

const seconds = (nanos: number): string => (nanos / second).toFixed(3)

const overruns = function*(
  { faults }: Analysis,
  stored: ReadonlyMap<bigint, number>,
  { begins, ended, ends, finalizer, guardTimeout, guarded, process, steps, term }: WorkRun
): Generator<readonly [at: number, message: string]> {
  const own = process.events.filter(({ details }) => details.term === term)
  const leaseOf = ({ details }: Event) => stored.get(details.ballot ?? term)
  const confirmations = own.filter(({ at, what }) =>
    (what === "elected" || what === "renewed") && at <= (ended ?? process.died)
  )
  const last = confirmations.at(-1)
  const lease = last && leaseOf(last)
  if (last === undefined || lease === undefined) return

  const frozen = faults.filter(({ kind, who }) => who === process.name && /^(freeze|suspend|stall)$/.test(kind))
  /** The time between two instants in which the process was frozen. */
  const frozenFor = (begin: number, end: number): number =>
    frozen.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(end, to) - Math.max(begin, from)), 0)
  /** The instant at which the process sees that its wall clock passed a deadline: never, if it was set back while the process was frozen. */
  const shownAwake = (at: number): number => {
    const span = frozen.find(({ from, to }) => from <= at && at < to)
    const isSetBack = span !== undefined &&
      process.clock.some(({ from, wall }) => from > at && from <= span.to && wall < shownAt(process, "wall", at))
    return isSetBack ? Number.POSITIVE_INFINITY : at
  }

  const belief = confirmed(process, last, lease)
  const limit = own.findLast(({ at, what }) => what === "shortened" && at >= last.at)
  const limited = limit === undefined ? belief : shortened(process, limit)
  const due = Math.min(belief.monotonic, limited.monotonic)
  const wall = Math.min(shownAwake(belief.wall), shownAwake(limited.wall))
  const over = Math.min(due, wall)

  for (const [index, { at }] of confirmations.entries()) {
    const before = confirmations[index - 1]
    const lease = before && leaseOf(before)
    if (before === undefined || lease === undefined) continue
    const { monotonic, wall } = confirmed(process, before, lease)
    const late = at - Math.min(monotonic, wall)
    if (late > 2 * tolerance) yield [at, `a belief that was over for ${seconds(late)} s is revived`]
  }
  for (const { at, details: { begun, outcome } } of guarded) {
    const late = begun! - over
    if (late > 2 * tolerance && outcome !== "LeadershipLost" && outcome !== "interrupted") {
      yield [at, `a guarded transaction is let through ${seconds(late)} s after the deadline`]
    }
  }
  for (const { at } of steps) {
    if (at - over > 2 * tolerance) yield [at, `a step begins ${seconds(at - over)} s after the deadline`]
  }

  if (begins - over > 2 * tolerance) yield [begins, `it begins ${seconds(begins - over)} s after the deadline`]
  const stopped = ends ?? process.died
  // A commit under way is waited for, and its timeout does not run out while its host is suspended.
  // A step may have sent something before it, for as long.
  const isBusy = steps.some(({ at }) => at <= due && at + 2 * guardTimeout / 0.95 + frozenFor(at, due) >= due)
  const grace = isBusy ? guardTimeout / 0.95 : 0
  if (stopped - frozenFor(due - grace, stopped) > due + grace + tolerance && begins <= due) {
    yield [due, `it is interrupted ${seconds(stopped - due)} s after the deadline`]
  }
  // A wall clock that has jumped is noticed within a margin of the monotonic clock, even by a work that waits.
  const longest = Math.max(...confirmations.map((confirmation) => leaseOf(confirmation) ?? lease))
  const watchdogInterval = Math.max(process.margin ?? longest / 10, longest / 100)
  const noticed = whenShown(process, "monotonic", shownAt(process, "monotonic", wall) + watchdogInterval, wall)
  if (
    wall >= begins && noticed < due &&
    stopped - frozenFor(wall, stopped) > noticed + guardTimeout / 0.95 + tolerance &&
    !process.clock.some(({ from }) => from > wall && from < noticed)
  ) {
    yield [wall, `its wall clock ends its belief, and it is interrupted ${seconds(stopped - wall)} s later`]
  }
  if (ended === undefined) return
  const lapse = whenShown(process, "monotonic", last.details.until! + (process.margin ?? lease / 10), last.at)
  const isReported = own.some(({ what }) => what === "overrun")
  if (ended > lapse + 10 * tolerance && frozenFor(lapse, ended) === 0 && finalizer > 0 && !isReported) {
    yield [ended, "it continues after its lease has lapsed, and no overrun is reported"]
  }
}

export const deadline = Checker.make(
  "deadline",
  "work is interrupted when the belief ends; after that it begins no step and no guarded write; nothing revives the belief; work that continues after its lease is reported",
  function*(analysis) {
    const stored = leases(analysis)
    for (const work of workRuns(analysis)) {
      const { process: { name }, term } = work
      for (const [at, message] of overruns(analysis, stored, work)) {
        yield [at, name, `${name}, term ${term}: ${message}`]
      }
    }
  }
)
