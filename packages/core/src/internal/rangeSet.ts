/** A persistent set of keys, made of disjoint half-open ranges. */
import * as Bytes from "../Bytes.ts"
import type { KeyRange } from "../KeyRange.ts"
import * as sortedMap from "./sortedMap.ts"

/** The end of each range under its beginning; `undefined` is the empty set. */
export type RangeSet = sortedMap.SortedMap<Uint8Array>

/** The range that contains a key. */
export const find = (set: RangeSet, key: Uint8Array): KeyRange | undefined => {
  const entry = sortedMap.floor(set, key)
  return entry !== undefined && Bytes.compare(key, entry.value) < 0 ? { begin: entry.key, end: entry.value } : undefined
}

/** Whether a key is in the set. */
export const has = (set: RangeSet, key: Uint8Array): boolean => set !== undefined && find(set, key) !== undefined

/** The last range that begins before `key`. */
export const before = (set: RangeSet, key: Uint8Array): KeyRange | undefined => {
  const last = sortedMap.lower(set, key)
  return last && { begin: last.key, end: last.value }
}

/** Whether the set and a range have a key in common. */
export const meets = (set: RangeSet, { begin, end }: KeyRange): boolean => {
  const last = before(set, end)
  return last !== undefined && Bytes.compare(begin, last.end) < 0
}

/** The set without a range. */
export const remove = (set: RangeSet, { begin, end }: KeyRange): RangeSet => {
  if (set === undefined) return undefined
  const head = find(set, begin)
  const last = sortedMap.cursor(set, begin, end, true).next() ?? (head && { key: head.begin, value: head.end })
  if (last === undefined) return set
  let cut = sortedMap.removeRange(set, begin, end)
  if (head !== undefined && Bytes.compare(head.begin, begin) < 0) cut = sortedMap.set(cut, head.begin, begin)
  if (Bytes.compare(end, last.value) < 0) cut = sortedMap.set(cut, end, last.value)
  return cut
}

/** The set with a range, joined with the ranges that it overlaps or touches. */
export const add = (set: RangeSet, { begin, end }: KeyRange): RangeSet => {
  if (Bytes.compare(begin, end) >= 0) return set
  if (set === undefined) return sortedMap.set(undefined, begin, end)
  const head = sortedMap.floor(set, begin)
  const tail = sortedMap.floor(set, end)
  const from = head !== undefined && Bytes.compare(begin, head.value) <= 0 ? head.key : begin
  const to = tail !== undefined && Bytes.compare(end, tail.value) < 0 ? tail.value : end
  return sortedMap.set(sortedMap.removeRange(set, from, to), from, to)
}

/** The part of the set that lies in a range, in order. */
export const within = (set: RangeSet, { begin, end }: KeyRange): Array<KeyRange> => {
  const ranges: Array<KeyRange> = []
  if (set === undefined || Bytes.compare(begin, end) >= 0) return ranges
  const head = find(set, begin)
  if (head !== undefined) ranges.push({ begin, end: Bytes.compare(head.end, end) < 0 ? head.end : end })
  for (const { key, value } of sortedMap.entries(set, head === undefined ? begin : Bytes.successor(begin), end)) {
    ranges.push({ begin: key, end: Bytes.compare(value, end) < 0 ? value : end })
  }
  return ranges
}

/** The last begin or end of a range before `limit`. */
export const lastBound = (set: RangeSet, limit: Uint8Array): Uint8Array | undefined => {
  const last = sortedMap.lower(set, limit)
  return last && (Bytes.compare(last.value, limit) < 0 ? last.value : last.key)
}

/** The next begin or end of a range after `key`. */
export const nextBound = (set: RangeSet, key: Uint8Array): Uint8Array | undefined => {
  if (set === undefined) return undefined
  return find(set, key)?.end ?? sortedMap.ceiling(set, key)?.key
}
