/**
 * Ends the tenure of a wrapper that has died, so that nobody has to wait for its lease. The watchdog process starts it when the wrapper
 * has died, and tells it when the process group of the command is gone; meanwhile it opens the store. Its input has two lines: the
 * tenure as JSON, and `gone`. If its input ends before, it does nothing, and the lease decides.
 */
import { Database, Testimony } from "@effect-fdb/core"
import { DatabaseConfig } from "@effect-fdb/database-config"
import { LeaderElection } from "@effect-fdb/leader-election"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { EndedTenure } from "./endedTenure.ts"
import { readLines } from "./lines.ts"
import { isInEnvironments } from "./processGroup.ts"

const given = Deferred.makeUnsafe<EndedTenure>()
const gone = Deferred.makeUnsafe<void>()

readLines(process.stdin, (line) => {
  if (line === "gone") Deferred.doneUnsafe(gone, Effect.void)
  else Deferred.doneUnsafe(given, Effect.succeed(JSON.parse(line) as EndedTenure))
}, () => {
  if (!Deferred.isDoneUnsafe(gone)) process.exit(0)
})

const program = Effect.gen(function*() {
  const { candidate, mark, store } = yield* Deferred.await(given)
  const { id, registration, subspace } = Option.getOrThrow(Testimony.parse(candidate))
  const end = Effect.gen(function*() {
    const { transact } = yield* Database
    yield* Deferred.await(gone)
    // What has left the process group, as a daemon does, is of the command all the same.
    while (isInEnvironments(mark)) yield* Effect.sleep("100 millis")
    yield* transact(LeaderElection.make(subspace).endTenureOfDead(id, registration), { idempotent: true })
  })
  yield* Effect.provide(end, DatabaseConfig.open({ ...store, witness: "off" }))
})

// Every lease has lapsed by then, or can be waited for.
Effect.runFork(Effect.timeout(program, "1 minute")).addObserver(() => process.exit(0))
