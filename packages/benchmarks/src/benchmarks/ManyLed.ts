/** What a process needs to lead many elections at once: to keep them, and to win them. */
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Benchmark } from "../Benchmark.ts"
import * as Candidates from "../processes/Candidates.ts"
import * as Store from "../processes/Store.ts"

const leader = "leader"

/** Campaigns for all elections at once, and leads them. */
const lead = Effect.fnUntraced(
  function*(store: Store.Store, elections: number, config: ElectionConfig, seconds: number) {
    const candidates = yield* Candidates.make({ store, elections, config })
    const begun = yield* candidates.begin(leader)
    const ledAt = yield* candidates.allLed
    const from = yield* candidates.usage(leader)
    yield* Effect.sleep(`${seconds} seconds`)
    const to = yield* candidates.usage(leader)
    return {
      secondsUntilLed: (ledAt - begun.at) / 1000,
      cores: (to.cpuMillis - from.cpuMillis) / (to.at - from.at),
      renewalMicros: 1000 * (to.cpuMillis - from.cpuMillis) / (to.renewed - from.renewed),
      lost: to.lost
    }
  },
  Effect.scoped
)

export const manyLed: Benchmark = {
  name: "many-led",
  title: "10,000 elections led by one process, heartbeat 3 s, memory engine",
  run: ({ quick }) =>
    Store.use({ engine: "memory" }, {}, (store) =>
      Effect.map(
        lead(store, 10_000, new ElectionConfig({}), quick ? 10 : 60),
        ({ cores, lost, renewalMicros, secondsUntilLed }) => [
          { name: "CPU after all are led", unit: "cores", here: cores, reach: { atMost: 0.25 } },
          { name: "a renewal", unit: "µs", here: renewalMicros },
          { name: "until all are led", unit: "s", here: secondsUntilLed },
          { name: "tenures lost", unit: "", here: lost, reach: { atMost: 0 } }
        ]
      ))
}

export const rush: Benchmark = {
  name: "rush",
  title: "1,000 campaigns started at once in one process, lease 2 s",
  betweenProcesses: true,
  run: ({ engine, quick }) => {
    const config = ElectionConfig.withLeaseDuration(Duration.seconds(2))
    const run = (engine: Store.EngineChoice | { readonly engine: "memory" }) =>
      Store.use(
        engine,
        {},
        (store) =>
          Effect.map(lead(store, 1000, config, quick ? 5 : 20), ({ lost, secondsUntilLed }) => [
            { name: `${engine.engine}: until all are led`, unit: "s", here: secondsUntilLed, reach: { atMost: 5 } },
            { name: `${engine.engine}: tenures that expired`, unit: "", here: lost, reach: { atMost: 0 } }
          ])
      )
    return Effect.map(Effect.forEach([{ engine: "memory" as const }, engine], run), (figures) => figures.flat())
  }
}
