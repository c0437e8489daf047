import type * as Duration from "effect/Duration"
import type { NetworkOptions } from "./NetworkOptions.ts"

/**
 * The cluster, and the options of the connection.
 *
 * @since 0.1.0
 * @category models
 */
export interface NativeDatabaseOptions {
  /**
   * The path of the cluster file, at most 1023 bytes. If it is not set, FoundationDB uses the environment variable
   * `FDB_CLUSTER_FILE`, then `fdb.cluster` in the working directory, then the platform's default.
   */
  readonly clusterFile?: string | undefined
  /**
   * The time to wait for the cluster's first answer while the layer is built; five seconds unless set. With an infinite duration
   * the layer does not wait at all, and each transaction waits until its own timeout.
   */
  readonly connectTimeout?: Duration.Input | undefined
  /** The API version; unless set, 720, or 710 with client library 7.1. The first layer of a process fixes it. */
  readonly apiVersion?: number | undefined
  /** The maximum number of watches at a time; 10,000 unless set, at most a million. */
  readonly maxWatches?: number | undefined
  /** The machine of this process. Reads go to a storage server near it. */
  readonly machineId?: string | undefined
  /** The data centre of this process. Reads go to a storage server in it. */
  readonly datacenterId?: string | undefined
  /**
   * Not supported, because the npm package `foundationdb` has no call for tenants: the layer fails with `ClientUnavailable`. Give
   * each application its own subspace instead.
   */
  readonly tenant?: string | undefined
  /** TLS, traces and more. They hold for the whole process: all layers must use the same. */
  readonly network?: NetworkOptions | undefined
}
