import { Database, MemoryDatabase, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { Transactions } from "../../../src/internal/run/transactions.ts"

describe("who would be stopped", () => {
  it.effect("waits until no transaction is under way, however it ends", () =>
    Effect.gen(function*() {
      const transactions = new Transactions()
      const database = transactions.counting(yield* Database)
      const said: Array<string> = []
      transactions.whenNone(() => said.push("none from the start"))
      const gates = yield* Effect.forEach([1, 2, 3], () => Deferred.make<void, string>())
      const fibers = yield* Effect.forEach(gates, (gate) =>
        Effect.forkChild(
          Effect.exit(database.transact(Effect.andThen(Deferred.await(gate), Transaction))),
          { startImmediately: true }
        ))
      const none = () => said.push("none")
      transactions.whenNone(none)
      transactions.whenNone(none)
      transactions.whenNone(() => said.push("in this order"))
      yield* Deferred.succeed(gates[0]!, undefined)
      yield* Fiber.join(fibers[0]!)
      yield* Deferred.fail(gates[1]!, "failed")
      yield* Fiber.join(fibers[1]!)
      assert.deepStrictEqual(said, ["none from the start"])
      yield* Fiber.interrupt(fibers[2]!)
      assert.deepStrictEqual(said, ["none from the start", "none", "in this order"])
      yield* database.transact(Transaction)
      assert.lengthOf(said, 3)
    }).pipe(Effect.provide(MemoryDatabase.layer)))
})
