/**
 * A cron job that only the leader runs: every process builds the layer, and one of them runs the job. The time of the last run is
 * kept in the database under `guard`, so a successor runs what its predecessor has missed. A run that a crash cuts short is run again.
 */
import { MemoryDatabase, Subspace, Transaction, Tuple } from "@effect-fdb/core"
import { LeaderElection, Leadership } from "@effect-fdb/leader-election"
import { Clock, Console, Cron, Effect, Fiber, Result } from "effect"

const election = LeaderElection.make(Subspace.fromTuple(["report", "election"]))
const lastRun = Subspace.fromTuple(["report", "last-run"]).pack([])

/** Every two seconds here; `0 3 * * *` would be every night at three. */
const cron = Cron.parseUnsafe("*/2 * * * * *", "UTC")

/** When the job ran last; a job that has never run is due from now on. */
const readLastRun = Effect.gen(function*() {
  const tx = yield* Transaction
  const stored = yield* tx.get(lastRun)
  const [millis] = stored === undefined ? [] : Result.getOrThrow(Tuple.unpack(stored))
  return new Date(millis === undefined ? yield* Clock.currentTimeMillis : Number(millis))
})

const report = (host: string) =>
  Effect.gen(function*() {
    const { guard } = yield* Leadership
    let last = yield* guard(readLastRun)
    while (true) {
      const due = Cron.next(cron, last)
      yield* Effect.sleep(Math.max(0, due.getTime() - (yield* Clock.currentTimeMillis)))
      yield* Console.log(`${host} reports`)
      yield* guard(Transaction.use((tx) => tx.set(lastRun, Tuple.pack([due.getTime()]))))
      last = due
    }
  })

const application = (host: string) => Effect.provide(Effect.never, election.singleton({ id: host }, report(host)))

export const main = Effect.gen(function*() {
  const first = yield* Effect.forkChild(application("host-1"))
  const second = yield* Effect.forkChild(application("host-2"))
  yield* Effect.sleep("4500 millis")
  yield* Fiber.interrupt(first)
  yield* Console.log("host-1 is shut down")
  yield* Effect.sleep("2 seconds")
  yield* Fiber.interrupt(second)
}).pipe(Effect.provide(MemoryDatabase.layer))
