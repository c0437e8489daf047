/** Reads the client's status of its cluster. */
import { Bytes, type Engine, type FdbError } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type ClusterStatus, UnknownStatus } from "../ClusterHealth.ts"
import { singleRead } from "./probe.ts"

const Versioned = Schema.Struct({ version: Schema.String })
const Client = Schema.Struct({ client_version: Schema.String })

/** The used fields. Those of `cluster` are missing while no cluster controller answers. */
const StatusJson = Schema.fromJsonString(Schema.Struct({
  client: Schema.Struct({
    database_status: Schema.Struct({ available: Schema.Boolean, healthy: Schema.Boolean }),
    coordinators: Schema.Struct({
      coordinators: Schema.Array(Schema.Struct({ reachable: Schema.Boolean })),
      quorum_reachable: Schema.Boolean
    })
  }),
  cluster: Schema.optionalKey(Schema.Struct({
    processes: Schema.optionalKey(Schema.Record(Schema.String, Versioned)),
    clients: Schema.optionalKey(Schema.Struct({ supported_versions: Schema.optionalKey(Schema.Array(Client)) }))
  }))
}))

const distinct = (versions: ReadonlyArray<string>): ReadonlyArray<string> => [...new Set(versions)].toSorted()

export const decode = (json: string, apiVersion: number): Result.Result<ClusterStatus, UnknownStatus> =>
  Result.mapBoth(Schema.decodeResult(StatusJson)(json), {
    onFailure: ({ message }) => new UnknownStatus({ problem: message }),
    onSuccess: ({ client, cluster }): ClusterStatus => {
      const { coordinators, quorum_reachable } = client.coordinators
      return {
        ...client.database_status,
        coordinators: {
          total: coordinators.length,
          reachable: coordinators.filter(({ reachable }) => reachable).length,
          hasQuorum: quorum_reachable
        },
        serverVersions: distinct(Object.values(cluster?.processes ?? {}).map(({ version }) => version)),
        clientVersions: distinct((cluster?.clients?.supported_versions ?? []).map((client) => client.client_version)),
        apiVersion
      }
    }
  })

/** A key that the client answers itself, without a read version from a server. */
const statusKey = Bytes.concat(new Uint8Array([255, 255]), Bytes.fromString("/status/json"))

export const read = (
  engine: Engine.Engine,
  apiVersion: number
): Effect.Effect<ClusterStatus, FdbError | UnknownStatus> =>
  Effect.flatMap(
    singleRead(engine, Duration.seconds(5), (transaction) => transaction.get(statusKey, true)),
    (json) =>
      json === undefined
        ? Effect.fail(new UnknownStatus({ problem: "the client gives none" }))
        : Effect.fromResult(decode(new TextDecoder().decode(json), apiVersion))
  )
