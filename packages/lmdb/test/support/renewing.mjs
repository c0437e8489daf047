/**
 * A process that commits one key at a time: `node renewing.mjs DIRECTORY PAUSE`, with PAUSE milliseconds between. It says
 * "renewed" after each commit, and goes on until it is killed.
 */
import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import * as Effect from "effect/Effect"

const [directory, pause] = process.argv.slice(2)
process.on("disconnect", () => process.exit(1))

const renew = Database.transact(
  Transaction.use((tx) => tx.set(Bytes.fromString(`lease/${process.pid}`), Uint8Array.of(1))),
  {
    timeout: "2 minutes"
  }
)

await Effect.runPromise(
  Effect.forever(
    renew.pipe(
      Effect.andThen(Effect.sync(() => process.send("renewed"))),
      Effect.andThen(Effect.sleep(Number(pause)))
    )
  ).pipe(Effect.provide(LmdbDatabase.layer({ path: directory })))
)
