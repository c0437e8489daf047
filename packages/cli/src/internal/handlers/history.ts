import * as TenureJson from "@effect-fdb/http/TenureJson"
import type { HistoryEntry } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { printJson, printLines } from "../commands/root.ts"
import * as Durations from "../durations.ts"
import { instantText } from "../electionStatus.ts"
import { type SelectedElection, transact } from "../selectedElection.ts"
import * as Table from "../table.ts"

const toRow = (now: bigint) => ({ end, leaderId, reason, start, term }: HistoryEntry): ReadonlyArray<string> => [
  String(term),
  leaderId,
  instantText(start),
  end === undefined ? `${Durations.formatNanos(now - start)} so far` : Durations.formatNanos(end - start),
  reason ?? (end === undefined ? "leads, or has died" : "")
]

export interface Options {
  readonly json: boolean
  readonly limit: number
}

export const history = Effect.fnUntraced(function*({ election, name }: SelectedElection, { json, limit }: Options) {
  // `readConfig` fails if the election was never set up.
  const entries = yield* transact(Effect.andThen(election.readConfig, election.readHistory(limit)))
  if (json) return yield* printJson(entries.map(TenureJson.toJson))
  if (entries.length === 0) return yield* Console.log(`nobody has led ${name.text} yet`)
  const rows = entries.map(toRow(yield* Clock.currentTimeNanos))
  yield* printLines(Table.lines([["TERM", "LEADER", "SINCE", "FOR", "ENDED"], ...rows]))
})
