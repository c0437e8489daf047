/**
 * The key space as FoundationDB's client sees it: its own writes over the part of the database that it has read so far.
 *
 * Like `RYWIterator` of release 7.3, which lays `WriteMap` over `SnapshotCache`, it divides the keys into segments. These include the
 * system's keys, see {@link readDatabase}.
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
  /** No own write touches the segment. */
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

/** The number of imitated system keys: more than the offset of any selector. */
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
 * Returns at most `limit` pairs of a range of the database, backwards from its end if `reverse` is set.
 *
 * A cluster stores its own keys from `\xff` on. A selector that leads beyond the last user key counts them, then its answer is limited
 * to `\xff`. No answer contains them, so their names do not matter.
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

  /** The same view after a range was read. */
  caching(range: KeyRange.KeyRange): RywIterator {
    return new RywIterator(this.below, this.writes, rangeSet.add(this.cache, range))
  }

  /** The segment that holds a key. */
  at(key: Uint8Array): Segment {
    return this.from(this.lastBound(Bytes.successor(key)))
  }

  /** The segment that comes next. */
  after({ end }: Segment): Segment {
    return this.from(end)
  }

  /** The segment that comes before. */
  before({ begin }: Segment): Segment {
    return this.from(this.lastBound(begin))
  }

  /** The segment that begins at a bound. */
  private from(begin: Uint8Array): Segment {
    const isUnreadable = this.writes.isUnreadable(begin)
    const write = this.writes.overlay(begin)
    const isOwn = typeof write === "object"
    const cached = rangeSet.find(this.cache, begin)
    const stored = cached && this.value(begin)
    const value = isOwn ? write.value : write === undefined ? stored : write(stored)
    const isKnown = isOwn || cached !== undefined
    const kind = isUnreadable ? "unreadable" : !isKnown ? "unknown" : value === undefined ? "empty" : "pair"
    const isPair = kind === "pair" || stored !== undefined
    return {
      begin,
      end: isPair ? Bytes.successor(begin) : this.nextBound(begin, cached),
      kind,
      pair: kind === "pair" ? { key: begin, value: value! } : undefined,
      isUnmodified: write === undefined && !isUnreadable
    }
  }

  /** The last bound of a segment before `limit`. */
  private lastBound(limit: Uint8Array): Uint8Array {
    const cached = rangeSet.before(this.cache, limit)
    const last = cached !== undefined && Bytes.compare(limit, cached.end) <= 0
      ? this.pair({ begin: cached.begin, end: limit }, true)?.key
      : undefined
    const afterLast = last && Bytes.successor(last)
    return later(
      later(this.writes.lastBound(limit) ?? firstKey, rangeSet.lastBound(this.cache, limit)),
      afterLast && Bytes.compare(afterLast, limit) < 0 ? afterLast : last
    )
  }

  /** The next bound of a segment after `key`, if the database has no pair at `key`. */
  private nextBound(key: Uint8Array, cached: KeyRange.KeyRange | undefined): Uint8Array {
    return earlier(
      earlier(this.writes.nextBound(key) ?? endOfKeys, cached?.end ?? rangeSet.nextBound(this.cache, key)),
      cached && this.pair({ begin: key, end: cached.end }, false)?.key
    )
  }

  /** The pair of a segment and at most `limit - 1` cached pairs after it, up to `stop` or the next own write. */
  contiguous(segment: Segment, stop: Uint8Array, reverse: boolean, limit: number): ReadonlyArray<KeyValue> {
    const pair = segment.pair!
    const cached = segment.isUnmodified && limit > 1 ? rangeSet.find(this.cache, pair.key) : undefined
    if (cached === undefined) return [pair]
    const range = reverse
      ? { begin: later(later(stop, cached.begin), this.writes.lastBound(segment.end)), end: pair.key }
      : { begin: segment.end, end: earlier(earlier(stop, cached.end), this.writes.nextBound(pair.key)) }
    return Bytes.compare(range.begin, range.end) < 0
      ? [pair, ...readDatabase(this.below!, range, limit - 1, reverse)]
      : [pair]
  }

  private pair(range: KeyRange.KeyRange, reverse: boolean): KeyValue | undefined {
    return readDatabase(this.below!, range, 1, reverse)[0]
  }

  private value(key: Uint8Array): Uint8Array | undefined {
    return Bytes.compare(key, lastKey) < 0 ? this.below!.get(key) : this.pair(KeyRange.single(key), false)?.value
  }
}
