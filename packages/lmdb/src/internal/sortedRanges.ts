/**
 * Lists of ranges of keys that are sorted and have no overlaps.
 */
import * as Bytes from "@effect-fdb/core/Bytes"
import type { KeyRange } from "@effect-fdb/core/KeyRange"

/** See the module. */
export type SortedRanges = ReadonlyArray<KeyRange>

/** The index of the first range that ends behind a key. */
const indexOf = (sorted: SortedRanges, key: Uint8Array): number => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (Bytes.compare(sorted[middle]!.end, key) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Whether a range shares a key with one of a list. */
export const meets = (sorted: SortedRanges, range: KeyRange): boolean => {
  const found = sorted[indexOf(sorted, range.begin)]
  return found !== undefined && Bytes.compare(found.begin, range.end) < 0
}

/** Whether a key lies in one of the ranges of a list. */
export const has = (sorted: SortedRanges, key: Uint8Array): boolean => {
  const found = sorted[indexOf(sorted, key)]
  return found !== undefined && Bytes.compare(found.begin, key) <= 0
}

/** Whether two lists share a key. */
export const meet = (a: SortedRanges, b: SortedRanges): boolean =>
  a.length < b.length ? a.some((range) => meets(b, range)) : b.some((range) => meets(a, range))

/** What a range shares with a list. */
export const clip = (sorted: SortedRanges, { begin, end }: KeyRange): SortedRanges => {
  const found: Array<KeyRange> = []
  for (let i = indexOf(sorted, begin); i < sorted.length && Bytes.compare(sorted[i]!.begin, end) < 0; i++) {
    const range = sorted[i]!
    found.push({
      begin: Bytes.compare(range.begin, begin) < 0 ? begin : range.begin,
      end: Bytes.compare(end, range.end) < 0 ? end : range.end
    })
  }
  return found
}

/** What two lists share. */
export const intersection = (a: SortedRanges, b: SortedRanges): SortedRanges => {
  const [few, many] = a.length < b.length ? [a, b] : [b, a]
  const found: Array<KeyRange> = []
  for (const range of few) for (const part of clip(many, range)) found.push(part)
  return found
}

const isSorted = (ranges: ReadonlyArray<KeyRange>): boolean => {
  for (let i = 1; i < ranges.length; i++) {
    if (Bytes.compare(ranges[i - 1]!.end, ranges[i]!.begin) > 0) return false
  }
  return true
}

/** Ranges in any order as such a list. */
export const sort = (ranges: ReadonlyArray<KeyRange>): SortedRanges => {
  if (isSorted(ranges)) return ranges
  const joined: Array<KeyRange> = []
  for (const range of ranges.toSorted((a, b) => Bytes.compare(a.begin, b.begin))) {
    const last = joined.at(-1)
    if (last === undefined || Bytes.compare(last.end, range.begin) < 0) joined.push(range)
    else if (Bytes.compare(last.end, range.end) < 0) joined[joined.length - 1] = { begin: last.begin, end: range.end }
  }
  return joined
}
