/** Sorted lists of key ranges that do not overlap. */
import * as Bytes from "@effect-fdb/core/Bytes"
import * as KeyRange from "@effect-fdb/core/KeyRange"

export type SortedRanges = ReadonlyArray<KeyRange.KeyRange>

/** The first index for which `isBefore` is false. All later ones must be false, too. */
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

/** The index of the first range that ends after a key. */
const indexOf = (sorted: SortedRanges, key: Uint8Array): number =>
  lowerBound(sorted.length, (index) => Bytes.compare(sorted[index]!.end, key) <= 0)

export const overlapsRange = (sorted: SortedRanges, range: KeyRange.KeyRange): boolean => {
  const found = sorted[indexOf(sorted, range.begin)]
  return found !== undefined && Bytes.compare(found.begin, range.end) < 0
}

export const containsKey = (sorted: SortedRanges, key: Uint8Array): boolean => {
  const found = sorted[indexOf(sorted, key)]
  return found !== undefined && Bytes.compare(found.begin, key) <= 0
}

export const overlap = (a: SortedRanges, b: SortedRanges): boolean =>
  a.length < b.length ? a.some((range) => overlapsRange(b, range)) : b.some((range) => overlapsRange(a, range))

/** The parts of a list within a range. */
export const clip = (sorted: SortedRanges, range: KeyRange.KeyRange): SortedRanges => {
  const found: Array<KeyRange.KeyRange> = []
  for (let i = indexOf(sorted, range.begin); i < sorted.length; i++) {
    const shared = KeyRange.intersection(sorted[i]!, range)
    if (shared === undefined) break
    found.push(shared)
  }
  return found
}

export const intersection = (a: SortedRanges, b: SortedRanges): SortedRanges => {
  const [few, many] = a.length < b.length ? [a, b] : [b, a]
  const found: Array<KeyRange.KeyRange> = []
  for (const range of few) for (const part of clip(many, range)) found.push(part)
  return found
}
