/**
 * The commits of the last five seconds, of all processes, as this one has read them from the log; and what follows from them for
 * the next commit.
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
import type { Commit } from "@effect-fdb/core/VersionedStore"
import type * as Clock from "effect/Clock"
import type { Reader, Write } from "./environment.ts"
import * as layout from "./layout.ts"
import * as logEntry from "./logEntry.ts"
import { lowerBound, meet, meets, type SortedRanges } from "./sortedRanges.ts"

/** Five seconds, in versions: a microsecond each. */
const maxAge = 5_000_000n
const nanosPerVersion = 1000n
export const maxAgeNanos = maxAge * nanosPerVersion
/** How many more entries are removed than are added, so that the log shrinks after a burst. */
const extraPruned = 8

/** What a commit has written, and when in the order of commits. */
export interface LoggedCommit {
  readonly version: bigint
  readonly ranges: SortedRanges
  /** See `logEntry.chunkCount`. */
  readonly chunks: number
}

export class CommitLog {
  private readonly clock: Clock.Clock
  private commits: Array<LoggedCommit> = []
  /** The sequence of the first of `commits`. */
  private first = 1
  /** The version that was given out last, and when: it is too old five seconds later, even if it is still the newest. */
  private given = { version: -1n, at: 0n }

  constructor(clock: Clock.Clock) {
    this.clock = clock
  }

  /** In nanoseconds. */
  now(): bigint {
    return this.clock.monotonicTimeNanosUnsafe()
  }

  /** Learns of all commits up to what a reader sees, and forgets what the log has forgotten. */
  catchUp({ head, logged }: Reader): void {
    if (head.oldest > this.first + this.commits.length) {
      this.commits = []
      this.first = head.oldest
    }
    for (let sequence = this.first + this.commits.length; sequence <= head.sequence; sequence++) {
      const entry = logged(sequence)
      this.commits.push({
        version: logEntry.version(entry),
        ranges: logEntry.ranges(entry),
        chunks: logEntry.chunkCount(entry)
      })
    }
    const forgotten = head.oldest - this.first
    if (forgotten > 1024 || forgotten * 2 > this.commits.length) {
      this.commits = this.commits.slice(forgotten)
      this.first = head.oldest
    }
  }

  /** A commit that is not forgotten. */
  get(sequence: number): LoggedCommit | undefined {
    return this.commits[sequence - this.first]
  }

  /** The sequence of the first commit above a version, one above the last if there is none. */
  sequenceAfter(version: bigint): number {
    return this.first + lowerBound(this.commits.length, (index) => this.commits[index]!.version <= version)
  }

  giveOut(version: bigint): void {
    this.given = { version, at: this.now() }
  }

  /** A version is too old when it was superseded, or given out to nobody but long ago, more than five seconds before. */
  isTooOld(version: bigint, head: layout.Head): boolean {
    if (version < head.floor) return true
    if (version === this.given.version && this.now() - this.given.at > maxAgeNanos) return true
    const successor = this.get(this.sequenceAfter(version))
    return successor !== undefined && successor.version < this.nextVersion(head) - 1n - maxAge
  }

  /** Why a commit cannot follow a state and, upon that, commits that have written these ranges. */
  refusal(
    { readConflicts, readVersion }: Commit,
    head: layout.Head,
    written: ReadonlyArray<KeyRange> = []
  ): FdbError.FdbError | undefined {
    if (readVersion === undefined) return undefined
    if (this.isTooOld(readVersion, head)) return FdbError.make(1007, "commit")
    const isWritten = this.commits.slice(this.sequenceAfter(readVersion) - this.first)
      .some(({ ranges }) => meet(ranges, readConflicts))
    return isWritten || readVersion <= head.version && written.some((range) => meets(readConflicts, range))
      ? FdbError.make(1020, "commit")
      : undefined
  }

  /** The lowest version that a commit after a state may have. Versions grow by about a million a second. */
  nextVersion({ epoch, version }: layout.Head): bigint {
    const clock = epoch + this.now() / nanosPerVersion
    return (version > clock ? version : clock) + 1n
  }

  /** What is to be written beside `added` commits after a state, the last of them with this version. */
  advance(head: layout.Head, added: number, version: bigint): ReadonlyArray<Write> {
    const writes: Array<Write> = []
    let { floor, oldest } = head
    for (let i = 0; i < added + extraPruned; i++) {
      const entry = this.get(oldest)
      if (entry === undefined || entry.version > version - maxAge) break
      writes.push({ key: layout.logKey(oldest), value: undefined })
      for (let j = 0; j < entry.chunks; j++) writes.push({ key: layout.chunkKey(oldest, j), value: undefined })
      floor = entry.version
      oldest++
    }
    const clock = this.now() / nanosPerVersion
    // A clock that is behind the last commit, as after a restart of the host, is set anew.
    const epoch = head.epoch + clock < head.version ? version - clock : head.epoch
    const next = { sequence: head.sequence + added, version, epoch, floor, oldest }
    return [...writes, { key: layout.headKey, value: layout.encodeHead(next) }]
  }
}
