/**
 * Elections over HTTP: health checks that follow leadership, the status as JSON, events, metrics, and a page.
 *
 * | path | answer |
 * | --- | --- |
 * | `/` | a page that shows the elections live: one file, which asks nobody else |
 * | `/leader` | 200 with the header `fencing-token` if this process leads at the instant of the answer, else 503 with who leads |
 * | `/follower` | 200 if it takes part and does not lead, else 503 |
 * | `/live` | 200 if the store has answered the candidate within three heartbeats, else 503 |
 * | `/ready` | 200 if it takes part, too; with `?leader` the answer of `/leader` |
 * | `/status`, `/history`, `/candidates` | what `fdb-election` prints with `--json` |
 * | `/events` | Server-Sent Events, resumable by `Last-Event-ID` |
 * | `/metrics` | all metrics of the process, in Prometheus' text format |
 * | `/step-down` | POST only, where a token is configured: asks the leader to step down |
 *
 * All but `/step-down` only read, and have the methods GET, HEAD and OPTIONS. With several elections, `?election=NAME` selects one.
 */
import { Database, type Subspace } from "@effect-fdb/core"
import type { Candidacy, Slots } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Redacted from "effect/Redacted"
import * as EventLog from "./EventLog.ts"
import { type Answer, endpoint, json, parametersOf, reading, text } from "./internal/answers.ts"
import { eventStream } from "./internal/eventStream.ts"
import * as HealthChecks from "./internal/healthChecks.ts"
import * as NodeServer from "./internal/nodeServer.ts"
import { page } from "./internal/page.ts"
import * as Served from "./internal/served.ts"
import { shared } from "./internal/shared.ts"
import * as StepDown from "./internal/stepDown.ts"

/**
 * An election to serve, and the part of this process in it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServedElection {
  /** Its name in answers, and in `?election=`. */
  readonly name: string
  /** The subspace of the election, its slots or its shards, in the `Database` of the layer. */
  readonly subspace: Subspace.Subspace
  /** The candidacy of this process. Without one, it is an observer, which never leads. */
  readonly candidacy?: Candidacy.Candidacy | Slots.SlotCandidacy | undefined
}

/**
 * What is served.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly elections: readonly [ServedElection, ...ReadonlyArray<ServedElection>]
  /** What comes before each path, such as `/election`; nothing by default. */
  readonly prefix?: `/${string}` | undefined
  /** The events of this process's candidates: see `EventLog`. What changes in the store is told without it, too. */
  readonly events?: EventLog.EventLog | undefined
  /** Makes `POST /step-down` possible for those who have it. It must not be empty. Without it, the path does not exist. */
  readonly stepDownToken?: Redacted.Redacted | undefined
}

const lines = 20

/** `?limit=`, between 1 and 100; 20 by default. */
const limitOf = (given: string | undefined): number | undefined => {
  if (given === undefined) return lines
  const limit = Number(given)
  return Number.isInteger(limit) && limit >= 1 && limit <= 100 ? limit : undefined
}

const unavailable = ({ name }: Served.Served) => ({ isMissing, message }: Served.Problem) =>
  json(isMissing ? 404 : 503, { election: name, error: message })

const statusOf = ({ name, status }: Served.Served) =>
  Effect.match(status, {
    onSuccess: (body: object) => ({ status: 200, body }),
    onFailure: ({ isMissing, message }) => ({ status: isMissing ? 404 : 503, body: { election: name, error: message } })
  })

/**
 * Adds the paths to the router of an application.
 *
 * **Gotchas**
 *
 * `/leader` asks the belief in the last step before the response is handed to the server of the application. A server that holds
 * responses back, for clients that pipeline requests for example, may send an answer that was true when it was made. `layerServer`
 * does not.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  { elections, events, prefix, stepDownToken }: Options
): Layer.Layer<never, never, Database | HttpRouter.HttpRouter> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const router = yield* HttpRouter.HttpRouter
    const log = events ?? (yield* EventLog.make)
    const served = yield* Effect.forEach(elections, (election) => Served.make(election, log))
    const database = yield* Database
    const paths = prefix === undefined ? router : router.prefixed(prefix)

    /** The elections that a request is about: the one that it names, or all. */
    const selectedBy = (request: HttpServerRequest): ReadonlyArray<Served.Served> | Answer => {
      const { election } = parametersOf(request)
      if (election === undefined) return served
      const selected = served.filter(({ name }) => name === election)
      return selected.length > 0
        ? selected
        : json(404, { error: `the election ${election} is not served here`, elections: served.map(({ name }) => name) })
    }
    const onAll = <R>(
      answer: (selected: ReadonlyArray<Served.Served>, request: HttpServerRequest) => Effect.Effect<Answer, never, R>
    ) =>
    (request: HttpServerRequest): Effect.Effect<Answer, never, R> => {
      const selected = selectedBy(request)
      return HttpServerResponse.isHttpServerResponse(selected) ? Effect.succeed(selected) : answer(selected, request)
    }
    const onOne = <R>(
      answer: (selected: Served.Served, request: HttpServerRequest) => Effect.Effect<Answer, never, R>
    ) =>
      onAll<R>((selected, request) =>
        selected.length === 1
          ? answer(selected[0]!, request)
          : Effect.succeed(
            json(400, {
              error: "several elections are served here: name one with ?election=",
              elections: selected.map(({ name }) => name)
            })
          )
      )

    /** The answer is made when it is about to be sent, not before. */
    const atLast = (answer: Effect.Effect<Answer>): Effect.Effect<Answer, never, HttpServerRequest> =>
      Effect.as(HttpEffect.appendPreResponseHandler(() => answer), HttpServerResponse.empty())

    const leader = onOne((election) => atLast(HealthChecks.leader(election)))
    const read = <R>(
      path: `/${string}`,
      answer: (request: HttpServerRequest) => Effect.Effect<Answer, never, R>
    ) => paths.add("*", path, endpoint(reading, answer))

    yield* read("/", () => page)
    yield* read("/leader", leader)
    yield* read("/follower", onOne((election) => atLast(HealthChecks.follower(election))))
    yield* read("/live", onAll((selected) => HealthChecks.live(selected)))
    yield* read(
      "/ready",
      (request) =>
        parametersOf(request)["leader"] === undefined
          ? onAll((selected) => HealthChecks.ready(selected))(request)
          : leader(request)
    )
    yield* read(
      "/status",
      onAll((selected) =>
        Effect.map(Effect.forEach(selected, statusOf, { concurrency: "unbounded" }), (all) => {
          const bodies = all.map(({ body }) => body)
          return json(Math.max(...all.map(({ status }) => status)), bodies.length === 1 ? bodies[0] : bodies)
        })
      )
    )
    yield* read(
      "/history",
      onOne((election, request) => {
        const limit = limitOf(parametersOf(request)["limit"])
        if (limit === undefined) return Effect.succeed(json(400, { error: "limit must be an integer from 1 to 100" }))
        return Effect.match(election.tenures, {
          onSuccess: (tenures) => json(200, tenures.slice(0, limit)),
          onFailure: unavailable(election)
        })
      })
    )
    yield* read(
      "/candidates",
      onOne((election) =>
        Effect.match(election.status, {
          onSuccess: (status) => json(200, "candidates" in status ? status.candidates : []),
          onFailure: unavailable(election)
        })
      )
    )
    yield* read(
      "/events",
      onAll((selected, request) =>
        Effect.map(
          Effect.forEach(selected, ({ statusEvent }) => statusEvent, { concurrency: "unbounded" }),
          (statuses) =>
            eventStream(
              log,
              new Set(selected.map(({ name }) => name)),
              statuses,
              request.headers["last-event-id"] ?? parametersOf(request)["last-event-id"]
            )
        )
      )
    )
    const metrics = yield* shared(PrometheusMetrics.format(), "250 millis")
    yield* read(
      "/metrics",
      () => Effect.map(metrics.recent, (body) => text(200, body, "text/plain; version=0.0.4; charset=utf-8"))
    )

    if (stepDownToken !== undefined && Redacted.value(stepDownToken) !== "") {
      yield* paths.add(
        "*",
        "/step-down",
        endpoint(["POST", "OPTIONS"], (request) =>
          StepDown.isAuthorized(request, stepDownToken)
            ? onOne((election) => Effect.provideService(StepDown.stepDown(election), Database, database))(request)
            : Effect.succeed(StepDown.unauthorized))
      )
    }
  }))

/**
 * Where {@link layerServer} listens.
 *
 * @since 0.1.0
 * @category models
 */
export interface ListenOptions {
  /** The address; `127.0.0.1` by default, which only this host reaches. Others see who leads, and where. */
  readonly host?: string | undefined
  /** The port; 8008 by default. With 0 the system chooses one: see `HttpServer`. */
  readonly port?: number | undefined
  /** The number of connections at the same time; 1000 by default. Above it, the one that has been idle longest is closed. */
  readonly maxConnections?: number | undefined
}

/**
 * Listens by itself, on Node, for nothing but the paths of {@link layer}.
 *
 * Clients have bounds: 8 kB and five seconds for the head of a request, no body to speak of, 1000 connections, 100 listeners of
 * events, and at most four reads of the store a second for each election, however many ask.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServer = (
  { host = "127.0.0.1", maxConnections = 1000, port = 8008, ...options }: Options & ListenOptions
): Layer.Layer<HttpServer.HttpServer, ServeError, Database> => {
  const paths = Layer.effectDiscard(
    Effect.flatMap(
      HttpRouter.HttpRouter,
      (router) =>
        router.add(
          "*",
          "/*",
          (request) => Effect.succeed(json(404, { error: `there is no ${request.url.split("?")[0]} here` }))
        )
    )
  )
  return HttpRouter.serve(Layer.mergeAll(layer(options), paths), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(Layer.effect(HttpServer.HttpServer, NodeServer.make({ host, maxConnections, port })))
  )
}
