import { Argument, Command, Flag } from "effect/cli"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ElectionName from "../../ElectionName.ts"
import { usageError } from "../../Failure.ts"
import { httpFlag, listen } from "../http.ts"
import type { SelectedElection } from "../selectedElection.ts"
import { withElection } from "./root.ts"

/** The elections that the arguments name, or the one of `--election`. */
const electionsOf = Effect.fnUntraced(function*(selected: SelectedElection, names: ReadonlyArray<string>) {
  const [first = selected.name, ...rest] = yield* Effect.forEach([...new Set(names)], (text) => {
    const name = ElectionName.parse(text)
    return Result.isSuccess(name)
      ? Effect.succeed(name.success)
      : usageError(`the election's name ${JSON.stringify(text)} ${name.failure}`)
  })
  const toServed = ({ subspace, text }: ElectionName.ElectionName) => ({ name: text, subspace })
  return [toServed(first), ...rest.map(toServed)] as const
})

export const serve = Command.make("serve", {
  http: httpFlag("Where to listen; 127.0.0.1:8008 by default, which only this host reaches").pipe(
    Flag.withDefault({ host: "127.0.0.1", port: 8008 })
  ),
  elections: Argument.String("elections").pipe(
    Argument.withDescription("The elections to show; that of --election by default"),
    Argument.variadic()
  )
}, ({ elections, http }) =>
  withElection(
    Effect.fnUntraced(function*(selected) {
      if (selected.slot !== undefined) return yield* usageError("serve has no --slot: it shows all slots")
      const url = yield* listen(http, yield* electionsOf(selected, elections))
      yield* Console.error(`fdb-election: serves ${url}`)
      return yield* Effect.never
    }, Effect.scoped),
    { makesStore: true }
  )).pipe(
    Command.withShortDescription("Serves elections over HTTP: a page, status, events, metrics"),
    Command.withDescription(
      "Shows elections over HTTP, and takes no part in them: a page at /, /status, /history, /candidates, /events, /metrics, " +
        "/live and /ready. `run --http` serves the same, and /leader tells there whether that process leads. Everything is for " +
        "reading; if FDB_ELECTION_HTTP_TOKEN is set, POST /step-down asks the leader to step down for those who send it as bearer token."
    ),
    Command.withExamples([
      { command: "fdb-election serve", description: "At http://127.0.0.1:8008/" },
      { command: "fdb-election serve app/a app/b --http 8009", description: "Two elections on one page" }
    ])
  )
