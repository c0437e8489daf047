/** `status` and `watch`. */
import { FdbError } from "@effect-fdb/core"
import { lasting, read, toJson } from "@effect-fdb/http/FullStatus"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as ElectionStatus from "../electionStatus.ts"
import * as FullStatus from "../fullStatus.ts"
import * as Screen from "../screen.ts"
import type { SelectedElection } from "../selectedElection.ts"
import { Stores } from "../stores.ts"
import { electionCommand, json, printJson, printLines } from "./root.ts"

export const status = electionCommand(
  "status",
  {
    short: "Shows the leader, its lease and the candidates",
    long:
      "Shows the leader, the term (the fencing token, which grows with every tenure), the ballot (which grows with " +
      "every renewal), the rest of the lease, the live candidates, the configuration, and a challenge if there is one. " +
      "If the election has slots, it shows their holders, and who waits for one; if it has shards, their members with " +
      "their weights, which shards each one leads in which term, and which shards are not led by their owners. The rest of the lease depends on the clocks of two hosts; takeovers do not. For an LMDB store, it also lists " +
      "stopped or blocked processes whose reads make its file grow.",
    examples: [
      { command: "fdb-election status -e app/scheduler", description: "As a table" },
      { command: "fdb-election status --json | jq -r .leader.id", description: "The id of the leader, or null" }
    ]
  },
  { json },
  Effect.fnUntraced(function*(selected, { json }) {
    const status = yield* read(selected)
    const { laggingReaders } = yield* Stores
    const readers = yield* laggingReaders(selected.store)
    if (json) return yield* printJson({ ...toJson(selected, status), laggingReaders: readers })
    const { details, facts, title } = FullStatus.toLines(selected, status)
    yield* printLines([title, ...facts, ...details, ...readers.map(ElectionStatus.readerText)])
  })
)

/** The status, or the store's error, after each change of the leader and every second. */
const statuses = (selected: SelectedElection) =>
  Stream.merge(Stream.map(selected.election.changes, () => undefined), Stream.tick("1 second")).pipe(
    Stream.mapEffect(() =>
      read(selected).pipe(
        Effect.map(Result.succeed),
        Effect.catchIf((error) => error instanceof FdbError, ({ message }) => Effect.succeed(Result.fail(message)))
      )
    )
  )

const watchOnTerminal = (selected: SelectedElection) =>
  Stream.unwrap(Terminal.Terminal.use(({ size }) => Effect.map(size, Stream.fromQueue))).pipe(
    Stream.zipLatest(statuses(selected)),
    Stream.runForEach(([size, status]) => {
      const lines = Result.match(status, {
        onSuccess: (status) => FullStatus.toLines(selected, status),
        onFailure: (problem) => ElectionStatus.unreachable(selected, problem)
      })
      return Console.log(Screen.draw(lines, size))
    })
  )

const watchAsJson = (selected: SelectedElection) =>
  statuses(selected).pipe(
    Stream.map((status) =>
      JSON.stringify(Result.match(status, {
        onSuccess: (status): object => lasting(selected, status),
        onFailure: (unreachable) => ({ election: selected.name.text, unreachable })
      }))
    ),
    Stream.changes,
    Stream.runForEach(Console.log)
  )

export const watch = electionCommand(
  "watch",
  {
    short: "Shows an election continuously",
    long:
      "Redraws the status on a terminal every second and with every change. Elsewhere, prints one JSON object per " +
      "line: the first at once, then one for each change of leader, candidates, challenge, configuration, slots or shards, and " +
      "when a lease lapses.",
    examples: [{ command: "fdb-election watch | jq --unbuffered -r .leader.id", description: "The leaders" }]
  },
  {},
  Effect.fnUntraced(function*(selected) {
    const { stdoutIsTerminal } = yield* Stdio.Stdio
    yield* (yield* stdoutIsTerminal) ? watchOnTerminal(selected) : watchAsJson(selected)
  })
)
