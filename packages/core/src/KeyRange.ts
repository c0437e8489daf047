/**
 * Half-open ranges of keys.
 */
import * as Bytes from "./Bytes.ts"

/**
 * The keys from `begin` on, `end` excluded.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyRange {
  readonly begin: Uint8Array
  readonly end: Uint8Array
}

/**
 * The keys from `begin` on, `end` excluded.
 *
 * **Example**
 *
 * ```ts
 * import { KeyRange } from "@effect-fdb/core"
 *
 * KeyRange.contains(KeyRange.make(Uint8Array.of(1), Uint8Array.of(3)), Uint8Array.of(3)) // => false
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (begin: Uint8Array, end: Uint8Array): KeyRange => ({ begin, end })

/**
 * The one key.
 *
 * **Example**
 *
 * ```ts
 * import { KeyRange } from "@effect-fdb/core"
 *
 * KeyRange.single(Uint8Array.of(1)) // => { begin: Uint8Array.of(1), end: Uint8Array.of(1, 0) }
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const single = (key: Uint8Array): KeyRange => ({ begin: key, end: Bytes.successor(key) })

/**
 * All keys of the database.
 *
 * **Example**
 *
 * ```ts
 * import { Database, KeyRange, Transaction } from "@effect-fdb/core"
 *
 * export const clearEverything = Database.transact(Transaction.use((tx) => tx.clearRange(KeyRange.all)))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const all: KeyRange = { begin: new Uint8Array(0), end: Uint8Array.of(0xff) }

/**
 * All keys that begin with `prefix`, the prefix itself included.
 *
 * The end is the prefix with its trailing `0xff` bytes dropped and its last byte raised by one; a prefix of nothing but
 * `0xff` has no such end, and the range then ends where the database does.
 *
 * **Example**
 *
 * ```ts
 * import { KeyRange } from "@effect-fdb/core"
 *
 * KeyRange.fromPrefix(Uint8Array.of(1, 255)) // => { begin: Uint8Array.of(1, 255), end: Uint8Array.of(2) }
 * ```
 *
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
 * Whether `key` lies in the range.
 *
 * **Example**
 *
 * ```ts
 * import { KeyRange } from "@effect-fdb/core"
 *
 * KeyRange.contains(KeyRange.fromPrefix(Uint8Array.of(1)), Uint8Array.of(1, 7)) // => true
 * ```
 *
 * @since 0.1.0
 * @category predicates
 */
export const contains = (range: KeyRange, key: Uint8Array): boolean =>
  Bytes.compare(range.begin, key) <= 0 && Bytes.compare(key, range.end) < 0

/**
 * Whether two ranges share a key.
 *
 * **Example**
 *
 * ```ts
 * import { KeyRange } from "@effect-fdb/core"
 *
 * KeyRange.intersects(KeyRange.fromPrefix(Uint8Array.of(1)), KeyRange.fromPrefix(Uint8Array.of(2))) // => false
 * ```
 *
 * @since 0.1.0
 * @category predicates
 */
export const intersects = (a: KeyRange, b: KeyRange): boolean =>
  Bytes.compare(a.begin, b.end) < 0 && Bytes.compare(b.begin, a.end) < 0

/**
 * The keys that two ranges share, `undefined` where there are none.
 *
 * **Example**
 *
 * ```ts
 * import { KeyRange } from "@effect-fdb/core"
 *
 * KeyRange.intersection(KeyRange.all, KeyRange.fromPrefix(Uint8Array.of(1))) // => KeyRange.fromPrefix(Uint8Array.of(1))
 * ```
 *
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
 * The keys of `a` that are not in `b`: up to two ranges.
 *
 * **Example**
 *
 * ```ts
 * import { KeyRange } from "@effect-fdb/core"
 *
 * const [before, after] = KeyRange.difference(KeyRange.all, KeyRange.fromPrefix(Uint8Array.of(1)))
 *
 * before // => KeyRange.make(new Uint8Array(0), Uint8Array.of(1))
 * after // => KeyRange.make(Uint8Array.of(2), Uint8Array.of(255))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const difference = (a: KeyRange, b: KeyRange): ReadonlyArray<KeyRange> => {
  if (!intersects(a, b)) return [a]
  return [{ begin: a.begin, end: b.begin }, { begin: b.end, end: a.end }].filter(({ begin, end }) =>
    Bytes.compare(begin, end) < 0
  )
}
