/** From a leader's resignation to the successor's work, between real processes. */
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Benchmark } from "../Benchmark.ts"
import * as Candidates from "../processes/Candidates.ts"
import * as Store from "../processes/Store.ts"
import { percentile } from "../Summary.ts"

const names = ["ada", "bea", "cyn"]
/** In milliseconds. A candidate that has resigned campaigns again after this time, when another leads. */
const backAfter = 50

/** The milliseconds of each handover. */
const measure = Effect.fnUntraced(function*(candidates: Candidates.Candidates, handovers: number) {
  yield* Effect.forEach(names, candidates.start)
  const took: Array<number> = []
  let campaigning = 0
  let leader: string | undefined
  let working: number | undefined
  let resigned: number | undefined
  while (took.length < handovers) {
    // Waits until all candidates campaign, and some time more.
    while (leader === undefined || campaigning < names.length) {
      const report = yield* candidates.next("a leader and its followers")
      if (report.kind === "campaigns") {
        campaigning++
        resigned = report.resigned ?? resigned
      } else if (report.kind === "works") {
        leader = report.who
        working = report.at
      }
    }
    if (resigned !== undefined && working !== undefined) took.push(working - resigned)
    yield* Effect.sleep(yield* Random.nextBetween(30, 70))
    yield* candidates.resign(leader, backAfter)
    leader = undefined
    campaigning--
  }
  return took
})

export const handover: Benchmark = {
  name: "handover",
  title: "from a resignation to the successor's work, three real processes",
  betweenProcesses: true,
  run: ({ engine, quick }) => {
    const handovers = quick ? 30 : 200
    const run = (durability: Store.Durability) =>
      Store.use(engine, durability, (store) =>
        Effect.gen(function*() {
          const candidates = yield* Candidates.make({ store, elections: 1, config: new ElectionConfig({}) })
          const took = yield* measure(candidates, handovers)
          const commit = percentile(yield* Candidates.blindCommits(handovers), 0.5)
          const label = engine.engine === "fdb" ? "FoundationDB" : `LMDB, durability ${durability}`
          return [
            { name: `${label}: p50`, unit: "ms", here: percentile(took, 0.5) },
            { name: `${label}: p95`, unit: "ms", here: percentile(took, 0.95) },
            { name: `${label}: most`, unit: "ms", here: percentile(took, 1) },
            { name: `${label}: a commit beside it, p50`, unit: "ms", here: commit },
            { name: `${label}: p50 in such commits`, unit: "commits", here: percentile(took, 0.5) / commit },
            { name: `${label}: p95 in such commits`, unit: "commits", here: percentile(took, 0.95) / commit }
          ]
        }))
    const durabilities: ReadonlyArray<Store.Durability> = engine.engine === "fdb" ? ["disk"] : ["disk", "process"]
    return Effect.map(Effect.forEach(durabilities, run), (figures) => figures.flat())
  }
}
