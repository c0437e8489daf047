/**
 * The commits of all processes in the last five seconds, read from the log, and their conflicts with the next commit. Invariants:
 *
 * - Sequences count the commits without gaps, and versions grow with them. The write that compares the sequence fixes the version
 *   of a commit. So conflict detection does not depend on a clock.
 * - A read version is the version of the last commit at that time. So every later commit has a higher version.
 * - The log has an entry for each commit above `head.floor`.
 */
import * as FdbError from "@effect-fdb/core/FdbError"
import type { KeyRange } from "@effect-fdb/core/KeyRange"
import { type Commit, maxReadVersionAge } from "@effect-fdb/core/VersionedStore"
import type * as Clock from "effect/Clock"
import type { Reader, Write } from "./environment.ts"
import * as layout from "./layout.ts"
import * as logEntry from "./logEntry.ts"
import { lowerBound, overlap, overlapsRange, type SortedRanges } from "./sortedRanges.ts"

const nanosPerVersion = 1000n
export const maxAgeNanos = maxReadVersionAge * nanosPerVersion
/** The number of entries that a commit may remove beyond those that it adds. So the log shrinks after a burst. */
const extraPruned = 8

export class LoggedCommit {
  readonly version: bigint
  /** See `logEntry.chunkCount`. */
  readonly chunks: number
  private encoded: Uint8Array
  private decoded: SortedRanges | undefined = undefined

  constructor(entry: Uint8Array) {
    this.version = logEntry.version(entry)
    this.chunks = logEntry.chunkCount(entry)
    this.encoded = logEntry.withoutImages(entry)
  }

  /** Most commits are never compared with another, so these are decoded when they are first needed. */
  get ranges(): SortedRanges {
    if (this.decoded === undefined) {
      this.decoded = logEntry.ranges(this.encoded)
      this.encoded = nothing
    }
    return this.decoded
  }
}

const nothing = new Uint8Array(0)

export class CommitLog {
  private readonly clock: Clock.Clock
  private commits: Array<LoggedCommit> = []
  /** The sequence of the first of `commits`. */
  private first = 1
  /** The newest version that was given to a reader, and the time. It is too old after five seconds, even if it is the newest. */
  private given = { version: -1n, at: 0n }

  constructor(clock: Clock.Clock) {
    this.clock = clock
  }

  /** In nanoseconds. */
  now(): bigint {
    return this.clock.monotonicTimeNanosUnsafe()
  }

  /** Adds all commits that a reader sees, and drops those that the stored log has dropped. */
  catchUp({ head, logged }: Reader): void {
    if (head.oldest > this.first + this.commits.length) {
      this.commits = []
      this.first = head.oldest
    }
    for (let sequence = this.first + this.commits.length; sequence <= head.sequence; sequence++) {
      this.commits.push(new LoggedCommit(logged(sequence)))
    }
    const forgotten = head.oldest - this.first
    if (forgotten > 1024 || forgotten * 2 > this.commits.length) {
      this.commits = this.commits.slice(forgotten)
      this.first = head.oldest
    }
  }

  /** Adds the commits that this process has written after the commit of a sequence, unless a reader has found them already. */
  append(sequence: number, entries: ReadonlyArray<Uint8Array>): void {
    if (sequence + 1 !== this.first + this.commits.length) return
    for (const entry of entries) this.commits.push(new LoggedCommit(entry))
  }

  get(sequence: number): LoggedCommit | undefined {
    return this.commits[sequence - this.first]
  }

  /** The sequence of the first commit above a version; one above the last sequence if there is none. */
  sequenceAfter(version: bigint): number {
    return this.first + lowerBound(this.commits.length, (index) => this.commits[index]!.version <= version)
  }

  giveOut(version: bigint): void {
    this.given = { version, at: this.now() }
  }

  /** Whether a later commit replaced the version, or the version was last given out, more than five seconds ago. */
  isTooOld(version: bigint, head: layout.Head): boolean {
    if (version < head.floor) return true
    if (version === this.given.version && this.now() - this.given.at > maxAgeNanos) return true
    const successor = this.get(this.sequenceAfter(version))
    return successor !== undefined && successor.version < this.nextVersion(head) - 1n - maxReadVersionAge
  }

  /** Why a commit cannot follow the state of `head` and commits of the same batch that wrote the ranges `written`. */
  refusal(
    { readConflicts, readVersion }: Commit,
    head: layout.Head,
    written: ReadonlyArray<KeyRange> = []
  ): FdbError.FdbError | undefined {
    if (readVersion === undefined) return undefined
    if (this.isTooOld(readVersion, head)) return FdbError.make(1007, "commit")
    const isWritten = this.commits.slice(this.sequenceAfter(readVersion) - this.first)
      .some(({ ranges }) => overlap(ranges, readConflicts))
    return isWritten || readVersion <= head.version && written.some((range) => overlapsRange(readConflicts, range))
      ? FdbError.make(1020, "commit")
      : undefined
  }

  /** The lowest version of the next commit. Versions grow by about a million a second. */
  nextVersion({ epoch, version }: layout.Head): bigint {
    const clock = epoch + this.now() / nanosPerVersion
    return (version > clock ? version : clock) + 1n
  }

  /** The writes that accompany `added` new commits, of which the last has the given version: the new head and a shorter log. */
  advance(head: layout.Head, added: number, version: bigint): ReadonlyArray<Write> {
    const writes: Array<Write> = []
    let { floor, oldest } = head
    for (let i = 0; i < added + extraPruned; i++) {
      const entry = this.get(oldest)
      if (entry === undefined || entry.version > version - maxReadVersionAge) break
      writes.push({ key: layout.logKey(oldest), value: undefined })
      for (let j = 0; j < entry.chunks; j++) writes.push({ key: layout.chunkKey(oldest, j), value: undefined })
      floor = entry.version
      oldest++
    }
    const clock = this.now() / nanosPerVersion
    // The monotonic clock is behind the last commit after a restart of the host: a new epoch continues the versions.
    const epoch = head.epoch + clock < head.version ? version - clock : head.epoch
    const next = { sequence: head.sequence + added, version, epoch, floor, oldest }
    return [...writes, { key: layout.headKey, value: layout.encodeHead(next) }]
  }
}
