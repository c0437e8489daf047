/**
 * A process that reads, and does not end to: `node reading.mjs DIRECTORY HOW`. It says "reading". HOW is `waiting`, or `blocked`,
 * where its event loop stands still until it is killed.
 */
import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import * as Effect from "effect/Effect"

const [directory, how] = process.argv.slice(2)
process.on("disconnect", () => process.exit(1))

const read = Effect.gen(function*() {
  const tx = yield* Transaction
  yield* tx.get(Bytes.fromString("key"))
  yield* Effect.callback((resume) => void process.send("reading", () => resume(Effect.void)))
  if (how === "blocked") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  return yield* Effect.never
})

await Effect.runPromise(Effect.provide(Database.transact(read), LmdbDatabase.layer({ path: directory })))
