/**
 * Key selectors: positions in the order of the keys that are there.
 *
 * A selector is resolved to the last key that is before `key` (or equal to it, with `orEqual`), and from there `offset`
 * keys on; beyond either end of the database it stays at that end.
 */

/** See the module. */
export interface KeySelector {
  readonly key: Uint8Array
  readonly orEqual: boolean
  readonly offset: number
}

/** A selector from its three parts. */
export const make = (key: Uint8Array, orEqual: boolean, offset: number): KeySelector => ({ key, orEqual, offset })

/** The last key before `key`. */
export const lastLessThan = (key: Uint8Array): KeySelector => make(key, false, 0)

/** The last key that is `key` or before it. */
export const lastLessOrEqual = (key: Uint8Array): KeySelector => make(key, true, 0)

/** The first key after `key`. */
export const firstGreaterThan = (key: Uint8Array): KeySelector => make(key, true, 1)

/** The first key that is `key` or after it. */
export const firstGreaterOrEqual = (key: Uint8Array): KeySelector => make(key, false, 1)

/** The selector `offset` keys further on, or back when it is negative. */
export const move = (self: KeySelector, offset: number): KeySelector =>
  make(self.key, self.orEqual, self.offset + offset)
