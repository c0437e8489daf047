/**
 * A job scheduler: the leader takes one job after another, and marks each as done in a transaction that `guard` commits only
 * while the leadership stands. A leader that was replaced without noticing cannot mark anything.
 */
import { Database, MemoryDatabase, Subspace, Transaction, Tuple } from "@effect-fdb/core"
import { LeaderElection, type Leadership } from "@effect-fdb/leader-election"
import { Console, Effect, Result } from "effect"

const election = LeaderElection.make(Subspace.fromTuple(["jobs", "election"]))
const pending = Subspace.fromTuple(["jobs", "pending"])
const done = Subspace.fromTuple(["jobs", "done"])

const submit = (job: string) => Effect.flatMap(Transaction, (tx) => tx.set(pending.pack([job]), new Uint8Array()))

/** Moves the first job from the pending to the done; tells which, if there was one. */
const finishNext = (scheduler: string) =>
  Effect.gen(function*() {
    const tx = yield* Transaction
    const [first] = yield* tx.getRange(pending.range(), { limit: 1 })
    if (first === undefined) return undefined
    const [job] = Result.getOrThrow(pending.unpack(first.key))
    yield* tx.clear(first.key)
    yield* tx.set(done.pack([job!]), Tuple.pack([scheduler]))
    return String(job)
  })

/** The leader's work: until no job is left. */
const schedule = (id: string) => ({ guard, term }: Leadership) =>
  Effect.gen(function*() {
    while (true) {
      const job = yield* guard(finishNext(id))
      if (job === undefined) return
      yield* Console.log(`${id} has done ${job} in term ${term}`)
    }
  })

export const main = Effect.gen(function*() {
  yield* Database.transact(Effect.forEach(["backup", "invoices", "report"], submit))

  // While this leader holds on to its leadership, an operator forces another's, without waiting for anything.
  yield* Effect.scoped(Effect.gen(function*() {
    const replaced = yield* election.campaign({ id: "scheduler-1" })
    yield* Console.log(`scheduler-1 has done ${yield* replaced.guard(finishNext("scheduler-1"))}`)
    yield* Effect.flatten(Database.transact(election.registerCandidate("scheduler-2", 9)))
    yield* Database.transact(election.tryClaimLeadership("scheduler-2", 9))
    const refused = yield* Effect.flip(replaced.guard(finishNext("scheduler-1")))
    yield* Console.log(`scheduler-1 is refused: ${refused.message}`)
    yield* Database.transact(election.unregisterCandidate("scheduler-2"))
  }))
  yield* election.withLeadership({ id: "scheduler-3" }, schedule("scheduler-3"))
}).pipe(Effect.provide(MemoryDatabase.layer))
