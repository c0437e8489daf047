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
  | { readonly engine: "lmdb"; readonly path: string; readonly durability: Durability; readonly witness: boolean }
  | { readonly engine: "fdb"; readonly clusterFile: string | undefined; readonly witness?: string }
  /** Each process has its own. */
  | { readonly engine: "memory" }

/** An engine whose processes share a database. */
export type EngineChoice = { readonly engine: "lmdb" } | Extract<Store, { readonly engine: "fdb" }>

export const layer: (store: Store) => Layer.Layer<Database, Error> = DatabaseConfig.open

/** A new directory, which is removed when the scope closes, unless a process that is about to end still uses it. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-bench-"))),
  (made) =>
    Effect.ignore(Effect.try(() => fs.rmSync(made, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 })))
)

export interface Conditions {
  /** Of LMDB; its default unless set. */
  readonly durability?: Durability
  /** Whether candidates witness the death of each other; the default of the engine unless set. */
  readonly isWitnessed?: boolean
}

const locate = Effect.fnUntraced(function*(choice: EngineChoice, durability: Durability, isWitnessed: boolean) {
  if (choice.engine === "lmdb") return { ...choice, path: yield* directory, durability, witness: isWitnessed } as const
  return isWitnessed ? { ...choice, witness: yield* directory } : choice
})

/** Measures on a new LMDB directory, or on the cluster. */
export const use = <A, E>(
  choice: EngineChoice | { readonly engine: "memory" },
  { durability = "disk", isWitnessed = true }: Conditions,
  measure: (store: Store) => Effect.Effect<A, E, Database | Scope.Scope>
): Effect.Effect<A, E | Error> =>
  Effect.gen(function*() {
    const store = choice.engine === "memory" ? choice : yield* locate(choice, durability, isWitnessed)
    return yield* Effect.provide(Effect.scoped(measure(store)), layer(store))
  }).pipe(Effect.scoped)
