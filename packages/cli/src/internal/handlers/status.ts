import { FdbError } from "@effect-fdb/core"
import { lasting, read, toJson } from "@effect-fdb/http/FullStatus"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import { printJson, printLines } from "../commands/root.ts"
import * as ElectionStatus from "../electionStatus.ts"
import * as FullStatus from "../fullStatus.ts"
import * as Screen from "../screen.ts"
import type { SelectedElection } from "../selectedElection.ts"
import { Stores } from "../stores.ts"
import * as Witnesses from "../witnesses.ts"

export const status = Effect.fnUntraced(function*(selected: SelectedElection, json: boolean) {
  const status = yield* read(selected)
  const leader = status.election?.leader
  const witnesses = leader === undefined ? undefined : yield* Witnesses.of(selected, leader)
  const { laggingReaders } = yield* Stores
  const readers = yield* laggingReaders(selected.store)
  if (json) {
    return yield* printJson({ ...toJson(selected, status), witnesses: witnesses ?? null, laggingReaders: readers })
  }
  const { details, facts, title } = FullStatus.toLines(selected, status, witnesses)
  yield* printLines([title, ...facts, ...details, ...readers.map(ElectionStatus.readerText)])
})

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

export const watch = Effect.fnUntraced(function*(selected: SelectedElection) {
  const { stdoutIsTerminal } = yield* Stdio.Stdio
  yield* (yield* stdoutIsTerminal) ? watchOnTerminal(selected) : watchAsJson(selected)
})
