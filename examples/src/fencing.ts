/**
 * Fencing an external store: what is outside of the database cannot be guarded by a transaction. Hand it the term with every
 * write, and let it refuse a term that is smaller than one it has seen: a leader that does not know yet that it was
 * replaced can then do no harm.
 */
import { Database, MemoryDatabase, Subspace } from "@effect-fdb/core"
import { LeaderElection } from "@effect-fdb/leader-election"
import { Console, Context, Effect, Layer, Ref, Schema } from "effect"

class Fenced extends Schema.TaggedError<Fenced>()("Fenced", { term: Schema.BigInt, newest: Schema.BigInt }) {
  override get message(): string {
    return `term ${this.term} is over, the store has seen term ${this.newest}`
  }
}

/** Something that keeps the newest term: a table with a column for it, an object store with conditional writes. */
class Warehouse extends Context.Service<Warehouse, {
  readonly write: (term: bigint, value: string) => Effect.Effect<void, Fenced>
}>()("example/Warehouse") {
  static readonly layer = Layer.effect(
    Warehouse,
    Effect.map(Ref.make(0n), (newest) =>
      Warehouse.of({
        write: (term, value) =>
          Effect.gen(function*() {
            const seen = yield* Ref.get(newest)
            if (term < seen) return yield* new Fenced({ term, newest: seen })
            yield* Ref.set(newest, term)
            yield* Console.log(`the store takes "${value}" of term ${term}`)
          })
      }))
  )
}

const election = LeaderElection.make(Subspace.fromTuple(["warehouse", "election"]))

export const main = Effect.gen(function*() {
  const { write } = yield* Warehouse
  yield* Effect.scoped(Effect.gen(function*() {
    const first = yield* election.campaign({ id: "first" })
    yield* write(first.term, "from the first")

    // Another takes over at once, by the transaction-level operation that waits for nobody.
    yield* Effect.flatten(Database.transact(election.registerCandidate("second", 1)))
    const second = yield* Effect.flatMap(Database.transact(election.tryClaimLeadership("second", 1)), Effect.fromOption)
    yield* write(second.term, "from the second")

    const refused = yield* Effect.flip(write(first.term, "from the first, too late"))
    yield* Console.log(`the store refuses: ${refused.message}`)
  }))
}).pipe(Effect.provide([Warehouse.layer, MemoryDatabase.layer]))
