/**
 * The key space as FoundationDB's client sees it: its own writes over the part of the database that it has read so far.
 *
 * As `RYWIterator` of release 7.3, which lays `WriteMap` over `SnapshotCache`, it cuts the keys into segments, those of the system
 * included: see {@link readDatabase}.
 */
import * as Bytes from "../Bytes.ts"
import * as KeyRange from "../KeyRange.ts"
import type { KeyValue } from "../Transaction.ts"
import type { Snapshot } from "../VersionedStore.ts"
import * as rangeSet from "./rangeSet.ts"
import type { WriteMap } from "./writeMap.ts"

/** A range of keys of the same kind. Every key lies in one segment. */
export interface Segment {
  readonly begin: Uint8Array
  readonly end: Uint8Array
  /**
   * - `unknown`: only the database knows
   * - `empty`: none of the keys exists
   * - `pair`: one key, which exists
   * - `unreadable`: only the commit knows
   */
  readonly kind: "unknown" | "empty" | "pair" | "unreadable"
  readonly pair: KeyValue | undefined
  /** No own write touches it. */
  readonly isUnmodified: boolean
}

const firstKey = KeyRange.all.begin
const lastKey = KeyRange.all.end

/** The end of the key space, the system's keys included. */
export const endOfKeys = Uint8Array.of(0xff, 0xff)

const later = (a: Uint8Array, b: Uint8Array | undefined): Uint8Array =>
  b === undefined || Bytes.compare(a, b) > 0 ? a : b
const earlier = (a: Uint8Array, b: Uint8Array | undefined): Uint8Array =>
  b === undefined || Bytes.compare(a, b) < 0 ? a : b

/** More than any selector's offset counts. */
const systemKeyCount = 1000
let systemKeys: ReadonlyArray<KeyValue> | undefined

const systemPairs = ({ begin, end }: KeyRange.KeyRange): ReadonlyArray<KeyValue> => {
  systemKeys ??= Array.from({ length: systemKeyCount }, (_, i) => {
    const key = Uint8Array.of(0xff, 0x02, 0, 0)
    Bytes.writeUint(key, 2, 2, i)
    return { key, value: new Uint8Array(0) }
  })
  return systemKeys.filter(({ key }) => Bytes.compare(begin, key) <= 0 && Bytes.compare(key, end) < 0)
}

/**
 * Returns at most `limit` pairs of a range of the database; from the end backwards where `reverse`.
 *
 * A cluster keeps keys of its own behind `\xff`. A selector that leads beyond the last key counts them, before its answer is brought
 * back to `\xff`. No answer contains them, so any keys will do.
 */
export const readDatabase = (
  below: Snapshot,
  range: KeyRange.KeyRange,
  limit: number,
  reverse: boolean
): ReadonlyArray<KeyValue> => {
  const { begin, end } = range
  const users = (count: number): ReadonlyArray<KeyValue> =>
    count > 0 && Bytes.compare(begin, earlier(end, lastKey)) < 0
      ? below.getRange(begin, earlier(end, lastKey), count, reverse, 0)
      : []
  if (Bytes.compare(end, lastKey) <= 0) return users(limit)
  if (reverse) {
    const pairs = systemPairs(range).toReversed().slice(0, limit)
    return [...pairs, ...users(limit - pairs.length)]
  }
  const pairs = users(limit)
  return pairs.length === limit ? pairs : [...pairs, ...systemPairs(range).slice(0, limit - pairs.length)]
}

/** Own writes over the snapshot cache. */
export class RywIterator {
  readonly below: Snapshot | undefined
  private readonly writes: WriteMap
  private readonly cache: rangeSet.RangeSet

  constructor(below: Snapshot | undefined, writes: WriteMap, cache: rangeSet.RangeSet) {
    this.below = below
    this.writes = writes
    this.cache = cache
  }

  /** The same after a range was read. */
  caching(range: KeyRange.KeyRange): RywIterator {
    return new RywIterator(this.below, this.writes, rangeSet.add(this.cache, range))
  }

  /** The segment that holds a key. */
  at(key: Uint8Array): Segment {
    const cached = rangeSet.find(this.cache, key)
    const stored = cached && this.pair(KeyRange.single(key), false)
    const begin = later(
      later(this.writes.lastBound(key, false) ?? firstKey, rangeSet.lastBound(this.cache, key, false)),
      stored?.key ?? (cached && this.successorOfLast(cached.begin, key))
    )
    const end = earlier(
      earlier(this.writes.nextBound(key) ?? endOfKeys, rangeSet.nextBound(this.cache, key)),
      stored ? Bytes.successor(key) : cached && this.pair({ begin: key, end: cached.end }, false)?.key
    )
    const is = (kind: Segment["kind"], pair?: KeyValue): Segment => ({ begin, end, kind, pair, isUnmodified: false })
    if (this.writes.isUnreadable(key)) return is("unreadable")
    const overlay = this.writes.overlay(key)
    if (overlay === undefined) {
      const kind = cached === undefined ? "unknown" : stored === undefined ? "empty" : "pair"
      return { begin, end, kind, pair: stored, isUnmodified: true }
    }
    if (typeof overlay === "function" && cached === undefined) return is("unknown")
    const value = typeof overlay === "function" ? overlay(stored?.value) : overlay.value
    return value === undefined ? is("empty") : is("pair", { key, value })
  }

  /** The segment that comes next. */
  after({ end }: Segment): Segment {
    return this.at(end)
  }

  /** The segment that comes before. */
  before({ begin }: Segment): Segment {
    const cached = rangeSet.before(this.cache, begin)
    const isKnown = cached !== undefined && Bytes.compare(begin, cached.end) <= 0
    const last = isKnown ? this.pair({ begin: cached.begin, end: begin }, true)?.key : undefined
    const afterLast = last && Bytes.successor(last)
    return this.at(later(
      later(this.writes.lastBound(begin, true) ?? firstKey, rangeSet.lastBound(this.cache, begin, true)),
      afterLast && Bytes.compare(afterLast, begin) < 0 ? afterLast : last
    ))
  }

  /** The pair of a segment and at most `limit - 1` cached ones that follow it before `stop`, up to the next own write. */
  contiguous(segment: Segment, stop: Uint8Array, reverse: boolean, limit: number): ReadonlyArray<KeyValue> {
    const pair = segment.pair!
    const cached = segment.isUnmodified && limit > 1 ? rangeSet.find(this.cache, pair.key) : undefined
    if (cached === undefined) return [pair]
    const range = reverse
      ? { begin: later(later(stop, cached.begin), this.writes.lastBound(pair.key, false)), end: pair.key }
      : { begin: segment.end, end: earlier(earlier(stop, cached.end), this.writes.nextBound(pair.key)) }
    return Bytes.compare(range.begin, range.end) < 0
      ? [pair, ...readDatabase(this.below!, range, limit - 1, reverse)]
      : [pair]
  }

  private pair(range: KeyRange.KeyRange, reverse: boolean): KeyValue | undefined {
    return readDatabase(this.below!, range, 1, reverse)[0]
  }

  private successorOfLast(begin: Uint8Array, end: Uint8Array): Uint8Array | undefined {
    const last = Bytes.compare(begin, end) < 0 ? this.pair({ begin, end }, true) : undefined
    return last && Bytes.successor(last.key)
  }
}
