/** Lists of key ranges that are sorted and do not overlap. */
import * as Bytes from "@effect-fdb/core/Bytes"
import * as KeyRange from "@effect-fdb/core/KeyRange"

/** See the module. */
export type SortedRanges = ReadonlyArray<KeyRange.KeyRange>

/** The first index that is not before what is sought. `isBefore` holds up to there, and for none from there on. */
export const lowerBound = (length: number, isBefore: (index: number) => boolean): number => {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}

/** The index of the first range that ends behind a key. */
const indexOf = (sorted: SortedRanges, key: Uint8Array): number =>
  lowerBound(sorted.length, (index) => Bytes.compare(sorted[index]!.end, key) <= 0)

/** Whether a range shares a key with one of a list. */
export const meets = (sorted: SortedRanges, range: KeyRange.KeyRange): boolean => {
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
export const clip = (sorted: SortedRanges, range: KeyRange.KeyRange): SortedRanges => {
  const found: Array<KeyRange.KeyRange> = []
  for (let i = indexOf(sorted, range.begin); i < sorted.length; i++) {
    const shared = KeyRange.intersection(sorted[i]!, range)
    if (shared === undefined) break
    found.push(shared)
  }
  return found
}

/** What two lists share. */
export const intersection = (a: SortedRanges, b: SortedRanges): SortedRanges => {
  const [few, many] = a.length < b.length ? [a, b] : [b, a]
  const found: Array<KeyRange.KeyRange> = []
  for (const range of few) for (const part of clip(many, range)) found.push(part)
  return found
}
