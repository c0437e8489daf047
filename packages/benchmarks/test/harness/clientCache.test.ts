import { Bytes, Database, InstrumentedEngine, MemoryDatabase, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as clientCache from "../../src/harness/clientCache.ts"

const key = Bytes.fromString("key")
const one = Uint8Array.of(1)
const two = Uint8Array.of(2)

const make = Effect.gen(function*() {
  const engine = yield* MemoryDatabase.makeEngine
  const { counts, engine: counted } = InstrumentedEngine.make(engine)
  return { counts, database: Database.fromEngine(clientCache.make(counted)) }
})

describe("what a transaction knows already", () => {
  it.effect("is not asked for again, and set values are seen", () =>
    Effect.gen(function*() {
      const { counts, database } = yield* make
      const seen = yield* database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        const before = [yield* tx.get(key), yield* tx.get(key), yield* tx.snapshot.get(key)]
        yield* tx.set(key, one)
        return [...before, yield* tx.get(key)]
      }))
      assert.deepStrictEqual(seen, [undefined, undefined, undefined, one])
      assert.strictEqual((yield* counts).reads, 1)
    }))

  it.effect("is asked for again where a snapshot read has been made, and conflicts then", () =>
    Effect.gen(function*() {
      const { counts, database } = yield* make
      const body = Effect.gen(function*() {
        const tx = yield* Transaction
        yield* tx.snapshot.get(key)
        yield* tx.get(key)
        yield* database.transact(Effect.flatMap(Transaction, (other) => other.set(key, two)))
        yield* tx.set(Bytes.fromString("other"), one)
      })
      const error = yield* Effect.flip(database.transact(body, { retryLimit: 0 }))
      assert.strictEqual(error.code, 1020)
      assert.strictEqual((yield* counts).reads, 2)
    }))

  it.effect("is forgotten after a mutation whose result is not known", () =>
    Effect.gen(function*() {
      const { database } = yield* make
      const seen = yield* database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        yield* tx.set(key, one)
        yield* tx.atomic("Add", key, one)
        return yield* tx.get(key)
      }))
      assert.deepStrictEqual(seen, two)
    }))
})
