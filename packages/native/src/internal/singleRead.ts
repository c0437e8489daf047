/** A transaction that reads once and is not tried again. */
import type { Engine } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** Runs `read` in a transaction that is ended with it; the client fails it with 1031 after `timeout`. */
export const singleRead = <A, E>(
  engine: Engine.Engine,
  timeout: Duration.Duration,
  read: (transaction: Engine.EngineTransaction) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.acquireUseRelease(
    Effect.sync(() =>
      engine.begin({
        timeoutMillis: Duration.toMillis(timeout),
        sizeLimit: undefined,
        priority: "default",
        causalReadRisky: false,
        tag: undefined
      })
    ),
    read,
    (transaction) => transaction.dispose
  )
