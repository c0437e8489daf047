/**
 * Makes an engine of a `VersionedStore`, for those who write engines.
 *
 * Everything that FoundationDB's client does is done here: reads see the transaction's own writes, key selectors are
 * resolved, conflict ranges gathered, sizes counted, the read version is fetched when it is first needed, watches live
 * from the commit on. The store has only to keep versions and to validate commits.
 */
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Bytes from "./Bytes.ts"
import type { AttemptOptions, Committed, Engine, EngineTransaction, EngineWatch, Page, PageOptions } from "./Engine.ts"
import * as FdbError from "./FdbError.ts"
import * as limits from "./internal/limits.ts"
import * as mergedView from "./internal/mergedView.ts"
import { OwnWrites } from "./internal/ownWrites.ts"
import * as rangeSet from "./internal/rangeSet.ts"
import * as readConflict from "./internal/readConflict.ts"
import * as KeyRange from "./KeyRange.ts"
import type { KeySelector } from "./KeySelector.ts"
import type { Mutation } from "./Mutation.ts"
import { type Snapshot, toVersionstamp, type Unwatch, type VersionedStore } from "./VersionedStore.ts"

type FdbError = FdbError.FdbError

/** What an engine is made of. */
export interface Options {
  /** See `Engine.name`. */
  readonly name: string
  readonly store: VersionedStore
  /** The time by which attempts time out. */
  readonly clock: Clock.Clock
  /** In bytes; 10,000 unless set, and never more. */
  readonly maxKeyLength?: number | undefined
  /** How many watches may be set at a time, before 1032; 10,000 unless set. */
  readonly maxWatches?: number | undefined
}

const nanosPerMilli = 1_000_000
const pageSize = 256
const readOnly: Committed = { version: -1n, versionstamp: undefined }

/** The number of watches that are set, shared by the transactions of an engine. */
interface WatchCount {
  readonly max: number
  active: number
}

/** A watch: pending until its transaction is committed, then set at the store. */
class Watch implements EngineWatch {
  readonly fired: Effect.Effect<void, FdbError>
  readonly cancel: Effect.Effect<void>
  readonly key: Uint8Array
  private readonly baseline: Uint8Array | undefined
  private readonly count: WatchCount
  private readonly settled = Deferred.makeUnsafe<void, FdbError>()
  private unwatch: Unwatch | undefined = undefined

  constructor(key: Uint8Array, baseline: Uint8Array | undefined, count: WatchCount) {
    this.key = key
    this.baseline = baseline
    this.count = count
    count.active++
    this.fired = Deferred.await(this.settled)
    this.cancel = Effect.sync(() => {
      this.settle(cancelled)
      this.unwatch?.()
    })
  }

  /** The own transaction writes the key; `undefined` means a value that is not known yet. */
  write(written: { readonly value: Uint8Array | undefined } | undefined): void {
    if (written === undefined || !sameValue(written.value, this.baseline)) this.settle(Effect.void)
  }

  set(store: VersionedStore): void {
    if (Deferred.isDoneUnsafe(this.settled)) return
    this.unwatch = store.watch(
      this.key,
      this.baseline,
      (error) => this.settle(error === undefined ? Effect.void : Effect.fail(error))
    )
  }

  private settle(result: Effect.Effect<void, FdbError>): void {
    if (Deferred.isDoneUnsafe(this.settled)) return
    this.count.active--
    Deferred.doneUnsafe(this.settled, result)
  }
}

const sameValue = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Bytes.equals(a, b)

class Attempt implements EngineTransaction {
  private readonly options: Options
  private readonly count: WatchCount
  private readonly deadline: bigint
  private readonly sizeLimit: number
  private readonly own = new OwnWrites()
  private readonly readConflicts: Array<KeyRange.KeyRange> = []
  private readonly writeConflicts: Array<KeyRange.KeyRange> = []
  private readonly watches: Array<Watch> = []
  private requestedVersion: bigint | undefined = undefined
  private snapshot: Snapshot | undefined = undefined
  private wantsVersionstamp = false

  constructor(options: Options, count: WatchCount, attempt: AttemptOptions) {
    this.options = options
    this.count = count
    this.deadline = options.clock.monotonicTimeNanosUnsafe() +
      BigInt(Math.min(Math.round(attempt.timeoutMillis * nanosPerMilli), Number.MAX_SAFE_INTEGER))
    this.sizeLimit = attempt.sizeLimit ?? limits.maxTransactionSize
  }

  readonly readVersion: Effect.Effect<bigint, FdbError> = Effect.suspend(() => {
    if (this.snapshot === undefined && this.requestedVersion !== undefined) {
      return this.isLate() ? timedOut("read") : Effect.succeed(this.requestedVersion)
    }
    return this.read((snapshot) => Effect.succeed(snapshot.version))
  })

  readonly setReadVersion = (version: bigint): Effect.Effect<void, FdbError> =>
    Effect.suspend(() => {
      if (this.snapshot !== undefined || this.requestedVersion !== undefined) {
        return Effect.fail(FdbError.make(2010, "read"))
      }
      this.requestedVersion = version
      return Effect.void
    })

  readonly get = (key: Uint8Array, isSnapshot: boolean): Effect.Effect<Uint8Array | undefined, FdbError> =>
    Effect.suspend(() =>
      this.read((snapshot) => {
        const value = mergedView.get(snapshot, this.own, key)
        if (value === mergedView.unreadable) return unreadable
        if (!isSnapshot) this.own.addKeyConflict(key, this.readConflicts)
        return Effect.succeed(value)
      })
    )

  readonly getAll = (
    keys: ReadonlyArray<Uint8Array>,
    isSnapshot: boolean
  ): Effect.Effect<ReadonlyArray<Uint8Array | undefined>, FdbError> =>
    Effect.suspend(() =>
      this.read((snapshot) => {
        const values: Array<Uint8Array | undefined> = []
        for (const key of keys) {
          const value = mergedView.get(snapshot, this.own, key)
          if (value === mergedView.unreadable) return unreadable
          values.push(value)
        }
        if (!isSnapshot) { for (const key of keys) this.own.addKeyConflict(key, this.readConflicts) }
        return Effect.succeed(values)
      })
    )

  readonly getKey = (selector: KeySelector, isSnapshot: boolean): Effect.Effect<Uint8Array, FdbError> =>
    Effect.suspend(() =>
      this.read((snapshot) => {
        const resolved = mergedView.resolve(snapshot, this.own, selector)
        if (resolved === mergedView.unreadable) return unreadable
        if (!isSnapshot) this.own.addRangeConflict(readConflict.ofSelector(selector, resolved), this.readConflicts)
        return Effect.succeed(resolved.key)
      })
    )

  readonly getPage = (begin: KeySelector, end: KeySelector, options: PageOptions): Effect.Effect<Page, FdbError> =>
    Effect.suspend(() =>
      this.read((snapshot) => {
        const from = this.resolveEnd(snapshot, begin)
        const to = this.resolveEnd(snapshot, end)
        if (from === mergedView.unreadable || to === mergedView.unreadable) return unreadable
        const { limit: wanted, mode, reverse } = options
        const unlimited = wanted === 0 ? Number.POSITIVE_INFINITY : wanted
        const limit = mode === "all" ? unlimited : Math.min(unlimited, pageSize)
        const values = mergedView.getRange(snapshot, this.own, { begin: from.key, end: to.key }, limit, reverse)
        if (values === mergedView.unreadable) return unreadable
        const more = values.length === limit
        if (!options.snapshot) {
          this.own.addRangeConflict(
            readConflict.ofPage(
              { selector: begin, clamped: from.clamped },
              { selector: end, clamped: to.clamped },
              values,
              more,
              reverse
            ),
            this.readConflicts
          )
        }
        return Effect.succeed({ values, more })
      })
    )

  readonly mutate = (mutation: Mutation): void => {
    this.own.add(mutation, this.snapshot?.version ?? this.requestedVersion)
    for (const watch of this.watches) {
      if (writesTo(mutation, watch.key)) {
        const overlay = this.own.isUnreadable(watch.key) ? undefined : this.own.overlay(watch.key)
        watch.write(typeof overlay === "object" ? overlay : undefined)
      }
    }
  }

  readonly addReadConflict = (range: KeyRange.KeyRange): void => {
    this.own.addRangeConflict(range, this.readConflicts)
  }

  readonly addWriteConflict = (range: KeyRange.KeyRange): void => {
    if (Bytes.compare(range.begin, range.end) < 0) this.writeConflicts.push(range)
  }

  readonly watch = (key: Uint8Array): Effect.Effect<EngineWatch, FdbError> =>
    Effect.flatMap(this.get(key, false), (baseline) => {
      if (this.count.active >= this.count.max) {
        return Effect.fail(FdbError.make(1032, "read", `the limit is ${this.count.max} at a time`))
      }
      const watch = new Watch(key, baseline, this.count)
      this.watches.push(watch)
      return Effect.succeed(watch)
    })

  readonly requestVersionstamp = (): void => {
    this.wantsVersionstamp = true
  }

  readonly commit: Effect.Effect<Committed, FdbError> = Effect.suspend(() => {
    const left = this.deadline - this.options.clock.monotonicTimeNanosUnsafe()
    if (left <= 0n) return timedOut("write")
    if (this.own.isEmpty && this.writeConflicts.length === 0) {
      return Effect.sync(() => this.settled(readOnly))
    }
    const mutations = this.own.mutations()
    for (const mutation of mutations) {
      if (mutation._tag === "ClearRange") this.writeConflicts.push(mutation)
      else if (mutation._tag !== "SetVersionstampedKey") this.writeConflicts.push(KeyRange.single(mutation.key))
    }
    const readConflicts = rangeSet.coalesce(this.readConflicts)
    const writeConflicts = rangeSet.coalesce(this.writeConflicts)
    const size = sizeOf(mutations, readConflicts, writeConflicts)
    if (size > this.sizeLimit) {
      return Effect.fail(FdbError.make(2101, "commit", `it has ${size} bytes, the limit is ${this.sizeLimit}`))
    }
    const readVersion = this.snapshot?.version ?? this.requestedVersion
    // Nothing is read any more; the store may use what it holds for the commit.
    this.snapshot?.close()
    this.snapshot = undefined
    const timeoutMillis = Number(left) / nanosPerMilli
    return Effect.map(
      this.options.store.commit({ readVersion, readConflicts, writeConflicts, mutations, timeoutMillis }),
      (position) =>
        this.settled({
          version: position.version,
          versionstamp: this.wantsVersionstamp ? toVersionstamp(position) : undefined
        })
    )
  })

  readonly dispose: Effect.Effect<void> = Effect.sync(() => {
    this.snapshot?.close()
    this.snapshot = undefined
  })

  private settled(committed: Committed): Committed {
    for (const watch of this.watches) watch.set(this.options.store)
    return committed
  }

  private isLate(): boolean {
    return this.options.clock.monotonicTimeNanosUnsafe() >= this.deadline
  }

  /** Reads at the transaction's version, which the first read settles. */
  private read<A>(read: (snapshot: Snapshot) => Effect.Effect<A, FdbError>): Effect.Effect<A, FdbError> {
    if (this.isLate()) return timedOut("read")
    if (this.snapshot === undefined) {
      const { store } = this.options
      const opened = this.requestedVersion === undefined
        ? store.openSnapshot()
        : store.openSnapshotAt(this.requestedVersion)
      if (Result.isFailure(opened)) return Effect.fail(opened.failure)
      this.snapshot = opened.success
    }
    return this.snapshot.isReadable() ? read(this.snapshot) : tooOld
  }

  /** An end of a range. One that is a plain key needs no looking up: nothing lies between it and what it resolves to. */
  private resolveEnd(snapshot: Snapshot, selector: KeySelector): mergedView.Resolved | mergedView.Unreadable {
    return selector.offset === 1
      ? { key: mergedView.anchor(selector), clamped: false }
      : mergedView.resolve(snapshot, this.own, selector)
  }
}

const writesTo = (mutation: Mutation, key: Uint8Array): boolean => {
  switch (mutation._tag) {
    case "ClearRange":
      return KeyRange.contains(mutation, key)
    case "SetVersionstampedKey":
      return false
    default:
      return Bytes.equals(mutation.key, key)
  }
}

const sizeOf = (
  mutations: ReadonlyArray<Mutation>,
  ...conflicts: ReadonlyArray<ReadonlyArray<KeyRange.KeyRange>>
): number => {
  let size = 0
  for (const mutation of mutations) size += sizeOfMutation(mutation)
  for (const ranges of conflicts) {
    for (const { begin, end } of ranges) size += begin.length + end.length
  }
  return size
}

const sizeOfMutation = (mutation: Mutation): number => {
  switch (mutation._tag) {
    case "Set":
      return mutation.key.length + mutation.value.length
    case "Clear":
      return mutation.key.length
    case "ClearRange":
      return mutation.begin.length + mutation.end.length
    case "Atomic":
      return mutation.key.length + mutation.operand.length
    case "SetVersionstampedKey":
      return mutation.key.bytes.length + mutation.value.length
    case "SetVersionstampedValue":
      return mutation.key.length + mutation.value.bytes.length
  }
}

const tooOld = Effect.fail(FdbError.make(1007, "read"))
const unreadable = Effect.fail(FdbError.make(1036, "read"))
const cancelled = Effect.fail(FdbError.make(1025, "watch"))
const timedOut = (phase: FdbError.Phase) => Effect.fail(FdbError.make(1031, phase))

/** Makes an engine. */
export const make = (options: Options): Engine => {
  const count: WatchCount = { max: options.maxWatches ?? 10_000, active: 0 }
  return {
    name: options.name,
    maxKeyLength: Math.min(options.maxKeyLength ?? limits.maxKeyLength, limits.maxKeyLength),
    begin: (attempt) => new Attempt(options, count, attempt)
  }
}
