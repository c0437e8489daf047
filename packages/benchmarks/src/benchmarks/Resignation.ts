/** From the moment at which a leader is asked to end, its work having nothing to finish, until a successor's work runs. */
import { millisecond, second } from "@effect-fdb/simulation/EventScheduler"
import * as Effect from "effect/Effect"
import type { Benchmark, Figure } from "../Benchmark.ts"
import { CandidateGroup } from "../harness/CandidateGroup.ts"
import { against, elections } from "../harness/elections.ts"
import { type ElectionUnderTest, usual } from "../harness/ElectionUnderTest.ts"
import { commitsOnly, everything, type Latencies } from "../harness/Testbed.ts"
import { percentile } from "../Summary.ts"

/** The milliseconds of so many handovers among three candidates, each of which comes back after it has resigned. */
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
      // After the heartbeat in which the others look, or the vacancy would be filled by its return.
      scheduler.after(4 * second, () => group.start(leader))
    })
  }
  const group: CandidateGroup = new CandidateGroup({
    seed: 1,
    latencies,
    election,
    timing: usual,
    candidates: 3,
    onWork
  })
  const pauses = group.testbed.scheduler.random("tenures")
  for (let seconds = 60; took.length < handovers && seconds < 60 * handovers; seconds += 60) group.testbed.run(seconds)
  return took
}

export const resignation: Benchmark = {
  name: "resignation",
  title: "from a resignation to the successor's work, 3 ms commits, virtual time",
  against,
  run: ({ quick }) =>
    Effect.sync((): ReadonlyArray<Figure> => {
      const handovers = quick ? 50 : 300
      const figures = (label: string, latencies: Latencies, atMost?: number): Array<Figure> => {
        const here = measure(elections.here(), latencies, handovers)
        const baseline = measure(elections.baseline(), latencies, handovers)
        return [
          { name: `p50, ${label}`, unit: "ms", here: percentile(here, 0.5), baseline: percentile(baseline, 0.5) },
          { name: `p99, ${label}`, unit: "ms", here: percentile(here, 0.99), baseline: percentile(baseline, 0.99) },
          {
            name: `p99 in commits, ${label}`,
            unit: "commits",
            here: percentile(here, 0.99) / latencies.commit,
            baseline: percentile(baseline, 0.99) / latencies.commit,
            reach: atMost === undefined ? undefined : { atMost }
          }
        ]
      }
      return [
        ...figures("only commits take time", commitsOnly, 2),
        ...figures("reads take time too", everything)
      ]
    })
}
