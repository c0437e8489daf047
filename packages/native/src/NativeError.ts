/** Why the FoundationDB engine could not be built. Each message says what to do. */
import * as Schema from "effect/Schema"

/**
 * Why the client does not work.
 *
 * @since 0.1.0
 * @category schemas
 */
export const UnavailableReason = Schema.Literals([
  /** The npm package `foundationdb` is not installed. */
  "package",
  /** The package has no native code for this platform. */
  "platform",
  /** FoundationDB's client library, `libfdb_c`, is missing or cannot be loaded. */
  "library",
  /** The library, the package or the process uses another API version. */
  "version",
  /** The cluster file is missing or not valid. */
  "cluster-file",
  /** The client refused an option, or its network runs with other options or not at all. */
  "options",
  /** The options name a tenant, which the package does not support. */
  "tenant"
])

/**
 * See {@link UnavailableReason}.
 *
 * @since 0.1.0
 * @category models
 */
export type UnavailableReason = typeof UnavailableReason.Type

/**
 * The FoundationDB client cannot be used in this process as it is installed and configured.
 *
 * **Details**
 *
 * - `reason`: the kind of failure, see {@link UnavailableReason}
 * - `detail`: the finding, as a text
 * - `hint`: what to do on this platform
 *
 * @since 0.1.0
 * @category errors
 */
export class ClientUnavailable extends Schema.TaggedError<ClientUnavailable>()("ClientUnavailable", {
  reason: UnavailableReason,
  detail: Schema.String,
  hint: Schema.String
}) {
  override get message(): string {
    return `The FoundationDB client is not available: ${this.detail}. ${this.hint}`
  }
}

/**
 * The cluster did not answer in time when the layer was built.
 *
 * **Details**
 *
 * - `clusterFile`: the cluster file; absent for the default one
 * - `waitedMillis`: the time that the layer has waited
 * - `code`: FoundationDB's error code; 1031 if there was no answer at all
 *
 * @since 0.1.0
 * @category errors
 */
export class ClusterUnreachable extends Schema.TaggedError<ClusterUnreachable>()("ClusterUnreachable", {
  clusterFile: Schema.optionalKey(Schema.String),
  waitedMillis: Schema.Finite,
  code: Schema.Int
}) {
  override get message(): string {
    const { clusterFile = "the default cluster file" } = this
    return `The FoundationDB cluster of ${clusterFile} gave no read version within ${this.waitedMillis} ms (error ${this.code}). Check with \`fdbcli --exec status\` that it is up, that this host ` +
      "reaches the addresses in the cluster file, and that both sides agree on TLS."
  }
}

/**
 * The layer was built in a worker thread. The binding ties state of the whole process to the thread that loaded it: the end of a
 * worker would stop the network of the process. Build the layer in the main thread.
 *
 * @since 0.1.0
 * @category errors
 */
export class WorkerThreadUnsupported
  extends Schema.TaggedError<WorkerThreadUnsupported>()("WorkerThreadUnsupported", {})
{
  override get message(): string {
    return "The FoundationDB binding works only in a process's main thread, and this is a worker thread. " +
      "Build NativeDatabase.layer in the main thread (with Vitest: `pool: \"forks\"`)."
  }
}

/**
 * Any reason why the engine could not be built.
 *
 * @since 0.1.0
 * @category errors
 */
export type NativeError = ClientUnavailable | ClusterUnreachable | WorkerThreadUnsupported
