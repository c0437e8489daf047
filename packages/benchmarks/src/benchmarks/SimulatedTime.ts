/** The speed of simulated time relative to real time, with five processes. */
import { Checkers, Profile, type Scenario, Simulation } from "@effect-fdb/simulation"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Benchmark, Figure } from "../Benchmark.ts"

const processes = 5

const ofProfile = (profile: Profile.Name) => (seed: number): Scenario => Profile.generate(profile, seed, { processes })

/** A leader that works and followers, without resignations and faults. */
const steady = (seed: number): Scenario => {
  const scenario = ofProfile("calm")(seed)
  const lasting = scenario.processes.map((process) => ({ ...process, work: { ...process.work, lasts: undefined } }))
  return { ...scenario, processes: lasting, faults: [] }
}

const kinds = { steady, calm: ofProfile("calm"), everything: ofProfile("everything") }

/** Simulated seconds per real second, without and with the checkers. */
const measure = Effect.fnUntraced(function*(generate: (seed: number) => Scenario, from: number, to: number) {
  let simulated = 0
  let running = 0n
  let checking = 0n
  for (let seed = from; seed < to; seed++) {
    const begun = yield* Clock.monotonicTimeNanos
    const history = Simulation.run(generate(seed))
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
      const seeds = quick ? 3 : 20
      for (const [name, generate] of Object.entries(kinds)) {
        // Excludes the first seconds, in which the code is compiled.
        yield* measure(generate, 0, seeds)
        const { alone, checked } = yield* measure(generate, seeds, 2 * seeds)
        figures.push(
          { name, unit: "times", here: alone, reach: { atLeast: 5000 } },
          { name: `${name}, checked`, unit: "times", here: checked }
        )
      }
      return figures
    })
}
