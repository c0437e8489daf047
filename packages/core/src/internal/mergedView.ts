/**
 * The database at one version with a transaction's own writes over it, as FoundationDB's client reads it.
 *
 * Every read is tried without the database first (`below` is `undefined`): what the own writes alone can answer, or refuse,
 * needs no read version.
 */
import * as Bytes from "../Bytes.ts"
import * as KeyRange from "../KeyRange.ts"
import type { KeySelector } from "../KeySelector.ts"
import type { KeyValue } from "../Transaction.ts"
import type { Snapshot } from "../VersionedStore.ts"
import type { OwnWrites } from "./ownWrites.ts"
import * as walk from "./walk.ts"

export { type Blocked, unknown, unreadable } from "./walk.ts"

type Below = Snapshot | undefined

/** The value of a key. */
export const get = (below: Below, own: OwnWrites, key: Uint8Array): Uint8Array | undefined | walk.Blocked => {
  if (own.isTransparent) return below === undefined ? walk.unknown : below.get(key)
  if (own.isUnreadable(key)) return walk.unreadable
  const overlay = own.overlay(key)
  if (typeof overlay === "object") return overlay.value
  if (below === undefined) return walk.unknown
  return overlay === undefined ? below.get(key) : overlay(below.get(key))
}

/** The key from which on a selector with a positive offset counts, and before which one with another offset. */
export const anchor = ({ key, orEqual }: KeySelector): Uint8Array => {
  const from = orEqual ? Bytes.successor(key) : key
  return Bytes.compare(from, KeyRange.all.end) > 0 ? KeyRange.all.end : from
}

const { begin: firstKey, end: lastKey } = KeyRange.all

/** A resolved selector. */
export interface Resolved {
  readonly key: Uint8Array
  /** It went beyond the first or the last key and was brought back to that end of the database. */
  readonly clamped: boolean
}

/** The key that a selector stands for. */
export const resolve = (below: Below, own: OwnWrites, selector: KeySelector): Resolved | walk.Blocked => {
  const reverse = selector.offset <= 0
  const count = reverse ? 1 - selector.offset : selector.offset
  const from = anchor(selector)
  const range = reverse ? { begin: firstKey, end: from } : { begin: from, end: lastKey }
  const pair = walk.nth(below, own, range, count, reverse)
  if (typeof pair === "symbol") return pair
  return pair === undefined ? { key: reverse ? firstKey : lastKey, clamped: true } : { key: pair.key, clamped: false }
}

/** An end of a range, as far as it could be resolved. */
interface End {
  readonly key: Uint8Array
  /** One, where `key` is what the selector stands for; else what is left to count from `key` on, for `blocked` is there. */
  readonly offset: number
  /** What was left to count when the counting ended, though it ended at an end of the database. */
  readonly counted: number
  readonly clamped: "begin" | "end" | undefined
  readonly blocked: walk.Blocked | undefined
}

/**
 * Counts as far as it gets. An end that is found moves up to the next key that is there or cannot be read: nothing lies
 * between the two.
 */
const resolveEnd = (below: Below, own: OwnWrites, selector: KeySelector, known?: walk.Known): End => {
  const from = anchor(selector)
  let { offset } = selector
  const found = (key: Uint8Array): End => ({ key, offset: 1, counted: 1, clamped: undefined, blocked: undefined })
  if (offset === 1 && below !== undefined && known === undefined && !own.hasUnreadable) return found(from)
  if (offset < 1) {
    const pair = from.length > 0
      ? walk.skip(below, own, { begin: firstKey, end: from }, 1 - offset, true, known)
      : { ...walk.skip(below, own, KeyRange.single(firstKey), 1, false, known), skipped: 0, at: firstKey }
    offset += pair.skipped
    if (pair.blocked !== undefined) {
      return { key: pair.at, offset, counted: offset, clamped: undefined, blocked: pair.blocked }
    }
    if (offset === 1 && pair.at.length > 0) return found(pair.at)
    // The empty key is where the database begins, and not counted.
    return { key: firstKey, offset: 1, counted: Math.min(offset, 0), clamped: "begin", blocked: undefined }
  }
  const pair = walk.skip(below, own, { begin: from, end: lastKey }, offset, false, known)
  if (pair.blocked !== undefined) {
    offset -= pair.skipped
    return { key: pair.at, offset, counted: offset, clamped: undefined, blocked: pair.blocked }
  }
  if (pair.skipped === offset) return found(pair.at)
  offset -= pair.skipped
  return offset > 1
    ? { key: lastKey, offset: 1, counted: offset, clamped: "end", blocked: undefined }
    : found(selector.offset === 1 ? from : lastKey)
}

/** A page of a range. */
export interface Page {
  readonly values: ReadonlyArray<KeyValue>
  /** The limit was reached. */
  readonly more: boolean
  /** An end was brought back to where the database begins, or ends, and the page depends on that. */
  readonly clampedBegin: boolean
  readonly clampedEnd: boolean
}

/** Nothing lies behind the last key, or before the first. */
const isCorner = (begin: End, end: End): boolean =>
  begin.offset === 1 && Bytes.equals(begin.key, lastKey) || end.offset === 1 && end.key.length === 0

const empty: Page = { values: [], more: false, clampedBegin: false, clampedEnd: false }

/** Which ends of the database a selector has come to. */
interface Touched {
  readonly begin: boolean
  readonly end: boolean
}

const untouched: Touched = { begin: false, end: false }

/**
 * Where what was read before and the own writes do not tell, and the far end seems to lie before the near one, FoundationDB's
 * client looks for the far end first; what it finds may be the answer.
 */
const lookAhead = (
  below: Snapshot,
  own: OwnWrites,
  beginSelector: KeySelector,
  endSelector: KeySelector,
  reverse: boolean,
  known: walk.Known
): Page | walk.Blocked | Touched => {
  const begin = resolveEnd(below, own, beginSelector, known)
  const end = resolveEnd(below, own, endSelector, known)
  const [near, far] = reverse ? [end, begin] : [begin, end]
  if (Bytes.compare(begin.key, end.key) <= 0 || far.offset === 1 || isCorner(begin, end)) return untouched
  if (begin.counted >= end.counted) return empty
  const found = resolve(below, own, reverse ? beginSelector : endSelector)
  if (typeof found === "symbol") return found
  const touched = { begin: found.key.length === 0, end: Bytes.equals(found.key, lastKey) }
  const order = Bytes.compare(near.key, found.key)
  if (reverse ? order <= 0 && near.offset <= 1 : order >= 0 && near.offset > 0) return empty
  return (reverse ? touched.end : touched.begin)
    ? { ...empty, clampedBegin: touched.begin, clampedEnd: touched.end }
    : touched
}

/** Whether a range cannot hold a key, whatever is in the database: its selectors are in the wrong order. */
export const isInverted = (begin: KeySelector, end: KeySelector): boolean =>
  begin.offset >= end.offset && Bytes.compare(anchor(begin), anchor(end)) >= 0

/** At most `limit` pairs of a range that is not inverted, from its end backwards when `reverse`. */
export const getRange = (
  below: Below,
  own: OwnWrites,
  beginSelector: KeySelector,
  endSelector: KeySelector,
  limit: number,
  reverse: boolean,
  known: () => walk.Known
): Page | walk.Blocked => {
  const isPlain = beginSelector.offset === 1 && endSelector.offset === 1
  if (below === undefined && isPlain && !reverse && own.isUntouched(KeyRange.single(anchor(beginSelector)))) {
    return walk.unknown
  }
  const isFarPlain = (reverse ? beginSelector : endSelector).offset === 1
  const looked = below === undefined || isFarPlain
    ? untouched
    : lookAhead(below, own, beginSelector, endSelector, reverse, known())
  if (typeof looked === "symbol" || "values" in looked) return looked
  const begin = resolveEnd(below, own, beginSelector)
  const end = resolveEnd(below, own, endSelector)
  const order = Bytes.compare(begin.key, end.key)
  if (order >= 0 && begin.counted >= end.counted) return empty
  const clampedBegin = looked.begin || begin.clamped === "begin" || end.clamped === "begin"
  const clampedEnd = looked.end || begin.clamped === "end" || end.clamped === "end"
  const nothing: Page = { values: [], more: false, clampedBegin, clampedEnd }
  if (isCorner(begin, end)) return nothing
  const [near, far] = reverse ? [end, begin] : [begin, end]
  if (order > 0 && far.offset !== 1) return far.blocked!
  if (order >= 0 && begin.offset >= end.offset) return nothing
  if (near.offset !== 1) return near.blocked!
  // So many more have to be there for the far end to lie behind them, where it could not be resolved.
  const beyond = Math.max(0, reverse ? begin.offset - 1 : 1 - end.offset)
  const range = {
    begin: begin.offset === 1 ? begin.key : firstKey,
    end: end.offset === 1 ? end.key : lastKey
  }
  const read = walk.take(below, own, range, limit + beyond, reverse)
  if (typeof read === "symbol") return read
  const values = beyond === 0 ? read : read.slice(0, limit)
  const more = values.length === limit
  return {
    values,
    more,
    clampedBegin: clampedBegin && !(reverse && more),
    clampedEnd: clampedEnd && (reverse || !more)
  }
}
