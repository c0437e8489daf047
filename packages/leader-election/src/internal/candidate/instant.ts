/** An instant on both clocks of the process. */
import type * as Clock from "effect/Clock"

export interface Instant {
  readonly monotonic: bigint
  readonly wall: bigint
}

/** In milliseconds, for Effect's clock makes up for jumps of less than a second where it tells nanoseconds. */
export const wallNow = (clock: Clock.Clock): bigint => BigInt(Math.floor(clock.currentTimeMillisUnsafe())) * 1_000_000n

export const instant = (clock: Clock.Clock): Instant => ({
  monotonic: clock.monotonicTimeNanosUnsafe(),
  wall: wallNow(clock)
})
