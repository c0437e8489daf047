/**
 * The keys as FoundationDB's client sees them while it reads: its own writes over what it has read of the database so far.
 *
 * The client cuts the keys into segments (in its release 7.3 `RYWIterator`, which lays `WriteMap` over `SnapshotCache`).
 * They go on behind the last key that can be read, with the system's: see {@link readDatabase}.
 */
import * as Bytes from "../Bytes.ts"
import * as KeyRange from "../KeyRange.ts"
import type { KeyValue } from "../Transaction.ts"
import type { Snapshot } from "../VersionedStore.ts"
import * as rangeSet from "./rangeSet.ts"
import type { WriteMap } from "./writeMap.ts"

/** Keys of which the same is known. Every key lies in one segment. */
export interface Segment {
  readonly begin: Uint8Array
  readonly end: Uint8Array
  /**
   * - `unknown`: the database has to be asked
   * - `empty`: none of the keys is there
   * - `pair`: it is one key, which is there
   * - `unreadable`: it is not settled before the commit
   */
  readonly kind: "unknown" | "empty" | "pair" | "unreadable"
  /** There for a `pair`. */
  readonly pair: KeyValue | undefined
  /** Nothing of the own writes is in it. */
  readonly isUnmodified: boolean
}

const firstKey = KeyRange.all.begin
const lastKey = KeyRange.all.end

/** Behind every key, the system's included. */
export const endOfKeys = Uint8Array.of(0xff, 0xff)

const later = (a: Uint8Array, b: Uint8Array | undefined): Uint8Array =>
  b === undefined || Bytes.compare(a, b) > 0 ? a : b
const earlier = (a: Uint8Array, b: Uint8Array | undefined): Uint8Array =>
  b === undefined || Bytes.compare(a, b) < 0 ? a : b

/** More than the offsets of selectors go over. */
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
 * The first `limit` pairs of a range of the database, or the last, from the end backwards.
 *
 * A cluster keeps keys of its own behind those of its users, and a selector that goes beyond the last of theirs counts them,
 * before its answer is brought back to `\xff`. Which they are does not matter, since no answer has them; there are many.
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

/** Own writes over what was read of the database. */
export class RywIterator {
  readonly below: Snapshot | undefined
  private readonly writes: WriteMap
  private readonly known: rangeSet.RangeSet

  constructor(below: Snapshot | undefined, writes: WriteMap, known: rangeSet.RangeSet) {
    this.below = below
    this.writes = writes
    this.known = known
  }

  /** What it is once a range has been read. */
  knowing(range: KeyRange.KeyRange): RywIterator {
    return new RywIterator(this.below, this.writes, rangeSet.add(this.known, range))
  }

  /** The segment in which a key lies. */
  at(key: Uint8Array): Segment {
    const known = rangeSet.find(this.known, key)
    const stored = known && this.pair(KeyRange.single(key), false)
    const begin = later(
      later(this.writes.lastBound(key, false) ?? firstKey, rangeSet.lastBound(this.known, key, false)),
      stored?.key ?? (known && this.successorOfLast(known.begin, key))
    )
    const end = earlier(
      earlier(this.writes.nextBound(key) ?? endOfKeys, rangeSet.nextBound(this.known, key)),
      stored ? Bytes.successor(key) : known && this.pair({ begin: key, end: known.end }, false)?.key
    )
    const is = (kind: Segment["kind"], pair?: KeyValue): Segment => ({ begin, end, kind, pair, isUnmodified: false })
    if (this.writes.isUnreadable(key)) return is("unreadable")
    const overlay = this.writes.overlay(key)
    if (overlay === undefined) {
      const kind = known === undefined ? "unknown" : stored === undefined ? "empty" : "pair"
      return { begin, end, kind, pair: stored, isUnmodified: true }
    }
    if (typeof overlay === "function" && known === undefined) return is("unknown")
    const value = typeof overlay === "function" ? overlay(stored?.value) : overlay.value
    return value === undefined ? is("empty") : is("pair", { key, value })
  }

  /** The segment that comes next. */
  after({ end }: Segment): Segment {
    return this.at(end)
  }

  /** The segment that comes before. */
  before({ begin }: Segment): Segment {
    const known = rangeSet.before(this.known, begin)
    const isKnown = known !== undefined && Bytes.compare(begin, known.end) <= 0
    const last = isKnown ? this.pair({ begin: known.begin, end: begin }, true)?.key : undefined
    const afterLast = last && Bytes.successor(last)
    return this.at(later(
      later(this.writes.lastBound(begin, true) ?? firstKey, rangeSet.lastBound(this.known, begin, true)),
      afterLast && Bytes.compare(afterLast, begin) < 0 ? afterLast : last
    ))
  }

  /**
   * The database's pairs that come behind a segment's with nothing of the own writes between; before it, where `reverse`. The
   * segment's comes first. None is behind `stop`, and there are no more than `limit`.
   */
  contiguous(segment: Segment, stop: Uint8Array, reverse: boolean, limit: number): ReadonlyArray<KeyValue> {
    const pair = segment.pair!
    const known = segment.isUnmodified && limit > 1 ? rangeSet.find(this.known, pair.key) : undefined
    if (known === undefined) return [pair]
    const range = reverse
      ? { begin: later(later(stop, known.begin), this.writes.lastBound(pair.key, false)), end: pair.key }
      : { begin: segment.end, end: earlier(earlier(stop, known.end), this.writes.nextBound(pair.key)) }
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
