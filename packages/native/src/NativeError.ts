/**
 * Why the FoundationDB engine could not be built. Each error says what to do about it.
 */
import * as Schema from "effect/Schema"

/** What is missing for the client to work. */
export const UnavailableReason = Schema.Literals([
  /** The npm package `foundationdb` is not installed. */
  "package",
  /** The package is there, but has no native part for this platform. */
  "platform",
  /** FoundationDB's client library, `libfdb_c`, is missing or cannot be loaded. */
  "library",
  /** The library, the package or the process speaks another API version. */
  "version",
  /** There is no cluster file, or what it says cannot be used. */
  "cluster-file",
  /** An option was refused, or the client's network runs with other options already, or cannot run with these. */
  "options",
  /** A tenant was asked for, which the package has no call for. */
  "tenant"
])

/** See {@link UnavailableReason}. */
export type UnavailableReason = typeof UnavailableReason.Type

/**
 * The FoundationDB client cannot be used in this process as it is installed and configured.
 *
 * **Details**
 *
 * - `reason`: what is missing, see {@link UnavailableReason}
 * - `detail`: what was found
 * - `hint`: what to do about it, on this platform
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
 * The cluster did not answer in time when the layer was built. Without this error, everything would wait for ever.
 *
 * **Details**
 *
 * - `clusterFile`: the cluster file that was asked for, absent where the default was taken
 * - `waitedMillis`: how long it was waited for
 * - `code`: FoundationDB's error code, 1031 when there was no answer at all
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
 * The layer was built in a worker thread. The binding keeps state for the whole process and ties it to the thread that
 * loaded it: a worker that ends would stop the network of all. Build the layer in the main thread.
 */
export class WorkerThreadUnsupported
  extends Schema.TaggedError<WorkerThreadUnsupported>()("WorkerThreadUnsupported", {})
{
  override get message(): string {
    return "The FoundationDB binding works only in a process's main thread, and this is a worker thread. " +
      "Build NativeDatabase.layer in the main thread (with Vitest: `pool: \"forks\"`)."
  }
}

/** Whatever keeps the engine from being built. */
export type NativeError = ClientUnavailable | ClusterUnreachable | WorkerThreadUnsupported
