/**
 * A process of the Rust crate 0.11, by the crate's documentation: it registers, runs a cycle every heartbeat, and resigns and
 * unregisters when it ends. The crate leaves the loop to the application; this one works while the cycles report that it leads.
 */
import { Database, type Subspace } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import type { ElectionUnderTest, Guard } from "../harness/ElectionUnderTest.ts"
import * as Operations from "./operations.ts"
import * as Records from "./records.ts"

const priority = 0n
const idempotent = { idempotent: true }

/** The election in a subspace. */
export const make = (subspace: Subspace.Subspace): ElectionUnderTest => {
  const keys = Records.makeKeys(subspace)
  const guardOf = (id: string): Guard => (body) =>
    Database.transact(
      Effect.filterOrFail(Operations.isLeader(keys, id), (leads) => leads, () => "the leadership is lost").pipe(
        Effect.andThen(body)
      )
    )

  const campaign: ElectionUnderTest["campaign"] = (id, heartbeat, work) =>
    Effect.gen(function*() {
      const working = yield* FiberHandle.make<unknown, unknown>()
      yield* Database.transact(Operations.registerCandidate(keys, id, priority), idempotent)
      while (true) {
        const leads = yield* Database.transact(Operations.runElectionCycle(keys, id, priority), idempotent)
        if (leads) yield* FiberHandle.run(working, work(guardOf(id)), { onlyIfMissing: true })
        else yield* FiberHandle.clear(working)
        yield* Effect.sleep(heartbeat)
      }
    }).pipe(
      Effect.scoped,
      Effect.ensuring(
        Database.transact(
          Effect.andThen(Operations.resignLeadership(keys, id), Operations.unregisterCandidate(keys, id)),
          idempotent
        ).pipe(Effect.ignore)
      )
    )

  return {
    initialize: ({ heartbeat, lease }) =>
      Database.transact(Operations.initialize(keys, {
        leaseDuration: Duration.toNanosUnsafe(lease),
        heartbeatInterval: Duration.toNanosUnsafe(heartbeat),
        candidateTimeout: Duration.toNanosUnsafe(lease) * 3n / 2n,
        electionEnabled: true,
        allowPreemption: true
      })),
    campaign
  }
}
