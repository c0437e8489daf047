/**
 * An LMDB environment that is open: read transactions, and writes that depend on the sequence of the last commit.
 *
 * Writes are made by a thread of lmdb-js, which takes LMDB's lock, checks the sequence, writes and lets go of the lock
 * without a word to JavaScript. So the event loop never waits for the lock, whatever has become of the process that has
 * it, and the lock is never held while an event loop has something else to do.
 */
import * as Bytes from "@effect-fdb/core/Bytes"
import * as FdbError from "@effect-fdb/core/FdbError"
import type { KeyValue } from "@effect-fdb/core/Transaction"
import type { Transaction } from "lmdb"
import * as path from "node:path"
import { CommitSignal } from "./commitSignal.ts"
import type { Door } from "./door.ts"
import type { Gate } from "./gate.ts"
import * as layout from "./layout.ts"
import type { Root } from "./root.ts"

/** See `LmdbDatabase.Options`. */
export type Durability = "disk" | "process"

/** A value to be stored, `undefined` for none. */
export interface Write {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

export class Environment {
  readonly directory: string
  readonly durability: Durability
  readonly signal: CommitSignal
  private readonly root: Root
  private readonly gate: Gate
  private readonly door: Door
  private readonly closing = new AbortController()

  constructor(root: Root, gate: Gate, door: Door, directory: string, durability: Durability) {
    this.root = root
    this.gate = gate
    this.door = door
    this.directory = directory
    this.durability = durability
    this.signal = new CommitSignal(path.join(directory, "data.mdb"))
  }

  /** Opens the newest state for reading; everything that was committed before the call is in it. May throw. */
  openReader(): Reader {
    this.closing.signal.throwIfAborted()
    // Without this, the state may be that of an earlier read in the same turn of the event loop.
    this.root.resetReadTxn()
    return new Reader(this.root, this.root.useReadTransaction())
  }

  /** Waits until no process opens the database, and keeps it so until the function is called that is given. */
  readonly enterToCommit = (): Promise<() => void> => this.gate.enterToCommit(this.closing.signal)

  /**
   * Writes all if the last commit is still the one of that sequence; else writes nothing, and tells `false`. To be called
   * between entering and leaving.
   */
  write(sequence: number, writes: Iterable<Write>): Promise<boolean> {
    return this.root.ifVersion(layout.headKey, sequence, () => {
      for (const { key, value } of writes) {
        if (value === undefined) void this.root.remove(key)
        else void this.root.put(key, value)
      }
    }).catch((error: unknown) =>
      commitErrorOf(error).then((told) => {
        throw told
      })
    )
  }

  /** Frees the slots of readers whose process has died, which keep pages from being used again. */
  forgetDeadReaders(): void {
    if (!this.closing.signal.aborted) this.root.readerCheck()
  }

  /** Closes when the writes under way have ended. Nothing is called afterwards. */
  async close(): Promise<void> {
    this.closing.abort(new Error("the database is closed"))
    this.signal.close()
    const leave = await this.door.enter()
    try {
      await this.root.close()
      await this.gate.close()
    } finally {
      leave()
    }
  }
}

/** lmdb-js rejects with an error that has a promise of the one that tells more. */
const commitErrorOf = (error: unknown): Promise<unknown> =>
  Promise.resolve((error as { readonly commitError?: Promise<never> }).commitError).then(
    () => error,
    (commitError: unknown) => commitError
  )

/** A state of the database. While it is open, LMDB does not use the pages again that have been freed since. */
export class Reader {
  readonly head: layout.Head
  private readonly root: Root
  private readonly transaction: Transaction
  private open = true

  constructor(root: Root, transaction: Transaction) {
    this.root = root
    this.transaction = transaction
    const head = layout.decodeHead(this.stored(layout.headKey))
    if (head === undefined) {
      this.close()
      throw new Error("the record of the last commit is missing or damaged")
    }
    this.head = head
  }

  readonly get = (key: Uint8Array): Uint8Array | undefined => this.stored(layout.dataKey(key))

  readonly getRange = (
    begin: Uint8Array,
    end: Uint8Array,
    limit = Number.POSITIVE_INFINITY,
    reverse = false,
    skip = 0
  ): Iterable<KeyValue> => {
    const [low, high] = [layout.bound(begin), layout.bound(end)]
    if (Bytes.compare(low, high) >= 0) return []
    const { transaction } = this
    const pairs = reverse
      ? { start: high, end: low, exclusiveStart: true, inclusiveEnd: true, reverse, transaction }
      : { start: low, end: high, transaction }
    return toUserPairs(this.root.getRange({ ...pairs, ...(Number.isFinite(limit) && { limit }), offset: skip }))
  }

  readonly logEntry = (sequence: number): Uint8Array => {
    const entry = this.stored(layout.logKey(sequence))
    if (entry === undefined) throw new Error(`the log's entry ${sequence} is missing`)
    return entry
  }

  close(): void {
    if (!this.open) return
    this.open = false
    this.transaction.done()
  }

  private stored(key: Uint8Array): Uint8Array | undefined {
    // `getBinary` takes these options too; its type does not say so.
    const value = (this.root.getBinary as (key: Uint8Array, options: object) => Uint8Array | undefined)
      .call(this.root, key, { transaction: this.transaction })
    return value === undefined ? undefined : new Uint8Array(value)
  }
}

function* toUserPairs(pairs: Iterable<KeyValue>): Iterable<KeyValue> {
  for (const { key, value } of pairs) yield { key: layout.userKey(key), value: new Uint8Array(value) }
}

/** What LMDB or the operating system says went wrong, as an error of the database. */
export const toFdbError = (cause: unknown, phase: FdbError.Phase): FdbError.FdbError => {
  const said = cause instanceof Error ? cause.message : String(cause)
  if (said.includes("closed")) return FdbError.make(1101, phase, "the LMDB database was closed")
  if (said.includes("MDB_READERS_FULL")) {
    return FdbError.make(1037, phase, "more transactions are reading at a time than LMDB has slots for readers")
  }
  if (said.includes("No space left") || said.includes("MDB_MAP_FULL") || said.includes("Disk quota")) {
    return FdbError.make(1510, phase, "the disk is full; nothing was written. Free some space")
  }
  return FdbError.make(1510, phase, `LMDB says: ${said}`)
}
