/**
 * The versions at which keys were written in the last seconds, against which commits are checked.
 */
import * as KeyRange from "../KeyRange.ts"
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
  isWrittenSince(range: KeyRange.KeyRange, version: bigint): boolean {
    const { begin, end } = range
    const head = sortedMap.floor(this.segments, begin)
    if (head !== undefined && head.value > version) return true
    if (KeyRange.isSingle(range)) return false
    const { next } = sortedMap.cursor(this.segments, begin, end)
    for (let segment = next(); segment !== undefined; segment = next()) if (segment.value > version) return true
    return false
  }

  /** Adds a write of a range at a version, the highest so far. */
  add(range: KeyRange.KeyRange, version: bigint): void {
    const { begin, end } = range
    // Most writes are of keys that were written before: they are a segment already.
    const isBounded = KeyRange.isSingle(range) && sortedMap.get(this.segments, end) !== undefined
    if (isBounded && sortedMap.replace(this.segments, begin, version)) return
    const behind = sortedMap.floor(this.segments, end)?.value ?? 0n
    const cut = sortedMap.removeRange(this.segments, begin, end)
    this.segments = sortedMap.set(sortedMap.set(cut, begin, version), end, behind)
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
