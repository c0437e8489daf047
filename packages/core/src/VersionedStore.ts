/**
 * The port between `OptimisticEngine`, which is FoundationDB's client, and what stores the data: keys and values in
 * several versions, and a commit that validates what was read.
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
 * The database as it was at one version.
 *
 * @since 0.1.0
 * @category models
 */
export interface Snapshot {
  readonly version: bigint
  /** False from the moment on when the version is older than the store reads; its reads must not be used then. */
  readonly isReadable: () => boolean
  /** The value of a key. */
  readonly get: (key: Uint8Array) => Uint8Array | undefined
  /**
   * The first `limit` pairs of the half-open range from `begin` to `end`, or the last, from the end backwards; in either case
   * after the `skip` that come before them.
   */
  readonly getRange: (
    begin: Uint8Array,
    end: Uint8Array,
    limit: number,
    reverse: boolean,
    skip: number
  ) => ReadonlyArray<KeyValue>
  /** Frees what the snapshot holds; called once, after the last read. */
  readonly close: () => void
}

/**
 * What is to be committed, atomically and in one version.
 *
 * @since 0.1.0
 * @category models
 */
export interface Commit {
  /** Without it nothing was read, and nothing can conflict. */
  readonly readVersion: bigint | undefined
  /** The commit fails when another with a version above `readVersion` has written to one of these; coalesced. */
  readonly readConflicts: ReadonlyArray<KeyRange.KeyRange>
  /** What later commits are to be checked against, but for versionstamped keys: see {@link bind}; coalesced. */
  readonly writeConflicts: ReadonlyArray<KeyRange.KeyRange>
  /** To be applied in this order; empty where there are only write conflicts. */
  readonly mutations: ReadonlyArray<Mutation>
  /** How long the commit may take; it must have settled by then. */
  readonly timeoutMillis: number
}

/**
 * Where a commit came in the order of all commits.
 *
 * @since 0.1.0
 * @category models
 */
export interface Position {
  /** Higher than every version that was ever read at before. */
  readonly version: bigint
  /** The place among the commits of the same version, from 0 to 65535. */
  readonly order: number
}

/**
 * Ends a watch; idempotent.
 *
 * @since 0.1.0
 * @category models
 */
export type Unwatch = () => void

/**
 * See the module.
 *
 * @since 0.1.0
 * @category models
 */
export interface VersionedStore {
  /** The newest version: everything that was committed before the call. */
  readonly openSnapshot: () => Result.Result<Snapshot, FdbError>
  /** The state at a version; fails with 1007 when that is too old, with 1009 when it has not been given out yet. */
  readonly openSnapshotAt: (version: bigint) => Result.Result<Snapshot, FdbError>
  /**
   * Commits, or fails in phase `commit`: with 1020 on a conflict, with 1007 when `readVersion` is too old (in the future it
   * may be: nothing was written since), with 1021 when
   * it cannot tell whether it has committed. Run uninterruptibly.
   */
  readonly commit: (commit: Commit) => Effect.Effect<Position, FdbError>
  /**
   * Calls `settle` once, when the key's newest committed value is not `baseline`, or with an error of phase `watch`. It may
   * be called before this returns, and after a change that was undone or made no difference.
   */
  readonly watch: (
    key: Uint8Array,
    baseline: Uint8Array | undefined,
    settle: (error?: FdbError) => void
  ) => Unwatch
}

/**
 * A mutation that needs nothing from its commit.
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
 * The ten bytes of a versionstamp: the version and the order within it, both big-endian.
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
 * A commit at its position: versionstamps filled in, and the keys that got one added to the write conflicts.
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
