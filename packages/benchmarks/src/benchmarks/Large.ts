/** Renewals beside large transactions, between real processes. */
import { Bytes, Database, type FdbError, Subspace, Transaction } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { monitorEventLoopDelay } from "node:perf_hooks"
import type { Benchmark, Figure } from "../Benchmark.ts"
import * as Renewals from "../processes/Renewals.ts"
import * as Store from "../processes/Store.ts"

const run = Effect.fnUntraced(function*(store: Store.Store, keys: number) {
  const space = Subspace.fromTuple([`bench ${process.pid}`])
  const range = space.range()
  const key = (i: number) => Bytes.concat(range.begin, Bytes.fromString(String(i).padStart(8, "0")))
  const write = (from: number, to: number) =>
    Database.transact(Effect.gen(function*() {
      const tx = yield* Transaction
      for (let i = from; i < to; i++) yield* tx.set(key(i), new Uint8Array(10))
    }))
  const renewals = yield* Renewals.begin({ store, keys: 1, heartbeatMillis: 333 })

  const measured = Effect.fnUntraced(function*<A>(
    what: string,
    effect: Effect.Effect<A, FdbError, Database>
  ) {
    // Lets earlier work end and garbage be collected.
    yield* Effect.sleep("1 second")
    renewals.length = 0
    const delays = monitorEventLoopDelay({ resolution: 1 })
    delays.enable()
    const begun = yield* Clock.monotonicTimeNanos
    yield* effect
    const millis = Number((yield* Clock.monotonicTimeNanos) - begun) / 1e6
    delays.disable()
    // Lets the renewal under way end.
    yield* Effect.sleep("1 second")
    const figures: ReadonlyArray<Figure> = [
      { name: `${what}`, unit: "ms", here: millis },
      { name: `${what}: the event loop held at a stretch`, unit: "ms", here: delays.max / 1e6 },
      {
        name: `${what}: longest renewal beside it`,
        unit: "ms",
        here: Math.max(0, ...renewals.map(({ longest }) => longest)),
        reach: { atMost: 1000 }
      }
    ]
    return figures
  })

  const most60 = Math.round(keys * 0.6)
  const figures = [
    yield* measured(`${most60} keys set`, write(0, most60)),
    yield* measured(`${keys - most60} more`, write(most60, keys)),
    yield* measured(`${keys} keys read`, Database.transact(Transaction.use((tx) => tx.getRange(range)))),
    yield* measured(`${keys} keys cleared`, Database.transact(Transaction.use((tx) => tx.clearRange(range))))
  ]
  return figures.flat()
})

export const large: Benchmark = {
  name: "large",
  title: "large transactions beside another process's renewals",
  betweenProcesses: true,
  run: ({ engine, quick }) => Store.use(engine, {}, (store) => run(store, quick ? 10_000 : 100_000))
}
