/** The common interface of this library and its baseline. */
import type { Database, Transaction } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"

/** Runs a transaction that is committed only while the leadership stands. */
export type Guard = <A, E>(body: Effect.Effect<A, E, Transaction>) => Effect.Effect<A, unknown, Database>

export interface Timing {
  readonly lease: Duration.Duration
  readonly heartbeat: Duration.Duration
}

export interface ElectionUnderTest {
  readonly initialize: (timing: Timing) => Effect.Effect<unknown, unknown, Database>
  /** Campaigns and works repeatedly until it is interrupted, then resigns and leaves. */
  readonly campaign: (
    id: string,
    heartbeat: Duration.Duration,
    work: (guard: Guard) => Effect.Effect<unknown, unknown, Database>
  ) => Effect.Effect<unknown, unknown, Database>
}

/** The default configuration of both libraries. */
export const usual: Timing = { lease: Duration.seconds(10), heartbeat: Duration.seconds(3) }
