/** The optimistic engine's store on LMDB. */
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
import { makeWatchers } from "./watchers.ts"

export interface LmdbStore extends VersionedStore {
  /** Closes snapshots that are too old to be read, so that LMDB can reuse pages. */
  readonly closeOldSnapshots: Effect.Effect<void>
  /** Ends watches and reads, and waits for the commits under way. */
  readonly close: Effect.Effect<void>
}

export const make = (environment: Environment, clock: Clock.Clock, limits: Limits): LmdbStore => {
  const log = new CommitLog(clock)
  const queue = new CommitQueue(environment, log, limits)
  const watchers = makeWatchers(environment, log)
  /** The open snapshots, with the times of their opening. */
  const snapshots = new Map<Snapshot, bigint>()
  const anySnapshots = Latch.makeUnsafe(false)

  const reading = (use: (reader: Reader) => Result.Result<Snapshot, FdbError.FdbError>) => {
    let opened: Reader | undefined
    const used = Result.try({
      try: () => use(opened = environment.openReader()),
      catch: (cause) => toFdbError(cause, "read")
    }).pipe(Result.flatMap((snapshot) => snapshot))
    if (Result.isFailure(used)) opened?.close()
    return used
  }

  const snapshotOf = (reader: Reader, version: bigint, view?: VersionedView): Snapshot => {
    const openedAt = log.now()
    const snapshot: Snapshot = {
      version,
      isReadable: () => snapshots.has(snapshot) && log.now() - openedAt <= maxAgeNanos && environment.isInPlace(),
      get: (key) => {
        const before = view?.get(key)
        return before === undefined ? reader.get(key) : before.value
      },
      getRange: (begin, end, limit, reverse, skip) =>
        view === undefined
          ? [...reader.getRange(begin, end, limit, reverse, skip)]
          : take(view.merge(reader.getRange(begin, end, undefined, reverse), begin, end, reverse), limit, skip),
      close: () => {
        snapshots.delete(snapshot)
        reader.close()
      }
    }
    snapshots.set(snapshot, openedAt)
    anySnapshots.openUnsafe()
    return snapshot
  }

  return {
    openSnapshot: () =>
      reading((reader) => {
        log.giveOut(reader.head.version)
        return Result.succeed(snapshotOf(reader, reader.head.version))
      }),
    openSnapshotAt: (version) =>
      reading((reader) => {
        const { head } = reader
        if (version > head.version) return Result.fail(FdbError.make(1009, "read"))
        log.catchUp(reader)
        if (log.isTooOld(version, head)) return Result.fail(FdbError.make(1007, "read"))
        const view = version === head.version ? undefined : new VersionedView(reader, log, version)
        return Result.succeed(snapshotOf(reader, version, view))
      }),
    commit: queue.commit,
    watch: watchers.add,
    closeOldSnapshots: anySnapshots.await.pipe(
      Effect.andThen(Effect.sleep(Duration.nanos(maxAgeNanos))),
      Effect.andThen(Effect.sync(() => {
        for (const [snapshot, openedAt] of snapshots) if (log.now() - openedAt >= maxAgeNanos) snapshot.close()
        if (snapshots.size === 0) anySnapshots.closeUnsafe()
      }))
    ),
    close: Effect.suspend(() => {
      watchers.close()
      for (const snapshot of snapshots.keys()) snapshot.close()
      return queue.drain
    })
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
