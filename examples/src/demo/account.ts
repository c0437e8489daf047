/** The account of what happens, for people: one line each, with the time since it began. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { Testimony } from "./troupe.ts"

const codes = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33", cyan: "36" } as const

/** Colours only where they are seen as such. */
export type Paint = (colour: keyof typeof codes, text: string) => string

const painted: Paint = (colour, text) => `\u001b[${codes[colour]}m${text}\u001b[0m`

export interface Account {
  /** The heading of an act. */
  readonly act: (title: string) => Effect.Effect<void>
  /** A line under it. */
  readonly say: (who: string, what: string) => Effect.Effect<void>
  readonly report: (testimony: Testimony) => Effect.Effect<void>
  readonly paint: Paint
}

const reasons: Record<string, string> = {
  Vacant: "the leadership was vacant",
  Lapsed: "the lease had lapsed",
  Own: "it was its own from before",
  Resigned: "it resigns",
  Expired: "its lease could not be renewed in time",
  ClockJumped: "its clock has jumped past its lease",
  Preempted: "a candidate of higher priority asks for it",
  StepDownRequested: "an operator asks for it",
  Replaced: "another leads"
}

export const make = Effect.fnUntraced(function*(useColours: boolean) {
  const begun = yield* Clock.monotonicTimeNanos
  const paint: Paint = useColours ? painted : (_, text) => text
  const line = (who: string, what: string) =>
    Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
      const seconds = (Number(now - begun) / 1e9).toFixed(2).padStart(6)
      return Console.log(`${paint("dim", seconds)}  ${who.padEnd(5)} ${what}`)
    })
  const account: Account = {
    paint,
    act: (title) => Console.log(`\n${paint("bold", title)}`),
    say: line,
    report: (testimony) => {
      switch (testimony.kind) {
        case "elected":
          return line(
            testimony.who,
            paint("green", `leads in term ${testimony.term}`) + `: ${reasons[testimony.cause] ?? testimony.cause}`
          )
        case "lost":
          return line(
            testimony.who,
            paint("yellow", `stops leading in term ${testimony.term}`) +
              `: ${reasons[testimony.reason] ?? testimony.reason}`
          )
        case "resigned":
          return line(testimony.who, `has resigned from term ${testimony.term}, its work having ended`)
        case "challenged":
          return line(testimony.who, `asks the leader of term ${testimony.term} to step down`)
        case "overrun":
          return line(testimony.who, paint("red", `works on past the lease of term ${testimony.term}`))
        case "late write":
          return line(
            testimony.who,
            testimony.refused
              ? `tries a guarded write for term ${testimony.term}: ${paint("cyan", "refused")}`
              : paint("red", `has made a guarded write for term ${testimony.term}`)
          )
        default:
          return Effect.void
      }
    }
  }
  return account
})
