/** From the order to stop a leader, whose work ends at once, until a successor's work runs. */
import { millisecond, second } from "@effect-fdb/simulation/EventScheduler"
import * as Effect from "effect/Effect"
import type { Benchmark } from "../Benchmark.ts"
import { CandidateGroup } from "../harness/CandidateGroup.ts"
import { against, compare } from "../harness/elections.ts"
import type { ElectionUnderTest } from "../harness/ElectionUnderTest.ts"
import { commitsOnly, everything, type Latencies } from "../harness/Testbed.ts"
import { percentile } from "../Summary.ts"

/** The milliseconds of each handover among three candidates. Each campaigns again after it has resigned. */
export const measure = (election: ElectionUnderTest, latencies: Latencies, handovers: number): Array<number> => {
  const took: Array<number> = []
  let stoppedAt: number | undefined
  const onWork = (): void => {
    const { scheduler } = group.testbed
    if (stoppedAt !== undefined) took.push((scheduler.now - stoppedAt) / millisecond)
    stoppedAt = undefined
    const tenure = Math.floor((5 + 10 * pauses.next()) * second)
    scheduler.after(tenure, () => {
      const { leader } = group
      if (leader === undefined) return
      stoppedAt = scheduler.now
      group.stop(leader)
      // After the next heartbeat of the others; otherwise the former leader might claim the vacancy again.
      scheduler.after(4 * second, () => group.start(leader))
    })
  }
  const group: CandidateGroup = new CandidateGroup({ latencies, election, candidates: 3, onWork })
  const pauses = group.testbed.scheduler.random("tenures")
  for (let seconds = 60; took.length < handovers && seconds < 60 * handovers; seconds += 60) group.testbed.run(seconds)
  return took
}

export const resignation: Benchmark = {
  name: "resignation",
  title: "from a resignation to the successor's work, 3 ms commits, virtual time",
  against,
  run: ({ quick }) =>
    Effect.sync(() => {
      const figures = (label: string, latencies: Latencies, atMost?: number) => {
        const figure = compare((make) => measure(make(), latencies, quick ? 50 : 300))
        return [
          figure(`p50, ${label}`, "ms", (took) => percentile(took, 0.5)),
          figure(`p99, ${label}`, "ms", (took) => percentile(took, 0.99)),
          figure(`p99 in commits, ${label}`, "commits", (took) => percentile(took, 0.99) / latencies.commit, atMost)
        ]
      }
      return [
        ...figures("only commits take time", commitsOnly, 2),
        ...figures("reads take time too", everything)
      ]
    })
}
