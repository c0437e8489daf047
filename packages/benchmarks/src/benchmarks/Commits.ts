/** Commits, wake-ups and idle watches, between real processes. */
import { Database, Subspace, Transaction, Tuple } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type { Benchmark, Figure } from "../Benchmark.ts"
import { type Job, start } from "../processes/messages.ts"
import * as Store from "../processes/Store.ts"
import { percentile } from "../Summary.ts"

const run = Effect.fnUntraced(function*(store: Store.Store, quick: boolean) {
  const subspace = `effect-fdb commits ${process.pid}`
  const space = Subspace.fromTuple([subspace])
  yield* Effect.addFinalizer(() =>
    Effect.ignore(Database.transact(Transaction.use((tx) => tx.clearRange(space.range()))))
  )
  const context = yield* Effect.context<Database>()
  const ring = Effect.gen(function*() {
    const now = Tuple.pack([yield* Clock.monotonicTimeNanos])
    yield* Database.transact(Transaction.use((tx) => tx.set(space.pack(["bell"]), now)))
  })
  const ringSoon = Effect.andThen(Effect.flatMap(Random.nextBetween(5, 25), Effect.sleep), ring)

  /** The figures of a committer. The bell rings each time that it listens. */
  const perform = (job: Job["job"], count: number) =>
    Effect.callback<ReadonlyArray<number>>((resume) => {
      const child = start("committer.js", { store, subspace, job, count } satisfies Job)
      child.on("message", (message: "listening" | ReadonlyArray<number>) => {
        if (message === "listening") Effect.runForkWith(context)(ringSoon)
        else resume(Effect.succeed(message))
      })
      child.on("exit", (code) => resume(Effect.die(new Error(`the committer ended with ${code}`))))
      return Effect.sync(() => child.kill("SIGKILL"))
    })
  const figuresOf = (name: string, took: ReadonlyArray<number>): ReadonlyArray<Figure> =>
    ([["p50", 0.5], ["p95", 0.95], ["most", 1]] as const)
      .map(([of, fraction]) => ({ name: `${name}, ${of}`, unit: "ms", here: percentile(took, fraction) }))
  const [many, idleMillis] = quick ? [100, 2000] : [2000, 10_000]
  const four = Effect.all(Array.from({ length: 4 }, () => perform("increment", many / 2)), { concurrency: 4 })
  const figures = [
    figuresOf("one process, read and write", yield* perform("increment", many)),
    figuresOf("four processes on one counter", (yield* four).flat()),
    figuresOf("wake-up, from before the commit", yield* perform("listen", many / 4))
  ]
  const idle = (name: string, shares: ReadonlyArray<number>): ReadonlyArray<Figure> =>
    shares.map((here) => ({ name: `a watch, ${name}`, unit: "% of a core", here }))
  figures.push(idle("nothing committed", yield* perform("idle", idleMillis)))
  const ringing = yield* Effect.forkScoped(Effect.forever(Effect.andThen(ring, Effect.sleep("100 millis"))))
  figures.push(idle("ten commits a second", yield* perform("idle", idleMillis)))
  yield* Fiber.interrupt(ringing)
  return figures.flat()
})

export const commits: Benchmark = {
  name: "commits",
  title: "commits, wake-ups and idle watches between real processes, retries included",
  betweenProcesses: true,
  run: ({ engine, quick }) => Store.use(engine, {}, (store) => run(store, quick))
}
