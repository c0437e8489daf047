/** What idle candidates use, with and without a witness. */
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Benchmark } from "../Benchmark.ts"
import * as Candidates from "../processes/Candidates.ts"
import { readCpuMillis, readResidentMegabytes } from "../processes/resources.ts"
import * as Store from "../processes/Store.ts"

const count = 25

/** The mean share of a core, in percent, and the mean of the resident megabytes, of candidates of one election. */
const measure = Effect.fnUntraced(function*(store: Store.Store, settleMillis: number, measureMillis: number) {
  const candidates = yield* Candidates.make({ store, elections: 1, config: new ElectionConfig({}) })
  yield* Effect.forEach(Array(count).keys(), (index) => candidates.begin(`candidate ${index + 1}`))
  yield* Effect.sleep(settleMillis)
  const pids = yield* candidates.pids
  const before = { at: yield* Clock.monotonicTimeNanos, cpu: readCpuMillis(pids) }
  yield* Effect.sleep(measureMillis)
  const elapsed = Number((yield* Clock.monotonicTimeNanos) - before.at) / 1e6
  return {
    percent: 100 * (readCpuMillis(pids) - before.cpu) / elapsed / count,
    megabytes: readResidentMegabytes(pids) / count
  }
})

export const witness: Benchmark = {
  name: "witness",
  title: `what each of ${count} idle candidates uses, with a witness and without, at the same time`,
  betweenProcesses: true,
  run: ({ engine, quick }) =>
    Effect.gen(function*() {
      const measured = (isWitnessed: boolean) =>
        Store.use(engine, { isWitnessed }, (store) => measure(store, quick ? 2000 : 20_000, quick ? 5000 : 60_000))
      const [without, withIt] = yield* Effect.all([measured(false), measured(true)], { concurrency: 2 })
      return [
        { name: "CPU, without", unit: "% of a core", here: without.percent },
        { name: "CPU, with", unit: "% of a core", here: withIt.percent },
        {
          name: "CPU of the witness",
          unit: "% of a core",
          here: withIt.percent - without.percent,
          reach: { atMost: 1 }
        },
        { name: "memory, without", unit: "MB", here: without.megabytes },
        { name: "memory, with", unit: "MB", here: withIt.megabytes },
        { name: "memory of the witness", unit: "MB", here: withIt.megabytes - without.megabytes, reach: { atMost: 1 } }
      ]
    })
}
