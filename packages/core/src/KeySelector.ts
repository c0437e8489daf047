/**
 * Key selectors name a key by its position among the keys that exist.
 *
 * A selector resolves to the last key before `key` (or equal to it, with `orEqual`), moved by `offset` keys. It stops at either
 * end of the database.
 *
 * **Example**
 *
 * ```ts
 * import { Database, KeySelector, Transaction } from "@effect-fdb/core"
 *
 * const newest = KeySelector.lastLessThan(Uint8Array.of(0x16))
 *
 * export const key = Database.transact(Transaction.use((tx) => tx.getKey(newest)))
 * ```
 */

/**
 * A key selector.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeySelector {
  readonly key: Uint8Array
  readonly orEqual: boolean
  readonly offset: number
}

/**
 * Makes a selector from its three parts.
 *
 * @example KeySelector.make(Uint8Array.of(1), false, 1) // => KeySelector.firstGreaterOrEqual(Uint8Array.of(1))
 * @since 0.1.0
 * @category constructors
 */
export const make = (key: Uint8Array, orEqual: boolean, offset: number): KeySelector => ({ key, orEqual, offset })

/**
 * Selects the last key before `key`.
 *
 * @example KeySelector.lastLessThan(Uint8Array.of(1)) // => KeySelector.make(Uint8Array.of(1), false, 0)
 * @since 0.1.0
 * @category constructors
 */
export const lastLessThan = (key: Uint8Array): KeySelector => make(key, false, 0)

/**
 * Selects `key`, or the last key before it.
 *
 * @example KeySelector.lastLessOrEqual(Uint8Array.of(1)) // => KeySelector.make(Uint8Array.of(1), true, 0)
 * @since 0.1.0
 * @category constructors
 */
export const lastLessOrEqual = (key: Uint8Array): KeySelector => make(key, true, 0)

/**
 * Selects the first key after `key`.
 *
 * @example KeySelector.firstGreaterThan(Uint8Array.of(1)) // => KeySelector.make(Uint8Array.of(1), true, 1)
 * @since 0.1.0
 * @category constructors
 */
export const firstGreaterThan = (key: Uint8Array): KeySelector => make(key, true, 1)

/**
 * Selects `key`, or the first key after it.
 *
 * @example KeySelector.firstGreaterOrEqual(Uint8Array.of(1)) // => KeySelector.make(Uint8Array.of(1), false, 1)
 * @since 0.1.0
 * @category constructors
 */
export const firstGreaterOrEqual = (key: Uint8Array): KeySelector => make(key, false, 1)

/**
 * Moves a selector by `offset` keys; a negative offset moves it back.
 *
 * @example KeySelector.move(KeySelector.firstGreaterOrEqual(Uint8Array.of(1)), -1).offset // => 0
 * @since 0.1.0
 * @category combinators
 */
export const move = ({ key, offset: from, orEqual }: KeySelector, offset: number): KeySelector =>
  make(key, orEqual, from + offset)
