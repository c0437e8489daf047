/**
 * Half-open ranges of keys.
 */
import * as Bytes from "./Bytes.ts"

/**
 * The keys from `begin` up to `end`, which is excluded.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyRange {
  readonly begin: Uint8Array
  readonly end: Uint8Array
}

/**
 * Makes a range of the keys from `begin` up to `end`, which is excluded.
 *
 * @example KeyRange.contains(KeyRange.make(Uint8Array.of(1), Uint8Array.of(3)), Uint8Array.of(3)) // => false
 * @since 0.1.0
 * @category constructors
 */
export const make = (begin: Uint8Array, end: Uint8Array): KeyRange => ({ begin, end })

/**
 * Makes a range of one key.
 *
 * @example KeyRange.single(Uint8Array.of(1)) // => { begin: Uint8Array.of(1), end: Uint8Array.of(1, 0) }
 * @since 0.1.0
 * @category constructors
 */
export const single = (key: Uint8Array): KeyRange => ({ begin: key, end: Bytes.successor(key) })

/**
 * Returns whether a range is that of one key, as {@link single} makes it.
 *
 * @example KeyRange.isSingle({ begin: Uint8Array.of(1), end: Uint8Array.of(2) }) // => false
 * @since 0.1.0
 * @category predicates
 */
export const isSingle = ({ begin, end }: KeyRange): boolean =>
  end.length === begin.length + 1 && end[begin.length] === 0 && begin.every((byte, i) => byte === end[i])

/**
 * All keys of the database.
 *
 * @example const clearEverything = Database.transact(Transaction.use((tx) => tx.clearRange(KeyRange.all)))
 * @since 0.1.0
 * @category constructors
 */
export const all: KeyRange = { begin: new Uint8Array(0), end: Uint8Array.of(0xff) }

/**
 * Makes a range of all keys that begin with `prefix`, the prefix itself included. For a prefix of only `0xff` bytes, the
 * range ends at the end of the database.
 *
 * @example KeyRange.fromPrefix(Uint8Array.of(1, 255)) // => { begin: Uint8Array.of(1, 255), end: Uint8Array.of(2) }
 * @since 0.1.0
 * @category constructors
 */
export const fromPrefix = (prefix: Uint8Array): KeyRange => {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return { begin: prefix, end: all.end }
  const end = prefix.slice(0, length)
  end[length - 1]! += 1
  return { begin: prefix, end }
}

/**
 * Returns whether a key lies in a range.
 *
 * @example KeyRange.contains(KeyRange.fromPrefix(Uint8Array.of(1)), Uint8Array.of(1, 7)) // => true
 * @since 0.1.0
 * @category predicates
 */
export const contains = (range: KeyRange, key: Uint8Array): boolean =>
  Bytes.compare(range.begin, key) <= 0 && Bytes.compare(key, range.end) < 0

/**
 * Returns whether two ranges share a key.
 *
 * @example KeyRange.intersects(KeyRange.all, KeyRange.fromPrefix(Uint8Array.of(2))) // => true
 * @since 0.1.0
 * @category predicates
 */
export const intersects = (a: KeyRange, b: KeyRange): boolean =>
  Bytes.compare(a.begin, b.end) < 0 && Bytes.compare(b.begin, a.end) < 0

/**
 * Returns the keys that two ranges share, `undefined` if there are none.
 *
 * @example KeyRange.intersection(KeyRange.all, KeyRange.single(Uint8Array.of(1))) // => KeyRange.single(Uint8Array.of(1))
 * @since 0.1.0
 * @category combinators
 */
export const intersection = (a: KeyRange, b: KeyRange): KeyRange | undefined =>
  intersects(a, b)
    ? {
      begin: Bytes.compare(a.begin, b.begin) < 0 ? b.begin : a.begin,
      end: Bytes.compare(a.end, b.end) < 0 ? a.end : b.end
    }
    : undefined

/**
 * Returns the keys of `a` that are not in `b`, as up to two ranges.
 *
 * @example KeyRange.difference(KeyRange.all, KeyRange.make(Uint8Array.of(2), Uint8Array.of(255))).length // => 1
 * @since 0.1.0
 * @category combinators
 */
export const difference = (a: KeyRange, b: KeyRange): ReadonlyArray<KeyRange> => {
  if (!intersects(a, b)) return [a]
  return [make(a.begin, b.begin), make(b.end, a.end)].filter(({ begin, end }) => Bytes.compare(begin, end) < 0)
}

/**
 * The same keys as sorted ranges that neither overlap nor touch.
 *
 * **Example**
 *
 * ```ts
 * import { Bytes, KeyRange } from "@effect-fdb/core"
 *
 * const [a, b, c] = ["a", "b", "c"].map(Bytes.fromString)
 *
 * KeyRange.coalesce([KeyRange.make(b!, c!), KeyRange.make(a!, b!)]) // => [KeyRange.make(a!, c!)]
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const coalesce = (ranges: ReadonlyArray<KeyRange>): ReadonlyArray<KeyRange> => {
  if (ranges.every(({ begin }, i) => i === 0 || Bytes.compare(ranges[i - 1]!.end, begin) < 0)) return ranges
  const joined: Array<KeyRange> = []
  for (const range of ranges.toSorted((a, b) => Bytes.compare(a.begin, b.begin))) {
    const last = joined.at(-1)
    if (last === undefined || Bytes.compare(last.end, range.begin) < 0) joined.push(range)
    else if (Bytes.compare(last.end, range.end) < 0) joined[joined.length - 1] = { begin: last.begin, end: range.end }
  }
  return joined
}
