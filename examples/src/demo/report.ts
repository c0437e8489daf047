/** What a candidate's process tells of itself, one line of JSON each. */
import { ElectionCause, LossReason } from "@effect-fdb/leader-election"
import { Schema } from "effect"

/** When, in nanoseconds of the host's monotonic clock, which all its processes share. */
const at = Schema.BigIntFromString
const term = Schema.BigIntFromString

/** See the module. */
export const Report = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("elected"), at, term, cause: ElectionCause, until: at }),
  Schema.Struct({ kind: Schema.Literal("renewed"), at, term, ballot: term, until: at }),
  Schema.Struct({ kind: Schema.Literal("lost"), at, term, reason: LossReason }),
  Schema.Struct({ kind: Schema.Literal("resigned"), at, term }),
  Schema.Struct({ kind: Schema.Literal("challenged"), at, term }),
  Schema.Struct({ kind: Schema.Literal("overrun"), at, term }),
  /** The work of a tenure has begun. */
  Schema.Struct({ kind: Schema.Literal("work"), at, term }),
  /** The work has made a step, which nothing guards but its interruption. */
  Schema.Struct({ kind: Schema.Literal("step"), at, term }),
  /** A guarded write after the tenure was lost: whether it was refused, as it has to be. */
  Schema.Struct({ kind: Schema.Literal("late write"), at, term, refused: Schema.Boolean })
])

/** See the module. */
export type Report = typeof Report.Type

/** As a line of JSON. */
export const ReportLine = Schema.fromJsonString(Report)
