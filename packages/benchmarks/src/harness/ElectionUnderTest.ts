/** What the benchmarks know of an election, so that they treat this library and its baseline alike. */
import type { Database, Transaction } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"

/** Runs a transaction that is committed only while the leadership stands. */
export type Guard = <A, E>(body: Effect.Effect<A, E, Transaction>) => Effect.Effect<A, unknown, Database>

/** The election's configuration. */
export interface Timing {
  readonly lease: Duration.Duration
  readonly heartbeat: Duration.Duration
}

/** See the module. */
export interface ElectionUnderTest {
  readonly initialize: (timing: Timing) => Effect.Effect<unknown, unknown, Database>
  /** Campaigns and works, again and again, until it is interrupted; it resigns and leaves then. */
  readonly campaign: (
    id: string,
    heartbeat: Duration.Duration,
    work: (guard: Guard) => Effect.Effect<unknown, unknown, Database>
  ) => Effect.Effect<unknown, unknown, Database>
}

/** The configuration of both libraries where nothing is said. */
export const usual: Timing = { lease: Duration.seconds(10), heartbeat: Duration.seconds(3) }
