/**
 * A commit that writes to many keys. It is prepared in time slices while others commit. After others have overtaken it several
 * times, it reserves the next turn for a bounded time. Invariants:
 *
 * - No commit up to the sequence `followed` has written a key that this one has read.
 * - `batch` holds for the state after the commit `followed`, except for the keys in `stale`, which others have written since the
 *   batch was computed.
 */
import * as FdbError from "@effect-fdb/core/FdbError"
import { coalesce } from "@effect-fdb/core/KeyRange"
import { bind } from "@effect-fdb/core/VersionedStore"
import * as Effect from "effect/Effect"
import type { CommitQueue, PendingCommit } from "./commitQueue.ts"
import type { Reader, Write } from "./environment.ts"
import * as layout from "./layout.ts"
import * as logEntry from "./logEntry.ts"
import * as reservations from "./reservation.ts"
import { intersection, overlap, type SortedRanges } from "./sortedRanges.ts"
import { inSlices, pause, slice, type Steps } from "./timeSlices.ts"
import { type Change, WriteBatch } from "./writeBatch.ts"

/** The writes of the commit that follows `head`. */
interface Prepared {
  readonly head: layout.Head
  readonly version: bigint
  /** `logEntry.setVersion` sets its version later. */
  readonly entry: Uint8Array
  readonly chunks: ReadonlyArray<Uint8Array>
  readonly changes: ReadonlyArray<Change>
}

/** The number of attempts to write a reservation among processes that commit without a pause. */
const reservationAttempts = 50
/** The interval at which a preparation reads the log, which keeps commits for five seconds. */
const followMillis = 500

export class LargeCommit {
  readonly pending: PendingCommit
  private readonly queue: CommitQueue
  /** The ranges that it writes; known after the first preparation. */
  private own: SortedRanges = []
  /** Versionstamps belong to one version, so another version needs a new preparation. */
  private readonly isStamped: boolean
  private readonly batch = new WriteBatch()
  private followed: number | undefined = undefined
  private stale: Array<SortedRanges> | "all" = "all"
  private version = -1n
  private prepared: Omit<Prepared, "head" | "version"> | undefined = undefined
  private prepareMillis = 0
  /** The time of the last transfer to LMDB. A commit of another process in that time makes it useless. */
  private handOverMillis = 0
  /** The number of times that others committed after it was prepared. */
  overtaken = 0
  isPrepared = false

  constructor(pending: PendingCommit, queue: CommitQueue) {
    this.pending = pending
    this.queue = queue
    this.isStamped = pending.commit.mutations.some(({ _tag }) => _tag.startsWith("SetVersionstamped"))
  }

  /** The number of keys that it writes, as far as known. */
  get size(): number {
    return Math.max(this.batch.changes.size, this.pending.commit.mutations.length)
  }

  private get isSettled(): boolean {
    return this.pending.state === "settled"
  }

  /** Prepares and writes it. Prepares again what others have changed meanwhile, until it is written or refused. */
  async commit(): Promise<void> {
    let followedAt = performance.now()
    const goesOn = (): boolean => {
      if (this.isSettled || performance.now() - followedAt < followMillis) return !this.isSettled
      followedAt = performance.now()
      return this.queue.environment.read((reader) => this.follow(reader))
    }
    let steps = this.catchUp()
    while (steps !== undefined) {
      if (await inSlices(steps, this.queue.limits.sliceMillis, goesOn) === undefined) return
      this.isPrepared = true
      steps = await this.queue.inTurn(() => this.write())
      this.isPrepared = false
    }
  }

  /** Checks the commits of others since the last call; `false` if they conflict with this one. */
  private follow(reader: Reader): boolean {
    this.queue.log.catchUp(reader)
    const refused = this.refusal(reader.head)
    if (refused !== undefined) this.pending.settle(Effect.fail(refused))
    this.followed = reader.head.sequence
    return refused === undefined
  }

  private refusal(head: layout.Head): FdbError.FdbError | undefined {
    const { log } = this.queue
    const { commit } = this.pending
    const { readConflicts, readVersion } = commit
    if (this.followed === undefined) return log.refusal(commit, head)
    if (this.followed < head.sequence && log.get(this.followed + 1) === undefined) {
      this.stale = "all"
      return readVersion === undefined ? undefined : FdbError.make(1007, "commit")
    }
    for (let sequence = this.followed + 1; sequence <= head.sequence; sequence++) {
      const { ranges, version } = log.get(sequence)!
      const isAfterReads = readVersion !== undefined && readVersion < version
      if (isAfterReads && overlap(ranges, readConflicts)) return FdbError.make(1020, "commit")
      if (this.stale === "all") continue
      const shared = intersection(ranges, this.own)
      if (shared.length > 0) this.stale.push(shared)
    }
    return undefined
  }

  /** The steps that prepare it for the newest state; `undefined` if it is settled. */
  private catchUp(): Steps<Prepared> | undefined {
    if (this.isSettled) return undefined
    const reader = this.queue.environment.openReader()
    if (this.follow(reader)) return this.prepare(reader)
    reader.close()
    return undefined
  }

  /** Prepares it for the reader's state, which {@link follow} has checked; closes the reader. */
  private *prepare(reader: Reader): Steps<Prepared> {
    const { head } = reader
    const started = performance.now()
    const nextVersion = this.queue.log.nextVersion(head)
    try {
      const isOutdated = this.isStamped && this.version <= head.version
      const stale = isOutdated ? "all" : this.stale
      if (this.prepared === undefined || stale === "all" || stale.length > 0) {
        // `follow` adds what others commit from here on.
        this.stale = []
        this.prepared = undefined
        if (isOutdated) this.version = nextVersion
        const { mutations, writeConflicts } = bind(this.pending.commit, { version: this.version, order: 0 })
        this.own = coalesce(writeConflicts)
        yield* stale === "all"
          ? this.batch.apply(reader, mutations)
          : this.batch.apply(reader, mutations, coalesce(stale.flat()))
        const changes = yield* this.batch.sortedChanges()
        const chunks = yield* logEntry.encodeChunks(changes, this.queue.limits.chunkBytes)
        this.prepared = { entry: logEntry.encodeChunked(this.own, chunks.length), chunks, changes }
        this.prepareMillis = performance.now() - started
      }
      return { ...this.prepared, head, version: this.isStamped ? this.version : nextVersion }
    } finally {
      // An unfinished preparation is worthless.
      if (this.prepared === undefined) this.stale = "all"
      reader.close()
    }
  }

  /** Writes it. Returns the steps to do before the next attempt if others came first. */
  private async write(): Promise<Steps<Prepared> | undefined> {
    const { environment, limits } = this.queue
    const mustReserve = this.overtaken >= limits.triesBeforeReservation
    const reserved = mustReserve ? await this.reserve() : undefined
    if (
      reserved === undefined &&
      (mustReserve || environment.read((reader) => reservations.isInForce(reader.reservation)))
    ) {
      await pause()
      return this.catchUp()
    }
    for (let steps = this.catchUp(); steps !== undefined; steps = this.catchUp()) {
      // Only a commit with a reservation may make the others wait for long.
      const step = reserved === undefined ? slice(steps, limits.sliceMillis) : undefined
      if (step?.done === false) {
        this.overtaken++
        return steps
      }
      const prepared = step?.value ?? await inSlices(steps, limits.sliceMillis, () => !this.isSettled)
      if (prepared === undefined) break
      const started = performance.now()
      this.pending.version = prepared.version
      const written = this.queue.write({
        sequence: prepared.head.sequence,
        accepted: [this.pending],
        writes: this.writesOf(prepared, reserved),
        keys: this.batch.changes.keys(),
        entries: [prepared.entry]
      })
      this.handOverMillis = performance.now() - started
      if (await written) return undefined
      this.overtaken++
      if (!reservations.isInForce(reserved)) return this.catchUp()
    }
    if (reserved !== undefined) await this.release(reserved)
    return undefined
  }

  /** Computes everything that may fail before it returns the first write. */
  private writesOf(
    { changes, chunks, entry, head, version }: Prepared,
    reserved: reservations.Reservation | undefined
  ): Iterable<Write> {
    logEntry.setVersion(entry, version)
    const sequence = head.sequence + 1
    const others: Array<Write> = [
      { key: layout.logKey(sequence), value: entry },
      ...chunks.map((value, index) => ({ key: layout.chunkKey(sequence, index), value })),
      ...(reserved === undefined ? [] : [endOf(reserved)]),
      ...this.queue.log.advance(head, 1, version)
    ]
    return (function*() {
      for (const { before, key, value } of changes) {
        if (before !== undefined || value !== undefined) yield { key: layout.dataKey(key), value }
      }
      yield* others
    })()
  }

  /** Makes an empty commit with a reservation. Writes of others that are under way fail, and then these processes wait. */
  private async reserve(): Promise<reservations.Reservation | undefined> {
    const { environment, log } = this.queue
    const millis = 250 + 3 * this.handOverMillis + (this.isStamped ? 2 * this.prepareMillis : 0)
    for (let i = 0; i < reservationAttempts && !this.isSettled; i++) {
      const attempt = environment.read((reader) => {
        const { head } = reader
        const reserved = reservations.after(reader.reservation, millis)
        log.catchUp(reader)
        const version = log.nextVersion(head)
        return reserved && {
          reserved,
          sequence: head.sequence,
          writes: [
            { key: layout.reservationKey, value: reservations.encode(reserved) },
            { key: layout.logKey(head.sequence + 1), value: logEntry.encode(version, [], []) },
            ...log.advance(head, 1, version)
          ]
        }
      })
      if (attempt === undefined) return undefined
      if (await environment.write(attempt.sequence, attempt.writes)) return attempt.reserved
    }
    return undefined
  }

  /** Ends the reservation. If the write fails, the reservation ends by its time. */
  private async release(reserved: reservations.Reservation): Promise<void> {
    const { environment } = this.queue
    await environment.write(environment.read(({ head }) => head.sequence), [endOf(reserved)])
  }
}

const endOf = (reserved: reservations.Reservation): Write => ({
  key: layout.reservationKey,
  value: reservations.encode(reservations.ended(reserved))
})
