import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { LmdbDatabase } from "../src/index.ts"
import { temporaryDirectory } from "./support/processes.ts"

const read = Bytes.fromString("read")
const set = (key: Uint8Array) => Transaction.use((tx) => tx.set(key, Bytes.fromString("value")))
const get = Transaction.use((tx) => tx.get(read))

for (const others of [0, 2]) {
  it.live(`a commit conflicts with an earlier one of its process, whose key was changed in place, and ${others} more`, () =>
    Effect.gen(function*() {
      const path = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        const overtaken = Effect.gen(function*() {
          yield* get
          const key = read.slice()
          yield* Database.transact(set(key))
          key.fill(0)
          for (let i = 0; i < others; i++) yield* Database.transact(set(Uint8Array.of(i)))
          yield* set(Bytes.fromString("late"))
        })
        const error = yield* Effect.flip(Database.transact(overtaken, { retryLimit: 0 }))
        assert.strictEqual(error.code, 1020)
        yield* Database.transact(Effect.andThen(get, set(read)), { retryLimit: 0 })
      }).pipe(Effect.provide(LmdbDatabase.layer({ path }), { local: true }))
    }))
}
