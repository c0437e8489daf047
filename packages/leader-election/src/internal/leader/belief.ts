/**
 * A leader's belief in itself (rule 3): until the start of its last confirmed attempt and the lease less the margin, on the
 * more pessimistic of its two clocks.
 *
 * The monotonic clock may stand still while the host is suspended, the wall clock may be set. Either one having moved past
 * the span ends the belief; a jump costs a tenure, never safety.
 */
import type * as Clock from "effect/Clock"
import * as Protocol from "../protocol/protocol.ts"

/** When an attempt was started, on both clocks. */
export interface Instant {
  readonly monotonic: bigint
  readonly wall: bigint
}

/** In milliseconds, for Effect's clock makes up for jumps of less than a second where it tells nanoseconds. */
const wallNow = (clock: Clock.Clock): bigint => BigInt(Math.floor(clock.currentTimeMillisUnsafe())) * 1_000_000n

export const instant = (clock: Clock.Clock): Instant => ({
  monotonic: clock.monotonicTimeNanosUnsafe(),
  wall: wallNow(clock)
})

/** By how much the clocks may differ over a lease without one of them having jumped. */
const resolution = 10_000_000n

export class Belief {
  private readonly clock: Clock.Clock
  private until: Instant
  /** When followers may take over, on the monotonic clock; the margin after the belief has ended. */
  private lapsesAt: bigint

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
  }

  /**
   * An attempt is about to be made that shortens the lease. Followers may obey it before this process knows that it was
   * committed, so the belief must not outlast it from now on.
   */
  limit(attempt: Instant, leaseDuration: bigint, margin: bigint): void {
    const monotonic = Protocol.believesUntil(attempt.monotonic, leaseDuration, margin)
    const wall = Protocol.believesUntil(attempt.wall, leaseDuration, margin)
    const lapsesAt = attempt.monotonic + leaseDuration
    this.until = {
      monotonic: monotonic < this.until.monotonic ? monotonic : this.until.monotonic,
      wall: wall < this.until.wall ? wall : this.until.wall
    }
    this.lapsesAt = lapsesAt < this.lapsesAt ? lapsesAt : this.lapsesAt
  }

  /** Until when it holds, on the monotonic clock. */
  get monotonicUntil(): bigint {
    return this.until.monotonic
  }

  /** Which clock has ended it, if one has. */
  over(): "expired" | "clock-jumped" | undefined {
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
    const least = monotonic < wall ? monotonic : wall
    return least > 0n ? least : 0n
  }

  /** How long followers will still wait, in nanoseconds; zero when another may lead already. */
  untilLapse(): bigint {
    const left = this.lapsesAt - this.clock.monotonicTimeNanosUnsafe()
    return left > 0n ? left : 0n
  }

  /** For how long another may have been leading, in nanoseconds; zero when none may. */
  sinceLapse(): bigint {
    const over = this.clock.monotonicTimeNanosUnsafe() - this.lapsesAt
    return over > 0n ? over : 0n
  }
}
