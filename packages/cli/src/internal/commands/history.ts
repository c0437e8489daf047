import * as TenureJson from "@effect-fdb/http/TenureJson"
import type { HistoryEntry } from "@effect-fdb/leader-election"
import { Flag } from "effect/cli"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Durations from "../durations.ts"
import { instantText } from "../electionStatus.ts"
import { transact } from "../selectedElection.ts"
import * as Table from "../table.ts"
import { electionCommand, json, printJson, printLines } from "./root.ts"

const toRow = (now: bigint) => ({ end, leaderId, reason, start, term }: HistoryEntry): ReadonlyArray<string> => [
  String(term),
  leaderId,
  instantText(start),
  end === undefined ? `${Durations.formatNanos(now - start)} so far` : Durations.formatNanos(end - start),
  reason ?? (end === undefined ? "leads, or has died" : "")
]

const limit = Flag.Int("limit").pipe(
  Flag.withAlias("n"),
  Flag.withMetavar("N"),
  Flag.withDescription("The number of tenures to show; 20 by default; 100 are stored"),
  Flag.filter((n) => n >= 1 && n <= 100, (n) => `${n} tenures cannot be shown: give a number from 1 to 100`),
  Flag.withDefault(20)
)

export const history = electionCommand(
  "history",
  {
    short: "Lists the last tenures: leader, begin, end and reason",
    long:
      "Lists the tenures, newest first. Each ended as resigned, expired (the lease lapsed and another took over), died (its process was witnessed to have ended), " +
      "preempted (by a candidate of higher priority) or stepped-down (an operator asked)."
  },
  { json, limit },
  Effect.fnUntraced(function*({ election, name }, { json, limit }) {
    // `readConfig` fails if the election was never set up.
    const entries = yield* transact(Effect.andThen(election.readConfig, election.readHistory(limit)))
    if (json) return yield* printJson(entries.map(TenureJson.toJson))
    if (entries.length === 0) return yield* Console.log(`nobody has led ${name.text} yet`)
    const rows = entries.map(toRow(yield* Clock.currentTimeNanos))
    yield* printLines(Table.lines([["TERM", "LEADER", "SINCE", "FOR", "ENDED"], ...rows]))
  })
)
