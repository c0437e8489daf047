/** `watch`: an election as it goes on. */
import { FdbError } from "@effect-fdb/core"
import { Command } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as ElectionStatus from "../electionStatus.ts"
import * as Screen from "../screen.ts"
import { describe, type Target } from "../selectedElection.ts"
import * as StatusLines from "../statusLines.ts"
import { onTarget } from "./root.ts"

/** What is known after a look; a store that is away is waited for. */
type Look =
  | { readonly _tag: "Seen"; readonly status: ElectionStatus.ElectionStatus }
  | { readonly _tag: "Away"; readonly problem: string }

const look = (target: Target) =>
  ElectionStatus.read(target).pipe(
    Effect.map((status): Look => ({ _tag: "Seen", status })),
    Effect.catchIf(
      (error) => error instanceof FdbError,
      (error) => Effect.succeed<Look>({ _tag: "Away", problem: error.message })
    )
  )

/** After each change of who leads, and every second for what no watch tells. */
const looks = (target: Target) =>
  Stream.merge(Stream.map(target.election.changes, () => undefined), Stream.tick("1 second")).pipe(
    Stream.mapEffect(() => look(target))
  )

const toLines = (target: Target, seen: Look): StatusLines.StatusLines =>
  seen._tag === "Seen"
    ? ElectionStatus.toLines(target, seen.status)
    : StatusLines.make([
      ["Election", `${target.name.text} in ${describe(target.store)}`],
      ["Store", `does not answer: ${seen.problem}`]
    ], [])

/** Drawn anew with each look, and when the size of the terminal changes. */
const onTerminal = (target: Target) =>
  Effect.gen(function*() {
    const terminal = yield* Terminal.Terminal
    const sizes = Stream.fromQueue(yield* terminal.size)
    yield* Stream.zipLatest(looks(target), sizes).pipe(
      Stream.runForEach(([seen, size]) => Console.log(Screen.draw(toLines(target, seen), size)))
    )
  }).pipe(Effect.scoped)

const asJson = (target: Target, seen: Look): string =>
  JSON.stringify(
    seen._tag === "Seen"
      ? ElectionStatus.lasting(target, seen.status)
      : { election: target.name.text, unreachable: seen.problem }
  )

const asLines = (target: Target) =>
  looks(target).pipe(
    Stream.map((seen) => asJson(target, seen)),
    Stream.changes,
    Stream.runForEach(Console.log)
  )

export const watch = Command.make("watch", {}, () =>
  onTarget((target) =>
    Effect.gen(function*() {
      const { stdoutIsTerminal } = yield* Stdio.Stdio
      yield* (yield* stdoutIsTerminal) ? onTerminal(target) : asLines(target)
    })
  )).pipe(
    Command.withShortDescription("Shows an election as it goes on"),
    Command.withDescription(
      "On a terminal, a table that is drawn anew with every change and every second, as much of it as fits. Elsewhere, one " +
        "JSON object a line, the first at once and one for each change: of who leads, who takes part, a challenge, the configuration, or a lease " +
        "that has lapsed."
    ),
    Command.withExamples([{
      command: "fdb-election watch | jq --unbuffered -r .leader.id",
      description: "The leaders"
    }])
  )
