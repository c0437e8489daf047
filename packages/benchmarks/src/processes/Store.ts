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

/** The location, as plain data, to pass to a process. */
export type Store =
  | { readonly engine: "lmdb"; readonly path: string; readonly durability: Durability }
  | { readonly engine: "fdb"; readonly clusterFile: string | undefined }
  /** Each process has its own. */
  | { readonly engine: "memory" }

/** An engine whose processes share a database. */
export type EngineChoice = { readonly engine: "lmdb" } | Extract<Store, { readonly engine: "fdb" }>

export const layer: (store: Store) => Layer.Layer<Database, Error> = DatabaseConfig.open

const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-bench-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
)

/** Measures on a new LMDB directory, or on the cluster. */
export const use = <A, E>(
  choice: EngineChoice | { readonly engine: "memory" },
  durability: Durability,
  measure: (store: Store) => Effect.Effect<A, E, Database | Scope.Scope>
): Effect.Effect<A, E | Error> =>
  Effect.gen(function*() {
    const store: Store = choice.engine === "lmdb" ? { ...choice, path: yield* directory, durability } : choice
    return yield* Effect.provide(Effect.scoped(measure(store)), layer(store))
  }).pipe(Effect.scoped)
