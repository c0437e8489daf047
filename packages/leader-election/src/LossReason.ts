/**
 * Why a tenure ends, and why one begins: each reason has one spelling, in events, errors, metrics and records.
 *
 * A new reason is a compile error in each table of them: `internal/protocol/lossTraits.ts` (what follows from it), the command's and
 * the demonstration's words, and the checker of the simulation. A test asks for its row in docs/operations.md.
 */
import * as Schema from "effect/Schema"

/**
 * Why a tenure ended.
 *
 * - `resigned`: its leader ended it
 * - `expired`: its lease could not be renewed in time
 * - `clock-jumped`: the leader's wall clock has moved past the lease and its monotonic clock has not: the host was suspended, or
 *   the clock was set; or it tells a time that no record can hold, so that the lease could not be renewed
 * - `replaced`: the stored tenure is another
 * - `preempted`: a candidate of higher priority asked for the leadership
 * - `stepped-down`: an operator asked the leader to step down
 * - `superseded`: another process registered under the leader's id
 * - `evicted`: the leader's registration was removed
 * - `disabled`: the election was disabled
 * - `broken`: the election's records are gone or not valid, or the database refuses for good: it was replaced, for example
 *
 * @since 0.1.0
 * @category models
 */
export const LossReason = Schema.Literals([
  "resigned",
  "expired",
  "clock-jumped",
  "replaced",
  "preempted",
  "stepped-down",
  "superseded",
  "evicted",
  "disabled",
  "broken"
])

/**
 * See {@link LossReason}.
 *
 * @since 0.1.0
 * @category models
 */
export type LossReason = typeof LossReason.Type

/**
 * The reasons that the history records, as far as the database can know them: a leader that ends its tenure for any reason but a
 * challenge has `resigned`. The others are written by whoever ends it: `expired`, its lease had lapsed; `died`, its process was
 * witnessed to have ended.
 *
 * @since 0.1.0
 * @category models
 */
export const RecordedReason = Schema.Literals(["resigned", "expired", "preempted", "stepped-down", "died"])

/**
 * See {@link RecordedReason}.
 *
 * @since 0.1.0
 * @category models
 */
export type RecordedReason = typeof RecordedReason.Type

/**
 * Why a candidate was elected: it was `appointed` by the leader that resigned, the leadership was `vacant`, the lease had `lapsed`, the
 * leader's process had `died` by witness, or the stored tenure was its `own` from before.
 *
 * @since 0.1.0
 * @category models
 */
export const ElectionCause = Schema.Literals(["appointed", "vacant", "lapsed", "died", "own"])

/**
 * See {@link ElectionCause}.
 *
 * @since 0.1.0
 * @category models
 */
export type ElectionCause = typeof ElectionCause.Type
