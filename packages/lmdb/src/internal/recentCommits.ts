/**
 * The commits of the last seconds as this process knows them, its own and those of others, read from the log as it grows.
 */
import * as Bytes from "@effect-fdb/core/Bytes"
import type { KeyRange } from "@effect-fdb/core/KeyRange"
import type { Head } from "./layout.ts"
import * as logEntry from "./logEntry.ts"

/** What a commit has written, and when in the order of commits. */
export interface Recent {
  readonly version: bigint
  readonly ranges: ReadonlyArray<KeyRange>
}

/** Whether a range shares a key with one of a list that is sorted and has no overlaps. */
export const meets = (sorted: ReadonlyArray<KeyRange>, range: KeyRange): boolean => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (Bytes.compare(sorted[middle]!.end, range.begin) <= 0) low = middle + 1
    else high = middle
  }
  return low < sorted.length && Bytes.compare(sorted[low]!.begin, range.end) < 0
}

export class RecentCommits {
  private commits: Array<Recent> = []
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
      this.commits.push({ version: logEntry.version(entry), ranges: logEntry.ranges(entry) })
    }
    const forgotten = head.oldest - this.first
    if (forgotten > 1024 || forgotten * 2 > this.commits.length) {
      this.commits = this.commits.slice(forgotten)
      this.first = head.oldest
    }
  }

  /** A commit that is not forgotten. */
  get(sequence: number): Recent | undefined {
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

  /** Whether one of the ranges, sorted and without overlaps, was written above a version. */
  isWrittenSince(sorted: ReadonlyArray<KeyRange>, version: bigint): boolean {
    for (let sequence = this.sequenceAfter(version); sequence <= this.last; sequence++) {
      if (this.get(sequence)!.ranges.some((range) => meets(sorted, range))) return true
    }
    return false
  }
}
