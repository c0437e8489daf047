/** `doctor`. */
import { Command } from "effect/cli"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { handled } from "../handled.ts"
import { json, root } from "./root.ts"

/** The version of this command. */
export class Version extends Context.Service<Version, string>()("@effect-fdb/cli/Version") {}

export const doctor = Command.make(
  "doctor",
  { json },
  ({ json }) =>
    Effect.flatMap(
      Effect.all([root, Version]),
      ([flags, version]) => handled(({ doctor }) => doctor(flags, json, version))
    )
).pipe(
  Command.withShortDescription("Says what is wrong with an election, its store and this host, and what to do"),
  Command.withDescription(
    "Looks at the store (does it answer, how long a transaction takes, its file system, space), the records (leader, lease, " +
      "clock, candidates, configuration), the witnesses, and the container. Says what is wrong and what to do, worst first. " +
      "Takes two heartbeats, 15 seconds at most, to see whether the leader renews. Writes one key and removes it. Ends with 0 " +
      "if nothing is to be done, with 1 for warnings, with 2 for errors."
  ),
  Command.withExamples([
    { command: "fdb-election doctor -e app/scheduler", description: "As a table" },
    { command: "fdb-election doctor --json | jq -r '.findings[].found'", description: "For a script" }
  ])
)
