/**
 * Which cluster, and how it is reached.
 */
import type * as Duration from "effect/Duration"
import type { NetworkOptions } from "./NetworkOptions.ts"

/** See the fields; every one may be left out. */
export interface NativeDatabaseOptions {
  /**
   * The path of the cluster file, of at most 1023 bytes. Unless set, FoundationDB takes the environment variable
   * `FDB_CLUSTER_FILE`, `fdb.cluster` in the working directory, and the platform's default, in this order.
   */
  readonly clusterFile?: string | undefined
  /**
   * How long to wait for the cluster's first answer while the layer is built; five seconds unless set. An infinite
   * duration means not to ask: the layer is then built at once, and transactions are bounded by their own timeouts.
   */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * The API version. Unless set, 720, or 710 where the client library is 7.1. The first layer of a process decides.
   */
  readonly apiVersion?: number | undefined
  /** How many watches may be outstanding at once; 10,000 unless set, at most a million. */
  readonly maxWatches?: number | undefined
  /** The machine that this process runs on, so that reads go to a storage server nearby. */
  readonly machineId?: string | undefined
  /** The data centre that this process runs in, so that reads go to a storage server nearby. */
  readonly datacenterId?: string | undefined
  /**
   * Not supported: the npm package `foundationdb` has no call for tenants, so the layer fails with `ClientUnavailable` where one
   * is given. Give each application a subspace of its own instead.
   */
  readonly tenant?: string | undefined
  /** TLS, traces and more. These hold for the whole process: the first layer decides, and another may not differ. */
  readonly network?: NetworkOptions | undefined
}
