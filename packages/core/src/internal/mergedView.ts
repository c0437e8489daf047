/**
 * The database at one version with a transaction's own writes over it.
 */
import * as Bytes from "../Bytes.ts"
import * as KeyRange from "../KeyRange.ts"
import type { KeySelector } from "../KeySelector.ts"
import type { KeyValue } from "../Transaction.ts"
import type { Snapshot } from "../VersionedStore.ts"
import type { OwnWrites } from "./ownWrites.ts"

/** The answer cannot be known before the commit: error 1036. */
export const unreadable = Symbol("unreadable")
export type Unreadable = typeof unreadable

const largestChunk = 1024

/** The value of a key. */
export const get = (snapshot: Snapshot, own: OwnWrites, key: Uint8Array): Uint8Array | undefined | Unreadable => {
  if (own.isEmpty) return snapshot.get(key)
  if (own.isUnreadable(key)) return unreadable
  const overlay = own.overlay(key)
  if (overlay === undefined) return snapshot.get(key)
  return typeof overlay === "function" ? overlay(snapshot.get(key)) : overlay.value
}

/** Pulls the database's pairs of a range, a growing chunk at a time. */
const pull = (snapshot: Snapshot, range: KeyRange.KeyRange, reverse: boolean, hint: number) => {
  let { begin, end } = range
  let chunk: ReadonlyArray<KeyValue> = []
  let at = 0
  let size = Math.min(hint, largestChunk)
  let more = true
  const skipTo = (key: Uint8Array): void => {
    if (reverse) end = key
    else begin = key
    chunk = []
    at = 0
    more = Bytes.compare(begin, end) < 0
  }
  const peek = (): KeyValue | undefined => {
    if (at === chunk.length && more) {
      const last = chunk.at(-1)
      if (last !== undefined) skipTo(reverse ? last.key : Bytes.successor(last.key))
      if (!more) return undefined
      chunk = snapshot.getRange(begin, end, size, reverse, 0)
      more = chunk.length === size
      at = 0
      size = Math.min(size * 4, largestChunk)
    }
    return chunk[at]
  }
  const advance = (): void => {
    at++
  }
  return { peek, advance, skipTo }
}

/** Pairs of the database and of the own writes, in order; nothing in the range is unreadable. */
const merge = (
  snapshot: Snapshot,
  own: OwnWrites,
  range: KeyRange.KeyRange,
  limit: number,
  reverse: boolean
): Array<KeyValue> => {
  const values: Array<KeyValue> = []
  const below = pull(snapshot, range, reverse, limit === Number.POSITIVE_INFINITY ? largestChunk : limit + 8)
  const points = own.points(range.begin, range.end, reverse)
  let point = points.next()
  while (values.length < limit) {
    const pair = below.peek()
    if (pair === undefined && point === undefined) break
    const order = pair === undefined
      ? 1
      : point === undefined
      ? -1
      : Bytes.compare(pair.key, point.key) * (reverse ? -1 : 1)
    if (order < 0) {
      const cleared = own.clearedAround(pair!.key)
      if (cleared === undefined) {
        values.push(pair!)
        below.advance()
      } else {
        below.skipTo(reverse ? cleared.begin : cleared.end)
      }
    } else {
      const key = point!.key
      const overlay = own.overlay(key)!
      const value = typeof overlay === "function" ? overlay(order === 0 ? pair!.value : undefined) : overlay.value
      if (value !== undefined) values.push({ key, value })
      if (order === 0) below.advance()
      point = points.next()
    }
  }
  return values
}

/** At most `limit` pairs of a range, from its end backwards when `reverse`. */
export const getRange = (
  snapshot: Snapshot,
  own: OwnWrites,
  range: KeyRange.KeyRange,
  limit: number,
  reverse: boolean
): ReadonlyArray<KeyValue> | Unreadable => {
  const { begin, end } = range
  if (Bytes.compare(begin, end) >= 0 || limit === 0) return []
  if (own.isEmpty) return snapshot.getRange(begin, end, limit, reverse, 0)
  const hidden = own.unreadableWithin(range)
  const barrier = reverse ? hidden.at(-1)?.end : hidden[0]?.begin
  if (barrier === undefined) {
    return own.isUntouched(begin, end)
      ? snapshot.getRange(begin, end, limit, reverse, 0)
      : merge(snapshot, own, range, limit, reverse)
  }
  // What comes before the barrier can be read as long as it is enough.
  const values = merge(snapshot, own, reverse ? { begin: barrier, end } : { begin, end: barrier }, limit, reverse)
  return values.length === limit ? values : unreadable
}

/** The last of the first `count` pairs of a range, if there are as many. */
const nth = (
  snapshot: Snapshot,
  own: OwnWrites,
  range: KeyRange.KeyRange,
  count: number,
  reverse: boolean
): KeyValue | undefined | Unreadable => {
  // Those before it need not be made.
  if (own.isEmpty) return snapshot.getRange(range.begin, range.end, 1, reverse, count - 1)[0]
  const pairs = getRange(snapshot, own, range, count, reverse)
  return pairs === unreadable ? unreadable : pairs[count - 1]
}

/** A resolved selector. */
export interface Resolved {
  readonly key: Uint8Array
  /** It went beyond the first or the last key and was brought back to that end of the database. */
  readonly clamped: boolean
}

/** The key from which on a selector with a positive offset counts, and before which one with another offset. */
export const anchor = ({ key, orEqual }: KeySelector): Uint8Array => {
  const from = orEqual ? Bytes.successor(key) : key
  return Bytes.compare(from, KeyRange.all.end) > 0 ? KeyRange.all.end : from
}

/** The key that a selector stands for. */
export const resolve = (snapshot: Snapshot, own: OwnWrites, selector: KeySelector): Resolved | Unreadable => {
  const reverse = selector.offset <= 0
  const count = reverse ? 1 - selector.offset : selector.offset
  const from = anchor(selector)
  const range = reverse ? { begin: KeyRange.all.begin, end: from } : { begin: from, end: KeyRange.all.end }
  const pair = nth(snapshot, own, range, count, reverse)
  if (pair === unreadable) return unreadable
  return pair === undefined
    ? { key: reverse ? KeyRange.all.begin : KeyRange.all.end, clamped: true }
    : { key: pair.key, clamped: false }
}
