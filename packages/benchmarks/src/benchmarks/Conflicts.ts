/** The number of transactions that conflict, with a hundred idle candidates. */
import * as Effect from "effect/Effect"
import type { Benchmark } from "../Benchmark.ts"
import { CandidateGroup } from "../harness/CandidateGroup.ts"
import { against, elections } from "../harness/elections.ts"
import type { ElectionUnderTest } from "../harness/ElectionUnderTest.ts"
import { everything } from "../harness/Testbed.ts"

const candidates = 100
/** In seconds. After this time, all candidates have registered and one leads. */
const settled = 30

/** Without lateness, the baseline's cycles would keep their distances, so either every cycle or none would conflict. */
const latencies = { ...everything, lateness: 1 }

/** Conflicts within a span of virtual seconds. */
export const count = (election: ElectionUnderTest, seconds: number, seed = 1, among = candidates): number => {
  const group = new CandidateGroup({ seed, latencies, election, candidates: among })
  group.testbed.run(settled)
  const before = group.conflicts
  group.testbed.run(settled + seconds)
  return group.conflicts - before
}

/** Conflicts in an hour, extrapolated from histories of ten minutes. */
const hourly = (make: () => ElectionUnderTest, histories: number): number => {
  let sum = 0
  for (let seed = 1; seed <= histories; seed++) sum += count(make(), 600, seed)
  return sum * 6 / histories
}

export const conflicts: Benchmark = {
  name: "conflicts",
  title: `conflicts in steady state with ${candidates} candidates, 3 ms commits, virtual time`,
  against,
  run: ({ quick }) =>
    Effect.sync(() => [{
      name: quick ? "in a minute" : "in an hour",
      unit: "conflicts",
      // Rare conflicts need longer histories.
      here: quick ? count(elections.here(), 60) : hourly(elections.here, 6),
      baseline: quick ? count(elections.baseline(), 60) : hourly(elections.baseline, 3),
      reach: { atMost: 0 }
    }])
}
