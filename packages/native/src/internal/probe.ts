/** Checks that the cluster answers. Without a timeout, a client waits for ever. */
import type { Engine, FdbError } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type ClientUnavailable, ClusterUnreachable } from "../NativeError.ts"
import { clientUnavailable } from "./installHelp.ts"

/** Runs `read` in its own transaction. The client fails it with 1031 after `timeout`. */
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

/**
 * The cluster file cannot be read (1510, 1511, 1513, 1516), is missing (1515), or has an invalid connection string (2104). A recent
 * client reports these only with the first operation.
 */
const clusterFileCodes: ReadonlySet<number> = new Set([1510, 1511, 1513, 1515, 1516, 2104])

/** The maximum delay of the client's own timeout. */
const grace = Duration.seconds(1)

/**
 * The client fails a transaction at its timeout, if its network thread runs. The grace begins when this thread notices the timeout: a
 * busy thread has not yet processed the answers that arrived before.
 */
const networkDown = (timeout: Duration.Duration): Effect.Effect<never, ClientUnavailable> =>
  Effect.gen(function*() {
    yield* Effect.sleep(timeout)
    yield* Effect.sleep(grace)
    return yield* clientUnavailable("options", "the client's network does not run, so no operation completes")
  })

/** Succeeds when the cluster has answered. A retryable error is an answer too. */
export const probe = (
  engine: Engine.Engine,
  timeout: Duration.Duration,
  clusterFile: string | undefined
): Effect.Effect<void, ClientUnavailable | ClusterUnreachable> => {
  if (!Duration.isFinite(timeout)) return Effect.void
  const waitedMillis = Duration.toMillis(timeout)
  const failed = (error: FdbError): Effect.Effect<void, ClientUnavailable | ClusterUnreachable> => {
    if (error.retryable) return Effect.void
    const file = clusterFile ?? "the default cluster file"
    return Effect.fail(
      clusterFileCodes.has(error.code)
        ? clientUnavailable("cluster-file", `${file} cannot be used (error ${error.code})`)
        : new ClusterUnreachable({ ...(clusterFile !== undefined && { clusterFile }), waitedMillis, code: error.code })
    )
  }
  return singleRead(engine, timeout, ({ readVersion }) =>
    Effect.raceFirst(
      Effect.matchEffect(readVersion, { onFailure: failed, onSuccess: () => Effect.void }),
      networkDown(timeout)
    ))
}
