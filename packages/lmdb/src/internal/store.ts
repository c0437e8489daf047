/** The store of the optimistic engine over LMDB, shared by all processes that have the same path open. */
import * as FdbError from "@effect-fdb/core/FdbError"
import type { KeyValue } from "@effect-fdb/core/Transaction"
import type { Snapshot, VersionedStore } from "@effect-fdb/core/VersionedStore"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Result from "effect/Result"
import { CommitLog, maxAgeNanos } from "./commitLog.ts"
import { CommitQueue } from "./commitQueue.ts"
import { type Environment, type Reader, toFdbError } from "./environment.ts"
import type { Limits } from "./limits.ts"
import { VersionedView } from "./versionedView.ts"
import { Watchers } from "./watchers.ts"

interface OpenSnapshot extends Snapshot {
  readonly openedAt: bigint
}

export class LmdbStore implements VersionedStore {
  private readonly environment: Environment
  private readonly log: CommitLog
  private readonly queue: CommitQueue
  private readonly watchers: Watchers
  private readonly snapshots = new Set<OpenSnapshot>()
  private readonly anySnapshots = Latch.makeUnsafe(false)

  constructor(environment: Environment, clock: Clock.Clock, limits: Limits) {
    this.environment = environment
    this.log = new CommitLog(clock)
    this.queue = new CommitQueue(environment, this.log, limits)
    this.watchers = new Watchers(environment, this.log)
  }

  readonly openSnapshot = () =>
    this.reading((reader) => {
      this.log.giveOut(reader.head.version)
      return Result.succeed(this.snapshotOf(reader, reader.head.version))
    })

  readonly openSnapshotAt = (version: bigint) =>
    this.reading((reader) => {
      const { head } = reader
      if (version > head.version) return Result.fail(FdbError.make(1009, "read"))
      this.log.catchUp(reader)
      if (this.log.isTooOld(version, head)) return Result.fail(FdbError.make(1007, "read"))
      if (version === head.version) return Result.succeed(this.snapshotOf(reader, version))
      return Result.succeed(this.snapshotOf(reader, version, new VersionedView(reader, this.log, version)))
    })

  readonly commit: VersionedStore["commit"] = (commit) => this.queue.commit(commit)

  readonly watch: VersionedStore["watch"] = (...watch) => this.watchers.add(...watch)

  /** Waits for open snapshots, then closes what is too old to be read, lest it keeps LMDB from using pages again. */
  readonly closeOldSnapshots: Effect.Effect<void> = Effect.suspend(() =>
    this.anySnapshots.await.pipe(
      Effect.andThen(Effect.sleep(Duration.nanos(maxAgeNanos))),
      Effect.andThen(Effect.sync(() => {
        for (const snapshot of this.snapshots) {
          if (this.log.now() - snapshot.openedAt >= maxAgeNanos) snapshot.close()
        }
        if (this.snapshots.size === 0) this.anySnapshots.closeUnsafe()
      }))
    )
  )

  /** Ends watches and reads, and waits for the commits under way. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.watchers.close()
    for (const snapshot of this.snapshots) snapshot.close()
    return this.queue.drain
  })

  private reading(use: (reader: Reader) => Result.Result<Snapshot, FdbError.FdbError>) {
    let opened: Reader | undefined
    const used = Result.try({
      try: () => use(opened = this.environment.openReader()),
      catch: (cause) => toFdbError(cause, "read")
    }).pipe(Result.flatMap((snapshot) => snapshot))
    if (Result.isFailure(used)) opened?.close()
    return used
  }

  private snapshotOf(reader: Reader, version: bigint, view?: VersionedView): Snapshot {
    const openedAt = this.log.now()
    const snapshot: OpenSnapshot = {
      version,
      openedAt,
      isReadable: () =>
        this.snapshots.has(snapshot) && this.log.now() - openedAt <= maxAgeNanos && this.environment.isInPlace(),
      get: (key) => {
        const before = view?.get(key)
        return before === undefined ? reader.get(key) : before.value
      },
      getRange: (begin, end, limit, reverse, skip) =>
        view === undefined
          ? [...reader.getRange(begin, end, limit, reverse, skip)]
          : take(view.merge(reader.getRange(begin, end, undefined, reverse), begin, end, reverse), limit, skip),
      close: () => {
        this.snapshots.delete(snapshot)
        reader.close()
      }
    }
    this.snapshots.add(snapshot)
    this.anySnapshots.openUnsafe()
    return snapshot
  }
}

const take = (pairs: Iterable<KeyValue>, limit: number, skip: number): ReadonlyArray<KeyValue> => {
  const taken: Array<KeyValue> = []
  if (limit <= 0) return taken
  for (const pair of pairs) {
    if (skip-- > 0) continue
    if (taken.push(pair) >= limit) break
  }
  return taken
}
