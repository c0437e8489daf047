/** How much faster than the real one the time of a simulation passes, with five processes. */
import { Checkers, Profile, Simulation } from "@effect-fdb/simulation"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Benchmark, Figure } from "../Benchmark.ts"

const processes = 5

/** Simulated seconds per real second, of the histories alone and with the checkers. */
const measure = Effect.fnUntraced(function*(profile: Profile.Name, seeds: number) {
  let simulated = 0
  let running = 0n
  let checking = 0n
  for (let seed = 0; seed < seeds; seed++) {
    const begun = yield* Clock.monotonicTimeNanos
    const history = Simulation.run(Profile.generate(profile, seed, { processes }))
    const ran = yield* Clock.monotonicTimeNanos
    Checkers.check(history)
    simulated += history.endedAt
    running += ran - begun
    checking += (yield* Clock.monotonicTimeNanos) - ran
  }
  return { alone: simulated / Number(running), checked: simulated / Number(running + checking) }
})

export const simulatedTime: Benchmark = {
  name: "simulated-time",
  title: `simulated time against real time, ${processes} processes, one thread`,
  run: ({ quick }) =>
    Effect.gen(function*() {
      const figures: Array<Figure> = []
      const seeds = quick ? 3 : 10
      // The compiler has seen it all before it is measured.
      yield* measure("everything", quick ? 1 : 3)
      for (const profile of ["calm", "everything"] as const) {
        const { alone, checked } = yield* measure(profile, seeds)
        figures.push(
          { name: profile, unit: "times", here: alone, reach: { atLeast: 5000 } },
          { name: `${profile}, checked`, unit: "times", here: checked }
        )
      }
      return figures
    })
}
