/**
 * Read-your-writes: reads of the database at one version with a transaction's own writes over it.
 *
 * Every read is tried without the database first (`below` is `undefined`): what the own writes answer or refuse needs no read
 * version. A read that no own write touches goes straight to the database; all others go the way of `rywRangeRead.ts`.
 */
import * as Bytes from "../Bytes.ts"
import * as KeyRange from "../KeyRange.ts"
import type { KeySelector } from "../KeySelector.ts"
import type { Snapshot } from "../VersionedStore.ts"
import type * as rangeSet from "./rangeSet.ts"
import * as readConflict from "./readConflict.ts"
import { RywIterator } from "./rywIterator.ts"
import {
  anchored,
  type Blocked,
  type RangePage,
  type Read,
  readKey,
  readRange,
  replySize,
  unknown,
  unreadable
} from "./rywRangeRead.ts"
import type { WriteMap } from "./writeMap.ts"

export { type Blocked, type RangePage, type Read, unknown, unreadable } from "./rywRangeRead.ts"

type Below = Snapshot | undefined

/** Returns the ranges that were read of the database before (FoundationDB's `SnapshotCache`). Called only if they matter. */
type SnapshotCache = () => rangeSet.RangeSet

const { begin: firstKey, end: lastKey } = KeyRange.all

/** Reads the value of a key. */
export const get = (below: Below, writes: WriteMap, key: Uint8Array): Uint8Array | undefined | Blocked => {
  if (writes.isUnreadable(key)) return unreadable
  const overlay = writes.overlay(key)
  if (typeof overlay === "object") return overlay.value
  if (below === undefined) return unknown
  return overlay === undefined ? below.get(key) : overlay(below.get(key))
}

/** Resolves a selector. The answer is an end of the database if the selector leads beyond it. */
export const resolve = (
  below: Below,
  writes: WriteMap,
  selector: KeySelector,
  cache: SnapshotCache
): Read<Uint8Array> => {
  const { key: from, offset } = anchored(selector)
  const reverse = offset <= 0
  const { begin, end } = reverse ? { begin: firstKey, end: from } : { begin: from, end: lastKey }
  if (below !== undefined && Bytes.compare(begin, end) < 0 && Bytes.compare(end, lastKey) <= 0) {
    const [pair] = below.getRange(begin, end, 1, reverse, reverse ? -offset : offset - 1)
    const key = pair?.key ?? (reverse ? firstKey : lastKey)
    const range = readConflict.ofSelector(selector, key)
    if (writes.isUntouched(range)) return { answer: key, cached: [range] }
  }
  return readKey(new RywIterator(below, writes, cache()), { key: from, offset })
}

/** Returns whether the selectors of a range are in the wrong order, so that it is empty whatever the database holds. */
export const isInverted = (begin: KeySelector, end: KeySelector): boolean =>
  begin.offset >= end.offset && Bytes.compare(anchored(begin).key, anchored(end).key) >= 0

/** The maximum number of pairs of a page. */
export interface PageLimits {
  /** The caller's limit; infinity for all. */
  readonly wanted: number
  /** The engine's limit. */
  readonly pageSize: number
}

/** Reads a page of a range that is not inverted, backwards from its end if `reverse` is set. */
export const getRange = (
  below: Below,
  writes: WriteMap,
  beginSelector: KeySelector,
  endSelector: KeySelector,
  { pageSize, wanted }: PageLimits,
  reverse: boolean,
  cache: SnapshotCache
): Read<RangePage> => {
  const from = anchored(beginSelector)
  const to = anchored(endSelector)
  const range = { begin: from.key, end: to.key }
  const isPlain = from.offset === 1 && to.offset === 1 && Bytes.compare(range.end, lastKey) <= 0
  if (!isPlain || !writes.isUntouched(range)) {
    return readRange(new RywIterator(below, writes, cache()), from, to, { rows: wanted, bytes: replySize }, reverse)
  }
  if (below === undefined) return { answer: unknown, cached: [] }
  const limit = Math.min(wanted, pageSize)
  const values = below.getRange(range.begin, range.end, limit, reverse, 0)
  const more = values.length === limit
  const last = values.at(-1)?.key
  const [begin, end] = !more || last === undefined
    ? [range.begin, range.end]
    : reverse
    ? [last, range.end]
    : [range.begin, Bytes.successor(last)]
  return { answer: { values, more, clampedBegin: false, clampedEnd: false }, cached: [{ begin, end }] }
}
