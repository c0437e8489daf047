/** `status` and `watch`: an election as it is now, and as it goes on. */
import { FdbError } from "@effect-fdb/core"
import { Command } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as ElectionStatus from "../electionStatus.ts"
import * as Screen from "../screen.ts"
import type { SelectedElection } from "../selectedElection.ts"
import { Stores } from "../stores.ts"
import { json, printJson, printLines, withElection } from "./root.ts"

export const status = Command.make("status", { json }, ({ json }) =>
  withElection((selected) =>
    Effect.gen(function*() {
      const status = yield* ElectionStatus.read(selected)
      const { laggingReaders } = yield* Stores
      const readers = yield* laggingReaders(selected.store)
      if (json) return yield* printJson({ ...ElectionStatus.toJson(selected, status), laggingReaders: readers })
      const { candidates, facts, title } = ElectionStatus.toLines(selected, status)
      yield* printLines([title, ...facts, ...candidates, ...readers.map(ElectionStatus.readerText)])
    })
  )).pipe(
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

/** The status after each change of who leads, and every second for what no watch tells; or why the store does not answer. */
const statuses = (selected: SelectedElection) =>
  Stream.merge(Stream.map(selected.election.changes, () => undefined), Stream.tick("1 second")).pipe(
    Stream.mapEffect(() =>
      ElectionStatus.read(selected).pipe(
        Effect.map(Result.succeed),
        Effect.catchIf((error) => error instanceof FdbError, ({ message }) => Effect.succeed(Result.fail(message)))
      )
    )
  )

/** Drawn anew with each status, and when the size of the terminal changes. */
const watchOnTerminal = (selected: SelectedElection) =>
  Effect.gen(function*() {
    const terminal = yield* Terminal.Terminal
    const sizes = Stream.fromQueue(yield* terminal.size)
    yield* Stream.zipLatest(statuses(selected), sizes).pipe(
      Stream.runForEach(([status, size]) => {
        const lines = Result.match(status, {
          onSuccess: (status) => ElectionStatus.toLines(selected, status),
          onFailure: (problem) => ElectionStatus.unreachable(selected, problem)
        })
        return Console.log(Screen.draw(lines, size))
      })
    )
  }).pipe(Effect.scoped)

const watchAsJson = (selected: SelectedElection) =>
  statuses(selected).pipe(
    Stream.map((status) =>
      JSON.stringify(Result.match(status, {
        onSuccess: (status): object => ElectionStatus.lasting(selected, status),
        onFailure: (unreachable) => ({ election: selected.name.text, unreachable })
      }))
    ),
    Stream.changes,
    Stream.runForEach(Console.log)
  )

export const watch = Command.make("watch", {}, () =>
  withElection((selected) =>
    Effect.gen(function*() {
      const { stdoutIsTerminal } = yield* Stdio.Stdio
      yield* (yield* stdoutIsTerminal) ? watchOnTerminal(selected) : watchAsJson(selected)
    })
  )).pipe(
    Command.withShortDescription("Shows an election as it goes on"),
    Command.withDescription(
      "On a terminal, a table that is drawn anew with every change and every second, as much of it as fits. Elsewhere, one " +
        "JSON object a line, the first at once and one for each change: of who leads, who takes part, a challenge, the " +
        "configuration, or a lease that has lapsed."
    ),
    Command.withExamples([{
      command: "fdb-election watch | jq --unbuffered -r .leader.id",
      description: "The leaders"
    }])
  )
