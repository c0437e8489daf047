/** The configuration of an election as JSON. */
import type { ElectionConfig } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"

/**
 * A duration in milliseconds, or a boolean.
 *
 * @since 0.1.0
 * @category encoding
 */
export const valueToJson = (value: Duration.Duration | boolean): number | boolean =>
  Duration.isDuration(value) ? Duration.toMillis(value) : value

/**
 * The configuration, with durations in milliseconds.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toJson = (config: ElectionConfig) => ({
  leaseMillis: Duration.toMillis(config.leaseDuration),
  heartbeatMillis: Duration.toMillis(config.heartbeatInterval),
  candidateTimeoutMillis: Duration.toMillis(config.candidateTimeout),
  enabled: config.electionEnabled,
  preemption: config.allowPreemption
})
