/** The stores of the command, and how they are opened; an engine's package is loaded when it is asked for. */
import type { Database } from "@effect-fdb/core"
import { DatabaseConfig } from "@effect-fdb/database-config"
import type { LmdbDatabase } from "@effect-fdb/lmdb"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { usageError } from "../Failure.ts"

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

export type OpenError = DatabaseConfig.OpenError
export type LaggingReader = LmdbDatabase.LaggingReader

/** The store in words. */
export const describe = (store: Store): string => {
  if (store.engine === "lmdb") return `the LMDB store ${store.path}`
  return store.clusterFile === undefined
    ? "the FoundationDB cluster"
    : `the FoundationDB cluster of ${store.clusterFile}`
}

/** A variable that has no wrong values. */
const read = (name: string) => Effect.orElseSucceed(DatabaseConfig.variable(name), () => undefined)

/** The same for all processes of a user, whether their environment says where home is or not: a service's may not. */
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
  readonly open: (store: Store) => Layer.Layer<Database, OpenError>
  /** Whether there is anything to be opened, as far as that can be told without; opening may make it. */
  readonly exists: (store: Store) => boolean
  /** Processes that keep a store that is open from using space again; none where the engine knows no such thing. */
  readonly laggingReaders: (store: Store) => Effect.Effect<ReadonlyArray<LaggingReader>, OpenError>
}>()("@effect-fdb/cli/Stores") {}

/** The default directory comes into being with its first use; one that is given is the user's to make. */
const makeParents = (store: Store): void => {
  if (store.engine === "lmdb" && store.isDefault) {
    fs.mkdirSync(path.dirname(store.path), { recursive: true, mode: 0o700 })
  }
}

/** LMDB and FoundationDB. */
export const layer: Layer.Layer<Stores> = Layer.succeed(Stores, {
  open: (store) =>
    Layer.unwrap(Effect.as(Effect.ignore(Effect.try(() => makeParents(store))), DatabaseConfig.open(store))),
  exists: (store) => {
    if (store.engine === "fdb") return true
    try {
      fs.statSync(path.join(store.path, "data.mdb"))
      return true
    } catch (cause) {
      // The opening tells whatever else is wrong with the place.
      return (cause as NodeJS.ErrnoException).code !== "ENOENT"
    }
  },
  laggingReaders: (store) =>
    store.engine === "fdb"
      ? Effect.succeed([])
      : Effect.flatMap(
        Effect.promise(() => import("@effect-fdb/lmdb")),
        ({ LmdbDatabase }) => LmdbDatabase.laggingReaders({ path: store.path })
      )
})
