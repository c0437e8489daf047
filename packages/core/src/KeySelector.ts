/**
 * Key selectors: positions in the order of the keys that are there.
 *
 * A selector is resolved to the last key that is before `key` (or equal to it, with `orEqual`), and from there `offset`
 * keys on; beyond either end of the database it stays at that end.
 */

/**
 * See the module.
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
 * A selector from its three parts.
 *
 * **Example**
 *
 * ```ts
 * import { Database, KeySelector, Transaction } from "@effect-fdb/core"
 *
 * export const key = Database.transact(Transaction.use((tx) => tx.getKey(KeySelector.make(Uint8Array.of(1), false, 1))))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (key: Uint8Array, orEqual: boolean, offset: number): KeySelector => ({ key, orEqual, offset })

/**
 * The last key before `key`.
 *
 * **Example**
 *
 * ```ts
 * import { Database, KeySelector, Transaction } from "@effect-fdb/core"
 *
 * export const key = Database.transact(Transaction.use((tx) => tx.getKey(KeySelector.lastLessThan(Uint8Array.of(1)))))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const lastLessThan = (key: Uint8Array): KeySelector => make(key, false, 0)

/**
 * The last key that is `key` or before it.
 *
 * **Example**
 *
 * ```ts
 * import { Database, KeySelector, Transaction } from "@effect-fdb/core"
 *
 * export const key = Database.transact(Transaction.use((tx) => tx.getKey(KeySelector.lastLessOrEqual(Uint8Array.of(1)))))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const lastLessOrEqual = (key: Uint8Array): KeySelector => make(key, true, 0)

/**
 * The first key after `key`.
 *
 * **Example**
 *
 * ```ts
 * import { Database, KeySelector, Transaction } from "@effect-fdb/core"
 *
 * export const key = Database.transact(Transaction.use((tx) => tx.getKey(KeySelector.firstGreaterThan(Uint8Array.of(1)))))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const firstGreaterThan = (key: Uint8Array): KeySelector => make(key, true, 1)

/**
 * The first key that is `key` or after it.
 *
 * **Example**
 *
 * ```ts
 * import { Database, KeySelector, Transaction } from "@effect-fdb/core"
 *
 * export const key = Database.transact(Transaction.use((tx) => tx.getKey(KeySelector.firstGreaterOrEqual(Uint8Array.of(1)))))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const firstGreaterOrEqual = (key: Uint8Array): KeySelector => make(key, false, 1)

/**
 * The selector `offset` keys further on, or back when it is negative.
 *
 * **Example**
 *
 * ```ts
 * import { KeySelector } from "@effect-fdb/core"
 *
 * KeySelector.move(KeySelector.firstGreaterOrEqual(Uint8Array.of(1)), -1) // => KeySelector.lastLessThan(Uint8Array.of(1))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const move = (self: KeySelector, offset: number): KeySelector =>
  make(self.key, self.orEqual, self.offset + offset)
