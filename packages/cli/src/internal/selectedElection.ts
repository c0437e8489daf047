/** Which election of which store a command line selects. */
import { Database, FdbError, type Transaction, type TransactionOptions } from "@effect-fdb/core"
import { DatabaseConfig } from "@effect-fdb/database-config"
import { LeaderElection, NotInitialized } from "@effect-fdb/leader-election"
import type * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as os from "node:os"
import * as path from "node:path"
import * as ElectionName from "../ElectionName.ts"
import { type Failure, noElection, storeFailed, usageError } from "../Failure.ts"
import { describe, type Store } from "./stores.ts"

/** The value of a flag, or of the variable that stands in for it, if either is set. */
export interface FlagOrVariable {
  readonly value: string | undefined
  readonly isFlag: boolean
}

/** The flags that select an election. */
export interface SelectionFlags {
  readonly engine: FlagOrVariable
  readonly path: FlagOrVariable
  readonly access: FlagOrVariable
  readonly clusterFile: FlagOrVariable
  readonly election: FlagOrVariable
}

/** See the module. */
export interface SelectedElection {
  readonly name: ElectionName.ElectionName
  readonly store: Store
  readonly election: LeaderElection.LeaderElection
}

/** A variable that has no wrong values. */
const read = (variable: Config.Config<string | undefined>) => Effect.orElseSucceed(variable, () => undefined)

/** The same for all processes of a user, whether their environment says where home is or not: a service's may not. */
const defaultPath = Effect.gen(function*() {
  const state = yield* read(DatabaseConfig.variable("XDG_STATE_HOME"))
  if (state !== undefined && path.isAbsolute(state)) return path.join(state, "fdb-election")
  const home = (yield* read(DatabaseConfig.variable("HOME"))) ?? (yield* Effect.try({
    try: () => os.userInfo().homedir,
    catch: () => usageError("this user has no home directory: give --path, or set FDB_ELECTION_PATH")
  }))
  return path.join(home, ".local", "state", "fdb-election")
})

const selectStore = Effect.fnUntraced(function*(flags: SelectionFlags): Effect.fn.Return<Store, Failure> {
  const engine = flags.engine.value ?? "lmdb"
  if (engine === "fdb") {
    if (flags.path.isFlag) return yield* usageError("--path is for LMDB: give --engine lmdb, or --cluster-file instead")
    if (flags.access.isFlag) return yield* usageError("--access is for LMDB: leave it out, or give --engine lmdb")
    return { engine, clusterFile: flags.clusterFile.value }
  }
  if (engine !== "lmdb") return yield* usageError(`FDB_ELECTION_ENGINE is "${engine}": set it to lmdb or fdb`)
  if (flags.clusterFile.isFlag) {
    return yield* usageError("--cluster-file is for FoundationDB: give --engine fdb as well, or --path instead")
  }
  const given = flags.path.value
  if (given === "") return yield* usageError("--path is empty: give a directory, or leave it out")
  const access = flags.access.value ?? "owner"
  if (access !== "owner" && access !== "group") {
    return yield* usageError(`FDB_ELECTION_ACCESS is "${access}": set it to owner or group`)
  }
  return { engine, path: path.resolve(given ?? (yield* defaultPath)), isDefault: given === undefined, access }
})

/** What flags and environment select together; flags come first. */
export const select = Effect.fnUntraced(function*(flags: SelectionFlags): Effect.fn.Return<SelectedElection, Failure> {
  const text = flags.election.value ?? "default"
  const name = ElectionName.parse(text)
  if (Result.isFailure(name)) return yield* usageError(`the election's name ${JSON.stringify(text)} ${name.failure}`)
  const store = yield* selectStore(flags)
  return { name: name.success, store, election: LeaderElection.make(name.success.subspace) }
})

/** The election was never set up. */
export const missing = ({ name, store }: SelectedElection): Failure =>
  noElection(
    `there is no election ${name.text} in ${
      describe(store)
    }: set it up with \`fdb-election init\`, or check --election ` +
      "and where the store is"
  )

/** Errors of the store and of a missing election, with the words that a person needs. */
export const explain =
  (selected: SelectedElection) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, Exclude<E, FdbError | NotInitialized> | Failure, R> =>
    Effect.mapError(effect, (error) => {
      if (error instanceof NotInitialized) return missing(selected)
      return error instanceof FdbError
        ? storeFailed(
          `${describe(selected.store)} does not answer: ${error.message}; check that it is up, and try again`
        )
        : error as Exclude<E, FdbError | NotInitialized>
    })

/** A transaction of a command: bounded, and harmless when it is run twice. */
export const transact = <A, E>(
  body: Effect.Effect<A, E, Transaction>,
  options: TransactionOptions = {}
): Effect.Effect<A, E | FdbError, Database> =>
  Database.transact(body, { idempotent: true, timeout: "5 seconds", ...options })
