/**
 * A leader's belief in itself (3): until the start of its last confirmed attempt and the lease less the margin, on the more
 * pessimistic of its two clocks.
 *
 * The monotonic clock may stand still while the host is suspended, and the wall clock may be set. A jump of either past the span
 * ends the belief: that costs a tenure, never safety. This only says whether the belief is over; `end.ts` ends the tenure.
 */
import type * as Clock from "effect/Clock"
import { type Instant, wallNow } from "../candidate/instant.ts"
import * as Protocol from "../protocol/protocol.ts"

/** By how much the clocks may differ over a lease without one of them having jumped. */
const resolution = 10_000_000n

const least = (a: bigint, b: bigint): bigint => a < b ? a : b
const atLeastZero = (span: bigint): bigint => span > 0n ? span : 0n

export class Belief {
  private readonly clock: Clock.Clock
  private until: Instant
  /** When followers may take over, on the monotonic clock: the margin after the belief has ended. */
  private lapsesAt: bigint
  private isOver: "expired" | "clock-jumped" | undefined = undefined

  constructor(clock: Clock.Clock, attempt: Instant, leaseDuration: bigint, margin: bigint) {
    this.clock = clock
    this.until = attempt
    this.lapsesAt = attempt.monotonic
    this.confirm(attempt, leaseDuration, margin)
  }

  /** An attempt that was started at `attempt` has been confirmed to be committed. */
  confirm(attempt: Instant, leaseDuration: bigint, margin: bigint): void {
    this.until = {
      monotonic: Protocol.believesUntil(attempt.monotonic, leaseDuration, margin),
      wall: Protocol.believesUntil(attempt.wall, leaseDuration, margin)
    }
    this.lapsesAt = attempt.monotonic + leaseDuration
    this.isOver = undefined
    // The wall clock may have been set back since the attempt was started.
    this.over()
  }

  /**
   * An attempt is about to be made that shortens the lease. Followers may obey it before this process knows that it was
   * committed, so the belief must not outlast it from now on.
   */
  limit(attempt: Instant, leaseDuration: bigint, margin: bigint): void {
    this.until = {
      monotonic: least(this.until.monotonic, Protocol.believesUntil(attempt.monotonic, leaseDuration, margin)),
      wall: least(this.until.wall, Protocol.believesUntil(attempt.wall, leaseDuration, margin))
    }
    this.lapsesAt = least(this.lapsesAt, attempt.monotonic + leaseDuration)
  }

  /** Until when it holds, on the monotonic clock. */
  get monotonicUntil(): bigint {
    return this.until.monotonic
  }

  /** Which clock has ended it, if one has. What was once seen to be over stays so, whatever the clocks are set to. */
  over(): "expired" | "clock-jumped" | undefined {
    return this.isOver ??= this.compare()
  }

  private compare(): "expired" | "clock-jumped" | undefined {
    const left = this.until.monotonic - this.clock.monotonicTimeNanosUnsafe()
    if (left <= 0n) return "expired"
    const wall = wallNow(this.clock)
    if (wall >= this.until.wall) return left > resolution ? "clock-jumped" : "expired"
    // Where the wall clock was set back, a later jump forward counts from there.
    if (wall + left < this.until.wall) this.until = { ...this.until, wall: wall + left }
    return undefined
  }

  /** How long it still holds, in nanoseconds; zero when it is over. */
  remaining(): bigint {
    const monotonic = this.until.monotonic - this.clock.monotonicTimeNanosUnsafe()
    const wall = this.until.wall - wallNow(this.clock)
    return atLeastZero(least(monotonic, wall))
  }

  /** How long followers will still wait, in nanoseconds; zero when another may lead already. */
  untilLapse(): bigint {
    return atLeastZero(this.lapsesAt - this.clock.monotonicTimeNanosUnsafe())
  }

  /** For how long another may have been leading, in nanoseconds; zero when none may. */
  sinceLapse(): bigint {
    return atLeastZero(this.clock.monotonicTimeNanosUnsafe() - this.lapsesAt)
  }
}
