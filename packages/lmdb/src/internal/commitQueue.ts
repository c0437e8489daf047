/**
 * The commits of this process that have not been answered: small ones in batches, large ones one after another, by turns where both
 * wait.
 *
 * A commit is prepared outside of LMDB's lock, upon the newest state: checked against the commits since its read version,
 * versions given, mutations applied. It is written only if that state is still the newest, else prepared anew upon the
 * one that is. Each time that one process has to begin anew, another has committed.
 */
import * as FdbError from "@effect-fdb/core/FdbError"
import type { KeyRange } from "@effect-fdb/core/KeyRange"
import { bind, type Commit, type Position } from "@effect-fdb/core/VersionedStore"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { CommitLog } from "./commitLog.ts"
import { type Environment, type Reader, toFdbError, type Write } from "./environment.ts"
import { LargeCommit } from "./largeCommit.ts"
import * as layout from "./layout.ts"
import type { Limits } from "./limits.ts"
import * as logEntry from "./logEntry.ts"
import { isInForce } from "./reservation.ts"
import { nextTurn, pause } from "./timeSlices.ts"
import { type Change, WriteBatch } from "./writeBatch.ts"

/** How many commits are written together at most, and about how many bytes and keys. */
const maxBatch = 64
const maxBatchBytes = 1_000_000
const maxBatchKeys = 2000

/** A commit that has not been answered yet. */
export interface Ticket {
  readonly commit: Commit
  readonly deadline: bigint
  readonly settle: (result: Effect.Effect<Position, FdbError.FdbError>) => void
  state: "waiting" | "sent" | "settled"
  /** Holds when it is accepted. */
  version: bigint
  /** Set when it writes to many keys. */
  large: LargeCommit | undefined
}

const isWaiting = ({ state }: Ticket): boolean => state === "waiting"

export class CommitQueue {
  readonly environment: Environment
  readonly log: CommitLog
  readonly limits: Limits
  private waiting: Array<Ticket> = []
  private readonly large: Array<LargeCommit> = []
  /** Gives the first large commit its turn, when it is prepared. */
  private startLarge: (() => void) | undefined = undefined
  /** Whether the turn now, or the last one, is that of a large commit. */
  private isTurnOfLarge = false
  private isTaken = false
  /** Whether a large commit of another process had reserved its turn when this one was about to commit. */
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
        const ticket: Ticket = {
          commit,
          deadline: this.log.now() + toNanos(commit.timeoutMillis),
          settle: (result) => {
            ticket.state = "settled"
            resume(result)
            alarm?.interruptUnsafe()
          },
          state: "waiting",
          version: 0n,
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

  /** Waits for the commits under way. */
  readonly drain: Effect.Effect<void> = Effect.callback((resume) => {
    this.onIdle = () => resume(Effect.void)
    this.pump()
  })

  /** Why a commit has not been settled by its deadline. Phase `write` says that nothing has been written; `commit` leaves it open. */
  private lateness({ large, state }: Ticket): FdbError.FdbError {
    if (state === "sent") {
      const detail =
        `a process has held the write lock of ${this.environment.directory} for long: what it commits is ` +
        "large, its disk is slow, or it was stopped in a commit"
      return FdbError.make(1031, "commit", detail)
    }
    const isBesideLarge = this.isReserved || this.isTurnOfLarge
    const detail = large?.isPrepared === false
      ? `to prepare a commit to ${large.size} keys took longer than it has time, and others came before it ` +
        `${large.overtaken} times; nothing was written. Give it more time, or divide it`
      : `the commit's turn did not come in time${isBesideLarge ? ", beside one that writes to many keys" : ""}; ` +
        "nothing was written"
    return FdbError.make(1031, "write", detail)
  }

  private fail(tickets: ReadonlyArray<Ticket>, cause: unknown): void {
    const error = Effect.fail(toFdbError(cause, "commit"))
    for (const ticket of tickets) ticket.settle(error)
  }

  /** Gives the next turn, until nothing waits for one. */
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

  /** Runs something while no other commit of this process is being written, and no process opens the database. */
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

  /** As {@link takeTurn}, when the turn has come of the first large commit. */
  inTurn<A>(use: () => Promise<A>): Promise<A> {
    return new Promise((resolve) => {
      this.startLarge = () => resolve(this.takeTurn(use))
      this.pump()
    })
  }

  private addLarge(ticket: Ticket): void {
    ticket.large = new LargeCommit(ticket, this)
    if (this.large.push(ticket.large) === 1) void this.commitLarge()
  }

  private async commitLarge(): Promise<void> {
    for (let large = this.large[0]; large !== undefined; large = this.large[0]) {
      try {
        // What has led to it has held the event loop as well.
        await nextTurn()
        await large.commit()
      } catch (cause) {
        this.fail([large.ticket], cause)
      }
      this.large.shift()
    }
    this.pump()
  }

  /** Prepares a batch and writes it; what came too late to be written upon the newest state waits again. */
  private async writeNext(batch: ReadonlyArray<Ticket>): Promise<void> {
    try {
      const prepared = this.environment.read((reader) => {
        this.isReserved = isInForce(reader.reservation)
        return this.isReserved ? undefined : this.prepare(reader, batch)
      })
      const { accepted = batch } = prepared ?? {}
      if (prepared === undefined) await pause()
      else if (accepted.length === 0 || await this.write(prepared.sequence, prepared.writes, accepted)) return
      this.waiting = [...accepted.filter(isWaiting), ...this.waiting]
    } catch (cause) {
      this.fail(batch, cause)
    }
  }

  /** Writes commits upon a state, and settles them; `false` when that is not the newest any more. */
  async write(sequence: number, writes: Iterable<Write>, accepted: ReadonlyArray<Ticket>): Promise<boolean> {
    for (const ticket of accepted) ticket.state = "sent"
    const unsettled = () => accepted.filter(({ state }) => state === "sent")
    try {
      if (!await this.environment.write(sequence, writes)) {
        for (const ticket of unsettled()) ticket.state = "waiting"
        return false
      }
      for (const { version } of accepted) this.log.giveOut(version)
      for (const { settle, version } of unsettled()) settle(Effect.succeed({ version, order: 0 }))
      this.environment.signal.raise()
    } catch (cause) {
      this.fail(unsettled(), cause)
    }
    return true
  }

  private nextBatch(): ReadonlyArray<Ticket> {
    const batch: Array<Ticket> = []
    let bytes = 0
    let keys = 0
    let taken = 0
    for (const ticket of this.waiting) {
      if (batch.length === maxBatch || bytes >= maxBatchBytes || keys >= maxBatchKeys) break
      taken++
      if (!isWaiting(ticket)) continue
      if (ticket.deadline <= this.log.now()) {
        ticket.settle(Effect.fail(this.lateness(ticket)))
        continue
      }
      const size = sizeOf(ticket.commit)
      const { length } = ticket.commit.mutations
      if (length > this.limits.keys || size > this.limits.bytes) {
        this.addLarge(ticket)
        continue
      }
      batch.push(ticket)
      bytes += size
      keys += length
    }
    this.waiting = this.waiting.slice(taken)
    return batch
  }

  /** Checks the commits of a batch one after another, upon the newest state, and settles those that fail. */
  private prepare(reader: Reader, batch: ReadonlyArray<Ticket>): {
    readonly sequence: number
    readonly accepted: ReadonlyArray<Ticket>
    readonly writes: ReadonlyArray<Write>
  } {
    const { head } = reader
    this.log.catchUp(reader)
    const changes = new Map<string, Change>()
    const accepted: Array<Ticket> = []
    const written: Array<KeyRange> = []
    const writes: Array<Write> = []
    let version = this.log.nextVersion(head)
    for (const [index, ticket] of batch.entries()) {
      if (changes.size >= maxBatchKeys) {
        this.waiting = [...batch.slice(index), ...this.waiting]
        break
      }
      const refused = this.log.refusal(ticket.commit, head, written)
      if (refused !== undefined) {
        ticket.settle(Effect.fail(refused))
        continue
      }
      const { mutations, writeConflicts } = bind(ticket.commit, { version, order: 0 })
      const applied = new WriteBatch(changes)
      const steps = applied.apply(reader, mutations)
      while (steps.next().done !== true && !applied.isLarge(this.limits));
      if (applied.isLarge(this.limits)) {
        this.addLarge(ticket)
        continue
      }
      for (const [text, change] of applied.changes) changes.set(text, change)
      for (const range of writeConflicts) written.push(range)
      ticket.version = version
      accepted.push(ticket)
      writes.push({
        key: layout.logKey(head.sequence + accepted.length),
        value: logEntry.encode(version, writeConflicts, applied.changes.values())
      })
      version++
    }
    for (const { key, value } of changes.values()) writes.push({ key: layout.dataKey(key), value })
    for (const write of this.log.advance(head, accepted.length, version - 1n)) writes.push(write)
    return { sequence: head.sequence, accepted, writes }
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
