/** Which election of which store a command line means, and how it is opened. */
import { Database, FdbError, type Transaction, type TransactionOptions } from "@effect-fdb/core"
import { LeaderElection, NotInitialized } from "@effect-fdb/leader-election"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as os from "node:os"
import * as path from "node:path"
import * as ElectionName from "../ElectionName.ts"
import { NoElection, StoreFailed, UsageError } from "../Failure.ts"

/** A store, as it is asked for. */
export type Store =
  | {
    readonly engine: "lmdb"
    readonly path: string
    readonly isDefault: boolean
    /** Whose it is, where it is made. */
    readonly access: "owner" | "group"
  }
  | { readonly engine: "fdb"; readonly clusterFile: string | undefined }

/** The store in words. */
export const describe = (store: Store): string => {
  if (store.engine === "lmdb") return `the LMDB store ${store.path}`
  return store.clusterFile === undefined
    ? "the FoundationDB cluster"
    : `the FoundationDB cluster of ${store.clusterFile}`
}

/** Whatever keeps a store from being opened: a tagged error whose message tells what to do. */
export interface OpenError {
  readonly _tag: string
  readonly message: string
}

/** A process that reads what is not the newest state any more, and keeps its store from using space again. */
export interface LaggingReader {
  readonly pid: number
  readonly state: "running" | "stopped" | "unknown"
  readonly commitsBehind: number
}

/** How stores are opened. */
export class Stores extends Context.Service<Stores, {
  readonly open: (store: Store) => Layer.Layer<Database, OpenError>
  /** Whether there is anything to be opened, as far as that can be told without; opening may make it. */
  readonly exists: (store: Store) => boolean
  /** Those of a store that is open; none where that does not matter to it. */
  readonly laggingReaders: (store: Store) => Effect.Effect<ReadonlyArray<LaggingReader>, OpenError>
}>()("@effect-fdb/cli/Stores") {}

/** The flags that say which election is meant, as they were given. */
export interface TargetFlags {
  readonly engine: Option.Option<"lmdb" | "fdb">
  readonly path: Option.Option<string>
  readonly access: Option.Option<"owner" | "group">
  readonly clusterFile: Option.Option<string>
  readonly election: Option.Option<string>
}

/** See the module. */
export interface Target {
  readonly name: ElectionName.ElectionName
  readonly store: Store
  readonly election: LeaderElection.LeaderElection
}

const environment = (name: string): Effect.Effect<Option.Option<string>> =>
  Config.option(Config.String(name)).pipe(
    Effect.orElseSucceed(() => Option.none<string>()),
    Effect.map(Option.filter((value) => value !== ""))
  )

const flagOr = (flag: Option.Option<string>, variable: string) =>
  Option.isSome(flag) ? Effect.succeed(flag) : environment(variable)

const usage = (problem: string) => Effect.fail(new UsageError({ problem }))

/** The same for all processes of a user, whether their environment says where home is or not: a service's may not. */
const defaultPath: Effect.Effect<string, UsageError> = Effect.gen(function*() {
  const state = Option.filter(yield* environment("XDG_STATE_HOME"), path.isAbsolute)
  if (Option.isSome(state)) return path.join(state.value, "fdb-election")
  const given = yield* environment("HOME")
  const home = Option.isSome(given) ? given.value : yield* Effect.try({
    try: () => os.userInfo().homedir,
    catch: () => new UsageError({ problem: "this user has no home directory: give --path, or set FDB_ELECTION_PATH" })
  })
  return path.join(home, ".local", "state", "fdb-election")
})

const resolveStore = Effect.fnUntraced(function*(flags: TargetFlags): Effect.fn.Return<Store, UsageError> {
  const engine = Option.getOrElse(yield* flagOr(flags.engine, "FDB_ELECTION_ENGINE"), () => "lmdb")
  switch (engine) {
    case "lmdb": {
      if (Option.isSome(flags.clusterFile)) {
        return yield* usage("--cluster-file is for FoundationDB: give --engine fdb as well, or --path instead")
      }
      const given = yield* flagOr(flags.path, "FDB_ELECTION_PATH")
      if (Option.contains(given, "")) return yield* usage("--path is empty: give a directory, or leave it out")
      const directory = Option.isSome(given) ? given.value : yield* defaultPath
      const access = Option.getOrElse(yield* flagOr(flags.access, "FDB_ELECTION_ACCESS"), () => "owner")
      if (access !== "owner" && access !== "group") {
        return yield* usage(`FDB_ELECTION_ACCESS is "${access}": set it to owner or group`)
      }
      return { engine, path: path.resolve(directory), isDefault: Option.isNone(given), access }
    }
    case "fdb": {
      if (Option.isSome(flags.path)) {
        return yield* usage("--path is for LMDB: give --engine lmdb, or --cluster-file instead")
      }
      if (Option.isSome(flags.access)) return yield* usage("--access is for LMDB: leave it out, or give --engine lmdb")
      return { engine, clusterFile: Option.getOrUndefined(yield* flagOr(flags.clusterFile, "FDB_CLUSTER_FILE")) }
    }
    default:
      return yield* usage(`FDB_ELECTION_ENGINE is "${engine}": set it to lmdb or fdb`)
  }
})

/** What flags and environment mean together; flags come first. */
export const resolve = Effect.fnUntraced(function*(flags: TargetFlags): Effect.fn.Return<Target, UsageError> {
  const text = Option.getOrElse(yield* flagOr(flags.election, "FDB_ELECTION_NAME"), () => "default")
  const name = ElectionName.parse(text)
  if (Result.isFailure(name)) return yield* usage(`the election's name ${JSON.stringify(text)} ${name.failure}`)
  const store = yield* resolveStore(flags)
  return { name: name.success, store, election: LeaderElection.make(name.success.subspace) }
})

/** The election was never set up. */
export const noElection = (target: Target): NoElection =>
  new NoElection({ election: target.name.text, store: describe(target.store) })

/** Errors of the store and of a missing election, with the words that a person needs. */
export const explain = (target: Target) =>
<A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, FdbError | NotInitialized> | StoreFailed | NoElection, R> =>
  Effect.mapError(effect, (error): Exclude<E, FdbError | NotInitialized> | StoreFailed | NoElection => {
    if (error instanceof NotInitialized) return noElection(target)
    return error instanceof FdbError
      ? new StoreFailed({ store: describe(target.store), problem: error.message })
      : error as Exclude<E, FdbError | NotInitialized>
  })

/** How long a command waits for the store. */
const patience = Duration.seconds(5)

/** A transaction of a command: bounded, and harmless when it is run twice. */
export const transact = <A, E>(
  body: Effect.Effect<A, E, Transaction>,
  options: TransactionOptions = {}
): Effect.Effect<A, E | FdbError, Database> =>
  Database.transact(body, { idempotent: true, timeout: patience, ...options })
