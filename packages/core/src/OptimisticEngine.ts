/**
 * Makes an engine from a `VersionedStore`, for authors of engines.
 *
 * This is FoundationDB's client: it reads its own writes, resolves key selectors, gathers conflict ranges, counts sizes, fetches the
 * read version when it is first needed, and sets watches at the commit. The store keeps versions and validates commits.
 */
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Bytes from "./Bytes.ts"
import type { AttemptOptions, Committed, Engine, EngineTransaction, EngineWatch, Page, PageOptions } from "./Engine.ts"
import * as FdbError from "./FdbError.ts"
import * as limits from "./internal/limits.ts"
import * as rangeSet from "./internal/rangeSet.ts"
import * as readConflict from "./internal/readConflict.ts"
import * as readYourWrites from "./internal/readYourWrites.ts"
import { WriteMap } from "./internal/writeMap.ts"
import * as KeyRange from "./KeyRange.ts"
import type { KeySelector } from "./KeySelector.ts"
import type { Mutation } from "./Mutation.ts"
import { sameValue, type Snapshot, toVersionstamp, type Unwatch, type VersionedStore } from "./VersionedStore.ts"

type FdbError = FdbError.FdbError

/**
 * The options of {@link make}.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** See `Engine.name`. */
  readonly name: string
  readonly store: VersionedStore
  /** The clock by which attempts time out. */
  readonly clock: Clock.Clock
  /** In bytes; 10,000 unless set, and never more. */
  readonly maxKeyLength?: number | undefined
  /** The maximum number of watches at a time; more fail with 1032. 10,000 unless set. */
  readonly maxWatches?: number | undefined
}

/**
 * An attempt of a transaction that reports its conflict ranges.
 *
 * @since 0.1.0
 * @category models
 */
export interface OptimisticTransaction extends EngineTransaction {
  /** The conflict ranges so far, for tests. A versionstamped key counts with every key that it may become. */
  readonly conflictRanges: {
    readonly read: ReadonlyArray<KeyRange.KeyRange>
    readonly write: ReadonlyArray<KeyRange.KeyRange>
  }
}

/**
 * An engine whose attempts report their conflict ranges.
 *
 * @since 0.1.0
 * @category models
 */
export interface OptimisticEngine extends Engine {
  readonly begin: (options: AttemptOptions) => OptimisticTransaction
}

const nanosPerMilli = 1_000_000
const pageSize = 256
/** The number of keys of which the store is told that they were written first. */
const maxFirstWritten = 16
/** The page size of a range that is read completely. It limits how long a page blocks the event loop. */
const largePageSize = 5000
const readOnly: Committed = { version: -1n, versionstamp: undefined }

/** The watches that are set, counted over all transactions of an engine. */
interface WatchCount {
  readonly max: number
  active: number
}

/** The options of all transactions of an engine. */
interface Settings extends Options {
  readonly maxKeyLength: number
  readonly watchCount: WatchCount
}

/** A watch. The commit of its transaction sets it at the store. */
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

  /** Observes a later mutation of the same transaction. A value that only the commit knows counts as a change. */
  observe(mutation: Mutation): void {
    if (!writesTo(mutation, this.key)) return
    const isKnown = mutation._tag === "Set" || mutation._tag === "Clear" || mutation._tag === "ClearRange"
    const value = mutation._tag === "Set" ? mutation.value : undefined
    if (!isKnown || !sameValue(value, this.baseline)) this.settle(Effect.void)
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

class ReadYourWritesTransaction implements OptimisticTransaction {
  private readonly options: Settings
  private readonly deadline: bigint
  private readonly sizeLimit: number
  private readonly writes = new WriteMap()
  private readonly firstWritten: Array<Uint8Array> = []
  private readonly readConflicts: Array<KeyRange.KeyRange> = []
  /** The ranges that were read of the database so far (the snapshot cache), and those that are not yet in it. */
  private cached: rangeSet.RangeSet = undefined
  private readonly uncached: Array<KeyRange.KeyRange> = []
  private readonly watches: Array<Watch> = []
  private requestedVersion: bigint | undefined = undefined
  private snapshot: Snapshot | undefined = undefined
  private wantsVersionstamp = false

  constructor(options: Settings, attempt: AttemptOptions) {
    this.options = options
    this.deadline = options.clock.monotonicTimeNanosUnsafe() +
      BigInt(Math.min(Math.round(attempt.timeoutMillis * nanosPerMilli), Number.MAX_SAFE_INTEGER))
    this.sizeLimit = attempt.sizeLimit ?? limits.maxTransactionSize
  }

  get conflictRanges() {
    return {
      read: KeyRange.coalesce(this.readConflicts),
      write: KeyRange.coalesce(this.writes.reportedConflicts(this.readVersionIfTaken))
    }
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
        return Effect.fail(FdbError.make(FdbError.codes.readVersionAlreadySet, "read"))
      }
      this.requestedVersion = version
      return Effect.void
    })

  readonly get = (key: Uint8Array, isSnapshot: boolean): Effect.Effect<Uint8Array | undefined, FdbError> =>
    Effect.suspend(() => this.answer((below) => this.readKey(below, key, isSnapshot)))

  readonly getAll = (
    keys: ReadonlyArray<Uint8Array>,
    isSnapshot: boolean
  ): Effect.Effect<ReadonlyArray<Uint8Array | undefined>, FdbError> =>
    Effect.suspend(() =>
      this.answer((below) => {
        const values: Array<Uint8Array | undefined> = []
        for (const key of keys) {
          const value = this.readKey(below, key, isSnapshot)
          if (typeof value === "symbol") return value
          values.push(value)
        }
        return values
      })
    )

  readonly getKey = (selector: KeySelector, isSnapshot: boolean): Effect.Effect<Uint8Array, FdbError> =>
    Effect.suspend(() => {
      const within = this.withinLength(selector)
      return this.answer((below) => {
        const key = this.remember(readYourWrites.resolve(below, this.writes, within, this.snapshotCache))
        if (typeof key !== "symbol" && !isSnapshot) this.addConflict(readConflict.ofSelector(within, key))
        return key
      })
    })

  readonly getPage = (begin: KeySelector, end: KeySelector, options: PageOptions): Effect.Effect<Page, FdbError> =>
    Effect.suspend((): Effect.Effect<Page, FdbError> => {
      const from = this.withinLength(begin)
      const to = this.withinLength(end)
      if (readYourWrites.isInverted(from, to)) {
        return this.isLate() ? timedOut("read") : Effect.succeed({ values: [], more: false })
      }
      const { limit, mode, reverse, snapshot } = options
      const pageLimits = {
        wanted: limit === 0 ? Number.POSITIVE_INFINITY : limit,
        pageSize: mode === "all" ? largePageSize : pageSize
      }
      return this.answer((below) => {
        const page = this.remember(
          readYourWrites.getRange(below, this.writes, from, to, pageLimits, reverse, this.snapshotCache)
        )
        if (typeof page !== "symbol" && !snapshot) this.addConflict(readConflict.ofPage(from, to, page, reverse))
        return page
      })
    })

  readonly mutate = (mutation: Mutation): void => {
    const within = this.cutToLength(mutation)
    if (within === undefined) return
    this.writes.add(within, this.readVersionIfTaken)
    if (
      this.firstWritten.length < maxFirstWritten && within._tag !== "ClearRange" &&
      within._tag !== "SetVersionstampedKey"
    ) {
      this.firstWritten.push(within.key)
    }
    for (const watch of this.watches) watch.observe(within)
  }

  readonly addReadConflict = (range: KeyRange.KeyRange): void => {
    this.addConflict(this.cutRange(range))
  }

  readonly addWriteConflict = (range: KeyRange.KeyRange): void => {
    const within = this.cutRange(range)
    if (Bytes.compare(within.begin, within.end) < 0) this.writes.addWriteConflict(within)
  }

  readonly watch = (key: Uint8Array): Effect.Effect<EngineWatch, FdbError> =>
    Effect.flatMap(this.get(key, false), (baseline) => {
      const { watchCount } = this.options
      if (watchCount.active >= watchCount.max) {
        const detail = `the limit is ${watchCount.max} at a time`
        return Effect.fail(FdbError.make(FdbError.codes.tooManyWatches, "read", detail))
      }
      const watch = new Watch(key, baseline, watchCount)
      this.watches.push(watch)
      return Effect.succeed(watch)
    })

  readonly requestVersionstamp = (): void => {
    this.wantsVersionstamp = true
  }

  readonly commit: Effect.Effect<Committed, FdbError> = Effect.suspend(() => {
    const left = this.deadline - this.options.clock.monotonicTimeNanosUnsafe()
    if (left <= 0n) return timedOut("write")
    if (this.writes.isEmpty) return Effect.sync(() => this.settled(readOnly))
    const mutations = this.writes.mutations()
    const readConflicts = KeyRange.coalesce(this.readConflicts)
    const writeConflicts = KeyRange.coalesce(this.writes.conflicts())
    const size = sizeOf(mutations, readConflicts, writeConflicts) +
      this.writes.writtenWithinCleared().reduce((size, key) => size + limits.mutationOverhead + 2 * key.length + 1, 0)
    if (size > this.sizeLimit) {
      const detail = `it has ${size} bytes, the limit is ${this.sizeLimit}`
      return Effect.fail(FdbError.make(FdbError.codes.transactionTooLarge, "commit", detail))
    }
    const readVersion = this.readVersionIfTaken
    // No read comes after this; the store may use the snapshot's resources for the commit.
    this.snapshot?.close()
    this.snapshot = undefined
    const timeoutMillis = Number(left) / nanosPerMilli
    const { firstWritten } = this
    return Effect.map(
      this.options.store.commit({ readVersion, readConflicts, writeConflicts, mutations, firstWritten, timeoutMillis }),
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

  private addConflict(range: KeyRange.KeyRange): void {
    this.writes.addConflict(range, this.readConflicts)
  }

  /** Adds what a read has read of the database to the snapshot cache. */
  private remember<A>({ answer, cached }: readYourWrites.Read<A>) {
    this.uncached.push(...cached)
    return answer
  }

  private readonly snapshotCache = (): rangeSet.RangeSet => {
    this.cached = this.uncached.splice(0).reduce(rangeSet.add, this.cached)
    return this.cached
  }

  /** The read version, if it was taken or set. */
  private get readVersionIfTaken(): bigint | undefined {
    return this.snapshot?.version ?? this.requestedVersion
  }

  /** Reads a key and adds its conflict. */
  private readKey(below: Snapshot | undefined, key: Uint8Array, isSnapshot: boolean) {
    const value = readYourWrites.get(below, this.writes, key)
    if (typeof value !== "symbol" && this.writes.isDependent(key)) {
      const range = KeyRange.single(key)
      this.uncached.push(range)
      if (!isSnapshot) this.readConflicts.push(range)
    }
    return value
  }

  /** Answers a read from the own writes if they suffice. Otherwise it takes the read version first. */
  private answer<A>(read: (below: Snapshot | undefined) => A | readYourWrites.Blocked): Effect.Effect<A, FdbError> {
    if (this.isLate()) return timedOut("read")
    const answer = this.snapshot === undefined ? read(undefined) : readYourWrites.unknown
    if (answer === readYourWrites.unreadable) return unreadable
    if (answer !== readYourWrites.unknown) return Effect.succeed(answer as A)
    return this.read((snapshot) => {
      const answer = read(snapshot)
      return typeof answer === "symbol" ? unreadable : Effect.succeed(answer as A)
    })
  }

  /** Reads at the transaction's version. */
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

  /** Truncates a key after the maximum length: longer keys are absent. */
  private cut(key: Uint8Array): Uint8Array {
    const { maxKeyLength } = this.options
    return key.length > maxKeyLength ? key.subarray(0, maxKeyLength + 1) : key
  }

  private cutRange(range: KeyRange.KeyRange): KeyRange.KeyRange {
    const begin = this.cut(range.begin)
    const end = this.cut(range.end)
    return begin === range.begin && end === range.end ? range : { begin, end }
  }

  /** Truncates the keys of a mutation; `undefined` if it clears only keys that are too long to exist. */
  private cutToLength(mutation: Mutation): Mutation | undefined {
    switch (mutation._tag) {
      case "Clear":
        return mutation.key.length > this.options.maxKeyLength ? undefined : mutation
      case "ClearRange": {
        const range = this.cutRange(mutation)
        return Bytes.compare(range.begin, range.end) < 0 ? { _tag: "ClearRange", ...range } : undefined
      }
      default:
        return mutation
    }
  }

  private withinLength(selector: KeySelector): KeySelector {
    const key = this.cut(selector.key)
    return key === selector.key ? selector : { ...selector, key }
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

/** The size of a transaction as FoundationDB's client counts it: its bytes, and the structures that hold them. */
const sizeOf = (
  mutations: ReadonlyArray<Mutation>,
  ...conflicts: ReadonlyArray<ReadonlyArray<KeyRange.KeyRange>>
): number => {
  let size = mutations.length * limits.mutationOverhead
  for (const mutation of mutations) size += sizeOfMutation(mutation)
  for (const ranges of conflicts) {
    size += ranges.length * limits.rangeOverhead
    for (const { begin, end } of ranges) size += begin.length + end.length
  }
  return size
}

const sizeOfMutation = (mutation: Mutation): number => {
  switch (mutation._tag) {
    case "Set":
      return mutation.key.length + mutation.value.length
    case "Clear":
      return 2 * mutation.key.length + 1
    case "ClearRange":
      return mutation.begin.length + mutation.end.length
    case "Atomic":
      return mutation.key.length + mutation.operand.length
    case "SetVersionstampedKey":
      return mutation.key.bytes.length + limits.offsetLength + mutation.value.length
    case "SetVersionstampedValue":
      return mutation.key.length + mutation.value.bytes.length + limits.offsetLength
  }
}

const tooOld = Effect.fail(FdbError.make(FdbError.codes.transactionTooOld, "read"))
const unreadable = Effect.fail(FdbError.make(FdbError.codes.accessedUnreadable, "read"))
const cancelled = Effect.fail(FdbError.make(FdbError.codes.transactionCancelled, "watch"))
const timedOut = (phase: FdbError.Phase) => Effect.fail(FdbError.make(FdbError.codes.transactionTimedOut, phase))

/**
 * Makes an engine from a store.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): OptimisticEngine => {
  const { name, maxWatches: max = 10_000 } = options
  const maxKeyLength = Math.min(options.maxKeyLength ?? limits.maxKeyLength, limits.maxKeyLength)
  const settings: Settings = { ...options, maxKeyLength, watchCount: { max, active: 0 } }
  return { name, maxKeyLength, begin: (attempt) => new ReadYourWritesTransaction(settings, attempt) }
}
