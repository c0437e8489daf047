import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Bytes, Database, InstrumentedEngine, MemoryDatabase, Transaction } from "../src/index.ts"

const a = Bytes.fromString("a")
const b = Bytes.fromString("b")
const one = Uint8Array.of(1)

const make = (latencies?: InstrumentedEngine.Latencies) =>
  Effect.map(MemoryDatabase.makeEngine, (engine) => {
    const instrumented = InstrumentedEngine.make(engine, latencies)
    return { ...instrumented, database: Database.fromEngine(instrumented.engine) }
  })

/** How many virtual milliseconds an effect takes. */
const elapsed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.gen(function*() {
      const begun = yield* Clock.currentTimeMillis
      const exit = yield* Effect.exit(effect)
      return [(yield* Clock.currentTimeMillis) - begun, exit] as const
    }))
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 milli")
    return yield* Fiber.join(fiber)
  })

const latencies = { readVersion: "5 millis", read: "3 millis", commit: "10 millis" } as const

describe("InstrumentedEngine", () => {
  it.effect("counts read versions, reads, commits and conflicts", () =>
    Effect.gen(function*() {
      const { counts, database, reset } = yield* make()
      yield* database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        yield* tx.get(a)
        yield* tx.getRange({ begin: a, end: b })
        yield* tx.set(a, one)
      }))
      yield* database.transact(Transaction.use((tx) => tx.get(a)))
      yield* database.transact(Transaction.use((tx) => tx.set(a, one)))
      assert.deepStrictEqual(yield* counts, {
        readVersions: 2,
        reads: 3,
        commits: 2,
        readOnlyCommits: 1,
        conflicts: 0
      })
      yield* reset
      const other = database.transact(Transaction.use((tx) => tx.set(a, one)))
      const error = yield* Effect.flip(database.transact(
        Effect.gen(function*() {
          const tx = yield* Transaction
          yield* tx.get(a)
          yield* other
          yield* tx.set(b, one)
        }),
        { retryLimit: 0 }
      ))
      assert.strictEqual(error.code, 1020)
      assert.deepStrictEqual(yield* counts, {
        readVersions: 1,
        reads: 1,
        commits: 1,
        readOnlyCommits: 0,
        conflicts: 1
      })
    }))

  it.effect("a read costs the read version once, and parallel reads share both", () =>
    Effect.gen(function*() {
      const { database } = yield* make(latencies)
      const [time] = yield* elapsed(database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        yield* Effect.all([tx.get(a), tx.get(b), tx.snapshot.get(a)], { concurrency: "unbounded" })
      })))
      assert.strictEqual(time, 8)
      const [inTurn] = yield* elapsed(database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        yield* tx.get(a)
        yield* tx.get(b)
      })))
      assert.strictEqual(inTurn, 11)
    }))

  it.effect("a blind write costs its commit, and so does a write at a version that was set", () =>
    Effect.gen(function*() {
      const { counts, database } = yield* make(latencies)
      const [time] = yield* elapsed(database.transact(Transaction.use((tx) => tx.set(a, one))))
      assert.strictEqual(time, 10)
      const version = yield* elapsed(database.transact(Transaction.use((tx) => tx.readVersion)))
      assert.strictEqual(version[0], 5)
      const readVersion = yield* version[1]
      const [renewal] = yield* elapsed(database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        yield* tx.setReadVersion(readVersion)
        yield* tx.addReadConflictKey(a)
        yield* tx.set(a, one)
      })))
      assert.strictEqual(renewal, 10)
      const [readAtVersion] = yield* elapsed(database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        yield* tx.setReadVersion(readVersion)
        yield* tx.get(a)
      })))
      assert.strictEqual(readAtVersion, 3)
      assert.strictEqual((yield* counts).readVersions, 1)
    }))

  it.effect("a read does not see what was written while it was under way", () =>
    Effect.gen(function*() {
      const { database } = yield* make(latencies)
      const [, exit] = yield* elapsed(database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        const reading = yield* Effect.forkChild(tx.get(a), { startImmediately: true })
        yield* tx.set(a, one)
        return yield* Fiber.join(reading)
      })))
      assert.isUndefined(yield* exit)
    }))

  it.effect("what takes longer than the attempt has fails with 1031, in the commit with an unknown outcome", () =>
    Effect.gen(function*() {
      const { counts, database } = yield* make(latencies)
      const [readTime, read] = yield* elapsed(
        Effect.flip(database.transact(Transaction.use((tx) => tx.get(a)), { timeout: "6 millis" }))
      )
      assert.strictEqual(readTime, 6)
      assert.deepInclude(yield* read, { code: 1031, phase: "read", maybeCommitted: false })
      const [early, lost] = yield* elapsed(
        Effect.flip(database.transact(Transaction.use((tx) => tx.set(a, one)), { timeout: "4 millis" }))
      )
      assert.strictEqual(early, 4)
      assert.deepInclude(yield* lost, { code: 1031, phase: "commit", maybeCommitted: true })
      assert.strictEqual((yield* counts).commits, 0)
      const [late, unheard] = yield* elapsed(
        Effect.flip(database.transact(Transaction.use((tx) => tx.set(a, one)), { timeout: "7 millis" }))
      )
      assert.strictEqual(late, 7)
      assert.deepInclude(yield* unheard, { code: 1031, phase: "commit", maybeCommitted: true })
      assert.strictEqual((yield* counts).commits, 1)
    }))
})
