/** What happens, printed for people: one line each, with the time since the start. */
import type { ElectionCause, LossReason } from "@effect-fdb/leader-election"
import { Clock, Console, Effect } from "effect"
import type { CandidateReport } from "./CandidateProcesses.ts"

const codes = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33", cyan: "36" } as const

const causes: { readonly [cause in ElectionCause]: string } = {
  vacant: "the leadership was vacant",
  appointed: "the last leader has appointed it",
  lapsed: "the lease had run out",
  died: "the leader's process had ended",
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
  const paint = (colour: keyof typeof codes, text: string): string =>
    useColours ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text
  const describe = (report: CandidateReport): string | undefined => {
    switch (report._tag) {
      case "Elected":
        return paint("green", `leads in term ${report.term}`) + `: ${causes[report.cause]}`
      case "Lost":
        return paint("yellow", `stops leading in term ${report.term}`) + `: ${reasons[report.reason]}`
      case "Resigned":
        return `has resigned from term ${report.term}, its work having ended`
      case "Challenged":
        return `asks the leader of term ${report.term} to step down`
      case "Overrun":
        return paint("red", `works on past the lease of term ${report.term}`)
      case "LateWrite":
        return report.refused
          ? `tries a guarded write for term ${report.term}: ${paint("cyan", "refused")}`
          : paint("red", `has made a guarded write for term ${report.term}`)
      default:
        return undefined
    }
  }
  const event = Effect.fnUntraced(function*(who: string, what: string) {
    const seconds = Number((yield* Clock.monotonicTimeNanos) - begun) / 1e9
    yield* Console.log(`${paint("dim", seconds.toFixed(2).padStart(6))}  ${who.padEnd(5)} ${what}`)
  })
  return {
    paint,
    heading: (title: string) => Console.log(`\n${paint("bold", title)}`),
    event,
    report: (report: CandidateReport) => {
      const what = describe(report)
      return what === undefined ? Effect.void : event(report.who, what)
    }
  }
})

export type Timeline = Effect.Success<ReturnType<typeof make>>
