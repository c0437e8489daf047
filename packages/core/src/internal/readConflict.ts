/** The read conflict ranges of FoundationDB's client. */
import * as Bytes from "../Bytes.ts"
import * as KeyRange from "../KeyRange.ts"
import type { KeySelector } from "../KeySelector.ts"
import { anchor, type RangePage } from "./rywRangeRead.ts"

const smaller = (a: Uint8Array, b: Uint8Array): Uint8Array => Bytes.compare(a, b) <= 0 ? a : b

/** The conflict range of a resolved selector. */
export const ofSelector = (selector: KeySelector, key: Uint8Array): KeyRange.KeyRange => {
  const from = anchor(selector)
  return selector.offset <= 0
    ? { begin: key, end: from }
    : { begin: from, end: Bytes.equals(key, KeyRange.all.end) ? key : Bytes.successor(key) }
}

/**
 * The conflict range of a page: everything between the keys of the selectors. If there is more, it ends at the last returned pair,
 * because later pairs cannot change the page.
 */
export const ofPage = (begin: KeySelector, end: KeySelector, page: RangePage, reverse: boolean): KeyRange.KeyRange => {
  const { clampedBegin, clampedEnd, more, values } = page
  const beginKey = anchor(begin)
  const endKey = anchor(end)
  const inOrder = Bytes.compare(beginKey, endKey) < 0
  let from = inOrder ? beginKey : endKey
  let to = inOrder ? endKey : beginKey
  if (inOrder && more && !reverse && end.offset > 0) to = beginKey
  if (inOrder && more && reverse && begin.offset <= 1) from = endKey
  if (clampedBegin && begin.offset <= 0) from = KeyRange.all.begin
  if (clampedEnd && end.offset > 0) to = KeyRange.all.end
  const lowest = reverse ? values.at(-1) : values[0]
  const highest = reverse ? values[0] : values.at(-1)
  if (lowest !== undefined && (reverse || begin.offset <= 0)) from = smaller(from, lowest.key)
  if (highest !== undefined && (!reverse || end.offset > 0) && Bytes.compare(to, highest.key) <= 0) {
    to = Bytes.successor(highest.key)
  }
  return { begin: from, end: to }
}
