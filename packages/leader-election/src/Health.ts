/**
 * How a candidacy fares, as far as it knows without asking the database.
 */
import type * as Duration from "effect/Duration"

/**
 * See the fields.
 *
 * @since 0.1.0
 * @category models
 */
export interface Health {
  readonly role: "Idle" | "Following" | "Leading"
  /** How long ago the database last answered; `undefined` where it never has. */
  readonly sinceContact: Duration.Duration | undefined
  /** How many attempts have failed since. */
  readonly failures: number
  /** Whether it has nothing to do, or the database has answered within the last three heartbeats. */
  readonly healthy: boolean
}
