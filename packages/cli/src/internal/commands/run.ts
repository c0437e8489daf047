import { Slots } from "@effect-fdb/leader-election"
import { Argument, Command, Flag } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { systemRefused, usageError } from "../../Failure.ts"
import { durationFlag } from "../durations.ts"
import { httpFlag } from "../http.ts"
import { formats, MessageFormat } from "../messages.ts"
import * as Nesting from "../run/nesting.ts"
import { statOf } from "../run/processGroup.ts"
import { resolveCommand } from "../run/resolveCommand.ts"
import * as Wrapper from "../run/wrapper.ts"
import type { SelectedElection } from "../selectedElection.ts"
import { CommandLine, switchFlag, withElection } from "./root.ts"

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
    Flag.filter(
      (count) => count >= 1 && count <= Slots.maxCount,
      (count) => `--slots is ${count}: give an integer from 1 to ${Slots.maxCount}`
    ),
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
  command: Argument.String("command").pipe(
    Argument.withDescription("The command and its arguments, after --"),
    Argument.variadic({ min: 1 })
  )
}

export type Options = Command.Command.Config.Infer<typeof flags>

/** Without `--`, flags of the command would be parsed as flags of `run`: `run ./job.sh -q`. */
const checkSeparated = Effect.fnUntraced(function*(command: ReadonlyArray<string>) {
  const args = yield* CommandLine
  const separator = args.indexOf("--")
  if (separator < 0 || args.length - separator - 1 !== command.length) {
    return yield* usageError(
      "write -- before the command, so that it gets its own flags, as in `fdb-election run -- ./job.sh --all`"
    )
  }
})

const checkPossible = ({ name, store }: SelectedElection) => {
  if (process.platform === "win32") {
    return usageError("run needs process groups, which Windows lacks: use it on Linux or macOS")
  }
  if (process.platform === "linux" && statOf("self") === undefined) {
    return systemRefused("run finds the command's processes in /proc, which is not mounted: mount it")
  }
  const above = Nesting.leaderAbove(process.env[Nesting.variable], store, name.text)
  return above === undefined ? Effect.void : usageError(
    `${name.text} is led by process ${above}, and this process is part of its command: it would wait for its own end. ` +
      "Name another election with --election"
  )
}

export const run = Command.make("run", flags, (options) =>
  Effect.andThen(
    Effect.andThen(
      Effect.map(MessageFormat, (format) => void (format.current = options.logFormat)),
      checkSeparated(options.command)
    ),
    withElection(
      Effect.fnUntraced(function*(selected) {
        yield* checkPossible(selected)
        if (selected.slot !== undefined) {
          return yield* usageError("run has no --slot: give the number of slots with --slots, and it takes any of them")
        }
        if (Option.isSome(options.slots) && Option.isSome(options.shards)) {
          return yield* usageError("--slots and --shards exclude each other: give one of them")
        }
        if (Option.isSome(options.weight) && Option.isNone(options.shards)) {
          return yield* usageError("--weight is the share in shards: give their number with --shards, or leave it out")
        }
        const file = yield* resolveCommand(options.command[0]!, process.env.PATH)
        yield* Wrapper.run(selected, options, file)
      }),
      { makesStore: true, hears: true }
    )
  )).pipe(
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
