/**
 * An LMDB environment that is open: read transactions, and writes that depend on the sequence of the last commit. A thread of
 * lmdb-js makes the writes, so the event loop never waits for LMDB's lock, and no process holds it while its event loop is busy.
 */
import * as Bytes from "@effect-fdb/core/Bytes"
import * as FdbError from "@effect-fdb/core/FdbError"
import type { KeyValue } from "@effect-fdb/core/Transaction"
import { sameValue } from "@effect-fdb/core/VersionedStore"
import type { Transaction } from "lmdb"
import type { CommitSignal } from "./commitSignal.ts"
import type { Durability } from "./durability.ts"
import * as layout from "./layout.ts"
import type { OpenCloseMutex } from "./openCloseMutex.ts"
import type { OpenCommitLock } from "./openCommitLock.ts"
import * as reservation from "./reservation.ts"
import { type ListedReader, readersOf, type Root } from "./rootDatabase.ts"
import type { StoreFiles } from "./storeFiles.ts"
import * as writesAtExit from "./writesAtExit.ts"

/** A write of a value, or a removal if it is `undefined`. */
export interface Write {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** {@link Environment.isInPlace} checks the files again after this time. */
const freshMillis = 5

export class Environment {
  readonly files: StoreFiles
  readonly directory: string
  readonly durability: Durability
  readonly signal: CommitSignal
  private readonly root: Root
  private readonly lock: OpenCommitLock
  private readonly mutex: OpenCloseMutex
  private readonly identity: Uint8Array | undefined
  private readonly closing = new AbortController()
  private readonly writes = new Set<Promise<boolean>>()
  private readonly readers = new Set<Reader>()
  /** The version of the newest state that was read. */
  private seen = 0n
  /** What has replaced the open files. It stays set: the environment cannot be used again. */
  private replacement: string | undefined = undefined

  constructor(
    root: Root,
    lock: OpenCommitLock,
    mutex: OpenCloseMutex,
    files: StoreFiles,
    signal: CommitSignal,
    durability: Durability
  ) {
    this.root = root
    this.lock = lock
    this.mutex = mutex
    this.files = files
    this.directory = files.directory
    this.durability = durability
    this.signal = signal
    this.identity = this.root.getBinary(layout.identityKey)
  }

  get isReplaced(): boolean {
    return this.replacement !== undefined
  }

  /** Whether the open files are still at their path. The answer may be {@link freshMillis} old: each read of a transaction asks. */
  isInPlace(): boolean {
    this.replacement ??= this.files.problem(freshMillis)
    return !this.isReplaced
  }

  /** Throws if the open files are not at their path any more. */
  private checkPlace(phase: FdbError.Phase): void {
    this.replacement ??= this.files.problem()
    if (this.replacement === undefined) return
    const detail = `${this.replacement}. Stop all processes that use ${this.directory}, and start them again`
    throw FdbError.make(FdbError.databaseReplaced, phase, detail)
  }

  /** Notes whether the content of the file was replaced, for example by a copy of an earlier state. */
  private checkContent({ head: { version }, identity }: Reader): void {
    if (version < this.seen) {
      this.replacement = `it has gone back from version ${this.seen} to ${version}: an earlier copy has taken its place`
    } else if (!sameValue(identity, this.identity)) {
      this.replacement = "the content of another database has taken its place"
    }
    this.seen = version
  }

  /** Opens the newest state. It contains every commit before the call. May throw. */
  openReader(): Reader {
    this.closing.signal.throwIfAborted()
    this.checkPlace("read")
    // Without this, lmdb-js returns the state of an earlier read in the same turn of the event loop.
    this.root.resetReadTxn()
    const reader: Reader = new Reader(this.root, this.root.useReadTransaction(), () => this.readers.delete(reader))
    this.readers.add(reader)
    this.checkContent(reader)
    if (this.isReplaced) {
      reader.close()
      this.checkPlace("read")
    }
    return reader
  }

  read<A>(use: (reader: Reader) => A): A {
    const reader = this.openReader()
    try {
      return use(reader)
    } finally {
      reader.close()
    }
  }

  /** See `OpenCommitLock.enter`. */
  readonly enterToCommit = (): Promise<() => void> => this.lock.enter("committer", this.closing.signal)

  /**
   * Makes all writes if `sequence` is still the sequence of the last commit; else makes none and returns `false`. Succeeds only if
   * the files are in place afterwards: writes to files that were moved away are lost to the others. Call it between
   * {@link enterToCommit} and its returned function, so that no opening process recreates a removed file meanwhile.
   */
  async write(sequence: number, writes: Iterable<Write>, keys: Iterable<string> = []): Promise<boolean> {
    this.checkPlace("write")
    const written = this.root.ifVersion(layout.headKey, sequence, () => {
      for (const { key, value } of writes) {
        if (value === undefined) void this.root.remove(key)
        else void this.root.put(key, value)
      }
    })
    const ended = writesAtExit.track(() => this.isWrittenSince(sequence))
    this.writes.add(written)
    try {
      const done = await written
      if (done) this.signal.announce(keys)
      this.checkPlace("commit")
      return done
    } catch (error) {
      // The error of lmdb-js holds a promise that rejects with a more exact error.
      await (error as { readonly commitError?: Promise<never> }).commitError
      throw error
    } finally {
      this.writes.delete(written)
      ended()
    }
  }

  /** The readers of old states in all processes, with the number of commits since. May throw. */
  laggingReads(): ReadonlyArray<ListedReader & { readonly behind: number }> {
    this.closing.signal.throwIfAborted()
    this.checkPlace("read")
    this.root.readerCheck()
    const { lastTxnId } = this.root.getStats() as { readonly lastTxnId: number }
    return readersOf(this.root)
      .map((reader) => ({ ...reader, behind: lastTxnId - (reader.transaction ?? lastTxnId) }))
      .filter(({ behind }) => behind > 0)
  }

  get isWriting(): boolean {
    return this.writes.size > 0
  }

  private isWrittenSince(sequence: number): boolean {
    if (this.isReplaced) return false
    this.root.resetReadTxn()
    return layout.decodeHead(this.root.getBinary(layout.headKey))?.sequence !== sequence
  }

  /** Frees the slots of dead processes' readers, so that LMDB can reuse pages. */
  freeReaders(): void {
    if (!this.closing.signal.aborted && !this.isReplaced) this.root.readerCheck()
  }

  touch(): void {
    if (!this.closing.signal.aborted && !this.isReplaced) this.files.touch()
  }

  /** Closes after the writes under way have ended. */
  async close(): Promise<void> {
    this.closing.abort(new Error("the database is closed"))
    this.signal.close()
    for (const reader of this.readers) reader.close()
    // The mutex is taken afterwards, because the process that has LMDB's lock may be stopped.
    await Promise.allSettled(this.writes)
    const leave = await this.mutex.enter()
    try {
      await this.root.close()
      await this.lock.close()
    } finally {
      leave()
    }
  }
}

/** A state of the database. While a reader is open, LMDB does not reuse pages that were freed since. */
export class Reader {
  readonly head: layout.Head
  readonly identity: Uint8Array | undefined
  private readonly root: Root
  private readonly transaction: Transaction
  private readonly onClose: () => void
  private open = true

  constructor(root: Root, transaction: Transaction, onClose: () => void) {
    this.root = root
    this.transaction = transaction
    this.onClose = onClose
    const head = layout.decodeHead(this.stored(layout.headKey))
    if (head === undefined) {
      this.close()
      throw new Error("the record of the last commit is missing or damaged")
    }
    this.head = head
    this.identity = this.stored(layout.identityKey)
  }

  readonly get = (key: Uint8Array): Uint8Array | undefined => this.stored(layout.dataKey(key))

  readonly getRange = (
    begin: Uint8Array,
    end: Uint8Array,
    limit = Number.POSITIVE_INFINITY,
    reverse = false,
    skip = 0
  ): Iterable<KeyValue> => {
    this.throwIfClosed()
    const [low, high] = [layout.bound(begin), layout.bound(end)]
    if (Bytes.compare(low, high) >= 0) return []
    const { transaction } = this
    const pairs = reverse
      ? { start: high, end: low, exclusiveStart: true, inclusiveEnd: true, reverse, transaction }
      : { start: low, end: high, transaction }
    return toUserPairs(this.root.getRange({ ...pairs, ...(Number.isFinite(limit) && { limit }), offset: skip }))
  }

  /** The log's entry of a commit, or a chunk of it. */
  readonly logged = (sequence: number, chunk?: number): Uint8Array => {
    const value = this.stored(chunk === undefined ? layout.logKey(sequence) : layout.chunkKey(sequence, chunk))
    if (value !== undefined) return value
    throw new Error(`the log's entry ${sequence}${chunk === undefined ? "" : `, part ${chunk},`} is missing`)
  }

  get reservation(): reservation.Reservation | undefined {
    return reservation.decode(this.stored(layout.reservationKey))
  }

  close(): void {
    if (!this.open) return
    this.open = false
    this.transaction.done()
    this.onClose()
  }

  private stored(key: Uint8Array): Uint8Array | undefined {
    this.throwIfClosed()
    // The type of `getBinary` lacks the options.
    const value = (this.root.getBinary as (key: Uint8Array, options: object) => Uint8Array | undefined)
      .call(this.root, key, { transaction: this.transaction })
    return value === undefined ? undefined : new Uint8Array(value)
  }

  private throwIfClosed(): void {
    if (!this.open) throw new Error("the database was closed while it was read")
  }
}

function* toUserPairs(pairs: Iterable<KeyValue>): Iterable<KeyValue> {
  for (const { key, value } of pairs) yield { key: layout.userKey(key), value: new Uint8Array(value) }
}

const fullDisk = "nothing was written. Free some space"

const errors: ReadonlyArray<readonly [said: RegExp, code: number, detail: string]> = [
  [/closed/, 1101, "the LMDB database was closed"],
  [/MDB_READERS_FULL/, 1037, "more transactions read at a time than LMDB has slots for readers"],
  [/No space left|MDB_MAP_FULL|Disk quota/, 1510, `the disk is full; ${fullDisk}`],
  // LMDB reports this for a write that fits only in part.
  [/Input\/output error/, 1510, `the disk is full or defective; ${fullDisk}`]
]

export const toFdbError = (cause: unknown, phase: FdbError.Phase): FdbError.FdbError => {
  if (cause instanceof FdbError.FdbError) {
    if (cause.phase !== "read") return cause
    return FdbError.make(cause.code, phase === "commit" ? "write" : phase, cause.detail)
  }
  const said = cause instanceof Error ? cause.message : String(cause)
  const [, code, detail] = errors.find(([pattern]) => pattern.test(said)) ?? [said, 1510, `LMDB reports: ${said}`]
  return FdbError.make(code, phase, detail)
}
