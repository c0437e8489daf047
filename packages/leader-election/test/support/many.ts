/** Many elections that one host leads. */
import { Subspace } from "@effect-fdb/core"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { type ElectionConfig, LeaderElection } from "../../src/index.ts"
import { eventsOf } from "./candidates.ts"
import type { Host } from "./host.ts"

export const subspaceOf = (i: number): Subspace.Subspace => Subspace.fromTuple(["app", `${i}`])

export const manyOf = (length: number, config?: ElectionConfig) =>
  Array.from({ length }, (_, i) => LeaderElection.make(subspaceOf(i), config === undefined ? {} : { config }))

/** Leads all elections on a host; the candidate of each has its number as its id. Returns when all are led, without time having passed. */
export const leadAll = Effect.fnUntraced(
  function*(host: Host, elections: ReadonlyArray<LeaderElection.LeaderElection>) {
    const before = eventsOf(host, "Elected").length
    const led = yield* Effect.forEach(
      elections,
      (election, i) =>
        Effect.forkDetach(host.run(election.withLeadership({ id: `${i}` }, () => Effect.never)), {
          startImmediately: true
        })
    )
    // Their campaigns take turns.
    for (let i = 0; i < 1000 && eventsOf(host, "Elected").length < before + elections.length; i++) {
      yield* TestClock.adjust(0)
    }
    return led
  }
)

/** The longest time between two renewals of each election, in seconds. */
export const longestGaps = (host: Host): Map<string, number> => {
  const last = new Map<string, bigint>()
  const gaps = new Map<string, number>()
  for (const { believesUntil, election } of eventsOf(host, "Renewed")) {
    const before = last.get(election)
    last.set(election, believesUntil)
    if (before === undefined) continue
    gaps.set(election, Math.max(gaps.get(election) ?? 0, Number(believesUntil - before) / 1e9))
  }
  return gaps
}
