/**
 * A tenure in an election's history.
 */
import * as Schema from "effect/Schema"

/**
 * How a tenure ended, as far as the database can know: the leader `resigned`, because its work was done or because it had lost
 * the leadership for any reason but a challenge; its lease `expired` and another took over; a candidate of higher priority
 * `preempted` it; or it `stepped-down` at an operator's request.
 *
 * @since 0.1.0
 * @category models
 */
export const EndReason = Schema.Literals(["resigned", "expired", "preempted", "stepped-down"])

/**
 * See {@link EndReason}.
 *
 * @since 0.1.0
 * @category models
 */
export type EndReason = typeof EndReason.Type

/**
 * See the fields.
 *
 * @since 0.1.0
 * @category models
 */
export class HistoryEntry extends Schema.Class<HistoryEntry>("@effect-fdb/leader-election/HistoryEntry")({
  term: Schema.BigInt,
  leaderId: Schema.String,
  /** By the leader's wall clock, in nanoseconds since the epoch. */
  start: Schema.BigInt,
  /** By the wall clock of who ended it; `undefined` while it goes on. */
  end: Schema.UndefinedOr(Schema.BigInt),
  reason: Schema.UndefinedOr(EndReason)
}) {}
