/**
 * The versions at which keys were written in the last seconds, against which commits are checked.
 */
import * as Bytes from "../Bytes.ts"
import type { KeyRange } from "../KeyRange.ts"
import * as sortedMap from "./sortedMap.ts"

const smallest = 1024
const firstKey = new Uint8Array(0)
const endOfKeys = Uint8Array.of(0xff, 0xff)

/** The key space in segments. The map has the version of the last write to a segment under its first key. */
export class WriteHistory {
  private segments: sortedMap.SortedMap<bigint> = undefined
  private sinceSweep = 0
  private kept = 0

  /** Returns whether any key of a range was written above a version. */
  isWrittenSince({ begin, end }: KeyRange, version: bigint): boolean {
    const head = sortedMap.floor(this.segments, begin)
    if (head !== undefined && head.value > version) return true
    const { next } = sortedMap.cursor(this.segments, begin, end)
    for (let segment = next(); segment !== undefined; segment = next()) if (segment.value > version) return true
    return false
  }

  /** Adds a write of a range at a version, the highest so far. */
  add({ begin, end }: KeyRange, version: bigint): void {
    const last = sortedMap.floor(this.segments, end)
    const isBounded = last !== undefined && Bytes.compare(last.key, end) === 0
    const covered = isBounded ? sortedMap.lower(this.segments, end) : last
    // Most writes are of keys that were written before: they are a segment already.
    const isSegment = isBounded && covered !== undefined && Bytes.compare(covered.key, begin) === 0
    const cut = isSegment ? this.segments : sortedMap.removeRange(this.segments, begin, end)
    const added = sortedMap.set(cut, begin, version)
    this.segments = isBounded ? added : sortedMap.set(added, end, last?.value ?? 0n)
    this.sinceSweep += 2
  }

  /** Removes versions below `oldest`. It works only from time to time, so that the cost per addition is constant. */
  prune(oldest: bigint): void {
    if (this.sinceSweep < Math.max(smallest, this.kept)) return
    let kept: sortedMap.SortedMap<bigint> = undefined
    let last = 0n
    this.kept = 0
    for (const { key, value } of sortedMap.entries(this.segments, firstKey, endOfKeys)) {
      const version = value > oldest ? value : 0n
      if (version === last) continue
      kept = sortedMap.set(kept, key, version)
      last = version
      this.kept++
    }
    this.segments = kept
    this.sinceSweep = 0
  }

  /** The number of segments, for tests. */
  get size(): number {
    return Array.from(sortedMap.entries(this.segments, firstKey, endOfKeys)).length
  }
}
