/**
 * Which keys an answer depends on: the read conflict ranges of FoundationDB's client.
 */
import * as Bytes from "../Bytes.ts"
import * as KeyRange from "../KeyRange.ts"
import type { KeySelector } from "../KeySelector.ts"
import type { KeyValue } from "../Transaction.ts"
import { anchor, type Resolved } from "./mergedView.ts"

const smaller = (a: Uint8Array, b: Uint8Array): Uint8Array => Bytes.compare(a, b) <= 0 ? a : b

/** Of a selector that was resolved. */
export const ofSelector = (selector: KeySelector, { clamped, key }: Resolved): KeyRange.KeyRange => {
  const from = anchor(selector)
  return selector.offset <= 0
    ? { begin: key, end: from }
    : { begin: from, end: clamped ? key : Bytes.successor(key) }
}

/** One end of a range that was read: the selector, and what it was resolved to. */
export interface End {
  readonly selector: KeySelector
  readonly clamped: boolean
}

/**
 * Of a page that was read: everything between the selectors' keys, but where there was `more`, nothing behind the last pair
 * that was returned, for that cannot change the page.
 */
export const ofPage = (
  begin: End,
  end: End,
  values: ReadonlyArray<KeyValue>,
  more: boolean,
  reverse: boolean
): KeyRange.KeyRange => {
  const beginKey = anchor(begin.selector)
  const endKey = anchor(end.selector)
  const inOrder = Bytes.compare(beginKey, endKey) < 0
  let from = inOrder ? beginKey : endKey
  let to = inOrder ? endKey : beginKey
  if (inOrder && more && !reverse && end.selector.offset > 0) to = beginKey
  if (inOrder && more && reverse && begin.selector.offset <= 1) from = endKey
  if (begin.clamped && begin.selector.offset <= 0) from = KeyRange.all.begin
  if (end.clamped && end.selector.offset > 0) to = KeyRange.all.end
  const lowest = reverse ? values.at(-1) : values[0]
  const highest = reverse ? values[0] : values.at(-1)
  if (lowest !== undefined && (reverse || begin.selector.offset <= 0)) from = smaller(from, lowest.key)
  if (highest !== undefined && Bytes.compare(to, highest.key) <= 0) to = Bytes.successor(highest.key)
  return { begin: from, end: to }
}
