/** The two compared elections: this library and its baseline. */
import { Database, Subspace } from "@effect-fdb/core"
import { ElectionConfig, LeaderElection } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Baseline from "../baseline/process.ts"
import type { Figure } from "../Benchmark.ts"
import type { ElectionUnderTest } from "./ElectionUnderTest.ts"

const subspace = Subspace.fromTuple(["election"])

const here = (): ElectionUnderTest => {
  const election = LeaderElection.make(subspace)
  return {
    initialize: ({ heartbeat, lease }) =>
      Database.transact(election.initialize(
        new ElectionConfig({
          leaseDuration: lease,
          heartbeatInterval: heartbeat,
          candidateTimeout: Duration.times(lease, 1.5)
        })
      )),
    campaign: (id, _heartbeat, work) => election.withLeadership({ id }, ({ guard }) => work(guard), { again: true })
  }
}

export const elections = { here, baseline: () => Baseline.make(subspace) }

/** Measures both elections. The returned function makes figures of the results. */
export const compare = <A>(measure: (make: () => ElectionUnderTest) => A) => {
  const here = measure(elections.here)
  const baseline = measure(elections.baseline)
  return (name: string, unit: string, read: (measured: A) => number, atMost?: number): Figure => ({
    name,
    unit,
    here: read(here),
    baseline: read(baseline),
    reach: atMost === undefined ? undefined : { atMost }
  })
}

export const against = "the protocol of the Rust crate 0.11, in the same harness"
