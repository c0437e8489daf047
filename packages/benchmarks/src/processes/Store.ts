/** The database that the processes of a benchmark share. */
import type { Database } from "@effect-fdb/core"
import { DatabaseConfig } from "@effect-fdb/database-config"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

export type Durability = NonNullable<DatabaseConfig.LmdbOptions["durability"]>

/** Where it is; plain data, so that it can be an argument of a process. */
export type Store =
  | { readonly engine: "lmdb"; readonly path: string; readonly durability: Durability }
  | { readonly engine: "fdb"; readonly clusterFile: string | undefined }

/** The engine that the benchmarks between processes run on. */
export type EngineChoice = { readonly engine: "lmdb" } | Extract<Store, { readonly engine: "fdb" }>

export const layer: (store: Store) => Layer.Layer<Database, Error> = DatabaseConfig.open

const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-bench-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
)

/** A store for one measurement: a new directory of LMDB, or the cluster. */
export const make = (choice: EngineChoice, durability: Durability): Effect.Effect<Store, never, Scope.Scope> =>
  choice.engine === "fdb"
    ? Effect.succeed(choice)
    : Effect.map(directory, (place) => ({ engine: "lmdb", path: place, durability }))
