/**
 * Metrics and spans over OTLP, to a receiver of its own: what a collector gets of an election. Give `Otlp.layerJson` the address of
 * yours in place of it, as in `http://localhost:4318`.
 *
 * The label `candidate` is left out: each start of a process would make new series.
 */
import { MemoryDatabase, Subspace } from "@effect-fdb/core"
import { ElectionMetrics, LeaderElection } from "@effect-fdb/leader-election"
import { Console, Effect, Layer, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { Otlp, OtlpExporter } from "effect/observability"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const election = LeaderElection.make(Subspace.fromTuple(["mailer"]))

const Attributes = Schema.Array(
  Schema.Struct({ key: Schema.String, value: Schema.Struct({ stringValue: Schema.optionalKey(Schema.String) }) })
)
const Point = Schema.Struct({
  attributes: Attributes,
  asDouble: Schema.optionalKey(Schema.Finite),
  count: Schema.optionalKey(Schema.Union([Schema.Finite, Schema.FiniteFromString]))
})
const Points = Schema.Struct({ dataPoints: Schema.Array(Point) })
const Received = Schema.fromJsonString(Schema.Struct({
  resourceMetrics: Schema.Array(Schema.Struct({
    scopeMetrics: Schema.Array(Schema.Struct({
      metrics: Schema.Array(Schema.Struct({
        name: Schema.String,
        unit: Schema.String,
        gauge: Schema.optionalKey(Points),
        sum: Schema.optionalKey(Points),
        histogram: Schema.optionalKey(Points)
      }))
    }))
  }))
}))

/** Takes what is posted, by path. */
const receiver = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly bodies: Map<string, string>; readonly close: () => void }>(
    (resume) => {
      const bodies = new Map<string, string>()
      const server = createServer((request, response) => {
        let body = ""
        request.setEncoding("utf8").on("data", (chunk: string) => void (body += chunk)).on("end", () => {
          bodies.set(request.url ?? "", body)
          response.end("{}")
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, bodies, close }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

/** Each metric of the election, in a line. */
const linesOf = Effect.fn("linesOf")(function*(body: string) {
  const { resourceMetrics } = yield* Schema.decodeEffect(Received)(body)
  const metrics = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
  return metrics.flatMap(({ gauge, histogram, name, sum, unit }) =>
    (gauge ?? sum ?? histogram)!.dataPoints.flatMap(({ asDouble, attributes, count }) => {
      const labels = new Map(attributes.map(({ key, value }) => [key, value.stringValue]))
      if (labels.get("election") !== "mailer") return []
      const others = [...labels].filter(([key]) => key !== "election" && key !== "unit").map((pair) => pair.join("="))
      return [`${name}{${others.join()}} ${count === undefined ? asDouble : `${count} values in ${unit}`}`]
    })
  ).toSorted()
})

export const main = Effect.gen(function*() {
  const { bodies, url } = yield* receiver
  const send = election.withLeadership({}, () => Effect.void)
  const exporting = Otlp.layerJson({ baseUrl: url, resource: { serviceName: "mailer" } })
  yield* Effect.gen(function*() {
    yield* send
    yield* send
    yield* Effect.flatMap(OtlpExporter.Flusher, ({ flush }) => flush)
  }).pipe(
    Effect.provideService(ElectionMetrics, { candidateLabel: false }),
    Effect.provide(Layer.provide(exporting, FetchHttpClient.layer))
  )
  const lines = yield* linesOf(bodies.get("/v1/metrics") ?? "")
  const told = [
    "fdb_election_leading",
    "fdb_election_transitions_total{cause=vacant}",
    "fdb_election_leaderless_seconds"
  ]
  for (const line of lines.filter((line) => told.some((name) => line.startsWith(name)))) yield* Console.log(line)
  yield* Console.log(
    `spans of ${bodies.get("/v1/traces")?.includes("LeaderElection.lead") ? "tenures, too" : "nothing"}`
  )
}).pipe(Effect.scoped, Effect.provide(MemoryDatabase.layer))
