/** Builds the layer a few times and reads with it; prints what became of it: `connecting [CONNECT-MILLIS]`. */
import { Bytes, Database, Subspace, Transaction } from "@effect-fdb/core"
import { NativeDatabase } from "@effect-fdb/native"
import { Effect } from "effect"

const key = Subspace.fromTuple(["effect-fdb-test", "processes"]).pack(["key"])
const layer = NativeDatabase.layer({ connectTimeout: Number(process.argv[2] ?? 5000) })

const roundTrip = Effect.gen(function*() {
  const committed = yield* Database.transact(Effect.gen(function*() {
    const tx = yield* Transaction
    yield* tx.set(key, Bytes.fromString("key"))
    return { version: yield* tx.committedVersion, stamp: yield* tx.versionstamp }
  }))
  const version = yield* committed.version
  const stamp = yield* committed.stamp
  const value = yield* Database.transact(Effect.flatMap(Transaction, (tx) => tx.get(key)))
  return { version: String(version), stamp: Bytes.toHex(stamp), value: Bytes.toHex(value!) }
})

const once = Effect.match(Effect.provide(roundTrip, layer, { local: true }), {
  onFailure: (error) => ({ failed: error._tag, message: error.message }),
  onSuccess: (result) => result
})

const results = await Effect.runPromise(Effect.all([once, once, once]))
console.log(JSON.stringify(results))
