/** Requests to the paths as an application mounts them, without a socket and under the test clock. */
import { type Database, MemoryDatabase, Subspace } from "@effect-fdb/core"
import { ElectionObserver, LeaderElection } from "@effect-fdb/leader-election"
import { Clock, Effect, type Scope } from "effect"
import { HttpEffect, HttpRouter, type HttpServerResponse } from "effect/http"
import { TestClock } from "effect/testing"
import { ElectionHttp, EventLog } from "../../src/index.ts"

export const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly json: any
}

/** `after` is what the application does between a handler and the sending of its response. */
export const mount = Effect.fnUntraced(function*(
  options: ElectionHttp.Options,
  after: (response: HttpServerResponse.HttpServerResponse) => Effect.Effect<HttpServerResponse.HttpServerResponse> =
    Effect.succeed
) {
  const context = yield* Effect.context<Database>()
  const app = yield* HttpRouter.toHttpEffect(ElectionHttp.layer(options))
  const handler = HttpEffect.toWebHandlerWith(context)(
    Effect.flatMap(app, after) as Effect.Effect<HttpServerResponse.HttpServerResponse>
  )
  const send = (path: string, init?: RequestInit) =>
    Effect.promise(() => handler(new Request(`http://localhost${path}`, init)))
  const get = (path: string, init?: RequestInit): Effect.Effect<Reply> =>
    Effect.flatMap(send(path, init), (response) =>
      Effect.map(Effect.promise(() => response.text()), (text) => ({
        status: response.status,
        headers: response.headers,
        json: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text
      })))
  return { get, send }
})

/** A process: a candidate with a wall clock of its own, and its paths. */
export const makeProcess = Effect.fnUntraced(function*(id: string, more: Partial<ElectionHttp.Options> = {}) {
  const events = yield* EventLog.make
  const clock = yield* Clock.Clock
  const wall = { ahead: 0 }
  const wallNanos = () => clock.currentTimeNanosUnsafe() + BigInt(wall.ahead) * 1_000_000n
  const wallMillis = () => Number(wallNanos() / 1_000_000n)
  const candidacy = yield* election.candidacy({ id }).pipe(
    Effect.provideService(ElectionObserver, events.observe),
    Effect.provideService(Clock.Clock, {
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      currentTimeMillisUnsafe: wallMillis,
      currentTimeMillis: Effect.sync(wallMillis),
      currentTimeNanosUnsafe: wallNanos,
      currentTimeNanos: Effect.sync(wallNanos)
    })
  )
  const served = { name: "app/mailer", subspace: election.subspace, candidacy }
  return { candidacy, events, wall, ...yield* mount({ elections: [served], events, ...more }) }
})

export const test = <E>(body: () => Generator<Effect.Effect<any, any, any>, void, any>) => () =>
  Effect.andThen(TestClock.adjust(0), Effect.gen(body) as Effect.Effect<void, E, Database | Scope.Scope>).pipe(
    Effect.provide(MemoryDatabase.layer)
  )
