/**
 * Going over the pairs of a range in order: those of the database with a transaction's own writes over them.
 */
import * as Bytes from "../Bytes.ts"
import type * as KeyRange from "../KeyRange.ts"
import type { KeyValue } from "../Transaction.ts"
import type { Snapshot } from "../VersionedStore.ts"
import { type Overlay, overlayOf, type OwnWrites, type Write } from "./ownWrites.ts"
import * as rangeSet from "./rangeSet.ts"
import type { Cursor, Entry } from "./sortedMap.ts"

/** The answer cannot be known before the commit: error 1036. */
export const unreadable = Symbol("unreadable")
/** The answer is the database's, which is not there yet. */
export const unknown = Symbol("unknown")
/** Why it cannot go on. */
export type Blocked = typeof unreadable | typeof unknown

const largestChunk = 1024

/** Pulls the database's pairs of a range, a growing chunk at a time. */
class Pull {
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

  advance(): void {
    this.index++
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

/** What a transaction has read of the database so far. */
export interface Known {
  readonly has: (key: Uint8Array) => boolean
  /** Where the known keys around `at` end; those below it when `reverse`. */
  readonly endAround: (at: Uint8Array, reverse: boolean) => Uint8Array | undefined
}

/** What ranges that were read let know. */
export const knownFrom = (...reads: ReadonlyArray<ReadonlyArray<KeyRange.KeyRange>>): Known => {
  const set = reads.flat().reduce<rangeSet.RangeSet>(rangeSet.add, undefined)
  return {
    has: (key) => rangeSet.has(set, key),
    endAround: (at, reverse) => {
      const range = reverse ? rangeSet.before(set, at) : rangeSet.find(set, at)
      if (range === undefined || reverse && Bytes.compare(range.end, at) < 0) return undefined
      return reverse ? range.begin : range.end
    }
  }
}

/**
 * Walks over a range from its beginning, or from its end backwards. The range falls into segments: keys that were written
 * one by one, ranges that were cleared, and gaps between them, where the pairs are the database's.
 */
class Walk {
  /** What lies before it has been walked over; as an upper bound, excluded, when it goes backwards. */
  at: Uint8Array
  private readonly own: OwnWrites
  private readonly reverse: boolean
  private readonly stop: Uint8Array
  private readonly isBarred: boolean
  private readonly points: Cursor<Write>
  private readonly pull: Pull | undefined
  private readonly known: Known | undefined
  private point: Entry<Write> | undefined
  /** Where the gap ends in which `at` lies. */
  private gapEnd: Uint8Array | undefined = undefined

  constructor(
    below: Snapshot | undefined,
    own: OwnWrites,
    range: KeyRange.KeyRange,
    reverse: boolean,
    hint: number,
    known?: Known
  ) {
    this.known = known
    this.own = own
    this.reverse = reverse
    this.at = reverse ? range.end : range.begin
    const rangeStop = reverse ? range.begin : range.end
    const barrier = own.hasUnreadable
      ? reverse ? own.unreadableBefore(this.at) : own.unreadableFrom(this.at)
      : undefined
    this.isBarred = barrier !== undefined && this.comesBefore(barrier, rangeStop)
    this.stop = this.isBarred ? barrier! : rangeStop
    this.points = reverse ? own.points(this.stop, this.at, true) : own.points(this.at, this.stop, false)
    this.point = this.points.next()
    this.pull = below &&
      new Pull(below, reverse ? { begin: this.stop, end: this.at } : { begin: this.at, end: this.stop }, reverse, hint)
  }

  next(): KeyValue | undefined | Blocked {
    for (;;) {
      if (this.gapEnd !== undefined) {
        const pair = this.pull!.peek()
        if (pair !== undefined && this.isInGap(pair.key)) {
          this.pull!.advance()
          return pair
        }
        this.at = this.gapEnd
        this.gapEnd = undefined
      }
      if (!this.comesBefore(this.at, this.stop)) return this.isBarred ? unreadable : undefined
      if (this.point !== undefined && Bytes.equals(this.pointStart(this.point.key), this.at)) {
        const { key, value: write } = this.point
        const overlay = overlayOf(write)
        if (typeof overlay === "function" && (this.pull === undefined || this.known?.has(key) === false)) return unknown
        const value = this.valueOf(key, overlay)
        this.at = this.reverse ? key : Bytes.successor(key)
        this.point = this.points.next()
        if (value !== undefined) return { key, value }
        continue
      }
      const cleared = this.reverse ? this.own.clearedBefore(this.at) : this.own.clearedFrom(this.at)
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
      if (this.pull === undefined) return unknown
      if (this.known !== undefined) {
        const knownEnd = this.known.endAround(this.at, this.reverse)
        if (knownEnd === undefined) return unknown
        end = this.nearer(end, knownEnd)
      }
      this.pull.skipTo(this.at)
      this.gapEnd = end
    }
  }

  private valueOf(key: Uint8Array, overlay: Overlay): Uint8Array | undefined {
    if (typeof overlay === "object") return overlay.value
    this.pull!.skipTo(this.at)
    const pair = this.pull!.peek()
    return overlay(pair !== undefined && Bytes.equals(pair.key, key) ? pair.value : undefined)
  }

  /** Where a key begins, in the direction of the walk. */
  private pointStart(key: Uint8Array): Uint8Array {
    return this.reverse ? Bytes.successor(key) : key
  }

  private isInGap(key: Uint8Array): boolean {
    return this.reverse ? Bytes.compare(key, this.gapEnd!) >= 0 : Bytes.compare(key, this.gapEnd!) < 0
  }

  private comesBefore(a: Uint8Array, b: Uint8Array): boolean {
    return this.reverse ? Bytes.compare(a, b) > 0 : Bytes.compare(a, b) < 0
  }

  private nearer(a: Uint8Array, b: Uint8Array): Uint8Array {
    return this.comesBefore(a, b) ? a : b
  }
}

/** The first `count` pairs of a range, or as many as there are; of those that are there before what blocks, all `count`. */
export const take = (
  below: Snapshot | undefined,
  own: OwnWrites,
  range: KeyRange.KeyRange,
  count: number,
  reverse: boolean
): ReadonlyArray<KeyValue> | Blocked => {
  const { begin, end } = range
  if (Bytes.compare(begin, end) >= 0 || count === 0) return []
  if (own.isTransparent || below !== undefined && own.isUntouched(range)) {
    return below === undefined ? unknown : below.getRange(begin, end, count, reverse, 0)
  }
  const walk = new Walk(below, own, range, reverse, count === Number.POSITIVE_INFINITY ? largestChunk : count + 8)
  const pairs: Array<KeyValue> = []
  while (pairs.length < count) {
    const pair = walk.next()
    if (pair === undefined) break
    if (typeof pair === "symbol") return pair
    pairs.push(pair)
  }
  return pairs
}

/** The pair that comes last of the first `count` of a range, if there are as many. */
export const nth = (
  below: Snapshot | undefined,
  own: OwnWrites,
  range: KeyRange.KeyRange,
  count: number,
  reverse: boolean
): KeyValue | undefined | Blocked => {
  // Those before it need not be made.
  if (own.isTransparent) {
    return below === undefined ? unknown : below.getRange(range.begin, range.end, 1, reverse, count - 1)[0]
  }
  const pairs = take(below, own, range, count, reverse)
  return typeof pairs === "symbol" ? pairs : pairs[count - 1]
}

/** How far a walk has come. */
export interface Skipped {
  /** The pairs that were passed, the last one included. */
  readonly skipped: number
  /** The key of the last one, where all were there; else where the walk has ended. */
  readonly at: Uint8Array
  readonly blocked: Blocked | undefined
}

/** Goes to the pair that comes last of the first `count` of a range, or as far as it gets. */
export const skip = (
  below: Snapshot | undefined,
  own: OwnWrites,
  range: KeyRange.KeyRange,
  count: number,
  reverse: boolean,
  known?: Known
): Skipped => {
  if (below !== undefined && known === undefined && own.isTransparent && Bytes.compare(range.begin, range.end) < 0) {
    // Those before it need not be made.
    const pair = below.getRange(range.begin, range.end, 1, reverse, count - 1)[0]
    if (pair !== undefined) return { skipped: count, at: pair.key, blocked: undefined }
  }
  const walk = new Walk(below, own, range, reverse, Math.min(count, largestChunk) + 8, known)
  for (let skipped = 0;;) {
    const pair = walk.next()
    if (pair === undefined) return { skipped, at: walk.at, blocked: undefined }
    if (typeof pair === "symbol") return { skipped, at: walk.at, blocked: pair }
    skipped++
    if (skipped === count) return { skipped, at: pair.key, blocked: undefined }
  }
}
