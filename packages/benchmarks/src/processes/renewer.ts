/** A process that commits one key, three times a second, and tells the milliseconds that each took: `renewer.js STORE`, in JSON. */
import { Bytes, Database, Transaction } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Store from "./Store.ts"

const store = JSON.parse(process.argv[2] ?? "") as Store.Store

// Whoever asked for it has gone.
process.on("disconnect", () => process.exit(1))

const renew = Effect.gen(function*() {
  const begun = yield* Clock.monotonicTimeNanos
  yield* Database.transact(Transaction.use((tx) => tx.set(Bytes.fromString("renewed"), new Uint8Array(100))))
  process.send?.(Number((yield* Clock.monotonicTimeNanos) - begun) / 1e6)
  yield* Effect.sleep("333 millis")
})

await Effect.forever(renew).pipe(Effect.provide(Store.layer(store)), Effect.runPromise)
