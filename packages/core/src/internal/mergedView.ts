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
import { ClientView } from "./clientView.ts"
import type { OwnWrites } from "./ownWrites.ts"
import { type Blocked, type Read, readKey, readRange, replySize, unknown, unreadable } from "./pieces.ts"
import type * as rangeSet from "./rangeSet.ts"
import * as walk from "./walk.ts"

export { type Blocked, type Page, unknown, unreadable } from "./pieces.ts"

type Below = Snapshot | undefined

/** What was read of the database before. */
type Known = () => rangeSet.RangeSet

/** The value of a key. */
export const get = (below: Below, own: OwnWrites, key: Uint8Array): Uint8Array | undefined | Blocked => {
  if (own.isTransparent) return below === undefined ? unknown : below.get(key)
  if (own.isUnreadable(key)) return unreadable
  const overlay = own.overlay(key)
  if (typeof overlay === "object") return overlay.value
  if (below === undefined) return unknown
  return overlay === undefined ? below.get(key) : overlay(below.get(key))
}

/** The key from which on a selector with a positive offset counts, and before which one with another offset. */
const anchored = ({ key, offset, orEqual }: KeySelector) => ({ key: orEqual ? Bytes.successor(key) : key, offset })

/** The same key, where it is among those that can be read. */
export const anchor = (selector: KeySelector): Uint8Array => {
  const { key } = anchored(selector)
  return Bytes.compare(key, KeyRange.all.end) > 0 ? KeyRange.all.end : key
}

const { begin: firstKey, end: lastKey } = KeyRange.all

/** The key that a selector stands for, brought back to an end of the database where it lies beyond. */
export const resolve = (below: Below, own: OwnWrites, selector: KeySelector, known: Known) => {
  if (!own.isTransparent) return readKey(new ClientView(below, own, known()), anchored(selector))
  if (below === undefined) return { answer: unknown, known: [] } as const
  const from = anchor(selector)
  const { offset } = selector
  const reverse = offset <= 0
  const [begin, end] = reverse ? [firstKey, from] : [from, lastKey]
  const pair = below.getRange(begin, end, 1, reverse, reverse ? -offset : offset - 1)[0]
  const key = pair === undefined ? reverse ? firstKey : lastKey : pair.key
  const read = reverse ? { begin: key, end } : { begin, end: pair === undefined ? key : Bytes.successor(key) }
  return { answer: key, known: [read] }
}

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
  own: OwnWrites,
  beginSelector: KeySelector,
  endSelector: KeySelector,
  { pageSize, wanted }: PageLimits,
  reverse: boolean,
  known: Known
): Read => {
  const begin = anchor(beginSelector)
  const end = anchor(endSelector)
  const range = { begin, end }
  const isPlain = beginSelector.offset === 1 && endSelector.offset === 1
  const isUntouched = isPlain && own.isUntouched(range)
  if (!isPlain || own.hasUnreadable && !isUntouched || wanted !== Number.POSITIVE_INFINITY && !isUntouched) {
    return readRange(
      new ClientView(below, own, known()),
      anchored(beginSelector),
      anchored(endSelector),
      { rows: wanted, bytes: replySize },
      reverse
    )
  }
  const limit = Math.min(wanted, pageSize)
  const values = walk.take(below, own, range, limit, reverse)
  if (typeof values === "symbol") return { answer: values, known: [] }
  const more = values.length === limit
  const last = more ? values.at(-1)!.key : undefined
  return {
    answer: { values, more, clampedBegin: false, clampedEnd: false },
    known: [
      last === undefined ? range : reverse ? { begin: last, end } : { begin, end: Bytes.successor(last) }
    ]
  }
}
