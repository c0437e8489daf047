/**
 * Until when the command may run, by the host's monotonic clock.
 *
 * A lease of ten seconds that was last renewed at 0, with the default grace of a fifth and the reserve of a tenth:
 *
 * ```
 * 0                           7            9       10
 * |---- the leader believes --|-- grace ---|reserve-|
 *                             SIGTERM      SIGKILL  the lease lapses: another may lead
 * ```
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { UsageError } from "../../Failure.ts"
import * as Durations from "../durations.ts"

/** How the end of a lease is divided; all in nanoseconds. */
export interface Margins {
  /** Between SIGTERM and SIGKILL, when a lease could not be renewed. */
  readonly grace: bigint
  /** Between SIGKILL and the lapse: for the kernel, for late timers and for clocks that differ in rate. */
  readonly reserve: bigint
}

/**
 * The margins for a lease: of grace a fifth of it, or what is asked for, but not more than half of it; of reserve a tenth. The
 * lease may be changed at any time, so they are asked for anew with each renewal.
 */
export const margins = (leaseDuration: Duration.Duration, asked: Duration.Duration | undefined): Margins => {
  const lease = Duration.toNanosUnsafe(leaseDuration)
  const grace = asked === undefined ? lease / 5n : Duration.toNanosUnsafe(asked)
  return { grace: grace < lease / 2n ? grace : lease / 2n, reserve: lease / 10n }
}

/** By how much the leader has to stop believing before its lease lapses. */
export const safetyMargin =
  (asked: Duration.Duration | undefined) => (leaseDuration: Duration.Duration): Duration.Duration => {
    const { grace, reserve } = margins(leaseDuration, asked)
    return Duration.nanos(grace + reserve)
  }

/** Refuses a grace of which the lease would leave nothing but a part. */
export const checkGrace = (
  leaseDuration: Duration.Duration,
  asked: Duration.Duration | undefined
): Effect.Effect<void, UsageError> =>
  asked === undefined || Duration.isLessThanOrEqualTo(asked, Duration.divideUnsafe(leaseDuration, 2))
    ? Effect.void
    : Effect.fail(
      new UsageError({
        problem: `--grace is ${Durations.format(asked)} and may be half of the lease, which is ` +
          `${
            Durations.format(leaseDuration)
          }: give a shorter one, or set a longer lease with \`fdb-election config set\``
      })
    )
