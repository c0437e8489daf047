/**
 * Read-your-writes: reads of the database at one version with a transaction's own writes over it.
 *
 * Every read is tried without the database first (`below` is `undefined`): what the own writes answer or refuse needs no read
 * version.
 */
import * as Bytes from "../Bytes.ts"
import * as KeyRange from "../KeyRange.ts"
import type { KeySelector } from "../KeySelector.ts"
import type { Snapshot } from "../VersionedStore.ts"
import * as mergeScan from "./mergeScan.ts"
import type * as rangeSet from "./rangeSet.ts"
import * as readConflict from "./readConflict.ts"
import { RywIterator } from "./rywIterator.ts"
import {
  anchored,
  type Blocked,
  type Page,
  readKey,
  readRange,
  replySize,
  unknown,
  unreadable
} from "./rywRangeRead.ts"
import type { WriteMap } from "./writeMap.ts"

export { type Blocked, type Page, unknown, unreadable } from "./rywRangeRead.ts"

type Below = Snapshot | undefined

/** What was read of the database before (FoundationDB's `SnapshotCache`); asked for only where it matters. */
type SnapshotCache = () => rangeSet.RangeSet

/** Reads the value of a key. */
export const get = (below: Below, writes: WriteMap, key: Uint8Array): Uint8Array | undefined | Blocked => {
  if (writes.isTransparent) return below === undefined ? unknown : below.get(key)
  if (writes.isUnreadable(key)) return unreadable
  const overlay = writes.overlay(key)
  if (typeof overlay === "object") return overlay.value
  if (below === undefined) return unknown
  return overlay === undefined ? below.get(key) : overlay(below.get(key))
}

const { begin: firstKey, end: lastKey } = KeyRange.all

/** What the client caches of a range read, worked out from what the cache held before. */
export type DeferredRanges = (cache: rangeSet.RangeSet) => ReadonlyArray<KeyRange.KeyRange>

/** The answer of a read, and what it read of the database. */
export interface Read<A> {
  readonly answer: A
  readonly cached: ReadonlyArray<KeyRange.KeyRange> | DeferredRanges
}

/** What the client reads beyond its answer, over own writes, is worked out only for later reads that need it. */
const deferred = (
  below: Below,
  writes: WriteMap,
  read: (view: RywIterator) => { readonly cached: ReadonlyArray<KeyRange.KeyRange> }
): DeferredRanges => {
  const { frozen } = writes
  return (cache) => read(new RywIterator(below, frozen, cache)).cached
}

/** Resolves a selector; to an end of the database where it lies beyond. */
export const resolve = (
  below: Below,
  writes: WriteMap,
  selector: KeySelector,
  cache: SnapshotCache
): Read<Uint8Array | Blocked> => {
  const { key: from } = anchored(selector)
  if (writes.hasUnreadable || isBeyond(from)) {
    return readKey(new RywIterator(below, writes, cache()), anchored(selector))
  }
  const reverse = selector.offset <= 0
  const range = reverse ? { begin: firstKey, end: from } : { begin: from, end: lastKey }
  const pair = mergeScan.nth(below, writes, range, reverse ? 1 - selector.offset : selector.offset, reverse)
  if (typeof pair === "symbol") return { answer: pair, cached: [] }
  const key = pair === undefined ? reverse ? firstKey : lastKey : pair.key
  if (writes.isTransparent && below !== undefined) {
    return { answer: key, cached: [readConflict.ofSelector(selector, key)] }
  }
  return {
    answer: key,
    cached: below === undefined ? [] : deferred(below, writes, (view) => readKey(view, anchored(selector)))
  }
}

/** A selector that leads behind the last key, where the client looks, too. */
const isBeyond = (key: Uint8Array): boolean => Bytes.compare(key, lastKey) > 0

/** Returns whether the selectors of a range are in the wrong order, so that it is empty whatever the database holds. */
export const isInverted = (begin: KeySelector, end: KeySelector): boolean =>
  begin.offset >= end.offset && Bytes.compare(anchored(begin).key, anchored(end).key) >= 0

/** The most pairs of a page. */
export interface PageLimits {
  /** The caller's limit; infinity for all. */
  readonly wanted: number
  /** The engine's limit. */
  readonly pageSize: number
}

/** Reads a page of a range that is not inverted; from its end backwards where `reverse`. */
export const getRange = (
  below: Below,
  writes: WriteMap,
  beginSelector: KeySelector,
  endSelector: KeySelector,
  { pageSize, wanted }: PageLimits,
  reverse: boolean,
  cache: SnapshotCache
): Read<Page | Blocked> => {
  const range = { begin: anchored(beginSelector).key, end: anchored(endSelector).key }
  const isPlain = beginSelector.offset === 1 && endSelector.offset === 1 && !isBeyond(range.end)
  const isUntouched = isPlain && writes.isUntouched(range)
  const read = (view: RywIterator) =>
    readRange(view, anchored(beginSelector), anchored(endSelector), { rows: wanted, bytes: replySize }, reverse)
  if (!isPlain || writes.hasUnreadable && !isUntouched) return read(new RywIterator(below, writes, cache()))
  const limit = Math.min(wanted, pageSize)
  const values = mergeScan.take(below, writes, range, limit, reverse)
  if (typeof values === "symbol") return { answer: values, cached: [] }
  const more = values.length === limit
  const answer = { values, more, clampedBegin: false, clampedEnd: false }
  if (below === undefined) return { answer, cached: [] }
  if (!more) return { answer, cached: [range] }
  if (!isUntouched && limit === wanted) return { answer, cached: deferred(below, writes, read) }
  const last = values.at(-1)!.key
  return {
    answer,
    cached: [reverse ? { begin: last, end: range.end } : { begin: range.begin, end: Bytes.successor(last) }]
  }
}
