/** The command without a subcommand: the flags that all share. */
import { DatabaseConfig } from "@effect-fdb/database-config"
import { Command, Flag } from "effect/cli"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Selected from "../selectedElection.ts"
import { Stores } from "../stores.ts"

/** All arguments as they were given, before any were taken for flags. */
export class CommandLine extends Context.Service<CommandLine, ReadonlyArray<string>>()("@effect-fdb/cli/CommandLine") {}

/** A flag that a variable stands in for. */
const orVariable = (variable: Config.Config<string | undefined>) => (flag: Flag.Flag<string>) =>
  flag.pipe(
    Flag.map((value): Selected.FlagOrVariable => ({ value, isFlag: true })),
    Flag.withFallbackConfig(
      Config.map(variable, (value): Selected.FlagOrVariable => ({ value, isFlag: false }))
    )
  )

export const root = Command.make("fdb-election").pipe(Command.withSharedFlags({
  election: Flag.String("election").pipe(
    Flag.withAlias("e"),
    Flag.withMetavar("NAME"),
    Flag.withDescription("The election, such as app/scheduler; or FDB_ELECTION_NAME; \"default\" by default"),
    orVariable(DatabaseConfig.variable("FDB_ELECTION_NAME"))
  ),
  engine: Flag.Literals("engine", ["lmdb", "fdb"]).pipe(
    Flag.withMetavar("lmdb|fdb"),
    Flag.withDescription(
      "The store: LMDB for one host, FoundationDB for many; or FDB_ELECTION_ENGINE; lmdb by default"
    ),
    orVariable(DatabaseConfig.variables.engine)
  ),
  path: Flag.String("path").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription(
      "LMDB's directory; or FDB_ELECTION_PATH; ~/.local/state/fdb-election (XDG_STATE_HOME) by default"
    ),
    orVariable(DatabaseConfig.variables.path)
  ),
  access: Flag.Literals("access", ["owner", "group"]).pipe(
    Flag.withMetavar("owner|group"),
    Flag.withDescription(
      "Access to a new LMDB store: its user alone, or its group too; or FDB_ELECTION_ACCESS; owner by default"
    ),
    orVariable(DatabaseConfig.variables.access)
  ),
  clusterFile: Flag.String("cluster-file").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("FoundationDB's cluster file; or FDB_CLUSTER_FILE; the client's default unless set"),
    orVariable(DatabaseConfig.variables.clusterFile)
  )
}))

type Body<A, E, R> = (selected: Selected.SelectedElection) => Effect.Effect<A, E, R>

const open = (makes: boolean) => <A, E, R>(body: Body<A, E, R>) =>
  Effect.gen(function*() {
    const selected = yield* Selected.select(yield* root)
    const { exists, open } = yield* Stores
    if (!makes && !exists(selected.store)) return yield* Selected.missing(selected)
    return yield* body(selected).pipe(Selected.explain(selected), Effect.provide(open(selected.store)))
  })

/** Runs what a subcommand does on the election that is selected, with its store open. */
export const withElection = open(false)

/** As {@link withElection}, and makes the store if there is none. */
export const withNewElection = open(true)

/** The flag of commands that programs read. */
export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Prints JSON, with times in milliseconds and terms as strings"),
  Flag.withDefault(false)
)

export const printLines = (lines: ReadonlyArray<string>): Effect.Effect<void> => Console.log(lines.join("\n"))
export const printJson = (value: unknown): Effect.Effect<void> => Console.log(JSON.stringify(value))
