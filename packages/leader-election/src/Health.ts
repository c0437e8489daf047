import type * as Duration from "effect/Duration"

/**
 * The health of a candidacy, as far as it knows without asking the database.
 *
 * @since 0.1.0
 * @category models
 */
export interface Health {
  readonly role: "Idle" | "Following" | "Leading"
  /** The time since the last answer of the database; `undefined` if there was none. */
  readonly sinceContact: Duration.Duration | undefined
  /** The number of failed attempts since then. */
  readonly failures: number
  /** How many other processes of the host would know at once if this process ended; 0 without a `Witness`. */
  readonly witnesses: number
  /** Whether the database has answered within the last three heartbeats, or the candidacy is idle. */
  readonly healthy: boolean
}
