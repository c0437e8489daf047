/**
 * A persistent set of keys made of disjoint half-open ranges.
 */
import * as Bytes from "../Bytes.ts"
import type { KeyRange } from "../KeyRange.ts"
import * as sortedMap from "./sortedMap.ts"

/** The end of each range under its beginning; `undefined` is the empty set. */
export type RangeSet = sortedMap.SortedMap<Uint8Array>

/** The range that a key lies in. */
export const find = (set: RangeSet, key: Uint8Array): KeyRange | undefined => {
  const entry = sortedMap.floor(set, key)
  return entry !== undefined && Bytes.compare(key, entry.value) < 0 ? { begin: entry.key, end: entry.value } : undefined
}

/** Whether a key is in the set. */
export const has = (set: RangeSet, key: Uint8Array): boolean => set !== undefined && find(set, key) !== undefined

/** The set without a range. */
export const remove = (set: RangeSet, { begin, end }: KeyRange): RangeSet => {
  if (set === undefined) return undefined
  const head = find(set, begin)
  const last = sortedMap.descending(set, begin, end).next() ?? (head && { key: head.begin, value: head.end })
  if (last === undefined) return set
  let cut = sortedMap.removeRange(set, begin, end)
  if (head !== undefined && Bytes.compare(head.begin, begin) < 0) cut = sortedMap.set(cut, head.begin, begin)
  if (Bytes.compare(end, last.value) < 0) cut = sortedMap.set(cut, end, last.value)
  return cut
}

/** The set with a range. */
export const add = (set: RangeSet, range: KeyRange): RangeSet =>
  Bytes.compare(range.begin, range.end) < 0 ? sortedMap.set(remove(set, range), range.begin, range.end) : set

/** The part of the set that lies in a range, in order. */
export const within = (set: RangeSet, { begin, end }: KeyRange): Array<KeyRange> => {
  const ranges: Array<KeyRange> = []
  if (set === undefined || Bytes.compare(begin, end) >= 0) return ranges
  const head = find(set, begin)
  if (head !== undefined) ranges.push({ begin, end: Bytes.compare(head.end, end) < 0 ? head.end : end })
  const cursor = sortedMap.ascending(set, head === undefined ? begin : Bytes.successor(begin), end)
  for (let entry = cursor.next(); entry !== undefined; entry = cursor.next()) {
    ranges.push({ begin: entry.key, end: Bytes.compare(entry.value, end) < 0 ? entry.value : end })
  }
  return ranges
}

/** Ranges sorted, and joined where they overlap or touch. */
export const coalesce = (ranges: ReadonlyArray<KeyRange>): ReadonlyArray<KeyRange> => {
  if (ranges.length < 2) return ranges
  const joined: Array<KeyRange> = []
  for (const range of ranges.toSorted((a, b) => Bytes.compare(a.begin, b.begin))) {
    const last = joined.at(-1)
    if (last === undefined || Bytes.compare(last.end, range.begin) < 0) joined.push(range)
    else if (Bytes.compare(last.end, range.end) < 0) joined[joined.length - 1] = { begin: last.begin, end: range.end }
  }
  return joined
}
