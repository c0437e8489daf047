/** The command without a subcommand: the flags that select an election, and what all subcommands share. */
import { DatabaseConfig } from "@effect-fdb/database-config"
import { LeaderElection } from "@effect-fdb/leader-election"
import { Command, Flag } from "effect/cli"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as path from "node:path"
import * as ElectionName from "../../ElectionName.ts"
import { type Failure, usageError } from "../../Failure.ts"
import { explain, missing, type SelectedElection } from "../selectedElection.ts"
import { defaultPath, type Store, Stores } from "../stores.ts"

/** All arguments as they were given, before any were taken for flags. */
export class CommandLine extends Context.Service<CommandLine, ReadonlyArray<string>>()("@effect-fdb/cli/CommandLine") {}

/** A flag that a variable stands in for. */
const orVariable = (variable: Config.Config<string | undefined>) => (flag: Flag.Flag<string>) =>
  flag.pipe(
    Flag.map((value): { value: string | undefined; isFlag: boolean } => ({ value, isFlag: true })),
    Flag.withFallbackConfig(Config.map(variable, (value) => ({ value, isFlag: false })))
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

type SelectionFlags = Effect.Success<typeof root>

const selectStore = Effect.fnUntraced(function*(flags: SelectionFlags): Effect.fn.Return<Store, Failure> {
  const { access: { value: access = "owner" }, engine: { value: engine = "lmdb" }, path: { value: given } } = flags
  if (engine === "fdb") {
    if (flags.path.isFlag) return yield* usageError("--path is for LMDB: give --engine lmdb, or --cluster-file instead")
    if (flags.access.isFlag) return yield* usageError("--access is for LMDB: leave it out, or give --engine lmdb")
    return { engine, clusterFile: flags.clusterFile.value }
  }
  if (engine !== "lmdb") return yield* usageError(`FDB_ELECTION_ENGINE is "${engine}": set it to lmdb or fdb`)
  if (flags.clusterFile.isFlag) {
    return yield* usageError("--cluster-file is for FoundationDB: give --engine fdb as well, or --path instead")
  }
  if (given === "") return yield* usageError("--path is empty: give a directory, or leave it out")
  if (access !== "owner" && access !== "group") {
    return yield* usageError(`FDB_ELECTION_ACCESS is "${access}": set it to owner or group`)
  }
  return { engine, path: path.resolve(given ?? (yield* defaultPath)), isDefault: given === undefined, access }
})

/** What flags and environment select together; flags come first. */
const select = Effect.fnUntraced(function*(flags: SelectionFlags): Effect.fn.Return<SelectedElection, Failure> {
  const text = flags.election.value ?? "default"
  const name = ElectionName.parse(text)
  if (Result.isFailure(name)) return yield* usageError(`the election's name ${JSON.stringify(text)} ${name.failure}`)
  const store = yield* selectStore(flags)
  return { name: name.success, store, election: LeaderElection.make(name.success.subspace) }
})

/** What `--help` says of a subcommand. */
interface Help {
  readonly short: string
  readonly long: string
  readonly examples?: ReadonlyArray<Command.Command.Example>
}

/**
 * Does something with the election that is selected, with its store open.
 *
 * @param makesStore whether the store is made where there is none
 */
export const withElection = <A, E, R>(
  body: (selected: SelectedElection) => Effect.Effect<A, E, R>,
  makesStore = false
) =>
  Effect.gen(function*() {
    const selected = yield* select(yield* root)
    const { exists, open } = yield* Stores
    if (!makesStore && !exists(selected.store)) return yield* missing(selected)
    return yield* body(selected).pipe(explain(selected), Effect.provide(open(selected.store)))
  })

/** A subcommand that does that. */
export const electionCommand = <const Name extends string, const Flags extends Command.Command.Config, E, R>(
  name: Name,
  help: Help,
  flags: Flags,
  body: (selected: SelectedElection, flags: Command.Command.Config.Infer<Flags>) => Effect.Effect<void, E, R>,
  makesStore = false
) =>
  Command.make(name, flags, (given) => withElection((selected) => body(selected, given), makesStore)).pipe(
    Command.withShortDescription(help.short),
    Command.withDescription(help.long),
    Command.withExamples(help.examples ?? [])
  )

/** A flag that is on or off. */
export const switchFlag = (name: string, description: string, byDefault = false): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(byDefault))

/** The flag of commands that programs read. */
export const json = switchFlag("json", "Prints JSON, with times in milliseconds and terms as strings")

export const printLines = (lines: ReadonlyArray<string>): Effect.Effect<void> => Console.log(lines.join("\n"))
export const printJson = (value: unknown): Effect.Effect<void> => Console.log(JSON.stringify(value))
