/**
 * The health of a FoundationDB cluster, as this client sees it. It comes from the key `\xff\xff/status/json`, which the client
 * answers even while the cluster has no quorum.
 */
import type { FdbError } from "@effect-fdb/core"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * The state of a cluster.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClusterStatus {
  /** The cluster accepts transactions. */
  readonly available: boolean
  /** The cluster is available and needs no repair. */
  readonly healthy: boolean
  readonly coordinators: {
    readonly total: number
    readonly reachable: number
    /** More than half of the coordinators answer this client. */
    readonly hasQuorum: boolean
  }
  /** The versions of the servers: more than one during an upgrade, none while they do not answer. */
  readonly serverVersions: ReadonlyArray<string>
  /** The versions of all client libraries that are connected to the cluster; none while the servers do not answer. */
  readonly clientVersions: ReadonlyArray<string>
  /** The API version that this process has selected. */
  readonly apiVersion: number
}

/**
 * The client's status does not have the form of FoundationDB 7.1 to 7.3.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnknownStatus extends Schema.TaggedError<UnknownStatus>()("UnknownStatus", { problem: Schema.String }) {
  override get message(): string {
    return `The status of the FoundationDB cluster cannot be read: ${this.problem}. Ask \`fdbcli --exec "status json"\`.`
  }
}

/**
 * The health of the cluster. `NativeDatabase.layer` provides it.
 *
 * @since 0.1.0
 * @category services
 */
export class ClusterHealth extends Context.Service<ClusterHealth, {
  /** Reads the status. Fails with 1031 if the client does not answer within five seconds. */
  readonly status: Effect.Effect<ClusterStatus, FdbError | UnknownStatus>
}>()("@effect-fdb/native/ClusterHealth") {}
