/**
 * Half-open ranges of keys.
 */
import * as Bytes from "./Bytes.ts"

/** The keys from `begin` on, `end` excluded. */
export interface KeyRange {
  readonly begin: Uint8Array
  readonly end: Uint8Array
}

/** The keys from `begin` on, `end` excluded. */
export const make = (begin: Uint8Array, end: Uint8Array): KeyRange => ({ begin, end })

/** The one key. */
export const single = (key: Uint8Array): KeyRange => ({ begin: key, end: Bytes.successor(key) })

/** All keys of the database. */
export const all: KeyRange = { begin: new Uint8Array(0), end: Uint8Array.of(0xff) }

/**
 * All keys that begin with `prefix`, the prefix itself included.
 *
 * The end is the prefix with its trailing `0xff` bytes dropped and its last byte raised by one; a prefix of nothing but
 * `0xff` has no such end, and the range then ends where the database does.
 */
export const fromPrefix = (prefix: Uint8Array): KeyRange => {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return { begin: prefix, end: all.end }
  const end = prefix.slice(0, length)
  end[length - 1]! += 1
  return { begin: prefix, end }
}

/** Whether `key` lies in the range. */
export const contains = (range: KeyRange, key: Uint8Array): boolean =>
  Bytes.compare(range.begin, key) <= 0 && Bytes.compare(key, range.end) < 0

/** Whether two ranges share a key. */
export const intersects = (a: KeyRange, b: KeyRange): boolean =>
  Bytes.compare(a.begin, b.end) < 0 && Bytes.compare(b.begin, a.end) < 0

/** The keys that two ranges share, `undefined` where there are none. */
export const intersection = (a: KeyRange, b: KeyRange): KeyRange | undefined =>
  intersects(a, b)
    ? {
      begin: Bytes.compare(a.begin, b.begin) < 0 ? b.begin : a.begin,
      end: Bytes.compare(a.end, b.end) < 0 ? a.end : b.end
    }
    : undefined

/** The keys of `a` that are not in `b`: up to two ranges. */
export const difference = (a: KeyRange, b: KeyRange): ReadonlyArray<KeyRange> => {
  if (!intersects(a, b)) return [a]
  return [{ begin: a.begin, end: b.begin }, { begin: b.end, end: a.end }].filter(({ begin, end }) =>
    Bytes.compare(begin, end) < 0
  )
}
