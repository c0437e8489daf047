/** Builds the services of a cluster. They close with the scope. */
import { Database } from "@effect-fdb/core"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ClusterHealth } from "../ClusterHealth.ts"
import type { NativeDatabaseOptions } from "../NativeDatabaseOptions.ts"
import type { NativeError } from "../NativeError.ts"
import type { BindingDatabaseOptions } from "./binding.ts"
import * as clusterStatus from "./clusterStatus.ts"
import { clientUnavailable } from "./installHelp.ts"
import * as nativeEngine from "./nativeEngine.ts"
import type { Network } from "./network.ts"
import { dropUnset } from "./networkOptions.ts"
import { probe } from "./probe.ts"

const defaultConnectTimeout = Duration.seconds(5)

/** The binding copies the path into a buffer of this size plus a zero byte, and truncates a longer path. */
const maxPathLength = 1023

export const make = (
  network: Network,
  options: NativeDatabaseOptions
): Effect.Effect<Context.Context<Database | ClusterHealth>, NativeError, Scope.Scope> =>
  Effect.gen(function*() {
    const { clusterFile, tenant } = options
    if (tenant !== undefined) {
      return yield* clientUnavailable(
        "tenant",
        `the options name the tenant "${tenant}", but tenants are not supported`
      )
    }
    if (clusterFile !== undefined && Buffer.byteLength(clusterFile) > maxPathLength) {
      return yield* clientUnavailable(
        "cluster-file",
        `the path of the cluster file is longer than ${maxPathLength} bytes`
      )
    }
    const { engine, opened } = yield* Effect.acquireRelease(
      Effect.map(
        network.open({
          clusterFile,
          database: dropUnset<BindingDatabaseOptions>({
            max_watches: options.maxWatches,
            machine_id: options.machineId,
            datacenter_id: options.datacenterId
          }),
          apiVersion: options.apiVersion,
          network: options.network ?? {}
        }),
        (opened) => ({ opened, engine: nativeEngine.make(opened) })
      ),
      ({ engine, opened }) => Effect.andThen(engine.close, network.forget(opened))
    )
    const connectTimeout = Duration.fromInputUnsafe(options.connectTimeout ?? defaultConnectTimeout)
    yield* probe(engine, connectTimeout, clusterFile)
    return Context.make(Database, Database.fromEngine(engine)).pipe(
      Context.add(ClusterHealth, { status: clusterStatus.read(engine, opened.apiVersion) })
    )
  })
