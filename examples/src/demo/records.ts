/** The database of the demonstration, and its records: the election, a guarded counter, and a log of every increment. */
import { type Database, Subspace, Transaction, Tuple } from "@effect-fdb/core"
import { DatabaseConfig } from "@effect-fdb/database-config"
import { ElectionConfig, LeaderElection } from "@effect-fdb/leader-election"
import { Effect, type Layer } from "effect"

/** `lmdb` and a directory, or `fdb` and a cluster file. The directory is removed in the end, so it need not survive a power failure. */
export const open = (engine: string, place: string): Layer.Layer<Database, Error> =>
  DatabaseConfig.open(
    engine === "fdb" ? { engine, clusterFile: place } : { engine: "lmdb", path: place, durability: "process" }
  )

/** A short lease, so that nobody has to wait long for the next leader. */
export const config = ElectionConfig.withLeaseDuration("1 second")

export const makeRecords = (run: string) => {
  const subspace = Subspace.fromTuple(["effect-fdb demo", run])
  const counterKey = subspace.pack(["counter"])
  const log = subspace.subspace(["log"])
  const readCounter = Effect.gen(function*() {
    const bytes = yield* (yield* Transaction).get(counterKey)
    return bytes === undefined ? 0n : Buffer.from(bytes).readBigUInt64BE()
  })
  return {
    election: LeaderElection.make(subspace.subspace(["election"])),
    /**
     * Reads the counter and writes it back, which loses an update when two do it at once without being serialized. It also logs
     * the increment, under a key that nothing can overwrite.
     */
    increment: Effect.fnUntraced(function*(leader: string, term: bigint) {
      const tx = yield* Transaction
      const bytes = Buffer.alloc(8)
      bytes.writeBigUInt64BE((yield* readCounter) + 1n)
      yield* tx.set(counterKey, bytes)
      const entry = Tuple.packVersionstamped(["effect-fdb demo", run, "log", Tuple.incompleteVersionstamp(0)])
      yield* tx.setVersionstampedKey(entry, Tuple.pack([leader, term]))
    }),
    /** The value that the counter should have, by the log, and the value that it has. */
    audit: Effect.gen(function*() {
      const entries = yield* (yield* Transaction).getRange(log.range())
      return { expected: entries.length, actual: Number(yield* readCounter) }
    }),
    probe: Transaction.use((tx) => tx.set(subspace.pack(["probe"]), new Uint8Array())),
    clear: Transaction.use((tx) => tx.clearRange(subspace.range()))
  }
}

export type Records = ReturnType<typeof makeRecords>
