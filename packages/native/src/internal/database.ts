/** Builds the database service on a network, and closes it with the scope. */
import { Database, type DatabaseService } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { NativeDatabaseOptions } from "../NativeDatabaseOptions.ts"
import type { NativeError } from "../NativeError.ts"
import type { BindingDatabaseOptions } from "./binding.ts"
import { clientUnavailable } from "./hints.ts"
import * as nativeEngine from "./nativeEngine.ts"
import type { Network } from "./network.ts"
import { probe } from "./probe.ts"

const defaultConnectTimeout = Duration.seconds(5)

/** The binding copies the path into as many bytes, with a zero behind it, and cuts off what is longer. */
const maxPathLength = 1023

const databaseOptions = (options: NativeDatabaseOptions): BindingDatabaseOptions => ({
  ...(options.maxWatches === undefined ? {} : { max_watches: options.maxWatches }),
  ...(options.machineId === undefined ? {} : { machine_id: options.machineId }),
  ...(options.datacenterId === undefined ? {} : { datacenter_id: options.datacenterId })
})

/** See `NativeDatabase.layer`. */
export const make = (
  network: Network,
  options: NativeDatabaseOptions
): Effect.Effect<DatabaseService, NativeError, Scope.Scope> =>
  Effect.gen(function*() {
    const { clusterFile } = options
    if (clusterFile !== undefined && Buffer.byteLength(clusterFile) > maxPathLength) {
      return yield* clientUnavailable(
        "cluster-file",
        `the path of the cluster file is longer than ${maxPathLength} bytes`
      )
    }
    const engine = yield* Effect.acquireRelease(
      Effect.map(
        network.open({
          clusterFile,
          database: databaseOptions(options),
          apiVersion: options.apiVersion,
          network: options.network ?? {}
        }),
        (opened) => ({ opened, native: nativeEngine.make(opened) })
      ),
      ({ native, opened }) => Effect.andThen(native.close, network.forget(opened))
    )
    const connectTimeout = Duration.fromInputUnsafe(options.connectTimeout ?? defaultConnectTimeout)
    yield* probe(engine.native, connectTimeout, clusterFile)
    return Database.fromEngine(engine.native)
  })
