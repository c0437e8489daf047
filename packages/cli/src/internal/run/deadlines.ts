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
import * as Span from "../span.ts"

/** How the end of a lease is divided; all in nanoseconds. */
export interface Margins {
  /** Between SIGTERM and SIGKILL, when a lease could not be renewed. */
  readonly grace: bigint
  /** Between SIGKILL and the lapse: for the kernel, for late timers and for clocks that differ in rate. */
  readonly reserve: bigint
}

/** By how much the leader has to stop believing before its lease lapses. */
export const safetyMargin = ({ grace, reserve }: Margins): Duration.Duration => Duration.nanos(grace + reserve)

/** The margins for a lease; a fifth and a tenth of it unless a grace is asked for. */
export const margins = (
  leaseDuration: Duration.Duration,
  asked: Duration.Duration | undefined
): Effect.Effect<Margins, UsageError> => {
  const lease = Duration.toNanosUnsafe(leaseDuration)
  const grace = asked === undefined ? lease / 5n : Duration.toNanosUnsafe(asked)
  return grace <= lease / 2n
    ? Effect.succeed({ grace, reserve: lease / 10n })
    : Effect.fail(
      new UsageError({
        problem: `--grace is ${Span.format(Duration.nanos(grace))} and may be half of the lease, which is ` +
          `${Span.format(leaseDuration)}: give a shorter one, or set a longer lease with \`fdb-election config set\``
      })
    )
}
