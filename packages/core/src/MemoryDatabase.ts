/**
 * The engine in memory: FoundationDB's semantics within one process, for tests and simulations.
 *
 * Its time is that of the `Clock` with which it is built, a test clock too. Nothing outlives the process.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Database, type DatabaseService } from "./Database.ts"
import { MemoryStore } from "./internal/memoryStore.ts"
import * as OptimisticEngine from "./OptimisticEngine.ts"

/**
 * How commits share versions.
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchOptions {
  /**
   * Returns whether a commit shares the version of the previous one, as in a batch of a FoundationDB cluster. It must return
   * `false` once a transaction may have read at that version. A commit gets its own version if time has passed since.
   */
  readonly joins: () => boolean
}

/**
 * Makes an empty engine whose commits share versions, to simulate a cluster.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeBatchingEngine = ({ joins }: BatchOptions): Effect.Effect<OptimisticEngine.OptimisticEngine> =>
  Effect.map(
    Clock.Clock,
    (clock) => OptimisticEngine.make({ name: "memory", store: new MemoryStore(clock, joins), clock })
  )

/**
 * Makes an empty engine that you can decorate before you pass it to `Database.fromEngine`. Every commit has its own version.
 *
 * @example const database = Effect.map(MemoryDatabase.makeEngine, Database.fromEngine)
 * @since 0.1.0
 * @category constructors
 */
export const makeEngine: Effect.Effect<OptimisticEngine.OptimisticEngine> = makeBatchingEngine({ joins: () => false })

/**
 * Makes an empty database.
 *
 * @example const engine = Effect.map(MemoryDatabase.make, ({ engine }) => engine)
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<DatabaseService> = Effect.map(makeEngine, Database.fromEngine)

/**
 * An empty database. All users of the layer share it.
 *
 * **Example**
 *
 * ```ts
 * import { Database, MemoryDatabase, Transaction } from "@effect-fdb/core"
 * import { Effect } from "effect"
 *
 * const program = Database.transact(Transaction.use((tx) => tx.readVersion))
 *
 * export const main = Effect.provide(program, MemoryDatabase.layer)
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Database> = Layer.effect(Database, make)
