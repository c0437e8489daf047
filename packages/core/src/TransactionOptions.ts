/** The options of a transaction. They hold for every attempt. */
import type * as Duration from "effect/Duration"

/**
 * The options of a transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransactionOptions {
  /**
   * The body may be committed twice without harm, so an unknown commit result (1021, 1039) is retried. Otherwise such a result
   * is a failure with `maybeCommitted`.
   */
  readonly idempotent?: boolean | undefined
  /**
   * The time for all reads, retries and the commit, after which they fail with 1031; ten seconds unless set. It does not bound
   * other effects of the body.
   */
  readonly timeout?: Duration.Input | undefined
  /** The maximum number of retries; unlimited within `timeout` unless set. */
  readonly retryLimit?: number | undefined
  /** The longest pause between two attempts; one second unless set. */
  readonly maxRetryDelay?: Duration.Input | undefined
  /** The largest transaction in bytes, from 32 to ten million; ten million unless set. */
  readonly sizeLimit?: number | undefined
  /** `batch` gives way to all other work, `system-immediate` comes before it. */
  readonly priority?: "batch" | "default" | "system-immediate" | undefined
  /**
   * Takes a read version that may be stale after a fault, which is cheaper. Harmless where the commit validates what was read;
   * not for a read-only answer that must be current.
   */
  readonly causalReadRisky?: boolean | undefined
  /** A name under which the servers count and throttle the transaction. */
  readonly tag?: string | undefined
}
