import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Bytes, Database, MemoryDatabase, Transaction } from "../src/index.ts"

const key = Bytes.fromString("key")

layer(MemoryDatabase.layer)("MemoryDatabase", (it) => {
  it.effect("keeps what was committed and forgets what was not", () =>
    Effect.gen(function*() {
      yield* Database.transact(Transaction.use((tx) => tx.set(key, Bytes.fromString("1"))))
      yield* Effect.flip(Database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        yield* tx.set(key, Bytes.fromString("2"))
        return yield* Effect.fail("no")
      })))
      const value = yield* Database.transact(Transaction.use((tx) => tx.get(key)))
      assert.deepStrictEqual(value, Bytes.fromString("1"))
    }))

  it.effect("a lost race is run again", () =>
    Effect.gen(function*() {
      let attempts = 0
      const other = Database.transact(Transaction.use((tx) => tx.set(key, Uint8Array.of(1))))
      const mine = Database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        yield* tx.get(key)
        if (attempts++ === 0) yield* other
        yield* tx.set(key, Uint8Array.of(2))
      }))
      const fiber = yield* Effect.forkChild(mine)
      yield* TestClock.adjust("1 second")
      yield* Effect.andThen(Effect.void, fiber.pollUnsafe() ?? Effect.die("still running"))
      assert.strictEqual(attempts, 2)
    }))
})
