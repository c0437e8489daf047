import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidConfig } from "./ElectionError.ts"

/**
 * The configuration of an election. It is stored with the election and applies to all its candidates. Omitted fields have their
 * defaults.
 *
 * @example new ElectionConfig({}).leaseDuration // => Duration.seconds(10)
 * @example ElectionConfig.withLeaseDuration("6 seconds").heartbeatInterval // => Duration.seconds(2)
 * @since 0.1.0
 * @category models
 */
export class ElectionConfig extends Schema.Class<ElectionConfig>("@effect-fdb/leader-election/ElectionConfig")({
  /** The time that a leader leads without a renewal, and that the others wait for a dead leader. 10 seconds by default. */
  leaseDuration: Schema.Duration.pipe(Schema.withConstructorDefault(Effect.succeed(Duration.seconds(10)))),
  /** The interval of renewals and heartbeats. Less than a third of the lease leaves room for retries. 3 seconds by default. */
  heartbeatInterval: Schema.Duration.pipe(Schema.withConstructorDefault(Effect.succeed(Duration.seconds(3)))),
  /** The time after its last heartbeat at which a candidate counts as dead and may be evicted. 15 seconds by default. */
  candidateTimeout: Schema.Duration.pipe(Schema.withConstructorDefault(Effect.succeed(Duration.seconds(15)))),
  /** If `false`, nobody registers, claims or renews, and the leader's work ends before its lease does. */
  electionEnabled: Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(true))),
  /** Whether a candidate of higher priority may make the leader step down. */
  allowPreemption: Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(true)))
}) {
  /** The configuration with this lease, a heartbeat of a third of it, and a candidate timeout of one and a half of it. */
  static withLeaseDuration(leaseDuration: Duration.Input): ElectionConfig {
    const lease = Duration.fromInputUnsafe(leaseDuration)
    const nanos = Duration.toNanosUnsafe(lease)
    return new ElectionConfig({
      leaseDuration: lease,
      heartbeatInterval: Duration.nanos(nanos / 3n),
      candidateTimeout: Duration.nanos(nanos + nanos / 2n)
    })
  }
}

/** The shortest span. A shorter one would keep a process busy with its election. */
const minNanos = 1_000_000n

/** The longest span, 146 years: until 2116 its end fits into 63 bits of nanoseconds since the epoch. */
const maxNanos = 2n ** 62n - 1n

const spanFields = ["leaseDuration", "heartbeatInterval", "candidateTimeout"] as const
const flagFields = ["electionEnabled", "allowPreemption"] as const

/**
 * Lists the fields in which two configurations differ, with their values as text.
 *
 * @since 0.1.0
 * @category validation
 */
export const differences = (
  given: ElectionConfig,
  inForce: ElectionConfig
): ReadonlyArray<{ readonly field: string; readonly given: string; readonly inForce: string }> =>
  [
    ...spanFields.map((field) => [field, Duration.format(given[field]), Duration.format(inForce[field])] as const),
    ...flagFields.map((field) => [field, String(given[field]), String(inForce[field])] as const)
  ].flatMap(([field, given, inForce]) => given === inForce ? [] : [{ field, given, inForce }])

const invalidSpan = (duration: Duration.Duration): string | undefined => {
  if (!Duration.isFinite(duration)) return "must be finite"
  const nanos = Duration.toNanosUnsafe(duration)
  if (nanos < minNanos) return `is ${Duration.format(duration)}; it must be at least a millisecond, better seconds`
  return nanos > maxNanos ? "does not fit into 62 bits of nanoseconds" : undefined
}

/**
 * Fails with `InvalidConfig` if an election cannot run with this configuration.
 *
 * @since 0.1.0
 * @category validation
 */
export const validate = (config: ElectionConfig): Effect.Effect<ElectionConfig, InvalidConfig> => {
  for (const field of spanFields) {
    const problem = invalidSpan(config[field])
    if (problem !== undefined) return Effect.fail(new InvalidConfig({ field, problem }))
  }
  if (!Duration.isLessThan(config.heartbeatInterval, config.leaseDuration)) {
    return Effect.fail(
      new InvalidConfig({
        field: "heartbeatInterval",
        problem: `is ${Duration.format(config.heartbeatInterval)}; it must be below the lease of ` +
          `${Duration.format(config.leaseDuration)}, better below a third of it`
      })
    )
  }
  if (!Duration.isLessThan(config.heartbeatInterval, config.candidateTimeout)) {
    return Effect.fail(
      new InvalidConfig({
        field: "candidateTimeout",
        problem: `is ${Duration.format(config.candidateTimeout)}; it must be above the heartbeat interval of ` +
          `${Duration.format(config.heartbeatInterval)}, or every candidate is dead between two heartbeats`
      })
    )
  }
  return Effect.succeed(config)
}
