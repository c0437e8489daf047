/** What the benchmarks know of an election, so that they treat this library and its baseline alike. */
import { Database, Subspace, type Transaction } from "@effect-fdb/core"
import { ElectionConfig, LeaderElection } from "@effect-fdb/leader-election"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Baseline from "../baseline/process.ts"

/** Runs a transaction that is committed only while the leadership stands. */
export type Guard = <A, E>(body: Effect.Effect<A, E, Transaction>) => Effect.Effect<A, unknown, Database>

/** The election's configuration. */
export interface Timing {
  readonly lease: Duration.Duration
  readonly heartbeat: Duration.Duration
}

/** See the module. */
export interface Contest {
  readonly initialize: (timing: Timing) => Effect.Effect<unknown, unknown, Database>
  /** Campaigns and works, again and again, until it is interrupted; it resigns and leaves then. */
  readonly contend: (
    id: string,
    heartbeat: Duration.Duration,
    work: (guard: Guard) => Effect.Effect<unknown, unknown, Database>
  ) => Effect.Effect<unknown, unknown, Database>
}

/** The configuration of both libraries where nothing is said. */
export const usual: Timing = { lease: Duration.seconds(10), heartbeat: Duration.seconds(3) }

const subspace = Subspace.fromTuple(["election"])

const here = (): Contest => {
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
    contend: (id, _heartbeat, work) => election.withLeadership({ id }, ({ guard }) => work(guard), { again: true })
  }
}

/** The two that are compared. */
export const contests = { here, baseline: () => Baseline.make(subspace) }

export const against = "the protocol of the Rust crate 0.11, in the same harness"
