/**
 * The health of a FoundationDB cluster, as the client sees it.
 *
 * `NativeDatabase.layer` provides the service beside `Database`. It reads `\xff\xff/status/json`, which the client answers
 * even while the cluster has no quorum.
 */
import type { FdbError } from "@effect-fdb/core"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** What a look at the cluster has found. */
export interface ClusterStatus {
  /** Transactions can be run. */
  readonly available: boolean
  /** Available, and nothing is to be repaired. */
  readonly healthy: boolean
  readonly coordinators: {
    readonly total: number
    readonly reachable: number
    /** More than half of them answer this client. */
    readonly hasQuorum: boolean
  }
  /** The versions of the servers; more than one while the cluster is upgraded, none while they cannot be asked. */
  readonly serverVersions: ReadonlyArray<string>
  /**
   * The versions of the client libraries that are connected to the cluster, this process's among them; none while the cluster
   * cannot be asked. The binding does not tell the version of its own library.
   */
  readonly clientVersions: ReadonlyArray<string>
  /** The API version that this process has selected. */
  readonly apiVersion: number
}

/** The status that the client gave has another form than that of FoundationDB 7.1 to 7.3. */
export class UnknownStatus extends Schema.TaggedError<UnknownStatus>()("UnknownStatus", { problem: Schema.String }) {
  override get message(): string {
    return `The status of the FoundationDB cluster cannot be read: ${this.problem}. Ask \`fdbcli --exec "status json"\`.`
  }
}

/** See the module. */
export class ClusterHealth extends Context.Service<ClusterHealth, {
  /** Looks at the cluster. It fails with 1031 when the client has not answered within five seconds. */
  readonly status: Effect.Effect<ClusterStatus, FdbError | UnknownStatus>
}>()("@effect-fdb/native/ClusterHealth") {}
