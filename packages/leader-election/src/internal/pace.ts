/**
 * The pace of the loops: schedules that are told, after each round, how long to wait, and jitter it.
 *
 * `Schedule.spaced` and not `fixed`: a beat that comes early must not aim at the same tick again.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** What a round says of the next one, in nanoseconds. */
export interface Pause {
  /** How long to wait, before jitter. */
  readonly about: bigint
  /** An instant of the monotonic clock that must not be slept through, and at which to wake exactly. */
  readonly until?: bigint | undefined
}

/** Waits about as long as each round says, ±20 %, and never past its `until`. */
export const paced: Schedule.Schedule<Pause, Pause> = Schedule.passthrough(
  Schedule.fromStep<Pause, number, never, never, never, never>(
    Effect.succeed((_now, pause) => Effect.succeed([0, Duration.nanos(pause.about > 0n ? pause.about : 0n)]))
  ).pipe(
    Schedule.jittered,
    Schedule.modifyDelay(({ duration, input: { until } }) =>
      until === undefined ? Effect.succeed(duration) : Effect.map(Clock.monotonicTimeNanos, (now) => {
        const left = until > now ? until - now : 0n
        return Duration.min(duration, Duration.nanos(left))
      })
    )
  )
)

/** After failures in a row: doubled from a sixteenth of the heartbeat up to the heartbeat. */
export const backOff = (failures: number, heartbeat: bigint): bigint => {
  const pause = heartbeat >> BigInt(Math.max(0, 4 - failures + 1))
  return pause > 0n ? pause : 1n
}
