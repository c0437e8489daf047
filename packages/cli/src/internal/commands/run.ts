/** `run`. */
import { Argument, Command, Flag } from "effect/cli"
import * as Effect from "effect/Effect"
import { durationFlag } from "../durations.ts"
import { httpFlag } from "../http.ts"
import { formats } from "../messages.ts"
import * as Place from "../place.ts"
import { switchFlag } from "./root.ts"

const flags = {
  id: Flag.String("id").pipe(
    Flag.withMetavar("ID"),
    Flag.withDescription(
      "A name that no other process of the election has; host, pid and four random letters by default"
    ),
    Flag.optional
  ),
  priority: Flag.Int("priority").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Higher is preferred, and makes a leader of lower priority step down; 0 by default"),
    Flag.withDefault(0)
  ),
  slots: Flag.Int("slots").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Lets up to N processes lead at the same time, each in a slot: see FDB_ELECTION_SLOT"),
    Flag.optional
  ),
  shards: Flag.Int("shards").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription(
      "Shares N shards with the others, and runs one command for each of its own: FDB_ELECTION_SHARD"
    ),
    Flag.optional
  ),
  weight: Flag.Finite("weight").pipe(
    Flag.withMetavar("W"),
    Flag.withDescription(
      "With --shards: its share; one of weight 2 gets twice as many as one of weight 1, the default; one of 0 gets none"
    ),
    Flag.optional
  ),
  again: switchFlag("again", "Campaigns again when the command has ended or the leadership was lost"),
  grace: durationFlag(
    "grace",
    "The time between SIGTERM and SIGKILL when the lease cannot be renewed; a fifth of the lease by default"
  ),
  http: httpFlag("Serves health checks, status, events and a page at this address while it runs: see /leader").pipe(
    Flag.optional
  ),
  exitWithParent: switchFlag(
    "exit-with-parent",
    "Ends, as by SIGTERM, when its parent process is gone; use it under npx"
  ),
  logFormat: Flag.Literals("log-format", formats).pipe(
    Flag.withMetavar(formats.join("|")),
    Flag.withDescription(
      "json writes one line of JSON on standard error for each event and message; text, the default, writes sentences"
    ),
    Flag.withDefault("text" as const)
  ),
  quiet: switchFlag("quiet", "Prints only errors on standard error").pipe(Flag.withAlias("q")),
  command: Place.argument("command", "either").pipe(
    Argument.withDescription("The command and its arguments, after --"),
    Argument.variadic({ min: 1 })
  )
}

export type Options = Command.Command.Config.Infer<typeof flags>

export const run = Command.make(
  "run",
  flags,
  (options) => Effect.flatMap(Effect.promise(() => import("../handlers/run.ts")), ({ run }) => run(options))
).pipe(
  Command.withShortDescription("Runs a command while this process leads"),
  Command.withDescription(
    "Waits for leadership, then runs the command with FDB_ELECTION_TERM, FDB_ELECTION_ID and FDB_ELECTION_NAME in its " +
      "environment. With --slots, up to so many processes run their commands at the same time, and the command finds its " +
      "slot, from 0 on, in FDB_ELECTION_SLOT. With --shards, the processes share N shards, and each runs one command for " +
      "each of its own, with FDB_ELECTION_SHARD. When the leadership is lost, the process group of the command gets SIGTERM, and SIGKILL early " +
      "enough that all of it ends before another can lead, even if this process is killed or stopped. The command keeps " +
      "its own input, output and terminal; it gets the signals of this process, which returns its exit status (128 and " +
      "the number, if a signal ended it). Let each receiver refuse a term smaller than the greatest it has seen. If the " +
      "election does not exist, it is created with the default configuration."
  ),
  Command.withExamples([
    { command: "fdb-election run -- ./scheduler.sh", description: "On any number of terminals or hosts" },
    {
      command: "fdb-election run -e app/importers --slots 3 -- ./import.sh",
      description: "Up to three at the same time"
    },
    { command: "fdb-election run -e app/scheduler --again -- node scheduler.js", description: "Again and again" },
    {
      command: "fdb-election run --priority 10 -- ./scheduler.sh",
      description: "Takes over from a leader of lower priority"
    }
  ])
)
