/** The root command: the flags that select an election, and the shared parts of subcommands. */
import { DatabaseConfig } from "@effect-fdb/database-config"
import { LeaderElection, Slots } from "@effect-fdb/leader-election"
import { Command, Flag } from "effect/cli"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as path from "node:path"
import * as ElectionName from "../../ElectionName.ts"
import { type Failure, usageError } from "../../Failure.ts"
import { explain, missing, type SelectedElection } from "../selectedElection.ts"
import { defaultPath, engineNames, type Store, Stores } from "../stores.ts"

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

const settingsOf = (engine: Store["engine"]): ReadonlyArray<[key: string, setting: DatabaseConfig.Setting]> =>
  Object.entries(DatabaseConfig.engineOf(engine).settings)

const settingFlags = Object.fromEntries(
  engineNames.flatMap(settingsOf).map(([key, { description, flag, metavar, values, variable }]) => [
    key,
    (values === undefined ? Flag.String(flag) : Flag.Literals(flag, values)).pipe(
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
    Flag.filter(
      (slot) => slot >= 0 && slot < Slots.maxCount,
      (slot) => `--slot is ${slot}: give an integer from 0 to ${Slots.maxCount - 1}`
    ),
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

type StoreFlags = { readonly engine: Given } & { readonly [setting: string]: Given }

/** The value of a setting; `undefined` if it is not given. */
const valueOf = ({ isFlag, value }: Given, { flag, metavar, values, variable }: DatabaseConfig.Setting) => {
  if (value === "") return usageError(`--${flag} is empty: give a ${metavar}, or leave it out`)
  return value === undefined || isFlag || values === undefined || values.includes(value)
    ? Effect.succeed(value)
    : usageError(`${variable} is "${value}": set it to ${values.join(" or ")}`)
}

const selectStore = Effect.fnUntraced(function*(flags: StoreFlags): Effect.fn.Return<Store, Failure> {
  const { value: given = "lmdb" } = flags.engine
  const engine = engineNames.find((name) => name === given)
  if (engine === undefined) {
    return yield* usageError(`FDB_ELECTION_ENGINE is "${given}": set it to ${engineNames.join(" or ")}`)
  }
  const own = new Set(settingsOf(engine).map(([key]) => key))
  for (const other of engineNames.filter((name) => name !== engine)) {
    const misplaced = settingsOf(other).find(([key]) => !own.has(key) && flags[key]?.isFlag)
    if (misplaced !== undefined) {
      const { title } = DatabaseConfig.engineOf(other)
      return yield* usageError(
        `--${misplaced[1].flag} is for ${title}: give --engine ${other} as well, or leave it out`
      )
    }
  }
  const options: { [key: string]: string | undefined } = {}
  for (const [key, setting] of settingsOf(engine)) options[key] = yield* valueOf(flags[key]!, setting)
  if (engine !== "lmdb") return { ...options, engine }
  const place = path.resolve(options.path ?? (yield* defaultPath))
  return { ...options, engine, path: place, isDefault: options.path === undefined }
})

/** The election that flags and environment select. Flags take precedence. */
const select = Effect.fnUntraced(function*(
  { election: { value: text = "default" }, slot: asked, ...flags }: Effect.Success<typeof root>
): Effect.fn.Return<SelectedElection, Failure> {
  const name = ElectionName.parse(text)
  if (Result.isFailure(name)) return yield* usageError(`the election's name ${JSON.stringify(text)} ${name.failure}`)
  const store = yield* selectStore(flags)
  const { subspace } = name.success
  const slot = Option.getOrUndefined(asked)
  const election = slot === undefined ? undefined : LeaderElection.slots(subspace, Slots.maxCount).elections[slot]
  return election === undefined
    ? { name: name.success, store, election: LeaderElection.make(subspace), slot: undefined }
    : { name: { ...name.success, text: `slot ${slot} of ${text}` }, store, election, slot }
})

interface Help {
  readonly short: string
  readonly long: string
  readonly examples?: ReadonlyArray<Command.Command.Example>
}

/** Opens the store of the selected election, creates it if it `makesStore`, with the witness if it `hears`, and runs `body`. */
export const withElection = <A, E, R>(
  body: (selected: SelectedElection) => Effect.Effect<A, E, R>,
  { hears = false, makesStore = false }: { readonly hears?: boolean; readonly makesStore?: boolean } = {}
) =>
  Effect.gen(function*() {
    const selected = yield* select(yield* root)
    const { exists, open } = yield* Stores
    if (!makesStore && !exists(selected.store)) return yield* missing(selected)
    const { store } = selected
    return yield* body(selected).pipe(
      explain(selected),
      Effect.provide(open(hears ? store : { ...store, witness: "off" }))
    )
  })

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
