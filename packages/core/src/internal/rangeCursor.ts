/** The unread part of a range that is read page by page. */
import type { Page } from "../Engine.ts"
import * as KeySelector from "../KeySelector.ts"
import type { Range, RangeOptions } from "../Transaction.ts"

export interface RangeCursor {
  readonly begin: KeySelector.KeySelector
  readonly end: KeySelector.KeySelector
  /** Zero means no limit. */
  readonly limit: number
  readonly reverse: boolean
}

const toSelector = (position: Uint8Array | KeySelector.KeySelector): KeySelector.KeySelector =>
  position instanceof Uint8Array ? KeySelector.firstGreaterOrEqual(position) : position

export const toCursor = (range: Range, options: RangeOptions = {}): RangeCursor => ({
  begin: toSelector(range.begin),
  end: toSelector(range.end),
  limit: options.limit ?? 0,
  reverse: options.reverse ?? false
})

/** The unread part after a page; `undefined` if the range was read or the limit reached. */
export const advance = (cursor: RangeCursor, page: Page): RangeCursor | undefined => {
  const last = page.values.at(-1)
  if (last === undefined || !page.more) return undefined
  if (cursor.limit > 0 && page.values.length >= cursor.limit) return undefined
  const limit = cursor.limit === 0 ? 0 : cursor.limit - page.values.length
  return cursor.reverse
    ? { ...cursor, limit, end: KeySelector.firstGreaterOrEqual(last.key) }
    : { ...cursor, limit, begin: KeySelector.firstGreaterThan(last.key) }
}
