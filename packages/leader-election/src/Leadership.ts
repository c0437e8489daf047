/**
 * What a leader holds: one tenure, for as long as it lasts.
 */
import type { FdbError, Transaction, TransactionOptions } from "@effect-fdb/core"
import type * as Effect from "effect/Effect"
import type { LeadershipLost } from "./ElectionError.ts"
import type { LeaderState } from "./LeaderState.ts"

/** See the module. */
export interface Leadership {
  /**
   * The fencing token: constant for the tenure, and greater than that of every tenure before it. Hand it to whatever the
   * work writes to outside of this database, and let that refuse what comes with a smaller one.
   */
  readonly term: bigint
  /** Who leads and the lease as it was last renewed. */
  readonly state: Effect.Effect<LeaderState>
  /** Whether this process still believes that it leads. Asks its own clocks, not the database. */
  readonly isHeld: Effect.Effect<boolean>
  /** Completes once the leadership is lost, with the reason. */
  readonly lost: Effect.Effect<LeadershipLost>
  /**
   * Runs `body` in a transaction that is committed only if this tenure still stands, and fails with `LeadershipLost`
   * otherwise. For data in the same database this is mutual exclusion that depends on no clock. It costs one more read,
   * and never conflicts with renewals.
   *
   * `LeadershipLost` tells that nothing was written. Where an attempt may have been committed before, which only an `idempotent`
   * transaction can outlive, it fails with an `FdbError` that is `maybeCommitted`, whose `cause` is the loss. Under
   * `withLeadership` the loss interrupts the work that waits for this; then the `LeadershipLost` that `withLeadership` fails with
   * says so (`maybeCommitted`).
   */
  readonly guard: <A, E, R>(
    body: Effect.Effect<A, E, R>,
    options?: TransactionOptions
  ) => Effect.Effect<A, E | FdbError | LeadershipLost, Exclude<R, Transaction>>
  /**
   * Gives the leadership up before the work is done; a work that is done just ends. Under `withLeadership` the work is interrupted, its finalizers are run, and then the tenure is
   * ended in the database: `withLeadership` fails with `LeadershipLost`, or campaigns again. Under `campaign`, where the work is the caller's own, it is ended at once.
   */
  readonly resign: Effect.Effect<void>
}
