/** Asks the cluster for a sign of life, for by itself a client waits for ever. */
import type { Engine, FdbError } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type ClientUnavailable, ClusterUnreachable } from "../NativeError.ts"
import { clientUnavailable } from "./hints.ts"

/**
 * No cluster file, an unreadable one, or one that says nothing sensible (1511, 1513: files; 1515, 2104, 2105: cluster
 * files). A recent client reports them only with the first operation.
 */
const clusterFileCodes: ReadonlySet<number> = new Set([1510, 1511, 1513, 1515, 2104, 2105])

/** Succeeds as soon as the cluster has answered; a retryable error is an answer too. */
export const probe = (
  engine: Engine.Engine,
  timeout: Duration.Duration,
  clusterFile: string | undefined
): Effect.Effect<void, ClientUnavailable | ClusterUnreachable> => {
  if (!Duration.isFinite(timeout)) return Effect.void
  const waitedMillis = Duration.toMillis(timeout)
  const failed = (error: FdbError): Effect.Effect<void, ClientUnavailable | ClusterUnreachable> => {
    if (error.retryable) return Effect.void
    return clusterFileCodes.has(error.code)
      ? Effect.fail(clientUnavailable(
        "cluster-file",
        `${clusterFile === undefined ? "the default cluster file" : clusterFile} cannot be used (error ${error.code})`
      ))
      : Effect.fail(
        new ClusterUnreachable({
          ...(clusterFile === undefined ? {} : { clusterFile }),
          waitedMillis,
          code: error.code
        })
      )
  }
  return Effect.acquireUseRelease(
    Effect.sync(() =>
      engine.begin({
        timeoutMillis: waitedMillis,
        sizeLimit: undefined,
        priority: "default",
        causalReadRisky: false,
        tag: undefined
      })
    ),
    (transaction) => Effect.matchEffect(transaction.readVersion, { onFailure: failed, onSuccess: () => Effect.void }),
    (transaction) => transaction.dispose
  )
}
