/** What happens, printed for people: one line each, with the time since the start. */
import type { ElectionCause, LossReason } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { CandidateReport } from "./Processes.ts"

const codes = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33", cyan: "36" } as const

/** Colours a text where the output is a terminal. */
export type Paint = (colour: keyof typeof codes, text: string) => string

const painted: Paint = (colour, text) => `\u001b[${codes[colour]}m${text}\u001b[0m`

export interface Timeline {
  readonly heading: (title: string) => Effect.Effect<void>
  /** A line under it. */
  readonly event: (who: string, what: string) => Effect.Effect<void>
  readonly report: (report: CandidateReport) => Effect.Effect<void>
  readonly paint: Paint
}

/** Why a candidate leads, and why it stops: a compiler error where the library has one more. */
const causes: { readonly [cause in ElectionCause]: string } = {
  vacant: "the leadership was vacant",
  lapsed: "the lease had run out",
  own: "the tenure was its own from before"
}

const reasons: { readonly [reason in LossReason]: string } = {
  resigned: "it resigns",
  expired: "it could not renew its lease in time",
  "clock-jumped": "its clock has jumped past its lease",
  preempted: "a candidate of higher priority asks for it",
  "stepped-down": "an operator asks for it",
  replaced: "another process leads",
  superseded: "another process uses its id",
  evicted: "its registration was removed",
  disabled: "the election is disabled",
  broken: "the records of the election are damaged"
}

export const make = Effect.fnUntraced(function*(useColours: boolean) {
  const begun = yield* Clock.monotonicTimeNanos
  const paint: Paint = useColours ? painted : (_, text) => text
  const line = (who: string, what: string) =>
    Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
      const seconds = (Number(now - begun) / 1e9).toFixed(2).padStart(6)
      return Console.log(`${paint("dim", seconds)}  ${who.padEnd(5)} ${what}`)
    })
  const timeline: Timeline = {
    paint,
    heading: (title) => Console.log(`\n${paint("bold", title)}`),
    event: line,
    report: (report) => {
      switch (report.kind) {
        case "elected":
          return line(
            report.who,
            paint("green", `leads in term ${report.term}`) + `: ${causes[report.cause]}`
          )
        case "lost":
          return line(
            report.who,
            paint("yellow", `stops leading in term ${report.term}`) +
              `: ${reasons[report.reason]}`
          )
        case "resigned":
          return line(report.who, `has resigned from term ${report.term}, its work having ended`)
        case "challenged":
          return line(report.who, `asks the leader of term ${report.term} to step down`)
        case "overrun":
          return line(report.who, paint("red", `works on past the lease of term ${report.term}`))
        case "late write":
          return line(
            report.who,
            report.refused
              ? `tries a guarded write for term ${report.term}: ${paint("cyan", "refused")}`
              : paint("red", `has made a guarded write for term ${report.term}`)
          )
        default:
          return Effect.void
      }
    }
  }
  return timeline
})
