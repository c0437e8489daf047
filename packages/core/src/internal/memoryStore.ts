/**
 * A store in memory: every version of the last five seconds is the root of a persistent tree.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Atomic from "../Atomic.ts"
import * as Bytes from "../Bytes.ts"
import * as FdbError from "../FdbError.ts"
import * as KeyRange from "../KeyRange.ts"
import type { KeyValue } from "../Transaction.ts"
import {
  bind,
  type Commit,
  maxReadVersionAge,
  type PlainMutation,
  type Position,
  sameValue,
  type Snapshot,
  type Unwatch,
  type VersionedStore
} from "../VersionedStore.ts"
import * as sortedMap from "./sortedMap.ts"
import { WriteHistory } from "./writeHistory.ts"

type FdbError = FdbError.FdbError
type Data = sortedMap.SortedMap<Uint8Array>

/** The data from a version on, until the next. */
interface Root {
  readonly version: bigint
  readonly data: Data
}

interface Watcher {
  readonly key: Uint8Array
  readonly baseline: Uint8Array | undefined
  readonly settle: () => void
}

const nanosPerVersion = 1000n
/** Above `maxReadVersionAge`, so that low versions are too old from the start, as in any used cluster. */
const firstVersion = 1_000_000_000n

const apply = (data: Data, mutation: PlainMutation): Data => {
  switch (mutation._tag) {
    case "Set":
      return sortedMap.set(data, mutation.key, mutation.value)
    case "Clear":
      return sortedMap.remove(data, mutation.key)
    case "ClearRange":
      return sortedMap.removeRange(data, mutation.begin, mutation.end)
    case "Atomic": {
      const value = Atomic.apply(mutation.op, sortedMap.get(data, mutation.key), mutation.operand)
      return value === undefined ? sortedMap.remove(data, mutation.key) : sortedMap.set(data, mutation.key, value)
    }
  }
}

export class MemoryStore implements VersionedStore {
  private readonly clock: Clock.Clock
  private readonly started: bigint
  private readonly joins: () => boolean
  private lastCommit: Position = { version: 0n, order: 0 }
  /** From `firstRoot` on, the versions that can be read, oldest first. The roots before it are no longer needed. */
  private roots: Array<Root> = [{ version: 0n, data: undefined }]
  private firstRoot = 0
  /** The highest version of a reader or a commit so far. */
  private lastVersion = firstVersion
  private readonly history = new WriteHistory()
  /** By `Bytes.toName` of their keys. */
  private readonly watchers = new Map<string, Set<Watcher>>()

  /** `joins`: see `MemoryDatabase.BatchOptions`. */
  constructor(clock: Clock.Clock, joins: () => boolean = () => false) {
    this.clock = clock
    this.joins = joins
    this.started = clock.monotonicTimeNanosUnsafe()
  }

  /** The number of versions, for tests. */
  get versionCount(): number {
    return this.roots.length - this.firstRoot
  }

  /** The size of the write history, for tests. */
  get historySize(): number {
    return this.history.size
  }

  readonly openSnapshot = (): Result.Result<Snapshot, FdbError> =>
    Result.succeed(this.snapshotAt(this.advance(), this.roots.at(-1)!.data))

  readonly openSnapshotAt = (version: bigint): Result.Result<Snapshot, FdbError> => {
    const newest = this.advance()
    if (version > newest) return Result.fail(FdbError.make(FdbError.codes.futureVersion, "read"))
    if (version < newest - maxReadVersionAge) {
      return Result.fail(FdbError.make(FdbError.codes.transactionTooOld, "read"))
    }
    return Result.succeed(this.snapshotAt(version, this.dataAt(version)))
  }

  readonly commit = (commit: Commit): Effect.Effect<Position, FdbError> =>
    Effect.suspend(() => {
      const newest = this.advance()
      const oldest = newest - maxReadVersionAge
      const { readConflicts, readVersion } = commit
      if (readVersion !== undefined) {
        if (readVersion < oldest) return Effect.fail(FdbError.make(FdbError.codes.transactionTooOld, "commit"))
        if (readConflicts.some((range) => this.history.isWrittenSince(range, readVersion))) {
          return Effect.fail(FdbError.make(FdbError.codes.notCommitted, "commit"))
        }
      }
      const position = newest === this.lastCommit.version && this.joins()
        ? { version: newest, order: this.lastCommit.order + 1 }
        : { version: newest + 1n, order: 0 }
      this.lastCommit = position
      const { mutations, writeConflicts } = bind(commit, position)
      for (const range of writeConflicts) this.history.add(range, position.version)
      this.history.prune(oldest)
      const data = mutations.reduce(apply, this.roots.at(-1)!.data)
      this.lastVersion = position.version
      this.roots.push({ version: position.version, data })
      this.pruneRoots(oldest)
      this.notify(mutations, data)
      return Effect.succeed(position)
    })

  readonly watch = (
    key: Uint8Array,
    baseline: Uint8Array | undefined,
    settle: (error?: FdbError) => void
  ): Unwatch => {
    const watcher: Watcher = { key, baseline, settle }
    if (sameValue(sortedMap.get(this.roots.at(-1)!.data, key), baseline)) this.addWatcher(watcher)
    else settle()
    return () => this.removeWatcher(watcher)
  }

  private addWatcher(watcher: Watcher): void {
    const name = Bytes.toName(watcher.key)
    const others = this.watchers.get(name)
    if (others === undefined) this.watchers.set(name, new Set([watcher]))
    else others.add(watcher)
  }

  private removeWatcher(watcher: Watcher): void {
    const name = Bytes.toName(watcher.key)
    const others = this.watchers.get(name)
    if (others?.delete(watcher) === true && others.size === 0) this.watchers.delete(name)
  }

  /** The watchers of all keys that a mutation may have changed. */
  private watchersOf(mutation: PlainMutation): Iterable<Watcher> {
    return mutation._tag === "ClearRange"
      ? [...this.watchers.values()].flatMap((watchers) => [...watchers])
        .filter(({ key }) => KeyRange.contains(mutation, key))
      : this.watchers.get(Bytes.toName(mutation.key)) ?? []
  }

  /** The present version. It grows by about a million a second and never decreases. */
  private advance(): bigint {
    const elapsed = firstVersion + (this.clock.monotonicTimeNanosUnsafe() - this.started) / nanosPerVersion
    if (elapsed > this.lastVersion) this.lastVersion = elapsed
    return this.lastVersion
  }

  private snapshotAt(version: bigint, data: Data): Snapshot {
    return {
      version,
      isReadable: () => version >= this.advance() - maxReadVersionAge,
      get: (key) => sortedMap.get(data, key),
      getRange: (begin, end, limit, reverse, skip) => {
        const values: Array<KeyValue> = []
        const cursor = sortedMap.cursor(data, begin, end, reverse)
        for (let skipped = 0; skipped < skip; skipped++) {
          if (cursor.next() === undefined) return values
        }
        while (values.length < limit) {
          const entry = cursor.next()
          if (entry === undefined) break
          values.push({ key: entry.key, value: entry.value })
        }
        return values
      },
      close: () => {}
    }
  }

  /** The last root at or before a version that can be read. */
  private dataAt(version: bigint): Data {
    let low = this.firstRoot
    let high = this.roots.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.roots[middle]!.version <= version) low = middle
      else high = middle - 1
    }
    return this.roots[low]!.data
  }

  private pruneRoots(oldest: bigint): void {
    while (this.firstRoot + 1 < this.roots.length && this.roots[this.firstRoot + 1]!.version <= oldest) {
      this.firstRoot++
    }
    if (this.firstRoot * 2 > this.roots.length) {
      this.roots = this.roots.slice(this.firstRoot)
      this.firstRoot = 0
    }
  }

  private notify(mutations: ReadonlyArray<PlainMutation>, data: Data): void {
    if (this.watchers.size === 0) return
    const changed = new Set<Watcher>()
    for (const mutation of mutations) {
      for (const watcher of this.watchersOf(mutation)) {
        if (!sameValue(sortedMap.get(data, watcher.key), watcher.baseline)) changed.add(watcher)
      }
    }
    for (const watcher of changed) {
      this.removeWatcher(watcher)
      watcher.settle()
    }
  }
}
