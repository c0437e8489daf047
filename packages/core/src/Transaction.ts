/**
 * The handle of one transaction. Only `Database.transact` provides it.
 *
 * A transaction reads one consistent version of the database, sees its own writes, and is committed only if nothing that
 * it read has been changed by another meanwhile (optimistic, strictly serializable).
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { FdbError } from "./FdbError.ts"
import type { KeySelector } from "./KeySelector.ts"
import type { AtomicOp } from "./Mutation.ts"
import type { Versionstamped } from "./Versionstamp.ts"

/**
 * A key and its value, as they are stored.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyValue {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/**
 * A range whose ends are keys (`begin` included, `end` excluded) or key selectors.
 *
 * @since 0.1.0
 * @category models
 */
export interface Range {
  readonly begin: Uint8Array | KeySelector
  readonly end: Uint8Array | KeySelector
}

/**
 * How a range is read.
 *
 * @since 0.1.0
 * @category models
 */
export interface RangeOptions {
  /** The most pairs to return; all of them unless set (zero means the same). */
  readonly limit?: number | undefined
  /** From the end of the range backwards. */
  readonly reverse?: boolean | undefined
}

/**
 * The values of keys, in their order.
 *
 * @since 0.1.0
 * @category models
 */
export type Values<Keys extends ReadonlyArray<Uint8Array>> = {
  readonly [K in keyof Keys]: Uint8Array | undefined
}

/**
 * Reading. The same five operations are serializable on the transaction and conflict-free on its `snapshot`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reads {
  /** The value of a key, `undefined` where there is none. */
  readonly get: (key: Uint8Array) => Effect.Effect<Uint8Array | undefined, FdbError>
  /**
   * The values of several keys, in their order, `undefined` where there is none. All are read at once, in one round trip
   * and without a fiber for each.
   */
  readonly getAll: <const Keys extends ReadonlyArray<Uint8Array>>(keys: Keys) => Effect.Effect<Values<Keys>, FdbError>
  /** The key that a selector resolves to; `""` before the first key, `\xff` after the last. */
  readonly getKey: (selector: KeySelector) => Effect.Effect<Uint8Array, FdbError>
  /** The pairs of a range, in order. */
  readonly getRange: (range: Range, options?: RangeOptions) => Effect.Effect<Array<KeyValue>, FdbError>
  /** The pairs of a range page by page, for ranges too large for an array; to be run inside the transaction. */
  readonly streamRange: (range: Range, options?: RangeOptions) => Stream.Stream<KeyValue, FdbError>
}

/**
 * The operations of a transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransactionService extends Reads {
  /** Reads that see the same version and the transaction's own writes, but cause no conflict. */
  readonly snapshot: Reads

  /**
   * Whether an earlier attempt of this `idempotent` transaction may have been committed: what the body finds may be its own work.
   */
  readonly maybeCommitted: boolean

  /** Gives a key a value. */
  readonly set: (key: Uint8Array, value: Uint8Array) => Effect.Effect<void, FdbError>
  /** Removes a key. One that is longer than keys can be is not there, and nothing is done. */
  readonly clear: (key: Uint8Array) => Effect.Effect<void, FdbError>
  /** Removes all keys of a range, `end` excluded. */
  readonly clearRange: (
    range: { readonly begin: Uint8Array; readonly end: Uint8Array }
  ) => Effect.Effect<void, FdbError>
  /** Changes a value without reading it. */
  readonly atomic: (op: AtomicOp, key: Uint8Array, operand: Uint8Array) => Effect.Effect<void, FdbError>
  /**
   * Sets a key that contains the versionstamp of this commit. What it may become cannot be read in this transaction (1036).
   * A later clear in it drops the key if it covers the key as it stands then: with the read version in the gap, or with
   * zeroes where no read version was taken. So to append and then trim what is older, read first.
   */
  readonly setVersionstampedKey: (key: Versionstamped, value: Uint8Array) => Effect.Effect<void, FdbError>
  /** Gives a key a value that contains the versionstamp of this commit; the key cannot be read in this transaction. */
  readonly setVersionstampedValue: (key: Uint8Array, value: Versionstamped) => Effect.Effect<void, FdbError>

  /**
   * Makes the transaction conflict as if it had read the key. Like a read, it has no effect on a key that this transaction
   * has set or cleared already: so add it *before* writing the key.
   */
  readonly addReadConflictKey: (key: Uint8Array) => Effect.Effect<void, FdbError>
  /** As {@link addReadConflictKey}, for all keys of a range. */
  readonly addReadConflictRange: (
    range: { readonly begin: Uint8Array; readonly end: Uint8Array }
  ) => Effect.Effect<void, FdbError>
  /** Makes others conflict as if this transaction had written the key. */
  readonly addWriteConflictKey: (key: Uint8Array) => Effect.Effect<void, FdbError>
  /** As {@link addWriteConflictKey}, for all keys of a range. */
  readonly addWriteConflictRange: (
    range: { readonly begin: Uint8Array; readonly end: Uint8Array }
  ) => Effect.Effect<void, FdbError>

  /** The version that this transaction reads at. */
  readonly readVersion: Effect.Effect<bigint, FdbError>
  /**
   * Reads at a version that was obtained before, which saves the round trip that would ask for one. A version older than
   * five seconds fails with 1007, one from the future fails reads with 1009; a transaction that only writes is committed.
   */
  readonly setReadVersion: (version: bigint) => Effect.Effect<void, FdbError>

  /**
   * Watches a key: once the transaction is committed, the effect that this gives completes when the value differs from
   * the one that the transaction saw. It may complete without a change, and may miss a change that was undone, so read
   * again after it. Closing the scope, or a failed commit, ends the watch; it then fails with 1025 or the commit's error.
   */
  readonly watch: (key: Uint8Array) => Effect.Effect<Effect.Effect<void, FdbError>, FdbError, Scope.Scope>

  /**
   * Gives an effect to be run after the commit, that tells the version of the commit, `-1n` when nothing was written.
   * Before the commit that effect fails with 2015.
   */
  readonly committedVersion: Effect.Effect<Effect.Effect<bigint, FdbError>>
  /**
   * Gives an effect to be run after the commit, that tells the ten bytes of the commit's versionstamp. It fails with 2015
   * before the commit and with 2021 when nothing was written.
   */
  readonly versionstamp: Effect.Effect<Effect.Effect<Uint8Array, FdbError>>
}

/**
 * The transaction that an effect runs in.
 *
 * **Example**
 *
 * ```ts
 * import { Database, type FdbError, Subspace, Transaction } from "@effect-fdb/core"
 * import { Effect } from "effect"
 *
 * const visits = Subspace.fromTuple(["visits"])
 *
 * const visit = Effect.gen(function*() {
 *   const tx = yield* Transaction
 *   yield* tx.atomic("Add", visits.pack(["today"]), Uint8Array.of(1, 0, 0, 0))
 * })
 *
 * export const program: Effect.Effect<void, FdbError, Database> = Database.transact(visit)
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export class Transaction extends Context.Service<Transaction, TransactionService>()("@effect-fdb/core/Transaction") {}
