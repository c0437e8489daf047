/** What a candidate's process tells of itself, one line of JSON each: the library's events, and what its work does. */
import { ElectionCause, LossReason } from "@effect-fdb/leader-election"
import { Schema } from "effect"

/** When, in nanoseconds of the host's monotonic clock, which all its processes share. */
const at = Schema.BigIntFromString
const term = Schema.BigIntFromString

export const Report = Schema.Union([
  Schema.TaggedStruct("Elected", { at, term, cause: ElectionCause, believesUntil: at }),
  Schema.TaggedStruct("Renewed", { at, term, ballot: term, believesUntil: at }),
  Schema.TaggedStruct("Lost", { at, term, reason: LossReason }),
  Schema.TaggedStruct("Resigned", { at, term }),
  Schema.TaggedStruct("Challenged", { at, term }),
  Schema.TaggedStruct("Overrun", { at, term }),
  /** Its process was killed. This is told by who has killed it. */
  Schema.TaggedStruct("Killed", { at }),
  /** The work of a tenure has begun. */
  Schema.TaggedStruct("Work", { at, term }),
  /** The work has made a step, which nothing guards but its interruption. */
  Schema.TaggedStruct("Step", { at, term }),
  /** A guarded write after the tenure was lost: whether it was refused, as it has to be. */
  Schema.TaggedStruct("LateWrite", { at, term, refused: Schema.Boolean })
])

export type Report = typeof Report.Type

export const ReportLine = Schema.fromJsonString(Report)
