/** The records of the demonstration: the election, a guarded counter, and a log of every increment. */
import { type FdbError, Subspace, Transaction, Tuple } from "@effect-fdb/core"
import { ElectionConfig, LeaderElection } from "@effect-fdb/leader-election"
import * as Effect from "effect/Effect"

/** A short lease, so that nobody has to wait long for the next leader. */
export const config = ElectionConfig.withLeaseDuration("1 second")

/** The records of one run, in a subspace of its own. */
export interface Records {
  readonly election: LeaderElection.LeaderElection
  /**
   * Reads the counter and writes it back, which loses an update when two do it at once without being serialized. It also logs the
   * increment, under a key that nothing can overwrite.
   */
  readonly increment: (leader: string, term: bigint) => Effect.Effect<void, FdbError, Transaction>
  /** The value that the counter should have, by the log, and the value that it has. */
  readonly audit: Effect.Effect<{ readonly expected: number; readonly actual: number }, FdbError, Transaction>
  /** Writes something, to see whether writes succeed now. */
  readonly probe: Effect.Effect<void, FdbError, Transaction>
  /** Removes all of it. */
  readonly clear: Effect.Effect<void, FdbError, Transaction>
}

export const makeRecords = (run: string): Records => {
  const subspace = Subspace.fromTuple(["effect-fdb demo", run])
  const counterKey = subspace.pack(["counter"])
  const log = subspace.subspace(["log"])
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
        const entry = Tuple.packVersionstamped(["effect-fdb demo", run, "log", Tuple.incompleteVersionstamp(0)])
        yield* tx.setVersionstampedKey(entry, Tuple.pack([leader, term]))
      }),
    audit: Effect.gen(function*() {
      const tx = yield* Transaction
      const entries = yield* tx.getRange(log.range())
      return { expected: entries.length, actual: Number(yield* readCounter) }
    }),
    probe: Effect.flatMap(Transaction, (tx) => tx.set(subspace.pack(["probe"]), new Uint8Array())),
    clear: Effect.flatMap(Transaction, (tx) => tx.clearRange(subspace.range()))
  }
}
