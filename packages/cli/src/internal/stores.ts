/** The stores of the command. The table of engines is in `@effect-fdb/database-config`. */
import type { Database } from "@effect-fdb/core"
import { DatabaseConfig } from "@effect-fdb/database-config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { type Failure, storeFailed, usageError } from "../Failure.ts"

export type Store = Exclude<DatabaseConfig.Store, { readonly engine: "memory" }> & {
  /** Whether the command has chosen the path. It then creates the parent directories, too. */
  readonly isDefault?: boolean
}

export type LaggingReader = DatabaseConfig.LaggingReader

/** The engines whose stores processes can share. */
export const engineNames = DatabaseConfig.engineNames.filter((name): name is Store["engine"] =>
  DatabaseConfig.engineOf(name).isShared
)

export const describe = (store: Store): string => DatabaseConfig.engineOf(store.engine).describe(store)

/** Identifies a store independently of its path; by its description if the store cannot be read. */
export const identityOf = (store: Store): string => {
  const { describe, identity } = DatabaseConfig.engineOf(store.engine)
  try {
    return `${store.engine}:${identity(store)}`
  } catch {
    return describe(store)
  }
}

const read = (name: string) => Effect.orElseSucceed(DatabaseConfig.variable(name), () => undefined)

/** The default directory: the same for all processes of a user, even for a service without `HOME`. */
export const defaultPath = Effect.gen(function*() {
  const state = yield* read("XDG_STATE_HOME")
  if (state !== undefined && path.isAbsolute(state)) return path.join(state, "fdb-election")
  const home = (yield* read("HOME")) ?? (yield* Effect.try({
    try: () => os.userInfo().homedir,
    catch: () => usageError("this user has no home directory: give --path, or set FDB_ELECTION_PATH")
  }))
  return path.join(home, ".local", "state", "fdb-election")
})

export class Stores extends Context.Service<Stores, {
  readonly open: (store: Store) => Layer.Layer<Database, Failure>
  /** Whether the store exists, as far as this is known before it is opened. Opening may create it. */
  readonly exists: (store: Store) => boolean
  /** Processes that keep a store from reusing space; empty for an engine without such readers. */
  readonly laggingReaders: (store: Store) => Effect.Effect<ReadonlyArray<LaggingReader>, Failure>
}>()("@effect-fdb/cli/Stores") {}

const makeParents = (store: Store): void => {
  if (store.engine === "lmdb" && store.isDefault) {
    fs.mkdirSync(path.dirname(store.path), { recursive: true, mode: 0o700 })
  }
}

const failed = (error: Error): Failure => storeFailed(error.message)

export const layer: Layer.Layer<Stores> = Layer.succeed(Stores, {
  open: (store) =>
    Effect.ignore(Effect.try(() => makeParents(store))).pipe(
      Effect.as(DatabaseConfig.open(store)),
      Layer.unwrap,
      Layer.catch((error) => Layer.effectContext(Effect.fail(failed(error))))
    ),
  exists: (store) => DatabaseConfig.engineOf(store.engine).exists(store),
  laggingReaders: (store) => Effect.mapError(DatabaseConfig.laggingReaders(store), failed)
})
