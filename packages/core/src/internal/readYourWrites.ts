/**
 * The database at one version with a transaction's own writes over it, as FoundationDB's client reads it.
 *
 * Every read is tried without the database first (`below` is `undefined`): what the own writes alone can answer, or refuse,
 * needs no read version.
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

/** What was read of the database before. */
type Known = () => rangeSet.RangeSet

/** The value of a key. */
export const get = (below: Below, writes: WriteMap, key: Uint8Array): Uint8Array | undefined | Blocked => {
  if (writes.isTransparent) return below === undefined ? unknown : below.get(key)
  if (writes.isUnreadable(key)) return unreadable
  const overlay = writes.overlay(key)
  if (typeof overlay === "object") return overlay.value
  if (below === undefined) return unknown
  return overlay === undefined ? below.get(key) : overlay(below.get(key))
}

const { begin: firstKey, end: lastKey } = KeyRange.all

/** What a range that was read lets know, from what was known before it. */
export type Later = (known: rangeSet.RangeSet) => ReadonlyArray<KeyRange.KeyRange>

/** What a read gives, and what was read of the database for it. */
export interface Read<A> {
  readonly answer: A
  readonly known: ReadonlyArray<KeyRange.KeyRange> | Later
}

/** How much the client reads beyond what it answers with, over own writes, is worked out only for the reads that ask. */
const later = (
  below: Below,
  writes: WriteMap,
  read: (view: RywIterator) => { readonly known: ReadonlyArray<KeyRange.KeyRange> }
): Later => {
  const { frozen } = writes
  return (known) => read(new RywIterator(below, frozen, known)).known
}

/** The key that a selector stands for, brought back to an end of the database where it lies beyond. */
export const resolve = (
  below: Below,
  writes: WriteMap,
  selector: KeySelector,
  known: Known
): Read<Uint8Array | Blocked> => {
  const { key: from } = anchored(selector)
  if (writes.hasUnreadable || isBeyond(from)) {
    return readKey(new RywIterator(below, writes, known()), anchored(selector))
  }
  const reverse = selector.offset <= 0
  const range = reverse ? { begin: firstKey, end: from } : { begin: from, end: lastKey }
  const pair = mergeScan.nth(below, writes, range, reverse ? 1 - selector.offset : selector.offset, reverse)
  if (typeof pair === "symbol") return { answer: pair, known: [] }
  const key = pair === undefined ? reverse ? firstKey : lastKey : pair.key
  if (writes.isTransparent && below !== undefined) {
    return { answer: key, known: [readConflict.ofSelector(selector, key)] }
  }
  return {
    answer: key,
    known: below === undefined ? [] : later(below, writes, (view) => readKey(view, anchored(selector)))
  }
}

/** The client looks behind the last key, too, where a selector leads there. */
const isBeyond = (key: Uint8Array): boolean => Bytes.compare(key, lastKey) > 0

/** Whether a range cannot hold a key, whatever is in the database: its selectors are in the wrong order. */
export const isInverted = (begin: KeySelector, end: KeySelector): boolean =>
  begin.offset >= end.offset && Bytes.compare(anchored(begin).key, anchored(end).key) >= 0

/** How many pairs a page has at most. */
export interface PageLimits {
  /** What the caller has asked for; infinity for all. */
  readonly wanted: number
  /** What a page of pairs in a row has at most. */
  readonly pageSize: number
}

/** A page of a range that is not inverted, from its end backwards when `reverse`. */
export const getRange = (
  below: Below,
  writes: WriteMap,
  beginSelector: KeySelector,
  endSelector: KeySelector,
  { pageSize, wanted }: PageLimits,
  reverse: boolean,
  known: Known
): Read<Page | Blocked> => {
  const range = { begin: anchored(beginSelector).key, end: anchored(endSelector).key }
  const isPlain = beginSelector.offset === 1 && endSelector.offset === 1 && !isBeyond(range.end)
  const isUntouched = isPlain && writes.isUntouched(range)
  const read = (view: RywIterator) =>
    readRange(view, anchored(beginSelector), anchored(endSelector), { rows: wanted, bytes: replySize }, reverse)
  if (!isPlain || writes.hasUnreadable && !isUntouched) return read(new RywIterator(below, writes, known()))
  const limit = Math.min(wanted, pageSize)
  const values = mergeScan.take(below, writes, range, limit, reverse)
  if (typeof values === "symbol") return { answer: values, known: [] }
  const more = values.length === limit
  const answer = { values, more, clampedBegin: false, clampedEnd: false }
  // What own writes answer lets nothing of the database be known.
  if (below === undefined) return { answer, known: [] }
  if (!more) return { answer, known: [range] }
  if (!isUntouched && limit === wanted) return { answer, known: later(below, writes, read) }
  const last = values.at(-1)!.key
  return {
    answer,
    known: [reverse ? { begin: last, end: range.end } : { begin: range.begin, end: Bytes.successor(last) }]
  }
}
