/** From the moment at which a leader's process is killed until a successor's work runs. */
import { second } from "@effect-fdb/simulation/EventScheduler"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Benchmark } from "../Benchmark.ts"
import { CandidateGroup } from "../harness/CandidateGroup.ts"
import { against, compare } from "../harness/elections.ts"
import { type ElectionUnderTest, usual } from "../harness/ElectionUnderTest.ts"
import { everything } from "../harness/Testbed.ts"
import { percentile } from "../Summary.ts"

const lease = Duration.toSeconds(usual.lease)

/** The time in lease durations. Each history kills one leader, at a time that its seed determines. */
export const measure = (make: () => ElectionUnderTest, seeds: number, candidates = 3): Array<number> =>
  Array.from({ length: seeds }, (_, seed) => {
    let killedAt = Number.POSITIVE_INFINITY
    let took = Number.POSITIVE_INFINITY
    const group: CandidateGroup = new CandidateGroup({
      seed,
      latencies: everything,
      election: make(),
      candidates,
      onWork: () => {
        const { now } = group.testbed.scheduler
        if (now > killedAt) took = Math.min(took, (now - killedAt) / second / lease)
      }
    })
    const { scheduler } = group.testbed
    scheduler.at(Math.floor((30 + 2 * lease * scheduler.random("kill").next()) * second), () => {
      killedAt = scheduler.now
      if (group.leader !== undefined) group.kill(group.leader)
    })
    group.testbed.run(30 + 6 * lease)
    return took
  })

export const failover: Benchmark = {
  name: "failover",
  title: "from a leader's death to the successor's work, three candidates, virtual time",
  against: `${against}, whose wall clocks all agree`,
  run: ({ quick }) =>
    Effect.sync(() => {
      const figure = compare((make) => measure(make, quick ? 60 : 250))
      return [
        figure("p50", "leases", (took) => percentile(took, 0.5), 1),
        figure("p99", "leases", (took) => percentile(took, 0.99), 1.25),
        figure("most", "leases", (took) => percentile(took, 1))
      ]
    })
}
