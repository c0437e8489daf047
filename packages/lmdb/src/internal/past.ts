/**
 * The database at an earlier version: the present one with the values of then in place of what was written since.
 */
import * as Bytes from "@effect-fdb/core/Bytes"
import type { KeyValue } from "@effect-fdb/core/Transaction"
import { textOf } from "./draft.ts"
import type { Before } from "./logEntry.ts"

export class Past {
  private readonly byText = new Map<string, Before>()
  private readonly sorted: ReadonlyArray<Before>

  /** @param befores from the oldest commit to the newest: the first that is known of a key is its value then */
  constructor(befores: Iterable<Before>) {
    for (const before of befores) {
      const text = textOf(before.key)
      if (!this.byText.has(text)) this.byText.set(text, before)
    }
    this.sorted = [...this.byText.values()].toSorted((a, b) => Bytes.compare(a.key, b.key))
  }

  /** A key's value then, `undefined` if it is what it is now. */
  get(key: Uint8Array): Before | undefined {
    return this.byText.get(textOf(key))
  }

  /** The pairs of a range then, from those of now. Both go from the end to the beginning when `reverse`. */
  *merge(now: Iterable<KeyValue>, begin: Uint8Array, end: Uint8Array, reverse: boolean): Iterable<KeyValue> {
    const then = this.sorted.filter(({ key }) => Bytes.compare(begin, key) <= 0 && Bytes.compare(key, end) < 0)
    if (reverse) then.reverse()
    let at = 0
    for (const pair of now) {
      for (; at < then.length; at++) {
        const { key, value } = then[at]!
        const order = reverse ? Bytes.compare(pair.key, key) : Bytes.compare(key, pair.key)
        if (order >= 0) break
        if (value !== undefined) yield { key, value }
      }
      if (this.get(pair.key) === undefined) yield pair
    }
    for (; at < then.length; at++) {
      const { key, value } = then[at]!
      if (value !== undefined) yield { key, value }
    }
  }
}
