/**
 * The interface of a store that keeps several versions of its data and validates commits. `OptimisticEngine` makes an engine from it.
 *
 * A version stays readable for {@link maxReadVersionAge}: five seconds, as in FoundationDB.
 */
import type * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Bytes from "./Bytes.ts"
import type { FdbError } from "./FdbError.ts"
import * as KeyRange from "./KeyRange.ts"
import type { Mutation } from "./Mutation.ts"
import type { KeyValue } from "./Transaction.ts"
import { transactionLength, type Versionstamped } from "./Versionstamp.ts"

/**
 * The age in versions up to which a version can be read: five seconds at a million versions a second.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxReadVersionAge = 5_000_000n

/**
 * The database at one version.
 *
 * @since 0.1.0
 * @category models
 */
export interface Snapshot {
  readonly version: bigint
  /** `false` if the version is too old; its reads are then void. */
  readonly isReadable: () => boolean
  readonly get: (key: Uint8Array) => Uint8Array | undefined
  /** Skips `skip` pairs of the range, then returns at most `limit`; from the end backwards where `reverse`. */
  readonly getRange: (
    begin: Uint8Array,
    end: Uint8Array,
    limit: number,
    reverse: boolean,
    skip: number
  ) => ReadonlyArray<KeyValue>
  /** Frees the snapshot's resources. Called once, after the last read. */
  readonly close: () => void
}

/**
 * A commit, which is applied atomically and in one version.
 *
 * @since 0.1.0
 * @category models
 */
export interface Commit {
  /** `undefined` if nothing was read: the commit then has no conflicts. */
  readonly readVersion: bigint | undefined
  /** The commit conflicts with every write to these ranges after `readVersion`; sorted and disjoint. */
  readonly readConflicts: ReadonlyArray<KeyRange.KeyRange>
  /** The ranges for checks of later commits, sorted and disjoint; {@link bind} adds the versionstamped keys. */
  readonly writeConflicts: ReadonlyArray<KeyRange.KeyRange>
  /** The mutations, in order; empty if there are only write conflicts. */
  readonly mutations: ReadonlyArray<Mutation>
  /** The keys that were written first, in the order of the writes, a few of them at most: who watches them may be told in this order. */
  readonly firstWritten?: ReadonlyArray<Uint8Array> | undefined
  /** The time in milliseconds within which the commit settles. */
  readonly timeoutMillis: number
}

/**
 * The place of a commit in the order of all commits.
 *
 * @since 0.1.0
 * @category models
 */
export interface Position {
  /** Higher than every version that a reader or commit got before. */
  readonly version: bigint
  /** The place among the commits of the same version, from 0 to 65535. */
  readonly order: number
}

/**
 * Ends a watch. Idempotent.
 *
 * @since 0.1.0
 * @category models
 */
export type Unwatch = () => void

/**
 * A store.
 *
 * @since 0.1.0
 * @category models
 */
export interface VersionedStore {
  /** Opens the newest version, which contains every commit before the call. */
  readonly openSnapshot: () => Result.Result<Snapshot, FdbError>
  /** Opens a version; fails with 1007 if it is too old, with 1009 if it is in the future. */
  readonly openSnapshotAt: (version: bigint) => Result.Result<Snapshot, FdbError>
  /**
   * Commits, or fails in phase `commit`: with 1020 on a conflict, with 1007 if `readVersion` is too old (it may be in the
   * future), with 1021 if the outcome is unknown. Runs uninterruptibly.
   */
  readonly commit: (commit: Commit) => Effect.Effect<Position, FdbError>
  /**
   * Calls `settle` once: when the key's newest committed value is not `baseline`, or with an error of phase `watch`. It may call
   * it before it returns, and after a change that was undone.
   */
  readonly watch: (key: Uint8Array, baseline: Uint8Array | undefined, settle: (error?: FdbError) => void) => Unwatch
}

/**
 * Returns whether two values are the same; `undefined` stands for no value. For watches.
 *
 * @since 0.1.0
 * @category predicates
 */
export const sameValue = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Bytes.equals(a, b)

/**
 * A mutation without a versionstamp to fill in.
 *
 * @since 0.1.0
 * @category models
 */
export type PlainMutation = Exclude<Mutation, { readonly _tag: `SetVersionstamped${string}` }>

const fill = ({ bytes, offset }: Versionstamped, stamp: Uint8Array): Uint8Array => {
  const filled = bytes.slice()
  filled.set(stamp, offset)
  return filled
}

/**
 * Makes the ten bytes of a versionstamp: the version and the order within it, big-endian.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toVersionstamp = ({ order, version }: Position): Uint8Array => {
  const stamp = new Uint8Array(transactionLength)
  Bytes.writeUint(stamp, 0, 4, Number(version >> 32n))
  Bytes.writeUint(stamp, 4, 4, Number(version & 0xffff_ffffn))
  Bytes.writeUint(stamp, 8, 2, order)
  return stamp
}

/**
 * Binds a commit to its position: fills versionstamps in, and adds the keys that got one to the write conflicts.
 *
 * @since 0.1.0
 * @category combinators
 */
export const bind = (commit: Commit, position: Position): {
  readonly mutations: ReadonlyArray<PlainMutation>
  readonly writeConflicts: ReadonlyArray<KeyRange.KeyRange>
} => {
  const { mutations, writeConflicts } = commit
  if (mutations.every(isPlain)) return { mutations, writeConflicts }
  const stamp = toVersionstamp(position)
  const stampedKeys: Array<KeyRange.KeyRange> = []
  return {
    mutations: mutations.map((mutation): PlainMutation => {
      if (mutation._tag === "SetVersionstampedValue") {
        return { _tag: "Set", key: mutation.key, value: fill(mutation.value, stamp) }
      }
      if (mutation._tag === "SetVersionstampedKey") {
        const key = fill(mutation.key, stamp)
        stampedKeys.push(KeyRange.single(key))
        return { _tag: "Set", key, value: mutation.value }
      }
      return mutation
    }),
    writeConflicts: [...writeConflicts, ...stampedKeys]
  }
}

const isPlain = (mutation: Mutation): mutation is PlainMutation =>
  mutation._tag !== "SetVersionstampedKey" && mutation._tag !== "SetVersionstampedValue"
