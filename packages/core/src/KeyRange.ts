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
