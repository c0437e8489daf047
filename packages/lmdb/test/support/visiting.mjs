/**
 * A process that opens a database, reads and closes it, again and again, as `fdb-election status` in a loop does:
 * `node visiting.mjs DIRECTORY`. It says "visited" after each time, and goes on until it is killed.
 */
import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import * as Effect from "effect/Effect"

const [directory] = process.argv.slice(2)
process.on("disconnect", () => process.exit(1))

const read = Database.transact(Transaction.use((tx) => tx.get(Bytes.fromString("key"))))
const visit = Effect.provide(read, LmdbDatabase.layer({ path: directory }), { local: true })

await Effect.runPromise(Effect.forever(Effect.andThen(visit, Effect.sync(() => process.send("visited")))))
