/** The root command: the flags that select an election, and the shared parts of subcommands. */
import { DatabaseConfig } from "@effect-fdb/database-config"
import { Command, Flag } from "effect/cli"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { handled } from "../handled.ts"
import * as Place from "../place.ts"
import type { SelectedElection } from "../selectedElection.ts"
import { engineNames, type Store } from "../stores.ts"

/** All arguments, unparsed. */
export class CommandLine extends Context.Service<CommandLine, ReadonlyArray<string>>()("@effect-fdb/cli/CommandLine") {}

/** The value of a flag, or of the variable that replaces it. */
export interface Given {
  readonly value: string | undefined
  readonly isFlag: boolean
}

const orVariable = (variable: string) => (flag: Flag.Flag<string>): Flag.Flag<Given> =>
  flag.pipe(
    Flag.map((value): Given => ({ value, isFlag: true })),
    Flag.withFallbackConfig(Config.map(DatabaseConfig.variable(variable), (value) => ({ value, isFlag: false })))
  )

export const settingsOf = (engine: Store["engine"]): ReadonlyArray<[key: string, setting: DatabaseConfig.Setting]> =>
  Object.entries(DatabaseConfig.engineOf(engine).settings)

/** What the values of a setting are, by its metavar. */
const places: { readonly [metavar: string]: Place.Place | undefined } = { DIR: "directory", FILE: "file" }

const settingFlag = (name: string, metavar: string): Flag.Flag<string> => {
  const place = places[metavar]
  return place === undefined ? Flag.String(name) : Place.flag(name, place)
}

const settingFlags = Object.fromEntries(
  engineNames.flatMap(settingsOf).map(([key, { description, flag, metavar, values, variable }]) => [
    key,
    (values === undefined ? settingFlag(flag, metavar) : Flag.Literals(flag, values)).pipe(
      Flag.withMetavar(metavar),
      Flag.withDescription(description),
      orVariable(variable)
    )
  ])
)

export const root = Command.make("fdb-election").pipe(Command.withSharedFlags({
  election: Flag.String("election").pipe(
    Flag.withAlias("e"),
    Flag.withMetavar("NAME"),
    Flag.withDescription("The election, such as app/scheduler; or FDB_ELECTION_NAME; \"default\" by default"),
    orVariable("FDB_ELECTION_NAME")
  ),
  slot: Flag.Int("slot").pipe(
    Flag.withMetavar("K"),
    Flag.withDescription("The election of slot K of `run --slots`, from 0 on"),
    Flag.optional
  ),
  engine: Flag.Literals("engine", engineNames).pipe(
    Flag.withMetavar(engineNames.join("|")),
    Flag.withDescription(
      "The store: LMDB for one host, FoundationDB for many; or FDB_ELECTION_ENGINE; lmdb by default"
    ),
    orVariable(DatabaseConfig.engineVariable)
  ),
  ...settingFlags
}))

/** The flags of the root command. */
export type RootFlags = Effect.Success<typeof root>

interface Help {
  readonly short: string
  readonly long: string
  readonly examples?: ReadonlyArray<Command.Command.Example>
}

/** See `openElection`. */
export interface OpenOptions {
  readonly hears?: boolean | string
  readonly makesStore?: boolean
}

/** Opens the store of the selected election, and runs `body`. */
export const withElection = <A, E, R>(
  body: (selected: SelectedElection) => Effect.Effect<A, E, R>,
  { hears = false, makesStore = false }: OpenOptions = {}
) =>
  Effect.flatMap(
    root,
    (flags) => handled(({ openElection }) => openElection(flags, body, { hears, makesStore }))
  )

/** A subcommand with {@link withElection}. */
export const electionCommand = <const Name extends string, const Flags extends Command.Command.Config, E, R>(
  name: Name,
  help: Help,
  flags: Flags,
  body: (selected: SelectedElection, flags: Command.Command.Config.Infer<Flags>) => Effect.Effect<void, E, R>,
  makesStore = false,
  hears = false
) =>
  Command.make(name, flags, (given) => withElection((selected) => body(selected, given), { makesStore, hears })).pipe(
    Command.withShortDescription(help.short),
    Command.withDescription(help.long),
    Command.withExamples(help.examples ?? [])
  )

export const switchFlag = (name: string, description: string, byDefault = false): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(byDefault))

export const json = switchFlag("json", "Prints JSON, with times in milliseconds and terms as strings")

export const printLines = (lines: ReadonlyArray<string>): Effect.Effect<void> => Console.log(lines.join("\n"))
export const printJson = (value: unknown): Effect.Effect<void> => Console.log(JSON.stringify(value))
