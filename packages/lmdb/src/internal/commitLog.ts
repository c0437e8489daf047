/**
 * The commits of the last seconds as this process knows them, its own and those of others, read from the log as it grows.
 */
import type { Head } from "./layout.ts"
import * as logEntry from "./logEntry.ts"
import { meet, type SortedRanges } from "./sortedRanges.ts"

/** What a commit has written, and when in the order of commits. */
export interface LoggedCommit {
  readonly version: bigint
  readonly ranges: SortedRanges
  /** See `logEntry.chunkCount`. */
  readonly chunks: number
}

export class CommitLog {
  private commits: Array<LoggedCommit> = []
  /** The sequence of the first of `commits`. */
  private first = 1

  private get last(): number {
    return this.first + this.commits.length - 1
  }

  /** Learns of all commits up to a head, and forgets what it has forgotten. */
  catchUp(head: Head, read: (sequence: number) => Uint8Array): void {
    if (head.oldest > this.last + 1) {
      this.commits = []
      this.first = head.oldest
    }
    for (let sequence = this.last + 1; sequence <= head.sequence; sequence++) {
      const entry = read(sequence)
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
    let low = 0
    let high = this.commits.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.commits[middle]!.version <= version) low = middle + 1
      else high = middle
    }
    return this.first + low
  }

  /** Whether one of the ranges was written above a version. */
  isWrittenSince(sorted: SortedRanges, version: bigint): boolean {
    for (let sequence = this.sequenceAfter(version); sequence <= this.last; sequence++) {
      if (meet(this.get(sequence)!.ranges, sorted)) return true
    }
    return false
  }
}
