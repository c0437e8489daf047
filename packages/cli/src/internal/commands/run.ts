/** `run`: a command of any language as the leader's work. */
import { Argument, Command, Flag } from "effect/cli"
import * as Effect from "effect/Effect"
import { systemRefused, usageError } from "../../Failure.ts"
import { durationFlag } from "../durations.ts"
import * as Nesting from "../run/nesting.ts"
import { statOf } from "../run/processGroup.ts"
import { resolveCommand } from "../run/resolveCommand.ts"
import * as Wrapper from "../run/wrapperProgram.ts"
import type { SelectedElection } from "../selectedElection.ts"
import { CommandLine, withNewElection } from "./root.ts"

const flags = {
  id: Flag.String("id").pipe(
    Flag.withMetavar("ID"),
    Flag.withDescription(
      "A name that no other process of the election has; host, pid and four random letters unless set"
    ),
    Flag.optional
  ),
  priority: Flag.Int("priority").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Higher is preferred, and makes a leader of lower priority step down; 0 unless set"),
    Flag.withDefault(0)
  ),
  again: Flag.Boolean("again").pipe(
    Flag.withDescription("Campaigns again when the command has ended or the leadership was lost"),
    Flag.withDefault(false)
  ),
  grace: durationFlag(
    "grace",
    "How long the command has between SIGTERM and SIGKILL when its lease cannot be renewed; a fifth of the lease unless set"
  ),
  exitWithParent: Flag.Boolean("exit-with-parent").pipe(
    Flag.withDescription("Ends as by SIGTERM when the process that has started it is gone, as npx may be"),
    Flag.withDefault(false)
  ),
  quiet: Flag.Boolean("quiet").pipe(
    Flag.withAlias("q"),
    Flag.withDescription("Says nothing on standard error but why it fails"),
    Flag.withDefault(false)
  ),
  command: Argument.String("command").pipe(
    Argument.withDescription("The command and its arguments, after --"),
    Argument.variadic({ min: 1 })
  )
}

/** Without `--`, flags that are meant for the command would be taken for ours: `run ./job.sh -q`. */
const checkSeparated = Effect.fnUntraced(function*(command: ReadonlyArray<string>) {
  const args = yield* CommandLine
  const separator = args.indexOf("--")
  if (separator < 0 || args.length - separator - 1 !== command.length) {
    return yield* usageError(
      "write -- before the command, so that its flags are its own, as in `fdb-election run -- ./job.sh --all`"
    )
  }
})

/** What keeps a command from being run on this host, or by this process. */
const checkPossible = ({ name, store }: SelectedElection) => {
  if (process.platform === "win32") {
    return usageError("run needs process groups, which Windows has not: use it on Linux or macOS")
  }
  if (process.platform === "linux" && statOf("self") === undefined) {
    return systemRefused("run looks after the command's processes by /proc, which is not mounted: mount it")
  }
  const above = Nesting.leaderAbove(process.env[Nesting.variable], store, name.text)
  return above === undefined ? Effect.void : usageError(
    `${name.text} is led by process ${above}, of whose command this is a part: it would wait for its own end. ` +
      "Name another election with --election"
  )
}

export const run = Command.make("run", flags, (options) =>
  Effect.andThen(
    checkSeparated(options.command),
    withNewElection((selected) =>
      Effect.gen(function*() {
        yield* checkPossible(selected)
        const file = yield* resolveCommand(options.command[0]!, process.env.PATH)
        yield* Wrapper.run(selected, options, file)
      })
    )
  )).pipe(
    Command.withShortDescription("Runs a command in one process at a time: wherever this one leads"),
    Command.withDescription(
      "Waits for leadership, then runs the command, with FDB_ELECTION_TERM, FDB_ELECTION_ID and FDB_ELECTION_NAME in its " +
        "environment. When leadership is lost, the command and all of its process group get SIGTERM, and SIGKILL so early that " +
        "nothing of it is left before another can lead, also if this process is killed or stopped. Input, output and terminal " +
        "are the command's own; signals are handed on to it; its exit status becomes this one's (128 and the number, where a " +
        "signal ended it). Let whatever the command writes to refuse terms smaller than the greatest it has seen. The " +
        "election is set up with the defaults if it was not."
    ),
    Command.withExamples([
      { command: "fdb-election run -- ./scheduler.sh", description: "On as many terminals or hosts as you like" },
      { command: "fdb-election run -e app/scheduler --again -- node scheduler.js", description: "For ever" },
      {
        command: "fdb-election run --priority 10 -- ./scheduler.sh",
        description: "Takes over from those of lower priority"
      }
    ])
  )
