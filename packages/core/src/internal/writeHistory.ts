/**
 * Which keys were written last at which version, for the last few seconds: what commits are checked against.
 */
import type { KeyRange } from "../KeyRange.ts"
import * as sortedMap from "./sortedMap.ts"

const smallest = 1024

/**
 * The key space cut into segments, each of them written last at the version that stands under its beginning; before the
 * first beginning nothing was written.
 */
export class WriteHistory {
  private segments: sortedMap.SortedMap<bigint> = undefined
  private sinceSweep = 0
  private kept = 0

  /** Whether any key of a range was written above a version. */
  isWrittenSince({ begin, end }: KeyRange, version: bigint): boolean {
    const head = sortedMap.floor(this.segments, begin)
    if (head !== undefined && head.value > version) return true
    const cursor = sortedMap.ascending(this.segments, begin, end)
    for (let segment = cursor.next(); segment !== undefined; segment = cursor.next()) {
      if (segment.value > version) return true
    }
    return false
  }

  /** Remembers that a range was written at a version, the highest so far. */
  add({ begin, end }: KeyRange, version: bigint): void {
    const behind = sortedMap.floor(this.segments, end)?.value ?? 0n
    const cut = sortedMap.removeRange(this.segments, begin, end)
    this.segments = sortedMap.set(sortedMap.set(cut, begin, version), end, behind)
    this.sinceSweep += 2
  }

  /** Forgets what nobody asks about any more, from time to time: the work is spread over the additions. */
  prune(oldest: bigint): void {
    if (this.sinceSweep < Math.max(smallest, this.kept)) return
    const cursor = sortedMap.ascending(this.segments, new Uint8Array(0), Uint8Array.of(0xff, 0xff))
    let kept: sortedMap.SortedMap<bigint> = undefined
    let last = 0n
    this.kept = 0
    for (let segment = cursor.next(); segment !== undefined; segment = cursor.next()) {
      const version = segment.value > oldest ? segment.value : 0n
      if (version === last) continue
      kept = sortedMap.set(kept, segment.key, version)
      last = version
      this.kept++
    }
    this.segments = kept
    this.sinceSweep = 0
  }

  /** How many segments there are, for tests. */
  get size(): number {
    let size = 0
    const cursor = sortedMap.ascending(this.segments, new Uint8Array(0), Uint8Array.of(0xff, 0xff))
    while (cursor.next() !== undefined) size++
    return size
  }
}
