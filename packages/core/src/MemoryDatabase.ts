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
import type { Engine } from "./Engine.ts"
import { MemoryStore } from "./internal/memoryStore.ts"
import * as OptimisticEngine from "./OptimisticEngine.ts"

/** A new, empty engine, to be decorated before `Database.fromEngine` makes a database of it. */
export const makeEngine: Effect.Effect<Engine> = Effect.map(
  Clock.Clock,
  (clock) => OptimisticEngine.make({ name: "memory", store: new MemoryStore(clock), clock })
)

/** A new, empty database. */
export const make: Effect.Effect<DatabaseService> = Effect.map(makeEngine, Database.fromEngine)

/** A new, empty database, shared by all that is built with this layer. */
export const layer: Layer.Layer<Database> = Layer.effect(Database, make)
