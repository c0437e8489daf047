/**
 * The FoundationDB engine: the `Database` service on a cluster, through the npm package `foundationdb`.
 *
 * The layer loads the package and FoundationDB's client library only when it is built. So a program that imports this module but
 * uses another engine runs on a machine without them.
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

/** All layers of the process share one network. */
const processNetwork = network.make(load, process)

/**
 * The `Database` service on a FoundationDB cluster, and {@link ClusterHealth}.
 *
 * **Details**
 *
 * - The layer loads the client, opens the cluster, and waits for its first answer (`connectTimeout`).
 * - It fails with `ClientUnavailable` if the package, the client library or the cluster file is missing (the message says what to
 *   do), with `ClusterUnreachable` if the cluster does not answer in time, and with `WorkerThreadUnsupported` in a worker thread.
 * - When its scope closes, the layer cancels reads and watches, waits for them and for the commits under way, and closes the
 *   database. The network thread stays idle and does not keep the process alive.
 * - A process that ends by `process.exit` or an uncaught error ends at once with its own exit code. The outcome of commits under way
 *   is then unknown.
 *
 * @example const DatabaseLayer = NativeDatabase.layer({ clusterFile: "/etc/foundationdb/fdb.cluster" })
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: NativeDatabaseOptions = {}): Layer.Layer<Database | ClusterHealth, NativeError> =>
  Layer.effectContext(database.make(processNetwork, options))

/**
 * {@link layer} with options from the `ConfigProvider` (by default the environment). Give a `Config` for each option, or one for
 * all of them. Write `Config.withDefault(…, undefined)` for an option that may be absent. The layer also fails with `ConfigError`,
 * if an option is missing or not valid.
 *
 * @example const DatabaseLayer = NativeDatabase.layerConfig({ network: { tls: { caPath: Config.NonEmptyString("CA_FILE") } } })
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Wrap<NativeDatabaseOptions>
): Layer.Layer<Database | ClusterHealth, NativeError | Config.ConfigError> =>
  Layer.effectContext(
    Effect.flatMap(Config.unwrap(options), (options) => database.make(processNetwork, options))
  )
