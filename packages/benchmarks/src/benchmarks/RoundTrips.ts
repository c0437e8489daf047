/**
 * The number of sequential round trips of a heartbeat. Each round trip takes one millisecond of virtual time, and parallel ones count
 * once.
 */
import { millisecond, second } from "@effect-fdb/simulation/EventScheduler"
import * as Effect from "effect/Effect"
import type { Benchmark } from "../Benchmark.ts"
import { CandidateGroup } from "../harness/CandidateGroup.ts"
import { against, compare } from "../harness/elections.ts"
import type { ElectionUnderTest } from "../harness/ElectionUnderTest.ts"
import type { Process } from "../harness/Testbed.ts"
import { bursts, percentile } from "../Summary.ts"

const latencies = { readVersion: 1, read: 1, commit: 1, watch: 0 }
/** In seconds. After this time, all candidates have registered and one leads. */
const settled = 30

/** The round trips of each heartbeat of a process: its transactions, joined if they overlap. */
const beatsOf = (process: Process): Array<number> =>
  bursts(process.transactions.filter(({ begin }) => begin > settled * second))
    .map(({ begin, end }) => Math.round((end - begin) / millisecond))

/** The round trips of a leader's and of a follower's heartbeats. */
export const count = (election: ElectionUnderTest, seconds: number) => {
  const group = new CandidateGroup({ latencies, election, candidates: 3 })
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
    Effect.sync(() => {
      const figure = compare((make) => count(make(), quick ? 120 : 1200))
      return [
        figure("renewal, median", "round trips", ({ leader }) => percentile(leader, 0.5), 1),
        figure("renewal, most", "round trips", ({ leader }) => percentile(leader, 1)),
        figure("follower's cycle, median", "round trips", ({ follower }) => percentile(follower, 0.5), 2),
        figure("follower's cycle, most", "round trips", ({ follower }) => percentile(follower, 1))
      ]
    })
}
