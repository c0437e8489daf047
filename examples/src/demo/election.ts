/** What the demonstration's processes agree upon: the election, a guarded counter, and a book of every increment. */
import { type FdbError, Subspace, Transaction, Tuple } from "@effect-fdb/core"
import { ElectionConfig, LeaderElection } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"

export const election = LeaderElection.make(Subspace.fromTuple(["demo", "election"]))

/** A short lease, so that nobody has to wait long for the next leader. */
export const config = ElectionConfig.withLeaseDuration("1 second")

const counterKey = Subspace.fromTuple(["demo", "counter"]).prefix
const book = Subspace.fromTuple(["demo", "book"])

const readCounter = Effect.gen(function*() {
  const tx = yield* Transaction
  const bytes = yield* tx.get(counterKey)
  return bytes === undefined ? 0n : Buffer.from(bytes).readBigUInt64BE()
})

/**
 * Reads the counter and writes it back, which loses updates wherever two do it at once without being serialized; and enters
 * the increment into the book, under a key that nothing can overwrite.
 */
export const increment = (leader: string, term: bigint): Effect.Effect<void, FdbError, Transaction> =>
  Effect.gen(function*() {
    const tx = yield* Transaction
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE((yield* readCounter) + 1n)
    yield* tx.set(counterKey, bytes)
    const entry = Tuple.packVersionstamped(["demo", "book", Tuple.incompleteVersionstamp(0)])
    yield* tx.setVersionstampedKey(entry, Tuple.pack([leader, term]))
  })

/** What the counter should tell, by the book, and what it tells. */
export const audit: Effect.Effect<{ readonly expected: number; readonly actual: number }, FdbError, Transaction> =
  Effect
    .gen(function*() {
      const tx = yield* Transaction
      const entries = yield* tx.getRange(book.range())
      return { expected: entries.length, actual: Number(yield* readCounter) }
    })
