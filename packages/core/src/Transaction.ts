/**
 * One transaction, which only `Database.transact` provides.
 *
 * A transaction reads one version of the database and its own writes. It is committed only if no other has changed what it read
 * (optimistic, strictly serializable).
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { FdbError } from "./FdbError.ts"
import type { KeyRange } from "./KeyRange.ts"
import type { KeySelector } from "./KeySelector.ts"
import type { AtomicOp } from "./Mutation.ts"
import type { Versionstamped } from "./Versionstamp.ts"

/**
 * A key and its value.
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
 * Options of a range read.
 *
 * @since 0.1.0
 * @category models
 */
export interface RangeOptions {
  /** The maximum number of pairs; no limit if it is not set or zero. */
  readonly limit?: number | undefined
  /** Reads backwards from the end of the range. */
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
 * The reads of a transaction: serializable on the transaction itself, without conflicts on its `snapshot`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reads {
  /** Reads the value of a key; `undefined` if there is none. */
  readonly get: (key: Uint8Array) => Effect.Effect<Uint8Array | undefined, FdbError>
  /** Reads several keys in one round trip: their values in order, `undefined` if there is none. */
  readonly getAll: <const Keys extends ReadonlyArray<Uint8Array>>(keys: Keys) => Effect.Effect<Values<Keys>, FdbError>
  /** Resolves a key selector; to `""` before the first key, to `\xff` after the last. */
  readonly getKey: (selector: KeySelector) => Effect.Effect<Uint8Array, FdbError>
  /** Reads the pairs of a range, in order. */
  readonly getRange: (range: Range, options?: RangeOptions) => Effect.Effect<Array<KeyValue>, FdbError>
  /** Reads a range page by page, for ranges too large for an array. Run it inside the transaction. */
  readonly streamRange: (range: Range, options?: RangeOptions) => Stream.Stream<KeyValue, FdbError>
}

/**
 * The operations of a transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransactionService extends Reads {
  /** Reads at the same version, own writes included, that cause no conflict. */
  readonly snapshot: Reads

  /** Whether an earlier attempt of this `idempotent` transaction may have been committed, so that the body may find its own writes. */
  readonly maybeCommitted: boolean

  /** Gives a key a value. */
  readonly set: (key: Uint8Array, value: Uint8Array) => Effect.Effect<void, FdbError>
  /** Removes a key. */
  readonly clear: (key: Uint8Array) => Effect.Effect<void, FdbError>
  /** Removes all keys of a range, `end` excluded. */
  readonly clearRange: (range: KeyRange) => Effect.Effect<void, FdbError>
  /** Changes a value without reading it. */
  readonly atomic: (op: AtomicOp, key: Uint8Array, operand: Uint8Array) => Effect.Effect<void, FdbError>
  /**
   * Sets a key that contains the versionstamp of this commit. Keys that it may become cannot be read in this transaction (1036).
   * A later clear drops it if the clear covers the key with the read version in the gap, or with zeroes where no read version
   * was taken yet. So read first to append and then trim what is older.
   */
  readonly setVersionstampedKey: (key: Versionstamped, value: Uint8Array) => Effect.Effect<void, FdbError>
  /** Gives a key a value that contains the versionstamp of this commit; the key cannot be read in this transaction. */
  readonly setVersionstampedValue: (key: Uint8Array, value: Versionstamped) => Effect.Effect<void, FdbError>

  /**
   * Makes the transaction conflict as if it had read the key. It has no effect on a key that this transaction has set or cleared
   * before: add it *before* you write the key.
   */
  readonly addReadConflictKey: (key: Uint8Array) => Effect.Effect<void, FdbError>
  /** Does the same for all keys of a range. */
  readonly addReadConflictRange: (range: KeyRange) => Effect.Effect<void, FdbError>
  /** Makes others conflict as if this transaction had written the key. */
  readonly addWriteConflictKey: (key: Uint8Array) => Effect.Effect<void, FdbError>
  /** Does the same for all keys of a range. */
  readonly addWriteConflictRange: (range: KeyRange) => Effect.Effect<void, FdbError>

  /** The version that this transaction reads at. */
  readonly readVersion: Effect.Effect<bigint, FdbError>
  /**
   * Reads at a version that was obtained before, which saves a round trip. A version older than five seconds fails with 1007. One
   * from the future fails reads with 1009; a transaction that only writes is committed.
   */
  readonly setReadVersion: (version: bigint) => Effect.Effect<void, FdbError>

  /**
   * Watches a key. After the commit, the returned effect completes when the value differs from the one that the transaction saw.
   * It may complete without a change, and may miss a change that was undone, so read again after it. Closing the scope, or a
   * failed commit, ends the watch with 1025 or the commit's error.
   */
  readonly watch: (key: Uint8Array) => Effect.Effect<Effect.Effect<void, FdbError>, FdbError, Scope.Scope>

  /** Gives an effect that returns the commit's version, `-1n` if nothing was written. Before the commit it fails with 2015. */
  readonly committedVersion: Effect.Effect<Effect.Effect<bigint, FdbError>>
  /**
   * Gives an effect that returns the ten bytes of the commit's versionstamp. It fails with 2015 before the commit, with 2021 if
   * nothing was written.
   */
  readonly versionstamp: Effect.Effect<Effect.Effect<Uint8Array, FdbError>>
}

/**
 * The transaction service, in which an effect runs.
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
