/** `serve`. */
import { Argument, Command, Flag } from "effect/cli"
import { handled } from "../handled.ts"
import { httpFlag } from "../http.ts"

export const serve = Command.make("serve", {
  http: httpFlag("Where to listen; 127.0.0.1:8008 by default, which only this host reaches").pipe(
    Flag.withDefault({ host: "127.0.0.1", port: 8008 })
  ),
  elections: Argument.String("elections").pipe(
    Argument.withDescription("The elections to show; that of --election by default"),
    Argument.variadic()
  )
}, (options) => handled(({ serve }) => serve(options))).pipe(
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
