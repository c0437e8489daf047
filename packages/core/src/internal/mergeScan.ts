/**
 * Scans a range in order: the database's pairs merged with a transaction's own writes.
 */
import * as Bytes from "../Bytes.ts"
import type * as KeyRange from "../KeyRange.ts"
import type { KeyValue } from "../Transaction.ts"
import type { Snapshot } from "../VersionedStore.ts"
import { unknown } from "./rywRangeRead.ts"
import type { Cursor, Entry } from "./sortedMap.ts"
import { type Overlay, overlayOf, type Write, type WriteMap } from "./writeMap.ts"

const largestChunk = 1024

/** Reads the database's pairs of a range, in chunks that grow. */
class DatabaseCursor {
  private readonly below: Snapshot
  private readonly reverse: boolean
  private begin: Uint8Array
  private end: Uint8Array
  private chunk: ReadonlyArray<KeyValue> = []
  private index = 0
  private size: number
  private more = true

  constructor(below: Snapshot, { begin, end }: KeyRange.KeyRange, reverse: boolean, hint: number) {
    this.below = below
    this.begin = begin
    this.end = end
    this.reverse = reverse
    this.size = Math.min(hint, largestChunk)
  }

  /** Passes the pairs that are before `at`. */
  skipTo(at: Uint8Array): void {
    for (;;) {
      const pair = this.chunk[this.index]
      if (pair === undefined) {
        if (this.more) this.fill(at)
        else return
      } else if (!this.isBefore(pair, at)) {
        return
      } else if (this.isBefore(this.chunk.at(-1)!, at)) {
        this.index = this.chunk.length
      } else {
        this.index++
      }
    }
  }

  peek(): KeyValue | undefined {
    if (this.index === this.chunk.length && this.more) this.fill(undefined)
    return this.chunk[this.index]
  }

  /** Adds the pairs that are before `at`, until there are `count`. */
  takeInto(pairs: Array<KeyValue>, count: number, at: Uint8Array): void {
    while (pairs.length < count && this.peek() !== undefined) {
      const all = Math.min(this.chunk.length, this.index + count - pairs.length)
      let end = all
      if (!this.isBefore(this.chunk[all - 1]!, at)) {
        end = this.index
        while (this.isBefore(this.chunk[end]!, at)) end++
      }
      while (this.index < end) pairs.push(this.chunk[this.index++]!)
      if (end < all) return
    }
  }

  private isBefore({ key }: KeyValue, at: Uint8Array): boolean {
    return this.reverse ? Bytes.compare(key, at) >= 0 : Bytes.compare(key, at) < 0
  }

  private fill(at: Uint8Array | undefined): void {
    const last = this.chunk.at(-1)
    if (this.reverse) {
      if (last !== undefined) this.end = last.key
      if (at !== undefined && Bytes.compare(at, this.end) < 0) this.end = at
    } else {
      if (last !== undefined) this.begin = Bytes.successor(last.key)
      if (at !== undefined && Bytes.compare(this.begin, at) < 0) this.begin = at
    }
    this.chunk = Bytes.compare(this.begin, this.end) < 0
      ? this.below.getRange(this.begin, this.end, this.size, this.reverse, 0)
      : []
    this.more = this.chunk.length === this.size
    this.index = 0
    this.size = Math.min(this.size * 4, largestChunk)
  }
}

/**
 * Scans from the beginning of a range, or from its end backwards. The range consists of keys that were written one by one, of
 * ranges that were cleared, and of gaps with the database's pairs.
 */
class MergeScan {
  /** Where the scan has come to; an excluded bound when it goes backwards. */
  at: Uint8Array
  private readonly writes: WriteMap
  private readonly reverse: boolean
  private readonly stop: Uint8Array
  private readonly points: Cursor<Write>
  private readonly database: DatabaseCursor | undefined
  private point: Entry<Write> | undefined

  constructor(
    below: Snapshot | undefined,
    writes: WriteMap,
    range: KeyRange.KeyRange,
    reverse: boolean,
    hint: number
  ) {
    this.writes = writes
    this.reverse = reverse
    this.at = reverse ? range.end : range.begin
    this.stop = reverse ? range.begin : range.end
    this.points = reverse ? writes.points(this.stop, this.at, true) : writes.points(this.at, this.stop, false)
    this.point = this.points.next()
    this.database = below && new DatabaseCursor(below, range, reverse, hint)
  }

  /** Adds the next pairs until there are `count`; `unknown` where only the database can answer. */
  takeInto(pairs: Array<KeyValue>, count: number): typeof unknown | undefined {
    while (pairs.length < count && this.comesBefore(this.at, this.stop)) {
      if (this.point !== undefined && Bytes.equals(this.pointStart(this.point.key), this.at)) {
        const { key, value: write } = this.point
        const overlay = overlayOf(write)
        if (typeof overlay === "function" && this.database === undefined) return unknown
        const value = this.valueOf(key, overlay)
        this.at = this.reverse ? key : Bytes.successor(key)
        this.point = this.points.next()
        if (value !== undefined) pairs.push({ key, value })
        continue
      }
      const cleared = this.reverse ? this.writes.clearedBefore(this.at) : this.writes.clearedFrom(this.at)
      let end = this.stop
      if (this.point !== undefined) end = this.nearer(end, this.pointStart(this.point.key))
      if (cleared !== undefined) {
        const { begin: low, end: high } = cleared
        const [first, last] = this.reverse ? [high, low] : [low, high]
        if (!this.comesBefore(this.at, first)) {
          this.at = this.nearer(end, last)
          continue
        }
        end = this.nearer(end, first)
      }
      if (this.database === undefined) return unknown
      this.database.skipTo(this.at)
      this.database.takeInto(pairs, count, end)
      this.at = end
    }
    return undefined
  }

  private valueOf(key: Uint8Array, overlay: Overlay): Uint8Array | undefined {
    if (typeof overlay === "object") return overlay.value
    this.database!.skipTo(this.at)
    const pair = this.database!.peek()
    return overlay(pair !== undefined && Bytes.equals(pair.key, key) ? pair.value : undefined)
  }

  /** Where a key begins, in the direction of the scan. */
  private pointStart(key: Uint8Array): Uint8Array {
    return this.reverse ? Bytes.successor(key) : key
  }

  private comesBefore(a: Uint8Array, b: Uint8Array): boolean {
    return this.reverse ? Bytes.compare(a, b) > 0 : Bytes.compare(a, b) < 0
  }

  private nearer(a: Uint8Array, b: Uint8Array): Uint8Array {
    return this.comesBefore(a, b) ? a : b
  }
}

/**
 * Returns at most `count` pairs of a range; `unknown` where the own writes do not answer without the database. No key of the range
 * is unreadable.
 */
export const take = (
  below: Snapshot | undefined,
  writes: WriteMap,
  range: KeyRange.KeyRange,
  count: number,
  reverse: boolean
): ReadonlyArray<KeyValue> | typeof unknown => {
  const { begin, end } = range
  if (Bytes.compare(begin, end) >= 0 || count === 0) return []
  if (writes.isTransparent || below !== undefined && writes.isUntouched(range)) {
    return below === undefined ? unknown : below.getRange(begin, end, count, reverse, 0)
  }
  const scan = new MergeScan(
    below,
    writes,
    range,
    reverse,
    count === Number.POSITIVE_INFINITY ? largestChunk : count + 8
  )
  const pairs: Array<KeyValue> = []
  return scan.takeInto(pairs, count) ?? pairs
}

/** Returns the pair at place `count` of a range, if there are as many. */
export const nth = (
  below: Snapshot | undefined,
  writes: WriteMap,
  range: KeyRange.KeyRange,
  count: number,
  reverse: boolean
): KeyValue | undefined | typeof unknown => {
  if (writes.isTransparent && Bytes.compare(range.begin, range.end) < 0) {
    return below === undefined ? unknown : below.getRange(range.begin, range.end, 1, reverse, count - 1)[0]
  }
  const pairs = take(below, writes, range, count, reverse)
  return typeof pairs === "symbol" ? pairs : pairs[count - 1]
}
