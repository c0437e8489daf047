/**
 * The deadlines of the command, by the host's monotonic clock. Example: a lease of ten seconds, last renewed at 0, with the default
 * grace of a fifth and the reserve of a tenth:
 *
 * ```
 * 0                           7            9       10
 * |---- the leader believes --|-- grace ---|reserve-|
 *                             SIGTERM      SIGKILL  the lease lapses: another may lead
 * ```
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Failure, usageError } from "../../Failure.ts"
import * as Durations from "../durations.ts"

/** The time between SIGTERM and SIGKILL in nanoseconds: `asked`, or a fifth of the lease; at most half of the lease. */
const graceOf = (lease: bigint, asked: Duration.Duration | undefined): bigint => {
  const grace = asked === undefined ? lease / 5n : Duration.toNanosUnsafe(asked)
  return grace < lease / 2n ? grace : lease / 2n
}

/** The time from the end of the belief to the lapse of the lease: the grace, and a reserve for late timers and clock drift. */
export const safetyMargin = (asked: Duration.Duration | undefined) => (leaseDuration: Duration.Duration) => {
  const lease = Duration.toNanosUnsafe(leaseDuration)
  return Duration.nanos(graceOf(lease, asked) + lease / 10n)
}

/** The deadlines after the last renewal, in nanoseconds. */
export class Deadlines {
  believesUntil = 0n
  grace = 0n
  /** Called with each new deadline. */
  readonly listeners = new Set<(deadlines: Deadlines) => void>()
  private readonly askedGrace: Duration.Duration | undefined

  constructor(askedGrace: Duration.Duration | undefined) {
    this.askedGrace = askedGrace
  }

  /** No process of the command may run after this instant. */
  get killAt(): bigint {
    return this.believesUntil + this.grace
  }

  renewed(believesUntil: bigint, leaseDuration: Duration.Duration): void {
    this.believesUntil = believesUntil
    this.grace = graceOf(Duration.toNanosUnsafe(leaseDuration), this.askedGrace)
    for (const listener of this.listeners) listener(this)
  }
}

export const checkGrace = (
  lease: Duration.Duration,
  asked: Duration.Duration | undefined
): Effect.Effect<void, Failure> =>
  asked === undefined || Duration.isLessThanOrEqualTo(asked, Duration.divideUnsafe(lease, 2))
    ? Effect.void
    : usageError(
      `--grace is ${Durations.format(asked)} but may be at most half of the lease, which is ` +
        `${Durations.format(lease)}: give a shorter one, or set a longer lease with \`fdb-election config set\``
    )
