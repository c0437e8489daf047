/**
 * The store of the optimistic engine over LMDB, shared by all processes that have the same path open.
 *
 * A commit is prepared outside of LMDB's lock, upon the newest state: checked against the commits since its read version,
 * versions given, mutations applied. It is written only if that state is still the newest, else prepared anew upon the
 * one that is. Each time that one process has to begin anew, another has committed. Commits of a process that come while
 * one is under way are written together, each with a version of its own.
 *
 * A commit that writes to many keys is prepared apart, in slices, while the others go on; see `LargeCommit`. When others have
 * overtaken it again and again, it reserves the turn after theirs, for a time that is bounded.
 *
 * **Invariants**
 *
 * - Sequences count the commits without gaps, and versions grow with them. A commit's version is settled only by the
 *   write that compares the sequence; so no clock has to be right for conflicts to be found.
 * - A read version is the version of the commit that was the last one then. So every later commit has a higher one.
 * - The log has an entry for each commit above `head.floor`.
 */
import * as FdbError from "@effect-fdb/core/FdbError"
import type { KeyRange } from "@effect-fdb/core/KeyRange"
import type { KeyValue } from "@effect-fdb/core/Transaction"
import {
  bind,
  type Commit,
  type Position,
  type Snapshot,
  type Unwatch,
  type VersionedStore
} from "@effect-fdb/core/VersionedStore"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Result from "effect/Result"
import { CommitLog } from "./commitLog.ts"
import { type Environment, type Reader, toFdbError, type Write } from "./environment.ts"
import type { LargeCommit } from "./largeCommit.ts"
import { type Accepted, LargeCommits, type Ticket } from "./largeCommits.ts"
import * as layout from "./layout.ts"
import type { Limits } from "./limits.ts"
import * as logEntry from "./logEntry.ts"
import { isInForce } from "./reservation.ts"
import { meets } from "./sortedRanges.ts"
import { pause } from "./timeSlices.ts"
import { type BeforeImages, ChunkedBeforeImages, InlineBeforeImages, VersionedView } from "./versionedView.ts"
import { Watchers } from "./watchers.ts"
import { WriteBatch } from "./writeBatch.ts"

type FdbError = FdbError.FdbError

/** Five seconds, in versions: a microsecond each. */
const maxAge = 5_000_000n
const nanosPerVersion = 1000n
const maxAgeNanos = maxAge * nanosPerVersion
/** As many commits as are written together at most, and about as many bytes. */
const maxBatch = 64
const maxBatchBytes = 1_000_000
const maxBatchKeys = 2000
const extraPruned = 8

/** What is done while no other commit of this process is. */
interface Turn {
  readonly use: () => Promise<void>
  readonly fail: (cause: unknown) => void
}

interface Batch {
  readonly sequence: number
  readonly accepted: ReadonlyArray<Accepted>
  readonly writes: ReadonlyArray<Write>
}

interface OpenSnapshot extends Snapshot {
  readonly openedAt: bigint
}

const tooOld = (phase: FdbError.Phase) => FdbError.make(1007, phase)

export class LmdbStore implements VersionedStore {
  private readonly environment: Environment
  private readonly clock: Clock.Clock
  private readonly limits: Limits
  private readonly recent = new CommitLog()
  private readonly watchers: Watchers
  private readonly snapshots = new Set<OpenSnapshot>()
  private readonly anySnapshots = Latch.makeUnsafe(false)
  private waiting: Array<Ticket> = []
  private readonly large: LargeCommits
  private readonly turns: Array<Turn> = []
  private busy = false
  /** Whether the turn now, or the last one, is that of a large commit. */
  private isTurnOfLarge = false
  /** Whether a large commit of another process had reserved its turn when this one was about to commit. */
  private isReserved = false
  private readonly onIdle: Array<() => void> = []
  /** The version that was given out last, and when: it is too old five seconds later, even if it is still the newest. */
  private given = { version: -1n, at: 0n }

  constructor(environment: Environment, clock: Clock.Clock, limits: Limits) {
    this.limits = limits
    this.environment = environment
    this.clock = clock
    this.watchers = new Watchers(environment, this.recent)
    this.large = new LargeCommits(
      {
        environment,
        recent: this.recent,
        refusal: (commit, head) => this.refusal(commit, head, []),
        nextVersion: (head) => this.versionNow(head) + 1n,
        moveHead: (head, added, version) => this.moveHead(head, added, version),
        inTurn: (use) => this.inTurn(use),
        write: (sequence, writes, commits) => this.write(sequence, writes, commits)
      },
      limits,
      () => this.pump()
    )
  }

  readonly openSnapshot = (): Result.Result<Snapshot, FdbError> =>
    this.reading((reader) => {
      this.given = { version: reader.head.version, at: this.now() }
      return Result.succeed(this.snapshotOf(reader, reader.head.version, undefined))
    })

  readonly openSnapshotAt = (version: bigint): Result.Result<Snapshot, FdbError> =>
    this.reading((reader) => {
      const { head } = reader
      if (version > head.version) return Result.fail(FdbError.make(1009, "read"))
      this.recent.catchUp(head, reader.logEntry)
      if (this.isTooOld(version, head)) return Result.fail(tooOld("read"))
      if (version === head.version) return Result.succeed(this.snapshotOf(reader, version, undefined))
      return Result.succeed(this.snapshotOf(reader, version, this.pastOf(reader, version)))
    })

  readonly commit = (commit: Commit): Effect.Effect<Position, FdbError> =>
    Effect.contextWith((context: Context.Context<never>) =>
      Effect.callback<Position, FdbError>((resume) => {
        const ticket: Ticket = {
          commit,
          deadline: this.now() + toNanos(commit.timeoutMillis),
          settle: (result) => {
            ticket.state = "settled"
            resume(result)
            alarm?.interruptUnsafe()
          },
          state: "waiting",
          large: undefined
        }
        // One fiber for the timeout, where a race would need two.
        const alarm = Number.isFinite(commit.timeoutMillis)
          ? Effect.runForkWith(context)(Effect.andThen(
            Effect.sleep(Duration.millis(commit.timeoutMillis)),
            Effect.sync(() => ticket.settle(Effect.fail(this.lateness(ticket))))
          ))
          : undefined
        this.waiting.push(ticket)
        this.pump()
        return Effect.sync(() => alarm?.interruptUnsafe())
      })
    )

  readonly watch = (
    key: Uint8Array,
    baseline: Uint8Array | undefined,
    settle: (error?: FdbError) => void
  ): Unwatch => this.watchers.add(key, baseline, settle)

  /** Waits for open snapshots, then closes what is too old to be read, lest it keeps LMDB from using pages again. */
  readonly closeOldSnapshots: Effect.Effect<void> = Effect.suspend(() =>
    this.anySnapshots.await.pipe(
      Effect.andThen(Effect.sleep(Duration.nanos(maxAgeNanos))),
      Effect.andThen(Effect.sync(() => {
        for (const snapshot of this.snapshots) {
          if (this.now() - snapshot.openedAt >= maxAgeNanos) snapshot.close()
        }
        if (this.snapshots.size === 0) this.anySnapshots.closeUnsafe()
      }))
    )
  )

  /** Ends watches and reads, and waits for the commits under way. */
  readonly close: Effect.Effect<void> = Effect.callback((resume) => {
    this.watchers.close()
    for (const snapshot of this.snapshots) snapshot.close()
    if (this.isBusy()) this.onIdle.push(() => resume(Effect.void))
    else resume(Effect.void)
  })

  private isBusy(): boolean {
    return this.busy || this.large.isBusy || this.waiting.length > 0
  }

  private now(): bigint {
    return this.clock.monotonicTimeNanosUnsafe()
  }

  /** The version by now, about a million a second. */
  private versionNow(head: layout.Head): bigint {
    return max(head.version, head.epoch + this.now() / nanosPerVersion)
  }

  /** A version is too old when it was superseded, or given out to nobody but long ago, more than five seconds before. */
  private isTooOld(version: bigint, head: layout.Head): boolean {
    if (version < head.floor) return true
    if (version === this.given.version && this.now() - this.given.at > maxAgeNanos) return true
    const successor = this.recent.get(this.recent.sequenceAfter(version))
    return successor !== undefined && successor.version < this.versionNow(head) - maxAge
  }

  private reading<A>(use: (reader: Reader) => Result.Result<A, FdbError>): Result.Result<A, FdbError> {
    let opened: Reader | undefined
    const used = Result.flatMap(
      Result.try({
        try: () => use(opened = this.environment.openReader()),
        catch: (cause) => toFdbError(cause, "read")
      }),
      (result) => result
    )
    if (Result.isFailure(used)) opened?.close()
    return used
  }

  private snapshotOf(reader: Reader, version: bigint, past: VersionedView | undefined): Snapshot {
    const openedAt = this.now()
    const snapshot: OpenSnapshot = {
      version,
      openedAt,
      isReadable: () =>
        this.snapshots.has(snapshot) && this.now() - openedAt <= maxAgeNanos && this.environment.isInPlace(),
      get: (key) => {
        const before = past?.get(key)
        return before === undefined ? reader.get(key) : before.value
      },
      getRange: (begin, end, limit, reverse, skip) =>
        past === undefined
          ? [...reader.getRange(begin, end, limit, reverse, skip)]
          : take(past.merge(reader.getRange(begin, end, undefined, reverse), begin, end, reverse), limit, skip),
      close: () => {
        this.snapshots.delete(snapshot)
        reader.close()
      }
    }
    this.snapshots.add(snapshot)
    this.anySnapshots.openUnsafe()
    return snapshot
  }

  /** What was there before the commits above a version, from the oldest to the newest. */
  private pastOf(reader: Reader, version: bigint): VersionedView {
    const all: Array<BeforeImages> = []
    let few: InlineBeforeImages | undefined
    for (let sequence = this.recent.sequenceAfter(version); sequence <= reader.head.sequence; sequence++) {
      const { chunks } = this.recent.get(sequence)!
      if (chunks > 0) {
        all.push(new ChunkedBeforeImages(chunks, (index) => reader.logChunk(sequence, index)))
        few = undefined
        continue
      }
      if (few === undefined) all.push(few = new InlineBeforeImages())
      few.add(logEntry.befores(reader.logEntry(sequence)))
    }
    return new VersionedView(all)
  }

  /** Why a commit has not been settled by its deadline. */
  private lateness({ large, state }: Ticket): FdbError {
    if (state === "sent") return lockedOut(this.environment)
    if (large?.isPrepared === false) return tooSlow(large)
    return this.isReserved || this.isTurnOfLarge ? timedOutBesideLarge : timedOut
  }

  /** Writes what waits, batch after batch, until nothing does. */
  private pump(): void {
    if (this.busy) return
    if (this.turns.length === 0 && this.waiting.length === 0) {
      if (!this.large.isBusy) { for (const resume of this.onIdle.splice(0)) resume() }
      return
    }
    this.busy = true
    // By turns, where both wait.
    const mayBeLarge = !this.isTurnOfLarge || this.waiting.length === 0
    const turn = (mayBeLarge ? this.turns.shift() : undefined) ?? this.batchTurn
    this.isTurnOfLarge = turn !== this.batchTurn
    void this.environment.enterToCommit().then((leave) => turn.use().then(leave), turn.fail).then(() => {
      this.busy = false
      this.pump()
    })
  }

  private readonly batchTurn: Turn = {
    use: () => this.writeNext(),
    fail: (cause) => {
      const error = Effect.fail(toFdbError(cause, "commit"))
      for (const ticket of this.nextBatch()) ticket.settle(error)
    }
  }

  private inTurn<A>(use: () => Promise<A>): Promise<A> {
    return new Promise((resolve, reject) => {
      this.turns.push({ use: () => use().then(resolve, reject), fail: reject })
      this.pump()
    })
  }

  /** Prepares a batch and writes it; what came too late to be written upon goes back to what waits. */
  private async writeNext(): Promise<void> {
    const batch = this.nextBatch()
    const prepared = Result.try({
      try: () => this.prepare(batch),
      catch: (cause) => Effect.fail(toFdbError(cause, "commit"))
    })
    if (Result.isFailure(prepared)) {
      for (const ticket of batch) ticket.settle(prepared.failure)
      return
    }
    if (prepared.success === "reserved") {
      const again = batch.filter(({ large, state }) => state === "waiting" && large === undefined)
      this.waiting = [...again, ...this.waiting]
      await pause()
      return
    }
    const { accepted, sequence, writes } = prepared.success
    if (accepted.length === 0) return
    if (!await this.write(sequence, writes, accepted)) {
      const again = accepted.map(({ ticket }) => ticket).filter(({ state }) => state === "waiting")
      this.waiting = [...again, ...this.waiting]
    }
  }

  /** Writes commits upon a state, and settles them; `false` when that is not the newest any more. */
  private write(sequence: number, writes: Iterable<Write>, commits: ReadonlyArray<Accepted>): Promise<boolean> {
    for (const { ticket } of commits) ticket.state = "sent"
    const unsettled = () => commits.map(({ ticket }) => ticket).filter(({ state }) => state === "sent")
    return this.environment.write(sequence, writes).then(
      (written) => {
        if (written) {
          for (const { position, ticket } of commits) {
            this.given = { version: position.version, at: this.now() }
            if (ticket.state === "sent") ticket.settle(Effect.succeed(position))
          }
          this.environment.signal.raise()
        } else {
          for (const ticket of unsettled()) ticket.state = "waiting"
        }
        return written
      },
      (cause: unknown) => {
        const error = Effect.fail(toFdbError(cause, "commit"))
        for (const ticket of unsettled()) ticket.settle(error)
        return true
      }
    )
  }

  private nextBatch(): Array<Ticket> {
    const batch: Array<Ticket> = []
    let bytes = 0
    let keys = 0
    let taken = 0
    for (const ticket of this.waiting) {
      if (batch.length === maxBatch || bytes >= maxBatchBytes || keys >= maxBatchKeys) break
      taken++
      if (ticket.state !== "waiting") continue
      if (ticket.deadline <= this.now()) {
        ticket.settle(Effect.fail(this.lateness(ticket)))
        continue
      }
      const size = sizeOf(ticket.commit)
      if (ticket.commit.mutations.length > this.limits.keys || size > this.limits.bytes) {
        this.large.add(ticket)
        continue
      }
      batch.push(ticket)
      bytes += size
      keys += ticket.commit.mutations.length
    }
    this.waiting = this.waiting.slice(taken)
    return batch
  }

  /** Checks the commits of a batch one after another, upon the newest state, and settles those that fail. */
  private prepare(batch: ReadonlyArray<Ticket>): Batch | "reserved" {
    const reader = this.environment.openReader()
    try {
      const { head } = reader
      this.isReserved = isInForce(reader.reservation)
      if (this.isReserved) return "reserved"
      this.recent.catchUp(head, reader.logEntry)
      const draft = new WriteBatch(reader, this.limits)
      const accepted: Array<Accepted> = []
      const written: Array<KeyRange> = []
      const writes: Array<Write> = []
      let version = this.versionNow(head)
      for (const [index, ticket] of batch.entries()) {
        if (draft.size >= maxBatchKeys) {
          this.waiting = [...batch.slice(index), ...this.waiting]
          break
        }
        const refused = this.refusal(ticket.commit, head, written)
        if (refused !== undefined) {
          ticket.settle(Effect.fail(refused))
          continue
        }
        version++
        const position = { version, order: 0 }
        const { mutations, writeConflicts } = bind(ticket.commit, position)
        const befores = draft.apply(mutations)
        if (befores === undefined) {
          this.large.add(ticket)
          return this.prepare(batch.filter((other) => other !== ticket && other.state === "waiting"))
        }
        accepted.push({ ticket, position })
        for (const range of writeConflicts) written.push(range)
        writes.push({
          key: layout.logKey(head.sequence + accepted.length),
          value: logEntry.encode(version, writeConflicts, befores)
        })
      }
      if (accepted.length > 0) {
        for (const { key, value } of draft.changes) writes.push({ key: layout.dataKey(key), value })
        for (const write of this.moveHead(head, accepted.length, version)) writes.push(write)
      }
      return { sequence: head.sequence, accepted, writes }
    } finally {
      reader.close()
    }
  }

  /** The head after commits that were added, the last of them with this version, and what the log need not keep any longer. */
  private moveHead(head: layout.Head, added: number, version: bigint): ReadonlyArray<Write> {
    const clock = this.now() / nanosPerVersion
    const { floor, oldest, removals } = this.prune(head, added, version)
    // A clock that is behind the last commit, as after a restart of the host, is set anew.
    const epoch = head.epoch + clock < head.version ? version - clock : head.epoch
    const moved = { sequence: head.sequence + added, version, epoch, floor, oldest }
    return [...removals, { key: layout.headKey, value: layout.encodeHead(moved) }]
  }

  private refusal(
    { readConflicts, readVersion }: Commit,
    head: layout.Head,
    written: ReadonlyArray<KeyRange>
  ): FdbError | undefined {
    if (readVersion === undefined) return undefined
    if (this.isTooOld(readVersion, head)) return tooOld("commit")
    return this.recent.isWrittenSince(readConflicts, readVersion) ||
        readVersion <= head.version && written.some((range) => meets(readConflicts, range))
      ? FdbError.make(1020, "commit")
      : undefined
  }

  /** What the log need not keep any longer; a few more entries than are added, so that it shrinks after a burst. */
  private prune(head: layout.Head, added: number, version: bigint): {
    readonly floor: bigint
    readonly oldest: number
    readonly removals: ReadonlyArray<Write>
  } {
    const removals: Array<Write> = []
    let { floor, oldest } = head
    for (let i = 0; i < added + extraPruned; i++) {
      const entry = this.recent.get(oldest)
      if (entry === undefined || entry.version > version - maxAge) break
      removals.push({ key: layout.logKey(oldest), value: undefined })
      for (let j = 0; j < entry.chunks; j++) removals.push({ key: layout.chunkKey(oldest, j), value: undefined })
      floor = entry.version
      oldest++
    }
    return { floor, oldest, removals }
  }
}

const max = (a: bigint, b: bigint): bigint => a > b ? a : b

const take = (pairs: Iterable<KeyValue>, limit: number, skip: number): ReadonlyArray<KeyValue> => {
  const taken: Array<KeyValue> = []
  if (limit <= 0) return taken
  let skipped = 0
  for (const pair of pairs) {
    if (skipped++ < skip) continue
    if (taken.push(pair) >= limit) break
  }
  return taken
}

const toNanos = (millis: number): bigint => BigInt(Math.round(Math.min(millis * 1e6, Number.MAX_SAFE_INTEGER)))

const sizeOf = ({ mutations }: Commit): number => {
  let size = 0
  for (const mutation of mutations) {
    if (mutation._tag === "Set") size += mutation.value.length
    if (mutation._tag === "SetVersionstampedKey") size += mutation.value.length
    if (mutation._tag === "SetVersionstampedValue") size += mutation.value.bytes.length
  }
  return size
}

/** Not one of its bytes has been written, which phase `commit` would leave open. */
const timedOut = FdbError.make(1031, "write", "the commit's turn did not come in time; nothing was written")

const timedOutBesideLarge = FdbError.make(
  1031,
  "write",
  "the commit's turn did not come in time, beside one that writes to many keys; nothing was written"
)

const tooSlow = ({ overtaken, size }: LargeCommit): FdbError =>
  FdbError.make(
    1031,
    "write",
    `to prepare a commit to ${size} keys took longer than it has time, and others came before it ${overtaken} times; ` +
      "nothing was written. Give it more time, or divide it"
  )

const lockedOut = ({ directory }: Environment): FdbError =>
  FdbError.make(
    1031,
    "commit",
    `a process has held the write lock of ${directory} for long: what it commits is large, its disk is slow, or it was ` +
      "stopped in a commit"
  )
