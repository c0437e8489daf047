/**
 * The pending commits of this process. Batches of small ones and single large ones alternate.
 *
 * A commit is prepared without LMDB's lock, for the newest state: it is checked against the commits since its read version, gets its
 * version, and its mutations are applied. It is written only if that state is still the newest; else it is prepared again, which
 * happens only if another process has committed. So some process always makes progress.
 */
import * as FdbError from "@effect-fdb/core/FdbError"
import type { KeyRange } from "@effect-fdb/core/KeyRange"
import { bind, type Commit, type Position } from "@effect-fdb/core/VersionedStore"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { appendAll } from "effect/Iterable"
import type { CommitLog } from "./commitLog.ts"
import { type Environment, type Reader, toFdbError, type Write } from "./environment.ts"
import { LargeCommit } from "./largeCommit.ts"
import * as layout from "./layout.ts"
import type { Limits } from "./limits.ts"
import * as logEntry from "./logEntry.ts"
import { isInForce } from "./reservation.ts"
import { nextTurn, pause } from "./timeSlices.ts"
import { type Change, textOf, WriteBatch } from "./writeBatch.ts"

/** The maximum number of commits in a batch, and its approximate maximum of bytes and keys. */
const maxBatch = 64
const maxBatchBytes = 1_000_000
const maxBatchKeys = 2000

export interface PendingCommit {
  readonly commit: Commit
  readonly deadline: bigint
  readonly settle: (result: Effect.Effect<Position, FdbError.FdbError>) => void
  state: "waiting" | "sent" | "settled"
  /** Valid after the commit is accepted into a batch. */
  version: bigint
  /** Set if the commit is large. */
  large: LargeCommit | undefined
}

/** The writes of commits that follow the state `sequence`. */
export interface Batch {
  readonly sequence: number
  readonly accepted: ReadonlyArray<PendingCommit>
  readonly writes: Iterable<Write>
  /** The keys that the commits write, by `textOf`, in the order in which their watchers are to be told. */
  readonly keys: Iterable<string>
  /** The log's entries, one for each commit. */
  readonly entries: ReadonlyArray<Uint8Array>
}

const isWaiting = ({ state }: PendingCommit): boolean => state === "waiting"

export class CommitQueue {
  readonly environment: Environment
  readonly log: CommitLog
  readonly limits: Limits
  private waiting: Array<PendingCommit> = []
  private readonly large: Array<LargeCommit> = []
  /** Starts the turn of the first large commit. Set when it is prepared. */
  private startLarge: (() => void) | undefined = undefined
  /** Whether the present or last turn belongs to a large commit. */
  private isTurnOfLarge = false
  private isTaken = false
  /** Whether another process had a reservation at this process's last attempt to commit. */
  private isReserved = false
  private onIdle = (): void => {}

  constructor(environment: Environment, log: CommitLog, limits: Limits) {
    this.environment = environment
    this.log = log
    this.limits = limits
  }

  readonly commit = (commit: Commit): Effect.Effect<Position, FdbError.FdbError> =>
    Effect.contextWith((context: Context.Context<never>) =>
      Effect.callback<Position, FdbError.FdbError>((resume) => {
        const pending: PendingCommit = {
          commit,
          deadline: this.log.now() + toNanos(commit.timeoutMillis),
          settle: (result) => {
            pending.state = "settled"
            resume(result)
            alarm?.interruptUnsafe()
          },
          state: "waiting",
          version: 0n,
          large: undefined
        }
        // One fiber for the timeout; a race would need two.
        const alarm = Number.isFinite(commit.timeoutMillis)
          ? Effect.runForkWith(context)(Effect.andThen(
            Effect.sleep(Duration.millis(commit.timeoutMillis)),
            Effect.sync(() => pending.settle(Effect.fail(this.lateness(pending))))
          ))
          : undefined
        this.waiting.push(pending)
        this.pump()
        return Effect.sync(() => alarm?.interruptUnsafe())
      })
    )

  readonly drain: Effect.Effect<void> = Effect.callback((resume) => {
    this.onIdle = () => resume(Effect.void)
    this.pump()
  })

  /** The error of a commit at its deadline. Phase `write`: nothing was written; `commit`: the outcome is unknown. */
  private lateness({ large, state }: PendingCommit): FdbError.FdbError {
    if (state === "sent") {
      const detail = `a process holds the write lock of ${this.environment.directory} for a long time: its commit is ` +
        "large, its disk is slow, or it was stopped in a commit"
      return FdbError.make(1031, "commit", detail)
    }
    const isBesideLarge = this.isReserved || this.isTurnOfLarge
    const detail = large?.isPrepared === false
      ? `a commit to ${large.size} keys was not prepared before its timeout, and others overtook it ` +
        `${large.overtaken} times; nothing was written. Raise the timeout, or divide the commit`
      : `the commit's turn did not come in time${isBesideLarge ? ", because a commit to many keys took it" : ""}; ` +
        "nothing was written"
    return FdbError.make(1031, "write", detail)
  }

  private fail(commits: ReadonlyArray<PendingCommit>, cause: unknown): void {
    const error = Effect.fail(toFdbError(cause, "commit"))
    for (const pending of commits) pending.settle(error)
  }

  /** Starts the next turn if a commit waits. */
  private pump(): void {
    if (this.isTaken) return
    const { startLarge } = this
    if (startLarge === undefined && this.waiting.length === 0) {
      if (this.large.length === 0) this.onIdle()
      return
    }
    this.isTurnOfLarge = startLarge !== undefined && (!this.isTurnOfLarge || this.waiting.length === 0)
    if (this.isTurnOfLarge) {
      this.startLarge = undefined
      startLarge!()
    } else {
      this.takeTurn(() => this.writeNext(this.nextBatch())).catch((cause) => this.fail(this.nextBatch(), cause))
    }
  }

  /** Runs `use` while this process writes no other commit and no process opens the database. */
  private async takeTurn<A>(use: () => Promise<A>): Promise<A> {
    this.isTaken = true
    try {
      const leave = await this.environment.enterToCommit()
      return await use().finally(leave)
    } finally {
      this.isTaken = false
      this.pump()
    }
  }

  /** {@link takeTurn} in the next turn of a large commit. */
  inTurn<A>(use: () => Promise<A>): Promise<A> {
    return new Promise((resolve) => {
      this.startLarge = () => resolve(this.takeTurn(use))
      this.pump()
    })
  }

  private addLarge(pending: PendingCommit): void {
    pending.large = new LargeCommit(pending, this)
    if (this.large.push(pending.large) === 1) void this.commitLarge()
  }

  private async commitLarge(): Promise<void> {
    for (let large = this.large[0]; large !== undefined; large = this.large[0]) {
      try {
        // The caller has blocked the event loop already.
        await nextTurn()
        await large.commit()
      } catch (cause) {
        this.fail([large.pending], cause)
      }
      this.large.shift()
    }
    this.pump()
  }

  /** Prepares and writes a batch. Its commits wait again if the state is not the newest any more. */
  private async writeNext(batch: ReadonlyArray<PendingCommit>): Promise<void> {
    try {
      const prepared = this.environment.read((reader) => {
        this.isReserved = isInForce(reader.reservation)
        return this.isReserved ? undefined : this.prepare(reader, batch)
      })
      const { accepted = batch } = prepared ?? {}
      if (prepared === undefined) await pause()
      else if (accepted.length === 0 || await this.write(prepared)) return
      this.waiting = [...accepted.filter(isWaiting), ...this.waiting]
    } catch (cause) {
      this.fail(batch, cause)
    }
  }

  /** Writes commits and settles them; `false` if their state is not the newest any more. */
  async write({ accepted, entries, keys, sequence, writes }: Batch): Promise<boolean> {
    for (const pending of accepted) pending.state = "sent"
    const unsettled = () => accepted.filter(({ state }) => state === "sent")
    try {
      if (!await this.environment.write(sequence, writes, keys)) {
        for (const pending of unsettled()) pending.state = "waiting"
        return false
      }
      this.log.append(sequence, entries)
      for (const { version } of accepted) this.log.giveOut(version)
      for (const { settle, version } of unsettled()) settle(Effect.succeed({ version, order: 0 }))
      this.environment.signal.raise()
    } catch (cause) {
      this.fail(unsettled(), cause)
    }
    return true
  }

  private nextBatch(): ReadonlyArray<PendingCommit> {
    const batch: Array<PendingCommit> = []
    let bytes = 0
    let keys = 0
    let taken = 0
    for (const pending of this.waiting) {
      if (batch.length === maxBatch || bytes >= maxBatchBytes || keys >= maxBatchKeys) break
      taken++
      if (!isWaiting(pending)) continue
      if (pending.deadline <= this.log.now()) {
        pending.settle(Effect.fail(this.lateness(pending)))
        continue
      }
      const size = sizeOf(pending.commit)
      const { length } = pending.commit.mutations
      if (length > this.limits.keys || size > this.limits.bytes) {
        this.addLarge(pending)
        continue
      }
      batch.push(pending)
      bytes += size
      keys += length
    }
    this.waiting = this.waiting.slice(taken)
    return batch
  }

  /** Checks the commits of a batch in order, for the newest state, and settles those that fail. */
  private prepare(reader: Reader, batch: ReadonlyArray<PendingCommit>): Batch {
    const { head } = reader
    this.log.catchUp(reader)
    const changes = new Map<string, Change>()
    const accepted: Array<PendingCommit> = []
    const written: Array<KeyRange> = []
    const writes: Array<Write> = []
    const entries: Array<Uint8Array> = []
    let version = this.log.nextVersion(head)
    for (const [index, pending] of batch.entries()) {
      if (changes.size >= maxBatchKeys) {
        this.waiting = [...batch.slice(index), ...this.waiting]
        break
      }
      const refused = this.log.refusal(pending.commit, head, written)
      if (refused !== undefined) {
        pending.settle(Effect.fail(refused))
        continue
      }
      const { mutations, writeConflicts } = bind(pending.commit, { version, order: 0 })
      const applied = new WriteBatch(changes)
      const steps = applied.apply(reader, mutations)
      while (steps.next().done !== true && !applied.isLarge(this.limits));
      if (applied.isLarge(this.limits)) {
        this.addLarge(pending)
        continue
      }
      for (const [text, change] of applied.changes) changes.set(text, change)
      for (const range of writeConflicts) written.push(range)
      pending.version = version
      accepted.push(pending)
      const entry = logEntry.encode(version, writeConflicts, applied.changes.values())
      entries.push(entry)
      writes.push({ key: layout.logKey(head.sequence + accepted.length), value: entry })
      version++
    }
    for (const { key, value } of changes.values()) writes.push({ key: layout.dataKey(key), value })
    for (const write of this.log.advance(head, accepted.length, version - 1n)) writes.push(write)
    const first = accepted.flatMap(({ commit: { firstWritten = [] } }) => firstWritten.map(textOf))
    return { sequence: head.sequence, accepted, writes, keys: appendAll(first, changes.keys()), entries }
  }
}

const toNanos = (millis: number): bigint => BigInt(Math.round(Math.min(millis * 1e6, Number.MAX_SAFE_INTEGER)))

const sizeOf = ({ mutations }: Commit): number => {
  let size = 0
  for (const mutation of mutations) {
    if (mutation._tag === "Set" || mutation._tag === "SetVersionstampedKey") size += mutation.value.length
    if (mutation._tag === "SetVersionstampedValue") size += mutation.value.bytes.length
  }
  return size
}
