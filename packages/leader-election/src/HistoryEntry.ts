import * as Schema from "effect/Schema"
import { RecordedReason } from "./LossReason.ts"

/**
 * A tenure in the history of an election.
 *
 * @since 0.1.0
 * @category models
 */
export class HistoryEntry extends Schema.Class<HistoryEntry>("@effect-fdb/leader-election/HistoryEntry")({
  term: Schema.BigInt,
  leaderId: Schema.String,
  /** By the leader's wall clock, in nanoseconds since the epoch. */
  start: Schema.BigInt,
  /** By the wall clock of the process that ended it; `undefined` while the tenure lasts. */
  end: Schema.UndefinedOr(Schema.BigInt),
  reason: Schema.UndefinedOr(RecordedReason)
}) {}
