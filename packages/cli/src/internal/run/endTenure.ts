/**
 * Ends the tenure of a wrapper that has died, so that nobody has to wait for its lease. The watchdog process loads this file when
 * nothing of the command runs any more: the engine of the store takes memory, and may end the process that loads it.
 */
import { Database, Testimony } from "@effect-fdb/core"
import { DatabaseConfig } from "@effect-fdb/database-config"
import { LeaderElection } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { EndedTenure } from "./endedTenure.ts"
import { isInEnvironments } from "./processGroup.ts"

/** The process group of the command is gone. Waits for what has left the group, as a daemon does: it is of the command all the same. */
export const endTenure = ({ candidate, mark, store }: EndedTenure): Promise<void> => {
  const { id, registration, subspace } = Option.getOrThrow(Testimony.parse(candidate))
  const end = Effect.gen(function*() {
    const { transact } = yield* Database
    for (let pause = 5; isInEnvironments(mark); pause = Math.min(2 * pause, 100)) yield* Effect.sleep(pause)
    yield* transact(LeaderElection.make(subspace).endTenureOfDead(id, registration), { idempotent: true })
  })
  // Every lease has lapsed by then, or can be waited for.
  return Effect.runPromise(
    Effect.timeout(Effect.provide(end, DatabaseConfig.open({ ...store, witness: "off" })), "1 minute")
  )
}
