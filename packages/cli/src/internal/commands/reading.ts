/** `status`, `candidates` and `history`: an election as it is now. */
import type { HistoryEntry } from "@effect-fdb/leader-election"
import { Command, Flag } from "effect/cli"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Durations from "../durations.ts"
import * as ElectionStatus from "../electionStatus.ts"
import { Stores, transact } from "../selectedElection.ts"
import * as StatusLines from "../statusLines.ts"
import * as Table from "../table.ts"
import { onTarget } from "./root.ts"

export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("For programs: JSON, with times in milliseconds and terms as strings"),
  Flag.withDefault(false)
)

const printLines = (lines: ReadonlyArray<string>) => Console.log(lines.join("\n"))

export const status = Command.make(
  "status",
  { json },
  ({ json }) =>
    onTarget((target) =>
      Effect.gen(function*() {
        const status = yield* ElectionStatus.read(target)
        const { laggingReaders } = yield* Stores
        const readers = yield* laggingReaders(target.store)
        yield* json
          ? Console.log(JSON.stringify({ ...ElectionStatus.toJson(target, status), laggingReaders: readers }))
          : printLines([
            ...StatusLines.toLines(ElectionStatus.toLines(target, status)),
            ...readers.map(ElectionStatus.readerText)
          ])
      })
    )
).pipe(
  Command.withShortDescription("Who leads, for how long yet, and who else takes part"),
  Command.withDescription(
    "Shows who leads: the term (the fencing token, which grows with every tenure), the ballot (which grows with every " +
      "renewal), what is left of the lease, the candidates that are alive, the configuration, and a challenge if one " +
      "stands. What is left of the lease is judged by the clocks of two hosts; takeovers are not. Of an LMDB store it also tells " +
      "which processes keep its file growing, by a read that does not end: they are stopped, or blocked."
  ),
  Command.withExamples([
    { command: "fdb-election status -e app/scheduler", description: "For a person" },
    { command: "fdb-election status --json | jq -r .leader.id", description: "The leader's id, or null" }
  ])
)

export const candidates = Command.make(
  "candidates",
  { json },
  ({ json }) =>
    onTarget((target) =>
      Effect.flatMap(ElectionStatus.read(target), (status) => {
        if (json) return Console.log(JSON.stringify(ElectionStatus.toJson(target, status).candidates))
        return status.candidates.length === 0
          ? Console.log(`no candidate of ${target.name.text} is alive`)
          : printLines(ElectionStatus.candidateLines(status))
      })
    )
).pipe(
  Command.withShortDescription("Who takes part and is alive"),
  Command.withDescription(
    "Lists the candidates whose last heartbeat is not older than the candidate timeout; the leader is starred."
  )
)

const entryJson = ({ end, leaderId, reason, start, term }: HistoryEntry) => ({
  term: String(term),
  leader: leaderId,
  startMillis: Number(start / 1_000_000n),
  endMillis: end === undefined ? null : Number(end / 1_000_000n),
  reason: reason ?? null
})

const entryRow = ({ end, leaderId, reason, start, term }: HistoryEntry, now: bigint): ReadonlyArray<string> => [
  String(term),
  leaderId,
  ElectionStatus.instantText(start),
  end === undefined ? `${Durations.formatNanos(now - start)} so far` : Durations.formatNanos(end - start),
  reason ?? (end === undefined ? "leads, or has died" : "")
]

const limit = Flag.Int("limit").pipe(
  Flag.withAlias("n"),
  Flag.withMetavar("N"),
  Flag.withDescription("How many tenures to show; 20 unless set; 100 are kept"),
  Flag.filter((n) => n >= 1 && n <= 100, (n) => `${n} tenures cannot be shown: give a number from 1 to 100`),
  Flag.withDefault(20)
)

export const history = Command.make(
  "history",
  { json, limit },
  ({ json, limit }) =>
    onTarget((target) =>
      Effect.gen(function*() {
        // The configuration tells an election that was never set up from one without a history.
        const entries = yield* transact(Effect.andThen(target.election.readConfig, target.election.readHistory(limit)))
        if (json) return yield* Console.log(JSON.stringify(entries.map(entryJson)))
        if (entries.length === 0) return yield* Console.log(`nobody has led ${target.name.text} yet`)
        const now = yield* Clock.currentTimeNanos
        const rows = entries.map((entry) => entryRow(entry, now))
        yield* printLines(Table.lines([["TERM", "LEADER", "SINCE", "FOR", "ENDED"], ...rows]))
      })
    )
).pipe(
  Command.withShortDescription("Who has led, from when to when, and how it ended"),
  Command.withDescription(
    "Lists the tenures, newest first. How one ended: resigned; expired (the lease lapsed and another took over); preempted " +
      "(by a candidate of higher priority); stepped-down (an operator asked)."
  )
)
