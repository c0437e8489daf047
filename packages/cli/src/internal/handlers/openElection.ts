/** Finds the election that the flags of the root command select, and opens its store. */
import { DatabaseConfig } from "@effect-fdb/database-config"
import { LeaderElection, Slots } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as path from "node:path"
import * as ElectionName from "../../ElectionName.ts"
import { type Failure, usageError } from "../../Failure.ts"
import { type Given, type OpenOptions, type RootFlags, settingsOf } from "../commands/root.ts"
import { explain, missing, type SelectedElection } from "../selectedElection.ts"
import { defaultPath, engineNames, type Store, Stores } from "../stores.ts"

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
export const select = Effect.fnUntraced(function*(
  { election: { value: text = "default" }, slot: asked, ...flags }: RootFlags
): Effect.fn.Return<SelectedElection, Failure> {
  const name = ElectionName.parse(text)
  if (Result.isFailure(name)) return yield* usageError(`the election's name ${JSON.stringify(text)} ${name.failure}`)
  const store = yield* selectStore(flags)
  const { subspace } = name.success
  const slot = Option.getOrUndefined(asked)
  if (slot !== undefined && (slot < 0 || slot >= Slots.maxCount)) {
    return yield* usageError(`--slot is ${slot}: give an integer from 0 to ${Slots.maxCount - 1}`)
  }
  const election = slot === undefined ? undefined : LeaderElection.slots(subspace, Slots.maxCount).elections[slot]
  return election === undefined
    ? { name: name.success, store, election: LeaderElection.make(subspace), slot: undefined }
    : { name: { ...name.success, text: `slot ${slot} of ${text}` }, store, election, slot }
})

/**
 * Opens the store of the selected election, creates it if it `makesStore`, and runs `body`. If it `hears`, it takes part in the witnesses
 * of the store, or of the directory that it hears.
 */
export const openElection = Effect.fnUntraced(function*<A, E, R>(
  flags: RootFlags,
  body: (selected: SelectedElection) => Effect.Effect<A, E, R>,
  { hears, makesStore }: Required<OpenOptions>
) {
  const selected = yield* select(flags)
  const { exists, open } = yield* Stores
  if (!makesStore && !exists(selected.store)) return yield* missing(selected)
  const { store } = selected
  return yield* body(selected).pipe(
    explain(selected),
    Effect.provide(open(hears === true ? store : { ...store, witness: hears === false ? "off" : hears }))
  )
})
