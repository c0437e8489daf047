/** The program of a candidate. */
import { Subspace } from "@effect-fdb/core"
import { LeaderElection } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { argument, type Assignment, type Order, type Report } from "./messages.ts"
import * as Store from "./Store.ts"

const { elections, id, store, subspace } = argument<Assignment>()

const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
const tell = (report: Report) => Effect.sync(() => void process.send?.(report))

/** The next order. */
let ordered = Deferred.makeUnsafe<number>()
process.on("message", (order: Order) => {
  const { system, user } = process.cpuUsage()
  if (order.kind === "resign") Deferred.doneUnsafe(ordered, Effect.succeed(order.backAfter))
  else process.send?.({ kind: "used", cpuMillis: (system + user) / 1000 } satisfies Report)
})

const lead = (index: number) =>
  LeaderElection.make(Subspace.fromTuple([subspace, index])).withLeadership(
    { id },
    () => Effect.andThen(Effect.flatMap(now, (at) => tell({ kind: "works", at })), Effect.never),
    { again: true }
  )

const life = Effect.gen(function*() {
  let resigned: number | undefined
  while (true) {
    ordered = Deferred.makeUnsafe<number>()
    yield* tell({ kind: "campaigns", resigned })
    const order = Effect.tap(Deferred.await(ordered), () => Effect.map(now, (at) => void (resigned = at)))
    // The order ends the scopes of the leaderships, so that they resign.
    const backAfter = yield* Effect.forEach(Array(elections).keys(), lead, { concurrency: "unbounded" }).pipe(
      Effect.andThen(Effect.never),
      Effect.raceFirst(order)
    )
    yield* Effect.sleep(backAfter)
  }
})

await life.pipe(
  Effect.provide(Store.layer(store)),
  Effect.provideService(References.MinimumLogLevel, "Warn"),
  Effect.runPromise
)
