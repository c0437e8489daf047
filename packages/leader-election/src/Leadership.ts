import type { FdbError, Transaction, TransactionOptions } from "@effect-fdb/core"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { LeadershipLost } from "./ElectionError.ts"
import type { LeaderState } from "./LeaderState.ts"

/**
 * The leadership of one tenure: its fencing token, its guard, and whether it goes on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Leadership {
  /**
   * The fencing token: constant for the tenure, and greater than the term of every earlier tenure. Send it with each write to
   * another system, which must refuse a term smaller than the greatest it has seen.
   */
  readonly term: bigint
  /** The leader and its lease as last renewed. */
  readonly state: Effect.Effect<LeaderState>
  /**
   * Whether this process still believes that it leads. Asks its own clocks, not the database.
   *
   * @example const leads = Effect.flatMap(Leadership, ({ isHeld }) => isHeld)
   */
  readonly isHeld: Effect.Effect<boolean>
  /** Completes when the leadership is lost, with the reason. */
  readonly lost: Effect.Effect<LeadershipLost>
  /**
   * Runs `body` in a transaction that commits only if this tenure is still stored, and fails with `LeadershipLost` otherwise. For
   * data in the same database this is mutual exclusion that depends on no clock. It costs one more read, and never conflicts with
   * renewals.
   *
   * `LeadershipLost` means that nothing was written. If an earlier attempt may have been committed, which is possible only with
   * `idempotent`, it fails with an `FdbError` whose `maybeCommitted` is true and whose `cause` is the loss. If the loss
   * interrupts work of `withLeadership` that waits for this transaction, the `LeadershipLost` of `withLeadership` has
   * `maybeCommitted`.
   *
   * @example const write = Leadership.use(({ guard }) => guard(Transaction.use((tx) => tx.set(Uint8Array.of(1), Uint8Array.of(2)))))
   */
  readonly guard: <A, E, R>(
    body: Effect.Effect<A, E, R>,
    options?: TransactionOptions
  ) => Effect.Effect<A, E | FdbError | LeadershipLost, Exclude<R, Transaction>>
  /**
   * Resigns before the work is done. Under `withLeadership` the work is interrupted, its finalizers run, and then the resignation
   * is written: `withLeadership` fails with `LeadershipLost`, or campaigns again. Under `campaign`, where the work is the
   * caller's, the resignation is written at once.
   */
  readonly resign: Effect.Effect<void>
}

/**
 * The leadership under which the work runs, as a service. `withLeadership` and `singleton` provide it to their work, so that
 * functions that the work calls need no argument for it. In nested elections it is the innermost one.
 *
 * **Example**
 *
 * ```ts
 * import { Subspace, Transaction } from "@effect-fdb/core"
 * import { LeaderElection, Leadership } from "@effect-fdb/leader-election"
 * import { Effect } from "effect"
 *
 * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
 *
 * const markSent = Effect.fn("markSent")(function*(key: Uint8Array) {
 *   const { guard } = yield* Leadership
 *   yield* guard(Transaction.use((tx) => tx.set(key, new Uint8Array())))
 * })
 *
 * export const work = election.withLeadership({}, () => markSent(Uint8Array.of(1)))
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const Leadership: Context.Service<Leadership, Leadership> = Context.Service<Leadership>(
  "@effect-fdb/leader-election/Leadership"
)
