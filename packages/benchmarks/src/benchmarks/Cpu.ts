/**
 * The CPU time of a renewal in a process that leads many elections, on the memory engine. The baselines are the renewal's transaction
 * alone, hand-written and through `Database.transact`.
 */
import { MemoryDatabase } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Benchmark, Figure } from "../Benchmark.ts"
import { AcceleratedClock } from "../cpu/AcceleratedClock.ts"
import { handWritten } from "../cpu/handWritten.ts"
import type { Leader } from "../cpu/load.ts"
import { supervised } from "../cpu/supervised.ts"
import { transacted } from "../cpu/transacted.ts"

interface Extent {
  readonly elections: number
  /** In seconds of the accelerated clock: the time to start and compile, and then the time to measure. */
  readonly begin: number
  readonly measured: number
}

/** Microseconds of CPU for each beat. */
export const perBeat = (leader: Leader, { begin, elections, measured }: Extent) =>
  Effect.suspend(() => {
    const clock = new AcceleratedClock()
    let beats = 0
    return Effect.gen(function*() {
      const engine = yield* MemoryDatabase.makeEngine
      yield* leader({ engine, clock, elections, renewed: () => void beats++ })
      yield* clock.pass(begin * 1000)
      const beatsBefore = beats
      const usedBefore = process.cpuUsage()
      yield* clock.pass(measured * 1000)
      const { system, user } = process.cpuUsage(usedBefore)
      return (system + user) / (beats - beatsBefore)
    }).pipe(Effect.scoped, Effect.provideService(Clock.Clock, clock), Effect.orDie)
  })

export const cpu: Benchmark = {
  name: "cpu",
  title: "CPU of one process that leads many elections, memory engine, on a clock that does not wait",
  against: "the renewal's transaction alone, by hand, with bare promises on the same engine",
  run: ({ quick }) =>
    Effect.gen(function*(): Effect.fn.Return<ReadonlyArray<Figure>> {
      const elections = quick ? 500 : 2000
      // A cheaper leader runs longer.
      const longer = { elections, begin: 30, measured: 60 }
      const hand = yield* perBeat(handWritten, longer)
      const transaction = yield* perBeat(transacted, longer)
      const here = yield* perBeat(supervised, { elections, begin: 12, measured: quick ? 9 : 15 })
      return [
        { name: "an election's beat, supervised", unit: "µs", here, baseline: hand },
        { name: "what of it is the library's own", unit: "µs", here: here - hand, reach: { atMost: 50 } },
        { name: "supervised, over that by hand", unit: "times", here: here / hand, reach: { atMost: 1.3 } },
        { name: "the same transaction, by transact", unit: "µs", here: transaction, baseline: hand },
        { name: "by transact, over that by hand", unit: "times", here: transaction / hand, reach: { atMost: 1.3 } }
      ]
    })
}
