/** A process that does one job of the benchmark `commits`, and reports its figures. */
import { Database, type FdbError, Subspace, Transaction, Tuple } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { argument, type Job } from "./messages.ts"
import * as Store from "./Store.ts"

const { count, job, store, subspace } = argument<Job>()
const key = (name: string) => Subspace.fromTuple([subspace]).pack([name])

const increment = Database.transact(
  Effect.gen(function*() {
    const tx = yield* Transaction
    const counted = yield* tx.get(key("counter"))
    const [before = 0] = counted === undefined ? [] : Result.getOrThrow(Tuple.unpack(counted))
    yield* tx.set(key("counter"), Tuple.pack([Number(before) + 1]))
  }),
  { timeout: "1 minute" }
)

const watchBell = Database.transact(Effect.gen(function*() {
  const tx = yield* Transaction
  return { rung: yield* tx.watch(key("bell")), value: yield* tx.get(key("bell")) }
}))

const jobs: { readonly [J in Job["job"]]: Effect.Effect<ReadonlyArray<number>, FdbError, Database> } = {
  // The milliseconds of each commit.
  increment: Effect.forEach(
    Array(count).keys(),
    () => Effect.map(Effect.timed(increment), ([took]) => Duration.toMillis(took))
  ),
  // The bell holds the time before the commit that rang it.
  listen: Effect.gen(function*() {
    const delays: Array<number> = []
    let heard: bigint | undefined
    while (delays.length < count) {
      const { rung, value } = yield* watchBell
      const [rungAt] = value === undefined ? [] : Result.getOrThrow(Tuple.unpack(value)) as ReadonlyArray<bigint>
      if (rungAt !== heard) delays.push(Number((yield* Clock.monotonicTimeNanos) - rungAt!) / 1e6)
      heard = rungAt
      process.send?.("listening")
      yield* rung
    }
    return delays
  }).pipe(Effect.scoped),
  // The percentage of a core that a process with a watch uses, after the garbage of the start was collected.
  idle: Effect.scoped(Effect.gen(function*() {
    const rung = yield* Database.transact(Transaction.use((tx) => tx.watch(key("never"))))
    yield* Effect.sleep("15 seconds")
    const before = process.cpuUsage()
    yield* Effect.timeoutOption(rung, count)
    const { system, user } = process.cpuUsage(before)
    return [(system + user) / 10 / count]
  }))
}

const figures = await Effect.runPromise(Effect.provide(jobs[job], Store.layer(store)))
process.send?.(figures, undefined, undefined, () => process.exit(0))
