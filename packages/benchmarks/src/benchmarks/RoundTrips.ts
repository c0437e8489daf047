/**
 * How many round trips a beat needs, one after another: counted as the virtual time that it takes where each round trip
 * takes one millisecond, and what runs in parallel costs no more than once.
 */
import { millisecond, second } from "@effect-fdb/simulation/EventScheduler"
import * as Effect from "effect/Effect"
import type { Benchmark, Figure } from "../Benchmark.ts"
import { CandidateGroup } from "../harness/CandidateGroup.ts"
import { against, elections } from "../harness/elections.ts"
import { type ElectionUnderTest, usual } from "../harness/ElectionUnderTest.ts"
import type { Process } from "../harness/Testbed.ts"
import { bursts, percentile } from "../Summary.ts"

const latencies = { readVersion: 1, read: 1, commit: 1, watch: 0 }
/** In seconds: everybody has registered and somebody leads. */
const settled = 30

/** The round trips of each beat of a process: its transactions, put together where they overlap. */
const beatsOf = (process: Process): Array<number> =>
  bursts(process.transactions.filter(({ begin }) => begin > settled * second))
    .map(({ begin, end }) => Math.round((end - begin) / millisecond))

/** What a leader's and a follower's beats need. */
export const count = (election: ElectionUnderTest, seconds: number) => {
  const group = new CandidateGroup({ seed: 1, latencies, election, timing: usual, candidates: 3 })
  group.testbed.run(settled + seconds)
  const leader = group.process(group.leader ?? "")
  return {
    leader: leader === undefined ? [] : beatsOf(leader),
    follower: group.processes.filter((process) => process !== leader).flatMap(beatsOf)
  }
}

export const roundTrips: Benchmark = {
  name: "round-trips",
  title: "round trips of a beat, one after another, counted",
  against,
  run: ({ quick }) =>
    Effect.sync((): ReadonlyArray<Figure> => {
      const seconds = quick ? 120 : 1200
      const here = count(elections.here(), seconds)
      const baseline = count(elections.baseline(), seconds)
      const figure = (name: string, role: "leader" | "follower", fraction: number, atMost?: number): Figure => ({
        name,
        unit: "round trips",
        here: percentile(here[role], fraction),
        baseline: percentile(baseline[role], fraction),
        reach: atMost === undefined ? undefined : { atMost }
      })
      return [
        figure("renewal, median", "leader", 0.5, 1),
        figure("renewal, most", "leader", 1),
        figure("follower's cycle, median", "follower", 0.5, 2),
        figure("follower's cycle, most", "follower", 1)
      ]
    })
}
