/** A candidate, a process of its own: `candidate.js DIRECTORY ID`. */
import { Subspace } from "@effect-fdb/core"
import { LeaderElection } from "@effect-fdb/leader-election"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import { subspaceName } from "./election.ts"
import type { Order, Report } from "./messages.ts"

const [directory = "", id = ""] = process.argv.slice(2)
const election = LeaderElection.make(Subspace.fromTuple([subspaceName]))

const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
const tell = (report: Report) => Effect.sync(() => void process.send?.(report))

/** The order that is being waited for. */
let ordered = Deferred.makeUnsafe<number>()
process.on("message", ({ resign }: Order) => Deferred.doneUnsafe(ordered, Effect.succeed(resign.backAfter)))
// Whoever asked for it has gone.
process.on("disconnect", () => process.exit(1))

const life = Effect.gen(function*() {
  let resigned: number | undefined
  while (true) {
    ordered = Deferred.makeUnsafe<number>()
    yield* tell({ kind: "campaigns", resigned })
    const working = Effect.flatMap(now, (at) => tell({ kind: "works", at }))
    const order = Deferred.await(ordered).pipe(
      Effect.tap(() =>
        Effect.map(now, (at) => {
          resigned = at
        })
      )
    )
    // The order ends the scope of the leadership, and that resigns.
    const backAfter = yield* election.withLeadership({ id }, () => Effect.andThen(working, Effect.never), {
      again: true
    }).pipe(Effect.raceFirst(order))
    yield* Effect.sleep(backAfter)
  }
})

await life.pipe(
  Effect.provide(LmdbDatabase.layer({ path: directory, durability: "process" })),
  Effect.provideService(References.MinimumLogLevel, "Warn"),
  Effect.runPromise
)
