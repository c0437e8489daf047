/**
 * The engine in memory: FoundationDB's semantics within one process, for tests, simulations and trying things out.
 *
 * It keeps the versions of the last five seconds and checks each commit against what was written in that time. Its time is
 * that of the Effect `Clock` that it is built with, so it runs under a test clock as it is. Nothing outlives the process.
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
   * Asked at each commit whether it joins the batch of the commit before it, as several commits of a FoundationDB cluster have
   * one version and an order within it. A commit conflicts with the earlier ones of its batch. It must give `false` once the
   * version of that commit may have been read at. A commit gets a version of its own where time has gone on since.
   */
  readonly joins: () => boolean
}

/**
 * A new, empty engine whose commits share versions, for simulations of a cluster.
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
 * A new, empty engine, to be decorated before `Database.fromEngine` makes a database of it. Every commit has a version of its
 * own.
 *
 * **Example**
 *
 * ```ts
 * import { Database, InstrumentedEngine, MemoryDatabase } from "@effect-fdb/core"
 * import { Effect } from "effect"
 *
 * export const countedDatabase = Effect.map(MemoryDatabase.makeEngine, (engine) => {
 *   const { counts, engine: instrumented } = InstrumentedEngine.make(engine)
 *   return { counts, database: Database.fromEngine(instrumented) }
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeEngine: Effect.Effect<OptimisticEngine.OptimisticEngine> = makeBatchingEngine({ joins: () => false })

/**
 * A new, empty database.
 *
 * **Example**
 *
 * ```ts
 * import { Database, MemoryDatabase, Transaction } from "@effect-fdb/core"
 * import { Effect } from "effect"
 *
 * export const main = Effect.gen(function*() {
 *   const database = yield* MemoryDatabase.make
 *   const version = Database.transact(Transaction.use((tx) => tx.readVersion))
 *   return yield* Effect.provideService(version, Database, database)
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<DatabaseService> = Effect.map(makeEngine, Database.fromEngine)

/**
 * A new, empty database, shared by all that is built with this layer.
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
