import { assert, describe, it, layer } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import {
  Bytes,
  Database,
  KeyRange,
  KeySelector,
  MemoryDatabase,
  OptimisticEngine,
  Transaction,
  type TransactionService
} from "../src/index.ts"
import { MemoryStore } from "../src/internal/memoryStore.ts"

const key = Bytes.fromString("key")
const other = Bytes.fromString("other")
const value = Uint8Array.of(1)

const run = <A, E, R>(use: (tx: TransactionService) => Effect.Effect<A, E, R>) =>
  Database.transact(Transaction.use(use))

/** An engine whose commits share versions while `batch.open`, and transactions of it. */
const batching = Effect.gen(function*() {
  const batch = { open: false }
  const engine = yield* MemoryDatabase.makeBatchingEngine({ joins: () => batch.open })
  const begin = () =>
    engine.begin({
      timeoutMillis: 5000,
      sizeLimit: undefined,
      priority: "default",
      causalReadRisky: false,
      tag: undefined
    })
  /** A transaction that reads `key` and writes `other`, or the other way round, at the version of now. */
  const prepare = Effect.fnUntraced(function*(read: Uint8Array, written: Uint8Array) {
    const tx = begin()
    yield* tx.get(read, false)
    tx.mutate({ _tag: "Set", key: written, value })
    tx.requestVersionstamp()
    return tx
  })
  return { batch, begin, prepare }
})

describe("commits of one batch", () => {
  it.effect("have one version, an order within it, and are all seen at it", () =>
    Effect.gen(function*() {
      const { batch, begin, prepare } = yield* batching
      const [first, second] = [yield* prepare(key, key), yield* prepare(other, other)]
      const a = yield* first.commit
      batch.open = true
      const b = yield* second.commit
      batch.open = false
      assert.strictEqual(a.version, b.version)
      assert.deepStrictEqual([a, b].map(({ versionstamp }) => Bytes.readUint(versionstamp!, 8, 2)), [0, 1])
      const reader = begin()
      yield* reader.setReadVersion(a.version)
      assert.deepStrictEqual(yield* reader.getAll([key, other], true), [value, value])
      const next = yield* (yield* prepare(key, key)).commit
      assert.isTrue(next.version > a.version)
    }))

  it.effect("conflict with what an earlier one has written, and not with a later one", () =>
    Effect.gen(function*() {
      const { batch, prepare } = yield* batching
      const [writer, reader] = [yield* prepare(key, other), yield* prepare(other, key)]
      yield* writer.commit
      batch.open = true
      const refused = yield* Effect.flip(reader.commit)
      assert.strictEqual(refused.code, 1020)
    }))

  it.effect("are not seen to conflict by who takes the version for read", () =>
    Effect.gen(function*() {
      const { batch, begin, prepare } = yield* batching
      const [mine, others] = [yield* prepare(key, key), yield* prepare(other, other)]
      const { version } = yield* mine.commit
      batch.open = true
      yield* others.commit
      batch.open = false
      const blind = begin()
      yield* blind.setReadVersion(version)
      blind.addReadConflict(KeyRange.single(other))
      blind.mutate({ _tag: "Set", key, value })
      assert.isTrue((yield* blind.commit).version > version)
    }))

  it.effect("have a version of their own where time has gone on", () =>
    Effect.gen(function*() {
      const { batch, prepare } = yield* batching
      batch.open = true
      const a = yield* (yield* prepare(key, key)).commit
      yield* TestClock.adjust("1 second")
      const b = yield* (yield* prepare(other, other)).commit
      assert.isTrue(b.version > a.version)
    }))
})

layer(MemoryDatabase.layer)("MemoryDatabase", (it) => {
  it.effect("is called memory", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Database).engine, "memory")
    }))

  it.effect("a lost race is run again after a back-off on Effect's clock", () =>
    Effect.gen(function*() {
      let attempts = 0
      const mine = run((tx) =>
        Effect.gen(function*() {
          yield* tx.get(key)
          if (attempts++ === 0) yield* run((tx) => tx.set(key, Uint8Array.of(1)))
          yield* tx.set(key, Uint8Array.of(2))
        })
      )
      const fiber = yield* Effect.forkChild(mine)
      yield* TestClock.adjust(0)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.strictEqual(attempts, 2)
    }))

  it.effect("versions are about a million a second, by the monotonic clock and not by the wall clock", () =>
    Effect.gen(function*() {
      const version = run((tx) => tx.readVersion)
      const first = yield* version
      yield* TestClock.adjust("3 seconds")
      const second = yield* version
      assert.strictEqual(second - first, 3_000_000n)
      yield* TestClock.setTime(-1_000_000)
      assert.strictEqual(yield* version, second)
      yield* run((tx) => tx.set(key, value))
      assert.strictEqual(yield* version, second + 1n)
    }))

  it.effect("a watch does not fire without a change", () =>
    Effect.gen(function*() {
      yield* run((tx) => tx.set(key, value))
      const fired = yield* run((tx) => tx.watch(key))
      const fiber = yield* Effect.forkChild(fired, { startImmediately: true })
      yield* run((tx) => tx.set(key, value))
      yield* run((tx) => tx.set(other, value))
      yield* run((tx) => Effect.andThen(tx.clear(key), tx.set(key, value)))
      yield* run((tx) => tx.addWriteConflictKey(key))
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(fiber.pollUnsafe())
      yield* run((tx) => tx.set(key, other))
      yield* Fiber.join(fiber)
    }))

  it.effect("a transaction that writes what the watch has seen does not fire it", () =>
    Effect.gen(function*() {
      yield* run((tx) => tx.set(key, value))
      const fired = yield* run((tx) => Effect.tap(tx.watch(key), () => tx.set(key, value)))
      const fiber = yield* Effect.forkChild(fired, { startImmediately: true })
      assert.isUndefined(fiber.pollUnsafe())
      yield* run((tx) => tx.clear(key))
      yield* Fiber.join(fiber)
    }))
})

describe("MemoryDatabase.layer", () => {
  it.effect("two layers are two databases, one that is shared is one", () =>
    Effect.gen(function*() {
      const read = run((tx) => tx.get(key))
      const write = run((tx) => tx.set(key, value))
      const fresh = Layer.fresh(MemoryDatabase.layer)
      const databases = yield* Effect.all([
        Layer.build(fresh),
        Layer.build(fresh),
        MemoryDatabase.make
      ])
      yield* Effect.provide(write, databases[0])
      assert.deepStrictEqual(yield* Effect.provide(read, databases[0]), value)
      assert.isUndefined(yield* Effect.provide(read, databases[1]))
      assert.isUndefined(yield* Effect.provideService(read, Database, databases[2]))
    }))

  it.effect("keeps the time of the clock that it is built with", () =>
    Effect.gen(function*() {
      const begun = yield* Clock.monotonicTimeNanos
      const live = yield* TestClock.withLive(MemoryDatabase.make)
      const version = live.transact(Transaction.use((tx) => tx.readVersion))
      const first = yield* version
      while ((yield* version) === first) yield* TestClock.withLive(Effect.sleep("1 milli"))
      assert.strictEqual(yield* Clock.monotonicTimeNanos, begun)
    }))
})

/** A database and the store beneath it. */
const makeStore = (maxWatches?: number) =>
  Effect.map(Clock.Clock, (clock) => {
    const store = new MemoryStore(clock)
    return { store, database: Database.fromEngine(OptimisticEngine.make({ name: "memory", store, clock, maxWatches })) }
  })

describe("MemoryDatabase: memory", () => {
  it.effect("keeps the versions of five seconds and no more", () =>
    Effect.gen(function*() {
      const { database, store } = yield* makeStore()
      const write = database.transact(Transaction.use((tx) => tx.set(key, value)))
      let most = 0
      for (let round = 0; round < 2000; round++) {
        yield* write
        yield* TestClock.adjust("10 millis")
        most = Math.max(most, store.versionCount)
      }
      assert.isAtMost(most, 502)
      assert.isAtLeast(most, 499)
    }))

  it.effect("forgets what was written where, however many keys come and go", () =>
    Effect.gen(function*() {
      const { database, store } = yield* makeStore()
      let most = 0
      for (let round = 0; round < 10_000; round++) {
        const name = Bytes.fromString(String(round))
        yield* database.transact(Transaction.use((tx) => Effect.andThen(tx.set(name, value), tx.clear(name))))
        if (round % 10 === 0) yield* TestClock.adjust("100 millis")
        if (round % 100 === 0) most = Math.max(most, store.historySize)
      }
      // Five seconds are 500 keys, and what is forgotten is swept in turns of a thousand.
      assert.isAtMost(most, 4 * 1024)
    }))
})

describe("MemoryDatabase: the limit on watches", () => {
  const set = Effect.fnUntraced(function*(database: Database["Service"]) {
    const scope = yield* Scope.make()
    const fired = yield* Effect.provideService(
      database.transact(Transaction.use((tx) => tx.watch(key)), { retryLimit: 0 }),
      Scope.Scope,
      scope
    )
    return { fired, close: Scope.close(scope, Exit.void) }
  })

  it.effect("fails with 1032, and counts neither the fired nor the cancelled", () =>
    Effect.gen(function*() {
      const { database } = yield* makeStore(2)
      const first = yield* set(database)
      yield* set(database)
      const error = yield* Effect.flip(set(database))
      assert.strictEqual(error.code, 1032)
      assert.include(error.message, "2")
      yield* first.close
      yield* first.close
      const third = yield* set(database)
      assert.strictEqual((yield* Effect.flip(set(database))).code, 1032)
      yield* database.transact(Transaction.use((tx) => tx.set(key, value)))
      yield* third.fired
      yield* third.close
      yield* set(database)
      yield* set(database)
      assert.strictEqual((yield* Effect.flip(set(database))).code, 1032)
    }))

  it.effect("does not fail a transaction that goes on without the watch", () =>
    Effect.gen(function*() {
      const { database } = yield* makeStore(0)
      yield* Effect.scoped(
        database.transact(Transaction.use((tx) => Effect.andThen(Effect.ignore(tx.watch(key)), tx.set(key, value))))
      )
      assert.deepStrictEqual(yield* database.transact(Transaction.use((tx) => tx.get(key))), value)
    }))

  it.effect("does not count those of transactions that were not committed", () =>
    Effect.gen(function*() {
      const { database } = yield* makeStore(1)
      for (let round = 0; round < 3; round++) {
        yield* Effect.flip(Effect.scoped(database.transact(Effect.andThen(
          Transaction.use((tx) => tx.watch(key)),
          Effect.fail("no")
        ))))
      }
      yield* set(database)
    }))

  it.effect("is ten thousand", () =>
    Effect.gen(function*() {
      const { database } = yield* makeStore()
      const watchAll = (count: number) =>
        database.transact(Transaction.use((tx) => Effect.forEach(Array.from({ length: count }), () => tx.watch(key))))
      yield* watchAll(10_000)
      assert.strictEqual((yield* Effect.flip(watchAll(1))).code, 1032)
    }))
})

describe("a range that own writes answer", () => {
  it.effect("lets nothing of the database be known: a selector that comes later reads it", () =>
    Database.transact(Effect.gen(function*() {
      const tx = yield* Transaction
      const [b, d] = [Bytes.fromString("b"), Bytes.fromString("d")]
      yield* tx.clearRange({ begin: b, end: d })
      assert.deepStrictEqual(yield* tx.getRange({ begin: b, end: d }), [])
      const after = KeySelector.move(KeySelector.firstGreaterOrEqual(b), 1)
      assert.deepStrictEqual(yield* tx.getRange({ begin: after, end: KeySelector.firstGreaterOrEqual(d) }), [])
    })).pipe(Effect.provide(MemoryDatabase.layer)))
})
