/**
 * How a transaction is to be run. Options are kept across retries: each attempt is given them anew.
 */
import type * as Duration from "effect/Duration"

/**
 * See the fields; every one may be left out.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransactionOptions {
  /**
   * The body may be committed twice without harm, so an unknown commit result (1021, 1039) is retried. Without it such a
   * result is a failure with `maybeCommitted`, for the caller to decide. With it, so is whatever fails a later attempt.
   */
  readonly idempotent?: boolean | undefined
  /**
   * How long the reads, the retries and the commit may take together; then they fail with 1031. Ten seconds unless set.
   * It does not bound what else the body does.
   */
  readonly timeout?: Duration.Input | undefined
  /** How many times the transaction is retried at most; unlimited within `timeout` unless set. */
  readonly retryLimit?: number | undefined
  /** The longest pause between two attempts; one second unless set. */
  readonly maxRetryDelay?: Duration.Input | undefined
  /** The largest transaction in bytes: from 32 to the ten million that FoundationDB allows, and that hold unless it is set. */
  readonly sizeLimit?: number | undefined
  /** `batch` gives way to all other work, `system-immediate` comes before it. */
  readonly priority?: "batch" | "default" | "system-immediate" | undefined
  /**
   * Takes a read version without asking all logs whether it is the newest: cheaper, and after a fault it may be stale.
   * Harmless where the commit validates what was read; not for a read-only answer that must be current.
   */
  readonly causalReadRisky?: boolean | undefined
  /** A name under which the servers count and throttle the transaction. */
  readonly tag?: string | undefined
}
