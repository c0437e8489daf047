/** What the demonstration's processes agree upon: the election, a guarded counter, and a book of every increment. */
import { type FdbError, Subspace, Transaction, Tuple } from "@effect-fdb/core"
import { ElectionConfig, LeaderElection } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"

/** A short lease, so that nobody has to wait long for the next leader. */
export const config = ElectionConfig.withLeaseDuration("1 second")

/** What one run of the demonstration stands on: a subspace of its own. */
export interface Stage {
  readonly election: LeaderElection.LeaderElection
  /**
   * Reads the counter and writes it back, which loses updates wherever two do it at once without being serialized; and enters
   * the increment into the book, under a key that nothing can overwrite.
   */
  readonly increment: (leader: string, term: bigint) => Effect.Effect<void, FdbError, Transaction>
  /** What the counter should tell, by the book, and what it tells. */
  readonly audit: Effect.Effect<{ readonly expected: number; readonly actual: number }, FdbError, Transaction>
  /** Writes something, to see whether that is possible now. */
  readonly probe: Effect.Effect<void, FdbError, Transaction>
  /** Removes all of it. */
  readonly strike: Effect.Effect<void, FdbError, Transaction>
}

export const makeStage = (run: string): Stage => {
  const subspace = Subspace.fromTuple(["effect-fdb demo", run])
  const counterKey = subspace.pack(["counter"])
  const book = subspace.subspace(["book"])
  const readCounter = Effect.gen(function*() {
    const tx = yield* Transaction
    const bytes = yield* tx.get(counterKey)
    return bytes === undefined ? 0n : Buffer.from(bytes).readBigUInt64BE()
  })
  return {
    election: LeaderElection.make(subspace.subspace(["election"])),
    increment: (leader, term) =>
      Effect.gen(function*() {
        const tx = yield* Transaction
        const bytes = Buffer.alloc(8)
        bytes.writeBigUInt64BE((yield* readCounter) + 1n)
        yield* tx.set(counterKey, bytes)
        const entry = Tuple.packVersionstamped(["effect-fdb demo", run, "book", Tuple.incompleteVersionstamp(0)])
        yield* tx.setVersionstampedKey(entry, Tuple.pack([leader, term]))
      }),
    audit: Effect.gen(function*() {
      const tx = yield* Transaction
      const entries = yield* tx.getRange(book.range())
      return { expected: entries.length, actual: Number(yield* readCounter) }
    }),
    probe: Effect.flatMap(Transaction, (tx) => tx.set(subspace.pack(["probe"]), new Uint8Array())),
    strike: Effect.flatMap(Transaction, (tx) => tx.clearRange(subspace.range()))
  }
}
