/** From the SIGKILL of a leader to the successor's work, between real processes. */
import { ElectionConfig } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Benchmark } from "../Benchmark.ts"
import * as Candidates from "../processes/Candidates.ts"
import * as Store from "../processes/Store.ts"
import { percentile } from "../Summary.ts"

const names = ["ada", "bea", "cyn"]
const leaseMillis = 2000

/** The milliseconds from each kill to the next work. Starts the killed process again. */
const measure = Effect.fnUntraced(function*(candidates: Candidates.Candidates, kills: number) {
  yield* Effect.forEach(names, candidates.start)
  const took: Array<number> = []
  let leader = yield* nextWork(candidates)
  while (took.length < kills) {
    // At a random moment between two renewals.
    yield* Effect.sleep(yield* Random.nextBetween(1000, 3000))
    const killed = Number(yield* Clock.monotonicTimeNanos) / 1e6
    yield* candidates.kill(leader.who)
    const successor = yield* nextWork(candidates)
    took.push(successor.at - killed)
    yield* candidates.start(leader.who)
    leader = successor
  }
  return took
})

const nextWork = Effect.fnUntraced(function*(candidates: Candidates.Candidates) {
  while (true) {
    const report = yield* candidates.next("a leader")
    if (report.kind === "works") return report
  }
})

export const crash: Benchmark = {
  name: "crash",
  title: "from the SIGKILL of a leader to the successor's work, three real processes, lease 2 s",
  betweenProcesses: true,
  run: ({ engine, quick }) =>
    Store.use(engine, "disk", (store) =>
      Effect.gen(function*() {
        const config = ElectionConfig.withLeaseDuration(leaseMillis)
        const candidates = yield* Candidates.make({ store, elections: 1, config })
        const took = yield* measure(candidates, quick ? 3 : 12)
        const commit = percentile(yield* Candidates.blindCommits(100), 0.5)
        return [
          { name: "p50", unit: "leases", here: percentile(took, 0.5) / leaseMillis },
          { name: "most", unit: "leases", here: percentile(took, 1) / leaseMillis },
          { name: "p50", unit: "ms", here: percentile(took, 0.5) },
          { name: "a commit beside it, p50", unit: "ms", here: commit },
          { name: "p50 in such commits", unit: "commits", here: percentile(took, 0.5) / commit }
        ]
      }))
}
