/** A process that opens a database, commits and closes it, again and again: `node revolving.mjs DIRECTORY TIMES`. */
import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import * as Effect from "effect/Effect"

const [directory, times] = process.argv.slice(2)
process.on("disconnect", () => process.exit(1))

const commit = Database.transact(Transaction.use((tx) => tx.set(Bytes.fromString(`${process.pid}`), new Uint8Array(1))))
const visit = Effect.provide(commit, LmdbDatabase.layer({ path: directory, durability: "process" }), { local: true })

await Effect.runPromise(Effect.repeat(visit, { times: Number(times) - 1 }))
process.exit(0)
