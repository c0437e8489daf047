/**
 * The FoundationDB engine: the `Database` service on a cluster, through the npm package `foundationdb`.
 *
 * The package, and FoundationDB's client library, are loaded when the layer is built and not before. So a program that
 * has this module on board, and another engine in use, runs on a machine that has neither.
 */
import type { Database } from "@effect-fdb/core"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ClusterHealth } from "./ClusterHealth.ts"
import * as database from "./internal/database.ts"
import { load } from "./internal/load.ts"
import * as network from "./internal/network.ts"
import type { NativeDatabaseOptions } from "./NativeDatabaseOptions.ts"
import type { NativeError } from "./NativeError.ts"

export type { NativeDatabaseOptions } from "./NativeDatabaseOptions.ts"

/** One network for the process, however many layers are built and closed. */
const processNetwork = network.make(load, process)

/**
 * The `Database` service on a FoundationDB cluster, and {@link ClusterHealth} for its operation.
 *
 * **Details**
 *
 * - Building it loads the client, opens the cluster, and waits for its first answer (`connectTimeout`).
 * - It fails with `ClientUnavailable` when the package, the client library or the cluster file is missing, with what to do;
 *   with `ClusterUnreachable` when there is no answer in time; with `WorkerThreadUnsupported` in a worker thread.
 * - Closing it cancels reads and watches, waits for them and for the commits under way, then closes the database. The
 *   network thread stays, idle, and keeps no process alive.
 * - A process that ends by `process.exit` or an uncaught error with operations under way ends at once, with its own exit
 *   code; what was being committed then may or may not have been.
 *
 * **Example**
 *
 * ```ts
 * import { Database, Transaction } from "@effect-fdb/core"
 * import { NativeDatabase } from "@effect-fdb/native"
 * import { Effect } from "effect"
 *
 * const program = Database.transact(Effect.flatMap(Transaction, (tx) => tx.readVersion))
 *
 * export const main = Effect.provide(program, NativeDatabase.layer({ clusterFile: "/etc/foundationdb/fdb.cluster" }))
 * ```
 */
export const layer = (options: NativeDatabaseOptions = {}): Layer.Layer<Database | ClusterHealth, NativeError> =>
  Layer.effectContext(database.make(processNetwork, options))

/**
 * The `Database` service on a FoundationDB cluster whose options come from the `ConfigProvider`: the environment, unless another
 * is provided. Give a `Config` for each option, or one for all of them. An option that may be absent is
 * `Config.withDefault(…, undefined)`.
 *
 * It fails as {@link layer} does, and with `ConfigError` when an option is missing or not valid.
 *
 * **Example**
 *
 * ```ts
 * import { NativeDatabase } from "@effect-fdb/native"
 * import { Config } from "effect"
 *
 * export const DatabaseLayer = NativeDatabase.layerConfig({
 *   clusterFile: Config.NonEmptyString("CLUSTER_FILE"),
 *   connectTimeout: Config.withDefault(Config.Duration("CONNECT_TIMEOUT"), "5 seconds"),
 *   network: { tls: { caPath: Config.NonEmptyString("CA_FILE") } }
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Wrap<NativeDatabaseOptions>
): Layer.Layer<Database | ClusterHealth, NativeError | Config.ConfigError> =>
  Layer.effectContext(
    Effect.flatMap(Config.unwrap(options), (options) => database.make(processNetwork, options))
  )
