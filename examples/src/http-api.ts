/**
 * An HttpApi with an endpoint that only the leader serves. A middleware provides the `Leadership` to the handler where this process
 * leads, and answers 503 elsewhere; the handler writes under `guard`.
 */
import { MemoryDatabase, Subspace, Transaction, Tuple } from "@effect-fdb/core"
import { LeaderElection, Leadership } from "@effect-fdb/leader-election"
import { Console, Effect, Layer, Option, Schema, Stream, SubscriptionRef } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware } from "effect/http-api"

const election = LeaderElection.make(Subspace.fromTuple(["jobs", "election"]))
const done = Subspace.fromTuple(["jobs", "done"])

class NotLeader extends Schema.TaggedError<NotLeader>()("NotLeader", {}, { httpApiStatus: 503 }) {}

/** The endpoints under it are served by the leader only, with its `Leadership`. */
class OnlyLeader extends HttpApiMiddleware.Service<OnlyLeader, { provides: Leadership }>()("jobs/OnlyLeader", {
  error: NotLeader
}) {}

const Api = HttpApi.make("jobs").add(
  HttpApiGroup.make("jobs").add(
    HttpApiEndpoint.post("finish", "/jobs/:name", {
      params: { name: Schema.String },
      success: Schema.String,
      error: NotLeader
    }).middleware(OnlyLeader)
  )
)

const Jobs = HttpApiBuilder.group(
  Api,
  "jobs",
  (handlers) =>
    handlers.handle("finish", ({ params: { name } }) =>
      Effect.gen(function*() {
        const { guard, term } = yield* Leadership
        yield* guard(Transaction.use((tx) => tx.set(done.pack([name]), Tuple.pack([term]))))
        return `${name} was done in term ${term}`
      }).pipe(Effect.catchTags({ LeadershipLost: () => Effect.fail(new NotLeader()), FdbError: Effect.die })))
)

/** A process: it campaigns, and answers requests. */
const serve = Effect.fn("serve")(function*(id: string) {
  const current = yield* SubscriptionRef.make(Option.none<Leadership>())
  const campaign = election.singleton({ id }, (leadership) =>
    Effect.acquireRelease(
      SubscriptionRef.set(current, Option.some(leadership)),
      () => SubscriptionRef.set(current, Option.none())
    ).pipe(Effect.andThen(Effect.never)))
  const onlyLeader = Layer.succeed(
    OnlyLeader,
    Effect.fnUntraced(function*(handler) {
      const leadership = yield* SubscriptionRef.get(current)
      if (Option.isNone(leadership)) return yield* new NotLeader()
      return yield* Effect.provideService(handler, Leadership, leadership.value)
    })
  )
  yield* Layer.build(campaign)
  const app = HttpApiBuilder.layer(Api).pipe(
    Layer.provide(Jobs),
    Layer.provide(onlyLeader),
    Layer.provide(HttpServer.layerServices)
  )
  const { handler } = yield* Effect.acquireRelease(
    Effect.sync(() => HttpRouter.toWebHandler(app, { disableLogger: true })),
    ({ dispose }) => Effect.promise(dispose)
  )
  const post = Effect.fn("post")(function*(path: string) {
    const request = new Request(`http://localhost${path}`, { method: "POST" })
    const response = yield* Effect.promise(() => handler(request))
    yield* Console.log(`${id}: ${response.status} ${yield* Effect.promise(() => response.text())}`)
  })
  return { current, post }
})

export const main = Effect.gen(function*() {
  const first = yield* serve("host-1")
  yield* Stream.runHead(Stream.filter(SubscriptionRef.changes(first.current), Option.isSome))
  const second = yield* serve("host-2")
  yield* first.post("/jobs/report")
  yield* second.post("/jobs/invoices")
}).pipe(Effect.scoped, Effect.provide(MemoryDatabase.layer))
