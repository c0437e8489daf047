/** A process that commits one key three times a second, and reports the milliseconds that each commit took. */
import { Bytes, Database, Transaction } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { argument } from "./messages.ts"
import * as Store from "./Store.ts"

const store = argument<Store.Store>()

const renew = Effect.gen(function*() {
  const begun = yield* Clock.monotonicTimeNanos
  yield* Database.transact(Transaction.use((tx) => tx.set(Bytes.fromString("renewed"), new Uint8Array(100))))
  process.send?.(Number((yield* Clock.monotonicTimeNanos) - begun) / 1e6)
  yield* Effect.sleep("333 millis")
})

await Effect.forever(renew).pipe(Effect.provide(Store.layer(store)), Effect.runPromise)
