/**
 * A commit that writes to many keys, prepared a slice at a time while others go on committing. When others have overtaken it again
 * and again, it reserves the turn after theirs, for a time that is bounded.
 *
 * **Invariants**
 *
 * - Up to the commit of sequence `followed`, no other has written what was read.
 * - `batch` is made upon the state after the commit that it was brought to last, but for the keys in `stale`: those that others
 *   have written since, up to `followed`.
 */
import * as FdbError from "@effect-fdb/core/FdbError"
import { coalesce } from "@effect-fdb/core/KeyRange"
import { bind } from "@effect-fdb/core/VersionedStore"
import * as Effect from "effect/Effect"
import type { CommitQueue, Ticket } from "./commitQueue.ts"
import type { Reader, Write } from "./environment.ts"
import * as layout from "./layout.ts"
import * as logEntry from "./logEntry.ts"
import * as reservations from "./reservation.ts"
import { intersection, meet, type SortedRanges } from "./sortedRanges.ts"
import { inSlices, pause, slice, type Steps } from "./timeSlices.ts"
import { type Change, WriteBatch } from "./writeBatch.ts"

/** What is to be written after the commit of a head. */
interface Prepared {
  readonly head: layout.Head
  readonly version: bigint
  /** Its version is still to be set. */
  readonly entry: Uint8Array
  readonly chunks: ReadonlyArray<Uint8Array>
  readonly changes: ReadonlyArray<Change>
}

/** How often it is tried at a time to be the next, for a moment, among those who commit without a pause. */
const reservationAttempts = 50
/** How often the log is looked at meanwhile, which keeps what has happened for five seconds. */
const followMillis = 500

export class LargeCommit {
  readonly ticket: Ticket
  private readonly queue: CommitQueue
  /** What it writes to, known when it has been brought to a state. */
  private own: SortedRanges = []
  /** Versionstamps hold only for one version, so that all has to be applied anew for another. */
  private readonly isStamped: boolean
  private readonly batch = new WriteBatch()
  private followed: number | undefined = undefined
  private stale: Array<SortedRanges> | "all" = "all"
  private version = -1n
  private prepared: Omit<Prepared, "head" | "version"> | undefined = undefined
  private prepareMillis = 0
  /** How long it took to hand it over to be written, in which it must not be overtaken. */
  private handOverMillis = 0
  /** How often others came before it when it was prepared. */
  overtaken = 0
  /** Whether it waits for its turn. */
  isPrepared = false

  constructor(ticket: Ticket, queue: CommitQueue) {
    this.ticket = ticket
    this.queue = queue
    this.isStamped = ticket.commit.mutations.some(({ _tag }) => _tag.startsWith("SetVersionstamped"))
  }

  /** How many keys are known to be written to. */
  get size(): number {
    return Math.max(this.batch.changes.size, this.ticket.commit.mutations.length)
  }

  private get isSettled(): boolean {
    return this.ticket.state === "settled"
  }

  /** Prepares it, and anew what others have changed meanwhile, until it is written or refused. */
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

  /** Checks what others have committed since the last time; `false` when that refuses it. */
  private follow(reader: Reader): boolean {
    this.queue.log.catchUp(reader)
    const refused = this.refusal(reader.head)
    if (refused !== undefined) this.ticket.settle(Effect.fail(refused))
    this.followed = reader.head.sequence
    return refused === undefined
  }

  private refusal(head: layout.Head): FdbError.FdbError | undefined {
    const { log } = this.queue
    const { commit } = this.ticket
    const { readConflicts, readVersion } = commit
    if (this.followed === undefined) return log.refusal(commit, head)
    if (this.followed < head.sequence && log.get(this.followed + 1) === undefined) {
      this.stale = "all"
      return readVersion === undefined ? undefined : FdbError.make(1007, "commit")
    }
    for (let sequence = this.followed + 1; sequence <= head.sequence; sequence++) {
      const { ranges, version } = log.get(sequence)!
      const isAfterReads = readVersion !== undefined && readVersion < version
      if (isAfterReads && meet(ranges, readConflicts)) return FdbError.make(1020, "commit")
      if (this.stale === "all") continue
      const shared = intersection(ranges, this.own)
      if (shared.length > 0) this.stale.push(shared)
    }
    return undefined
  }

  /** What is to be done for it to be prepared upon the newest state; nothing when it is settled. */
  private catchUp(): Steps<Prepared> | undefined {
    if (this.isSettled) return undefined
    const reader = this.queue.environment.openReader()
    if (this.follow(reader)) return this.prepare(reader)
    reader.close()
    return undefined
  }

  /** Prepares it upon a reader's state, of which it has been told what is new; and closes the reader. */
  private *prepare(reader: Reader): Steps<Prepared> {
    const { head } = reader
    const started = performance.now()
    const nextVersion = this.queue.log.nextVersion(head)
    try {
      const isOutdated = this.isStamped && this.version <= head.version
      const stale = isOutdated ? "all" : this.stale
      if (this.prepared === undefined || stale === "all" || stale.length > 0) {
        // What others commit from here on is told of by `follow`.
        this.stale = []
        this.prepared = undefined
        if (isOutdated) this.version = nextVersion
        const { mutations, writeConflicts } = bind(this.ticket.commit, { version: this.version, order: 0 })
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
      // Of what was not brought to its end, nothing holds.
      if (this.prepared === undefined) this.stale = "all"
      reader.close()
    }
  }

  /** Writes it. If others came before it, this is what is to be done before the next time. */
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
      // Only who has the turn reserved may let the others wait for long.
      const step = reserved === undefined ? slice(steps, limits.sliceMillis) : undefined
      if (step?.done === false) {
        this.overtaken++
        return steps
      }
      const prepared = step?.value ?? await inSlices(steps, limits.sliceMillis, () => !this.isSettled)
      if (prepared === undefined) break
      const started = performance.now()
      this.ticket.version = prepared.version
      const written = this.queue.write(prepared.head.sequence, this.writesOf(prepared, reserved), [this.ticket])
      this.handOverMillis = performance.now() - started
      if (await written) return undefined
      this.overtaken++
      if (!reservations.isInForce(reserved)) return this.catchUp()
    }
    if (reserved !== undefined) await this.release(reserved)
    return undefined
  }

  /** Everything that may fail is done before the first of them is written. */
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

  /** An empty commit, after which the others wait. Who is about to write finds that another one came before. */
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

  /** Lets the others go on; if that fails, they do when the time is over. */
  private async release(reserved: reservations.Reservation): Promise<void> {
    const { environment } = this.queue
    await environment.write(environment.read(({ head }) => head.sequence), [endOf(reserved)])
  }
}

const endOf = (reserved: reservations.Reservation): Write => ({
  key: layout.reservationKey,
  value: reservations.encode(reservations.ended(reserved))
})
