/**
 * The store of the optimistic engine over LMDB, shared by all processes that have the same path open.
 *
 * A commit is prepared outside of LMDB's lock, upon the newest state: checked against the commits since its read version,
 * versions given, mutations applied. It is written only if that state is still the newest, else prepared anew upon the
 * one that is. Each time that one process has to begin anew, another has committed. Commits of a process that come while
 * one is under way are written together, each with a version of its own.
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
import { Draft } from "./draft.ts"
import { type Environment, type Reader, toFdbError, type Write } from "./environment.ts"
import * as layout from "./layout.ts"
import * as logEntry from "./logEntry.ts"
import { Past } from "./past.ts"
import { meets, RecentCommits } from "./recentCommits.ts"
import { Watchers } from "./watchers.ts"

type FdbError = FdbError.FdbError

/** Five seconds, in versions: a microsecond each. */
const maxAge = 5_000_000n
const nanosPerVersion = 1000n
const maxAgeNanos = maxAge * nanosPerVersion
/** As many commits as are written together at most, and about as many bytes. */
const maxBatch = 64
const maxBatchBytes = 1_000_000
const extraPruned = 8

/** A commit that has not been answered yet. */
interface Ticket {
  readonly commit: Commit
  readonly deadline: bigint
  readonly settle: (result: Effect.Effect<Position, FdbError>) => void
  state: "waiting" | "sent" | "settled"
}

interface OpenSnapshot extends Snapshot {
  readonly openedAt: bigint
}

const tooOld = (phase: FdbError.Phase) => FdbError.make(1007, phase)

export class LmdbStore implements VersionedStore {
  private readonly environment: Environment
  private readonly clock: Clock.Clock
  private readonly recent = new RecentCommits()
  private readonly watchers: Watchers
  private readonly snapshots = new Set<OpenSnapshot>()
  private readonly anySnapshots = Latch.makeUnsafe(false)
  private waiting: Array<Ticket> = []
  private busy = false
  private readonly onIdle: Array<() => void> = []
  /** The version that was given out last, and when: it is too old five seconds later, even if it is still the newest. */
  private given = { version: -1n, at: 0n }

  constructor(environment: Environment, clock: Clock.Clock) {
    this.environment = environment
    this.clock = clock
    this.watchers = new Watchers(environment, this.recent)
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
      const befores: Array<logEntry.Before> = []
      for (let sequence = this.recent.sequenceAfter(version); sequence <= head.sequence; sequence++) {
        befores.push(...logEntry.befores(reader.logEntry(sequence)))
      }
      return Result.succeed(this.snapshotOf(reader, version, new Past(befores)))
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
          state: "waiting"
        }
        // One fiber for the timeout, where a race would need two.
        const alarm = Number.isFinite(commit.timeoutMillis)
          ? Effect.runForkWith(context)(Effect.andThen(
            Effect.sleep(Duration.millis(commit.timeoutMillis)),
            Effect.sync(() =>
              ticket.settle(Effect.fail(ticket.state === "sent" ? lockedOut(this.environment) : timedOut))
            )
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
    if (this.busy || this.waiting.length > 0) this.onIdle.push(() => resume(Effect.void))
    else resume(Effect.void)
  })

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

  private snapshotOf(reader: Reader, version: bigint, past: Past | undefined): Snapshot {
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

  /** Writes what waits, batch after batch, until nothing does. */
  private pump(): void {
    if (this.busy) return
    if (this.waiting.length === 0) {
      for (const resume of this.onIdle.splice(0)) resume()
      return
    }
    this.busy = true
    const goOn = () => {
      this.busy = false
      this.pump()
    }
    void this.environment.enterToCommit().then(
      (leave) =>
        this.writeNext().then(() => {
          leave()
          goOn()
        }),
      (cause: unknown) => {
        const error = Effect.fail(toFdbError(cause, "commit"))
        for (const ticket of this.nextBatch()) ticket.settle(error)
        goOn()
      }
    )
  }

  /** Prepares a batch and writes it; what came too late to be written upon goes back to what waits. */
  private writeNext(): Promise<void> {
    const batch = this.nextBatch()
    const prepared = Result.try({
      try: () => this.prepare(batch),
      catch: (cause) => Effect.fail(toFdbError(cause, "commit"))
    })
    if (Result.isFailure(prepared)) {
      for (const ticket of batch) ticket.settle(prepared.failure)
      return Promise.resolve()
    }
    const { accepted, sequence, writes } = prepared.success
    if (accepted.length === 0) return Promise.resolve()
    for (const { ticket } of accepted) ticket.state = "sent"
    const unsettled = () => accepted.filter(({ ticket }) => ticket.state === "sent")
    return this.environment.write(sequence, writes).then(
      (written) => {
        if (written) {
          for (const { position, ticket } of accepted) {
            this.given = { version: position.version, at: this.now() }
            if (ticket.state === "sent") ticket.settle(Effect.succeed(position))
          }
          this.environment.signal.raise()
        } else {
          const again = unsettled().map(({ ticket }) => ticket)
          for (const ticket of again) ticket.state = "waiting"
          this.waiting.unshift(...again)
        }
      },
      (cause: unknown) => {
        const error = Effect.fail(toFdbError(cause, "commit"))
        for (const { ticket } of unsettled()) ticket.settle(error)
      }
    )
  }

  private nextBatch(): Array<Ticket> {
    const batch: Array<Ticket> = []
    let bytes = 0
    let taken = 0
    for (const ticket of this.waiting) {
      if (batch.length === maxBatch || bytes >= maxBatchBytes) break
      taken++
      if (ticket.state !== "waiting") continue
      if (ticket.deadline <= this.now()) {
        ticket.settle(Effect.fail(timedOut))
        continue
      }
      batch.push(ticket)
      bytes += sizeOf(ticket.commit)
    }
    this.waiting = this.waiting.slice(taken)
    return batch
  }

  /** Checks the commits of a batch one after another, upon the newest state, and settles those that fail. */
  private prepare(batch: ReadonlyArray<Ticket>): {
    readonly sequence: number
    readonly accepted: ReadonlyArray<{ readonly ticket: Ticket; readonly position: Position }>
    readonly writes: ReadonlyArray<Write>
  } {
    const reader = this.environment.openReader()
    try {
      const { head } = reader
      this.recent.catchUp(head, reader.logEntry)
      const draft = new Draft(reader)
      const accepted: Array<{ readonly ticket: Ticket; readonly position: Position }> = []
      const written: Array<KeyRange> = []
      const writes: Array<Write> = []
      const clock = this.now() / nanosPerVersion
      let version = max(head.version, head.epoch + clock)
      for (const ticket of batch) {
        const refused = this.refusal(ticket.commit, head, written)
        if (refused !== undefined) {
          ticket.settle(Effect.fail(refused))
          continue
        }
        version++
        const position = { version, order: 0 }
        const { mutations, writeConflicts } = bind(ticket.commit, position)
        accepted.push({ ticket, position })
        written.push(...writeConflicts)
        writes.push({
          key: layout.logKey(head.sequence + accepted.length),
          value: logEntry.encode(version, writeConflicts, draft.apply(mutations))
        })
      }
      if (accepted.length > 0) {
        for (const { key, value } of draft.changes) writes.push({ key: layout.dataKey(key), value })
        const { floor, oldest, removals } = this.prune(head, accepted.length, version)
        // A clock that is behind the last commit, as after a restart of the host, is set anew.
        const epoch = head.epoch + clock < head.version ? version - clock : head.epoch
        const moved = { sequence: head.sequence + accepted.length, version, epoch, floor, oldest }
        writes.push(...removals, { key: layout.headKey, value: layout.encodeHead(moved) })
      }
      return { sequence: head.sequence, accepted, writes }
    } finally {
      reader.close()
    }
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
    while (removals.length < added + extraPruned) {
      const entry = this.recent.get(oldest)
      if (entry === undefined || entry.version > version - maxAge) break
      removals.push({ key: layout.logKey(oldest), value: undefined })
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

const lockedOut = ({ directory }: Environment): FdbError =>
  FdbError.make(
    1031,
    "commit",
    `a process has held the write lock of ${directory} for long: its disk is slow, or it was stopped in a commit`
  )
