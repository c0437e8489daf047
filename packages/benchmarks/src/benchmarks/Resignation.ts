/** From the moment at which a leader is asked to end, its work having nothing to finish, until a successor's work runs. */
import { millisecond, second } from "@effect-fdb/simulation/World"
import * as Effect from "effect/Effect"
import type { Benchmark, Figure } from "../Benchmark.ts"
import { type Contest, usual } from "../harness/Contest.ts"
import { against, contests } from "../harness/contests.ts"
import { Field } from "../harness/Field.ts"
import { commitsOnly, everything, type Latencies } from "../harness/Testbed.ts"
import { percentile } from "../Summary.ts"

/** The milliseconds of so many handovers among three candidates, each of which comes back after it has resigned. */
export const measure = (contest: Contest, latencies: Latencies, handovers: number): Array<number> => {
  const took: Array<number> = []
  let stoppedAt: number | undefined
  const onWork = (): void => {
    const { world } = field.testbed
    if (stoppedAt !== undefined) took.push((world.now - stoppedAt) / millisecond)
    stoppedAt = undefined
    const tenure = Math.floor((5 + 10 * pauses.next()) * second)
    world.after(tenure, () => {
      const { leader } = field
      if (leader === undefined) return
      stoppedAt = world.now
      field.stop(leader)
      // After the heartbeat in which the others look, or the vacancy would be filled by its return.
      world.after(4 * second, () => field.start(leader))
    })
  }
  const field: Field = new Field({ seed: 1, latencies, contest, timing: usual, candidates: 3, onWork })
  const pauses = field.testbed.world.chance("tenures")
  for (let seconds = 60; took.length < handovers && seconds < 60 * handovers; seconds += 60) field.testbed.run(seconds)
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
        const here = measure(contests.here(), latencies, handovers)
        const baseline = measure(contests.baseline(), latencies, handovers)
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
