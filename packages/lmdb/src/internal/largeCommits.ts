/**
 * The large commits of this process: prepared one after another beside the small ones, and written in a turn among them.
 */
import type * as FdbError from "@effect-fdb/core/FdbError"
import type { Commit, Position } from "@effect-fdb/core/VersionedStore"
import * as Effect from "effect/Effect"
import type { CommitLog } from "./commitLog.ts"
import { type Environment, type Reader, toFdbError, type Write } from "./environment.ts"
import { LargeCommit, type Prepared } from "./largeCommit.ts"
import * as layout from "./layout.ts"
import type { Limits } from "./limits.ts"
import * as logEntry from "./logEntry.ts"
import * as reservations from "./reservation.ts"
import { inSlices, nextTurn, pause, slice, type Steps } from "./timeSlices.ts"

/** A commit that has not been answered yet. */
export interface Ticket {
  readonly commit: Commit
  readonly deadline: bigint
  readonly settle: (result: Effect.Effect<Position, FdbError.FdbError>) => void
  state: "waiting" | "sent" | "settled"
  /** Set when it writes to many keys. */
  large: LargeCommit | undefined
}

/** A commit with its place in the order of all. */
export interface Accepted {
  readonly ticket: Ticket
  readonly position: Position
}

/** What the store of which these are the commits does for them. */
export interface Store {
  readonly environment: Environment
  readonly recent: CommitLog
  /** Why a commit cannot follow the state of a head. */
  readonly refusal: (commit: Commit, head: layout.Head) => FdbError.FdbError | undefined
  /** The version of a commit that follows the state of a head. */
  readonly nextVersion: (head: layout.Head) => bigint
  /** What is to be written of a head that is followed by `added` commits, the last of them with that version. */
  readonly moveHead: (head: layout.Head, added: number, version: bigint) => ReadonlyArray<Write>
  /** Runs something while no other commit of this process is being written, and no process opens the database. */
  readonly inTurn: <A>(use: () => Promise<A>) => Promise<A>
  /** Writes commits upon the state of a sequence, and settles them; `false` when there is a newer one. */
  readonly write: (sequence: number, writes: Iterable<Write>, commits: ReadonlyArray<Accepted>) => Promise<boolean>
}

/** How often it is tried at a time to be the next, for a moment, among those who commit without a pause. */
const reservationAttempts = 50
/** How often the log is looked at meanwhile, which keeps what has happened for five seconds. */
const followMillis = 500

export class LargeCommits {
  private readonly store: Store
  private readonly queue: Array<Ticket> = []
  private readonly limits: Limits
  private readonly onIdle: () => void

  constructor(store: Store, limits: Limits, onIdle: () => void) {
    this.store = store
    this.limits = limits
    this.onIdle = onIdle
  }

  get isBusy(): boolean {
    return this.queue.length > 0
  }

  add(ticket: Ticket): void {
    ticket.large = new LargeCommit(ticket.commit, this.limits.chunkBytes)
    if (this.queue.push(ticket) === 1) void this.commitAll()
  }

  private async commitAll(): Promise<void> {
    for (let ticket = this.queue[0]; ticket !== undefined; ticket = this.queue[0]) {
      try {
        // What has led to it has held the event loop as well.
        await nextTurn()
        await this.commit(ticket, ticket.large!)
      } catch (cause) {
        ticket.settle(Effect.fail(toFdbError(cause, "commit")))
      }
      this.queue.shift()
    }
    this.onIdle()
  }

  /** Prepares a commit, and anew what others have changed meanwhile, until it is written or refused. */
  private async commit(ticket: Ticket, large: LargeCommit): Promise<void> {
    let followed = performance.now()
    const goesOn = (): boolean => {
      if (ticket.state === "settled") return false
      if (performance.now() - followed < followMillis) return true
      followed = performance.now()
      const reader = this.store.environment.openReader()
      try {
        return this.follow(ticket, large, reader)
      } finally {
        reader.close()
      }
    }
    let steps = this.catchUp(ticket, large)
    while (steps !== undefined) {
      if (await inSlices(steps, this.limits.sliceMillis, goesOn) === undefined) return
      large.isPrepared = true
      steps = await this.store.inTurn(() => this.write(ticket, large))
      large.isPrepared = false
    }
  }

  /** Checks what others have committed since the last time; `false` when the commit has been refused. */
  private follow(ticket: Ticket, large: LargeCommit, reader: Reader): boolean {
    const { recent, refusal } = this.store
    recent.catchUp(reader.head, reader.logEntry)
    const refused = large.follow(reader.head, recent, () => refusal(ticket.commit, reader.head))
    if (refused !== undefined) ticket.settle(Effect.fail(refused))
    return refused === undefined
  }

  /** What is to be done for a commit to be prepared upon the newest state; nothing when it is settled. */
  private catchUp(ticket: Ticket, large: LargeCommit): Steps<Prepared> | undefined {
    if (ticket.state === "settled") return undefined
    const reader = this.store.environment.openReader()
    if (this.follow(ticket, large, reader)) return large.catchUp(reader, this.store.nextVersion(reader.head))
    reader.close()
    return undefined
  }

  /** Writes a commit. If others came before it, this is what is to be done before the next time. */
  private async write(ticket: Ticket, large: LargeCommit): Promise<Steps<Prepared> | undefined> {
    const mustReserve = large.overtaken >= this.limits.triesBeforeReservation
    const reserved = mustReserve ? await this.reserve(ticket, large) : undefined
    if (reserved === undefined && (mustReserve || this.isAskedToWait())) {
      await pause()
      return this.catchUp(ticket, large)
    }
    for (;;) {
      const steps = this.catchUp(ticket, large)
      if (steps === undefined) break
      // Only who has the turn reserved may let the others wait for long.
      const step = reserved === undefined ? slice(steps, this.limits.sliceMillis) : undefined
      if (step?.done === false) {
        large.overtaken++
        return steps
      }
      const prepared = step === undefined
        ? await inSlices(steps, this.limits.sliceMillis, () => ticket.state !== "settled")
        : step.value
      if (prepared === undefined) break
      const started = performance.now()
      const written = this.store.write(
        prepared.head.sequence,
        this.writesOf(prepared, reserved),
        [{ ticket, position: { version: prepared.version, order: 0 } }]
      )
      large.handOverMillis = performance.now() - started
      if (await written) return undefined
      large.overtaken++
      if (!reservations.isInForce(reserved)) return this.catchUp(ticket, large)
    }
    if (reserved !== undefined) await this.release(reserved)
    return undefined
  }

  /** Everything that may fail is done before the first of them is written. */
  private writesOf(
    { changes, chunks, entry, head, version }: Prepared,
    reserved: layout.Reservation | undefined
  ): Iterable<Write> {
    logEntry.setVersion(entry, version)
    const sequence = head.sequence + 1
    const others: Array<Write> = [{ key: layout.logKey(sequence), value: entry }]
    for (const [index, value] of chunks.entries()) others.push({ key: layout.chunkKey(sequence, index), value })
    if (reserved !== undefined) others.push({ key: layout.reservationKey, value: endOf(reserved) })
    for (const write of this.store.moveHead(head, 1, version)) others.push(write)
    return (function*() {
      for (const { before, key, value } of changes) {
        if (before !== undefined || value !== undefined) yield { key: layout.dataKey(key), value }
      }
      yield* others
    })()
  }

  private isAskedToWait(): boolean {
    const reader = this.store.environment.openReader()
    try {
      return reservations.isInForce(reader.reservation)
    } finally {
      reader.close()
    }
  }

  /** An empty commit, after which the others wait. Who is about to write finds that another one came before. */
  private async reserve(ticket: Ticket, large: LargeCommit): Promise<layout.Reservation | undefined> {
    const { environment, moveHead, nextVersion, recent } = this.store
    for (let i = 0; i < reservationAttempts && ticket.state !== "settled"; i++) {
      const reader = environment.openReader()
      const { head } = reader
      let writes: ReadonlyArray<Write>
      let reserved: layout.Reservation | undefined
      try {
        reserved = reservations.after(reader.reservation, large.reservationMillis)
        if (reserved === undefined) return undefined
        recent.catchUp(head, reader.logEntry)
        const version = nextVersion(head)
        writes = [
          { key: layout.reservationKey, value: layout.encodeReservation(reserved) },
          { key: layout.logKey(head.sequence + 1), value: logEntry.encode(version, [], []) },
          ...moveHead(head, 1, version)
        ]
      } finally {
        reader.close()
      }
      if (await environment.write(head.sequence, writes)) return reserved
    }
    return undefined
  }

  /** Lets the others go on; if that fails, they do when the time is over. */
  private async release(reserved: layout.Reservation): Promise<void> {
    const { environment } = this.store
    const reader = environment.openReader()
    const { sequence } = reader.head
    reader.close()
    await environment.write(sequence, [{ key: layout.reservationKey, value: endOf(reserved) }])
  }
}

const endOf = (reserved: layout.Reservation): Uint8Array => layout.encodeReservation(reservations.ended(reserved))
