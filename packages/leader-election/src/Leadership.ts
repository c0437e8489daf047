/**
 * What a leader holds: one tenure, for as long as it lasts.
 */
import type { FdbError, Transaction, TransactionOptions } from "@effect-fdb/core"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { LeadershipLost } from "./ElectionError.ts"
import type { LeaderState } from "./LeaderState.ts"

/**
 * What a leader holds: the fencing token, the guard, and whether the tenure goes on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Leadership {
  /**
   * The fencing token: constant for the tenure, and greater than that of every tenure before it. Hand it to whatever the
   * work writes to outside of this database, and let that refuse what comes with a smaller one.
   */
  readonly term: bigint
  /** Who leads and the lease as it was last renewed. */
  readonly state: Effect.Effect<LeaderState>
  /**
   * Whether this process still believes that it leads. Asks its own clocks, not the database.
   *
   * **Example**
   *
   * ```ts
   * import { Leadership } from "@effect-fdb/leader-election"
   * import { Effect } from "effect"
   *
   * export const step = Effect.gen(function*() {
   *   const { isHeld, term } = yield* Leadership
   *   if (yield* isHeld) yield* Effect.log(`still leads in term ${term}`)
   * })
   * ```
   */
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
   *
   * **Example**
   *
   * ```ts
   * import { Transaction } from "@effect-fdb/core"
   * import { Leadership } from "@effect-fdb/leader-election"
   * import { Effect } from "effect"
   *
   * export const write = Effect.flatMap(Leadership, ({ guard }) =>
   *   guard(Transaction.use((tx) => tx.set(Uint8Array.of(1), Uint8Array.of(2)))))
   * ```
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

/**
 * The leadership under which the work runs, as a service. `withLeadership` and `singleton` provide it to their work, so that what
 * the work calls need not be handed the leadership as an argument. Where elections are nested, it is the innermost one.
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
