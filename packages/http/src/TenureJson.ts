/** A tenure of the history as JSON. */
import type { HistoryEntry } from "@effect-fdb/leader-election"

/**
 * The tenure, with times in milliseconds since the epoch. `endMillis` is `null` while it lasts.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toJson = ({ end, leaderId, reason, start, term }: HistoryEntry) => ({
  term: String(term),
  leader: leaderId,
  startMillis: Number(start / 1_000_000n),
  endMillis: end === undefined ? null : Number(end / 1_000_000n),
  reason: reason ?? null
})
