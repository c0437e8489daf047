/**
 * A commit that writes to many keys, prepared a slice at a time while others go on committing.
 *
 * **Invariants**
 *
 * - Up to the commit of sequence `followed`, no other has written what was read.
 * - The draft is that of the state after the commit that it was brought to last, but for the keys in `stale`: those that others
 *   have written since, up to `followed`.
 */
import * as FdbError from "@effect-fdb/core/FdbError"
import { bind, type Commit } from "@effect-fdb/core/VersionedStore"
import type { CommitLog } from "./commitLog.ts"
import type { Reader } from "./environment.ts"
import { type Change, LargeWriteBatch } from "./largeWriteBatch.ts"
import type { Head } from "./layout.ts"
import * as logEntry from "./logEntry.ts"
import { intersection, meet, sort, type SortedRanges } from "./sortedRanges.ts"
import type { Steps } from "./timeSlices.ts"

/** What is to be written after the commit of a head. */
export interface Prepared {
  readonly head: Head
  readonly version: bigint
  /** Its version is still to be set. */
  readonly entry: Uint8Array
  readonly chunks: ReadonlyArray<Uint8Array>
  readonly changes: ReadonlyArray<Change>
}

const isStamp = (tag: string): boolean => tag.startsWith("SetVersionstamped")

export class LargeCommit {
  private readonly commit: Commit
  private readonly chunkBytes: number
  /** What it writes to, known when it has been brought to a state. */
  private own: SortedRanges = []
  /** Versionstamps hold only for one version, so that all has to be applied anew for another. */
  private readonly isStamped: boolean
  private readonly draft = new LargeWriteBatch()
  private followed: number | undefined = undefined
  private stale: Array<SortedRanges> | "all" = "all"
  private version = -1n
  private prepared: Omit<Prepared, "head" | "version"> | undefined = undefined
  private prepareMillis = 0
  /** How often others came before it when it was prepared. */
  overtaken = 0
  /** Whether it waits for its turn. */
  isPrepared = false
  /** How long it took to hand it over to be written, in which it must not be overtaken. */
  handOverMillis = 0

  constructor(commit: Commit, chunkBytes: number) {
    this.commit = commit
    this.chunkBytes = chunkBytes
    this.isStamped = commit.mutations.some(({ _tag }) => isStamp(_tag))
  }

  /** How many keys are known to be written to. */
  get size(): number {
    return Math.max(this.draft.size, this.commit.mutations.length)
  }

  /** For how long its turn is to be reserved. */
  get reservationMillis(): number {
    return 250 + 3 * this.handOverMillis + (this.isStamped ? 2 * this.prepareMillis : 0)
  }

  /** Checks the commits that are new since the last time. `first` does so when there was none. */
  follow(head: Head, recent: CommitLog, first: () => FdbError.FdbError | undefined): FdbError.FdbError | undefined {
    const followed = this.followed ?? head.sequence
    const refused = this.followed === undefined ? first() : undefined
    if (refused !== undefined) return refused
    const { readConflicts, readVersion } = this.commit
    if (followed < head.sequence && recent.get(followed + 1) === undefined) {
      if (readVersion !== undefined) return FdbError.make(1007, "commit")
      this.stale = "all"
    } else {
      for (let sequence = followed + 1; sequence <= head.sequence; sequence++) {
        const { ranges, version } = recent.get(sequence)!
        const isAfterReads = readVersion !== undefined && readVersion < version
        if (isAfterReads && meet(ranges, readConflicts)) return FdbError.make(1020, "commit")
        if (this.stale === "all") continue
        const shared = intersection(ranges, this.own)
        if (shared.length > 0) this.stale.push(shared)
      }
    }
    this.followed = head.sequence
    return undefined
  }

  /** Brings the draft to the state of a reader, which was followed just before, and closes it. */
  *catchUp(reader: Reader, nextVersion: bigint): Steps<Prepared> {
    const { head } = reader
    const started = performance.now()
    try {
      const isOutdated = this.isStamped && this.version <= head.version
      const stale = isOutdated ? "all" : this.stale
      if (this.prepared === undefined || stale === "all" || stale.length > 0) {
        // What others commit from here on is told of by `follow`.
        this.stale = []
        this.prepared = undefined
        if (isOutdated) this.version = nextVersion
        const { mutations, writeConflicts } = bind(this.commit, { version: this.version, order: 0 })
        this.own = sort(writeConflicts)
        yield* stale === "all"
          ? this.draft.apply(reader, mutations)
          : this.draft.apply(reader, mutations, sort(stale.flat()))
        const changes = yield* this.draft.changes()
        const chunks = yield* logEntry.encodeChunks(changes, this.chunkBytes)
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
}
