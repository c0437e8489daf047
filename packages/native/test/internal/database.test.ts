import { Bytes, Database, type DatabaseService, Transaction, type TransactionService } from "@effect-fdb/core"
import type { NativeDatabaseOptions } from "@effect-fdb/native/NativeDatabase"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Logger, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as database from "../../src/internal/database.ts"
import { optionCodes } from "../../src/internal/encoding.ts"
import { FakeClient } from "../support/FakeClient.ts"
import * as nativeLayer from "../support/nativeLayer.ts"

const key = Bytes.fromString("key")
const value = Bytes.fromString("value")

type Use<A, E> = (tx: TransactionService) => Effect.Effect<A, E>

/** A database on a double, which must not be mistreated, and has nothing left of it at the end. */
const test = <E>(
  body: (client: FakeClient, db: DatabaseService) => Effect.Effect<void, E, Scope.Scope>,
  options: NativeDatabaseOptions = {}
) =>
  Effect.gen(function*() {
    const client = yield* FakeClient.make
    yield* Effect.scoped(Effect.flatMap(nativeLayer.make(client, options), (db) => body(client, db)))
    assert.deepStrictEqual(client.violations, [])
    assert.strictEqual(client.openDatabases, 0)
    assert.strictEqual(client.pendingWatches, 0)
  })

const run = <A, E>(db: DatabaseService, use: Use<A, E>, options?: Parameters<DatabaseService["transact"]>[1]) =>
  db.transact(Transaction.use(use), options)

const failure = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.flip(Effect.asVoid(effect))

const set: Use<void, unknown> = (tx) => tx.set(key, value)

describe("building the layer", () => {
  const build = (client: FakeClient, options: NativeDatabaseOptions = {}) =>
    Effect.scoped(nativeLayer.make(client, options))

  it.effect("succeeds with the cluster's first answer, whatever it is", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      yield* build(client)
      client.fail({ call: "read", code: 1037 })
      yield* build(client)
      assert.strictEqual(client.openDatabases, 0)
    }))

  it.effect("fails with ClusterUnreachable after five seconds, or the time that was set, and leaves nothing open", () =>
    Effect.gen(function*() {
      for (const [connectTimeout, millis] of [[undefined, 5000], ["200 millis", 200]] as const) {
        const client = yield* FakeClient.make
        client.connected = false
        const fiber = yield* Effect.forkChild(
          Effect.flip(build(client, { connectTimeout, clusterFile: "/etc/fdb.cluster" }))
        )
        yield* TestClock.adjust(millis - 1)
        assert.isUndefined(fiber.pollUnsafe())
        yield* TestClock.adjust(1)
        const error = yield* Fiber.join(fiber)
        assert.include(error, {
          _tag: "ClusterUnreachable",
          clusterFile: "/etc/fdb.cluster",
          waitedMillis: millis,
          code: 1031
        })
        assert.strictEqual(client.openDatabases, 0)
      }
    }))

  it.effect("does not ask when the time to connect is infinite", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      client.connected = false
      yield* build(client, { connectTimeout: "Infinity" })
      assert.strictEqual(client.created, 0)
    }))

  it.effect("fails with ClientUnavailable when the client cannot use the cluster file", () =>
    Effect.gen(function*() {
      for (const code of [1510, 1511, 1513, 1515, 1516, 2104]) {
        const client = yield* FakeClient.make
        client.fail({ call: "read", code })
        const error = yield* Effect.flip(build(client))
        assert.include(error, { _tag: "ClientUnavailable", reason: "cluster-file" })
        assert.match(error.message, /FDB_CLUSTER_FILE/)
        assert.include(error.message, String(code))
      }
      const client = yield* FakeClient.make
      const error = yield* Effect.flip(build(client, { clusterFile: "/".repeat(1024) }))
      assert.include(error, { _tag: "ClientUnavailable", reason: "cluster-file" })
      assert.strictEqual(client.networkStarts, 0)
    }))

  it.effect("fails with ClientUnavailable when the network does not run, and does not wait for what never comes", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const client = yield* FakeClient.make
      const on = nativeLayer.makeNetwork(client)
      yield* Effect.scoped(database.make(on, {}))
      client.stopNetwork()
      const fiber = yield* Effect.forkChild(Effect.flip(Effect.scoped(database.make(on, {}))))
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(fiber)
      assert.include(error, { _tag: "ClientUnavailable", reason: "options" })
      assert.match(error.message, /network does not run/)
      assert.strictEqual(client.openDatabases, 0)
    }))

  it.effect("hands the options of the database over, and only those that are set", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      yield* build(client, { clusterFile: "/a", maxWatches: 5, machineId: "m", datacenterId: "d" })
      assert.deepStrictEqual(client.opened, [
        { clusterFile: "/a", options: { max_watches: 5, machine_id: "m", datacenter_id: "d" } }
      ])
      const bare = yield* FakeClient.make
      yield* build(bare)
      assert.deepStrictEqual(bare.opened, [{ clusterFile: undefined, options: {} }])
    }))

  it.effect("can be interrupted while it waits", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const client = yield* FakeClient.make
      client.connected = false
      const fiber = yield* Effect.forkChild(build(client))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(client.openDatabases, 0)
    }))

  it.effect("gives databases that are closed apart from each other", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      const on = nativeLayer.makeNetwork(client)
      const layer = Layer.effectContext(database.make(on, {}))
      const write = Database.transact(Transaction.use(set))
      yield* Effect.gen(function*() {
        yield* Effect.provide(write, layer, { local: true })
        yield* write
      }).pipe(Effect.provide(layer))
      yield* Effect.provide(write, layer, { local: true })
      assert.strictEqual(client.networkStarts, 1)
      assert.strictEqual(client.opened.length, 3)
      assert.strictEqual(client.openDatabases, 0)
    }))
})

describe("a transaction", () => {
  it.effect("is given all its options at every attempt", () =>
    test((client, db) =>
      Effect.gen(function*() {
        const seen: Array<typeof client.lastOptions> = []
        client.fail({ call: "commit", code: 1020 }, { call: "commit", code: 1007 })
        const fiber = yield* Effect.forkChild(run(
          db,
          (tx) =>
            tx.set(key, value).pipe(
              Effect.andThen(Effect.sync(() => void seen.push(client.lastOptions))),
              // Back-off is drawn by chance, and may be nothing.
              Effect.andThen(Effect.sleep("10 millis"))
            ),
          { timeout: "5 seconds", sizeLimit: 1000, priority: "batch", causalReadRisky: true, tag: "election" }
        ))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        assert.strictEqual(seen.length, 3)
        assert.deepStrictEqual(seen[0], [
          [optionCodes.timeout, 5000],
          [optionCodes.sizeLimit, 1000],
          [optionCodes.priorityBatch, undefined],
          [optionCodes.causalReadRisky, undefined],
          [optionCodes.autoThrottleTag, "election"]
        ])
        for (const options of seen.slice(1)) {
          assert.deepStrictEqual(options.slice(1), seen[0]!.slice(1))
          // What is left of the time.
          assert.isBelow(options[0]![1] as number, 5000)
        }
      })
    ))

  it.effect("sets nothing that was not asked for, but always a timeout", () =>
    test((client, db) =>
      Effect.gen(function*() {
        yield* run(db, set, { causalReadRisky: false, priority: "default" })
        assert.deepStrictEqual(client.lastOptions, [[optionCodes.timeout, 10_000]])
        yield* run(db, set, { priority: "system-immediate" })
        assert.deepStrictEqual(client.lastOptions[1], [optionCodes.prioritySystemImmediate, undefined])
      })
    ))

  it.effect("fails with 1031 when the cluster does not answer in time, in the phase in which that was", () =>
    test((client, db) =>
      Effect.gen(function*() {
        client.connected = false
        const reading = yield* Effect.forkChild(Effect.flip(run(db, (tx) => tx.get(key), { timeout: "2 seconds" })))
        const writing = yield* Effect.forkChild(Effect.flip(run(db, set, { timeout: "2 seconds" })))
        yield* TestClock.adjust("1999 millis")
        assert.isUndefined(reading.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.include(yield* Fiber.join(reading), { code: 1031, phase: "read", maybeCommitted: false })
        assert.include(yield* Fiber.join(writing), { code: 1031, phase: "commit", maybeCommitted: true })
      })
    ))

  it.effect("tells an unknown result from a failure by the phase, and is tried again only if idempotent", () =>
    test((client, db) =>
      Effect.gen(function*() {
        for (const code of [1021, 1039, 1025, 1031, 1101]) {
          client.fail({ call: "commit", code, applied: true })
          const error = yield* Effect.flip(run(db, set))
          assert.include(error, { code, phase: "commit", maybeCommitted: true })
        }
        for (const applied of [true, false]) {
          yield* run(db, (tx) => tx.set(key, Uint8Array.of(0)))
          client.fail({ call: "commit", code: 1021, applied })
          const fiber = yield* Effect.forkChild(
            run(db, (tx) => tx.atomic("Add", key, Uint8Array.of(1)), { idempotent: true })
          )
          yield* TestClock.adjust("1 second")
          yield* Fiber.join(fiber)
          assert.deepStrictEqual(yield* run(db, (tx) => tx.get(key)), Uint8Array.of(applied ? 2 : 1))
        }
      })
    ))

  it.effect("fails at once with what cannot be retried, and dies of what is no error of FoundationDB", () =>
    test((client, db) =>
      Effect.gen(function*() {
        for (const call of ["read", "commit"] as const) {
          client.fail({ call, code: 2101 })
          assert.include(yield* Effect.flip(run(db, (tx) => Effect.andThen(tx.get(key), tx.set(key, value)))), {
            code: 2101,
            phase: call
          })
          client.fail({ call })
          const exit = yield* Effect.exit(run(db, (tx) => Effect.andThen(tx.get(key), tx.set(key, value))))
          assert.isTrue(Exit.hasDies(exit))
        }
      })
    ))

  it.effect("takes an error that a call throws as one that it was rejected with", () =>
    test((client, db) =>
      Effect.gen(function*() {
        client.fail({ call: "read", code: 1036, thrown: true })
        assert.include(yield* Effect.flip(run(db, (tx) => tx.get(key))), { code: 1036, phase: "read" })
        client.fail({ call: "commit", code: 2017, thrown: true })
        assert.include(yield* Effect.flip(run(db, set)), { code: 2017, phase: "commit" })
        client.fail({ call: "watch", code: 1034, thrown: true })
        assert.include(yield* failure(run(db, (tx) => Effect.scoped(tx.watch(key)))), { code: 1034 })
        client.fail({ call: "create", code: 1515, thrown: true })
        assert.include(yield* Effect.flip(run(db, set)), { code: 1515, phase: "write", maybeCommitted: false })
        client.fail({ call: "create", thrown: true })
        assert.isTrue(Exit.hasDies(yield* Effect.exit(run(db, set))))
      })
    ))

  it.effect("reports the first error of a write or an option with the next read, or the commit, and commits nothing", () =>
    test((client, db) =>
      Effect.gen(function*() {
        for (const call of ["write", "option"] as const) {
          for (const next of [set, (tx: TransactionService) => Effect.andThen(tx.set(key, value), tx.get(key))]) {
            client.fail({ call, code: 2006, thrown: true }, { call: "write", code: 2018, thrown: true })
            const error = yield* Effect.flip(run(db, (tx) => Effect.andThen(tx.clear(key), next(tx))))
            assert.include(error, { code: 2006, phase: "write", maybeCommitted: false })
            // The second fault may be left over.
            yield* Effect.exit(run(db, set))
          }
        }
        yield* run(db, (tx) => tx.clear(key))
        client.fail({ call: "write", code: 2004, thrown: true })
        yield* failure(run(db, (tx) => Effect.andThen(tx.set(key, value), tx.versionstamp)))
        assert.isUndefined(yield* run(db, (tx) => tx.get(key)))
      })
    ))

  it.effect("gives the versions and the versionstamp exactly", () =>
    test((_client, db) =>
      Effect.gen(function*() {
        const { stamp, version } = yield* run(db, (tx) =>
          Effect.gen(function*() {
            yield* tx.set(key, value)
            return { version: yield* tx.committedVersion, stamp: yield* tx.versionstamp }
          }))
        const committed = yield* version
        assert.strictEqual(Buffer.from(yield* stamp).readBigInt64BE(0), committed)
        const readVersion = yield* run(db, (tx) => tx.readVersion)
        assert.isAtLeast(Number(readVersion - committed), 0)
        const readOnly = yield* run(db, (tx) =>
          Effect.gen(function*() {
            yield* tx.get(key)
            return { version: yield* tx.committedVersion, stamp: yield* tx.versionstamp }
          }))
        assert.strictEqual(yield* readOnly.version, -1n)
        assert.include(yield* Effect.flip(readOnly.stamp), { code: 2021 })
      })
    ))

  it.effect("that was committed but is not told its versionstamp has an unknown result, never a failure to be tried again", () =>
    test((client, db) =>
      Effect.gen(function*() {
        for (const code of [1020, 1025, 2020]) {
          client.fail({ call: "versionstamp", code, thrown: code === 2020 })
          const error = yield* failure(run(db, (tx) => Effect.andThen(tx.set(key, value), tx.versionstamp)))
          assert.include(error, { code: 1021, phase: "commit", maybeCommitted: true })
        }
        assert.strictEqual(client.commits, 3)
      })
    ))

  it.effect("that is interrupted while it reads cancels natively, waits until that has settled, and writes nothing", () =>
    test((client, db) =>
      Effect.gen(function*() {
        yield* TestClock.adjust(0)
        client.connected = false
        const { cancelled } = client
        const fiber = yield* Effect.forkChild(run(db, (tx) => Effect.andThen(tx.set(key, value), tx.get(key))))
        yield* TestClock.adjust("1 second")
        assert.strictEqual(client.undelivered, 1)
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(client.cancelled, cancelled + 1)
        client.connect()
        assert.isUndefined(yield* run(db, (tx) => tx.get(key)))
      })
    ))

  it.effect("is cancelled by a reset where a client of several versions ignores the cancel", () =>
    test((client, db) =>
      Effect.gen(function*() {
        yield* TestClock.adjust(0)
        client.connected = false
        client.multiVersion = true
        const fiber = yield* Effect.forkChild(run(db, (tx) => tx.get(key), { timeout: "1 hour" }))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        assert.isDefined(fiber.pollUnsafe())
      })
    ))

  it.effect("lets other reads go on when one of them is interrupted", () =>
    test((client, db) =>
      Effect.gen(function*() {
        yield* run(db, set)
        const result = yield* run(db, (tx) =>
          Effect.gen(function*() {
            client.hold()
            const lost = yield* Effect.forkChild(tx.get(Bytes.fromString("other")))
            const won = yield* Effect.forkChild(tx.get(key))
            yield* TestClock.adjust(0)
            yield* Fiber.interrupt(lost)
            client.deliver()
            return yield* Fiber.join(won)
          }))
        assert.deepStrictEqual(result, value)
      })
    ))

  it.effect("counts what native code works on, and nothing twice: nine reads fit into its queue at exit", () =>
    test((client, db) =>
      Effect.gen(function*() {
        client.hold()
        const reads = yield* Effect.forEach(
          Array.from({ length: 9 }),
          () => Effect.forkChild(run(db, (tx) => tx.getAll([key])))
        )
        yield* TestClock.adjust(0)
        assert.strictEqual(client.undelivered, 9)
        client.process.exit(0)
        assert.isFalse(client.networkRuns)
        client.networkRuns = true
        client.deliver()
        yield* Effect.forEach(reads, Fiber.join)
      })
    ))

  it.effect("is tried again when the read that a watch begins with fails", () =>
    test((client, db) =>
      Effect.gen(function*() {
        client.fail({ call: "read", code: 1037 })
        const { created } = client
        const watching = yield* Effect.forkChild(db.transact(Effect.flatMap(Transaction, (tx) => tx.watch(key))))
        yield* TestClock.adjust("1 second")
        const fired = yield* Fiber.join(watching)
        assert.strictEqual(client.created - created, 2)
        yield* run(db, set)
        yield* fired
      })
    ))

  it.effect("is not interrupted in its commit", () =>
    test((client, db) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(
          Effect.exit(run(db, (tx) => Effect.andThen(tx.set(key, value), Effect.sync(() => client.hold()))))
        )
        yield* TestClock.adjust(0)
        const { cancelled } = client
        fiber.interruptUnsafe()
        yield* TestClock.adjust("1 second")
        assert.isUndefined(fiber.pollUnsafe())
        client.deliver()
        yield* Fiber.await(fiber)
        assert.strictEqual(client.cancelled, cancelled)
        assert.deepStrictEqual(yield* run(db, (tx) => tx.get(key)), value)
      })
    ))

  it.effect("may have been committed when its commit has timed out, for that may land later", () =>
    test((client, db) =>
      Effect.gen(function*() {
        client.connected = false
        client.commitsLand = true
        const fiber = yield* Effect.forkChild(Effect.flip(run(db, set, { timeout: "1 second" })))
        yield* TestClock.adjust("1 second")
        assert.include(yield* Fiber.join(fiber), { code: 1031, maybeCommitted: true })
        client.connect()
        assert.deepStrictEqual(yield* run(db, (tx) => tx.get(key)), value)
      })
    ))

  it.effect("waits for its commit, though a read of it was given up", () =>
    test((client, db) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(run(db, (tx) =>
          Effect.gen(function*() {
            client.hold()
            yield* Effect.timeoutOption(tx.get(key), "100 millis")
            yield* tx.set(key, value)
          })))
        yield* TestClock.adjust("200 millis")
        assert.isUndefined(fiber.pollUnsafe())
        client.deliver()
        yield* Fiber.join(fiber)
        assert.strictEqual(client.commits, 1)
      })
    ))

  it.effect("that nobody settles any more is given up after five seconds when it is interrupted", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const client = yield* FakeClient.make
      const scope = yield* Scope.make()
      const db = yield* Scope.provide(nativeLayer.make(client), scope)
      client.stopNetwork()
      const fiber = yield* Effect.forkChild(run(db, (tx) => tx.get(key)))
      yield* TestClock.adjust(0)
      fiber.interruptUnsafe()
      yield* TestClock.adjust("5 seconds")
      assert.isDefined(fiber.pollUnsafe())
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(client.openDatabases, 0)
    }))
})

describe("a watch", () => {
  it.effect("outlives its transaction, and fires", () =>
    test((_client, db) =>
      Effect.scoped(Effect.gen(function*() {
        const fired = yield* db.transact(Transaction.use((tx) => tx.watch(key)))
        const fiber = yield* Effect.forkChild(fired)
        yield* TestClock.adjust("1 hour")
        assert.isUndefined(fiber.pollUnsafe())
        yield* run(db, set)
        yield* Fiber.join(fiber)
      }))
    ))

  it.effect("is cancelled with its scope, and whoever waits for it is told so: 1025", () =>
    test((client, db) =>
      Effect.gen(function*() {
        for (const resolveFalse of [false, true]) {
          client.watchesResolveFalse = resolveFalse
          const scope = yield* Scope.make()
          const fired = yield* Scope.provide(db.transact(Transaction.use((tx) => tx.watch(key))), scope)
          const fiber = yield* Effect.forkChild(Effect.flip(fired))
          yield* TestClock.adjust(0)
          assert.strictEqual(client.pendingWatches, 1)
          yield* Scope.close(scope, Exit.void)
          assert.strictEqual(client.pendingWatches, 0)
          assert.include(yield* Fiber.join(fiber), { code: 1025, phase: "watch", maybeCommitted: false })
        }
      })
    ))

  it.effect("ends with the error of its transaction's commit", () =>
    test((client, db) =>
      Effect.scoped(Effect.gen(function*() {
        client.fail({ call: "commit", code: 1020 })
        let fired: Effect.Effect<void, unknown> = Effect.void
        const body = Transaction.use((tx) => Effect.tap(tx.watch(key), (watch) => Effect.sync(() => (fired = watch))))
        yield* failure(db.transact(body, { retryLimit: 0 }))
        assert.include(yield* Effect.flip(fired), { code: 1020, phase: "watch" })
      }))
    ))

  it.effect("ends with 1025 when its transaction is given up", () =>
    test((client, db) =>
      Effect.scoped(Effect.gen(function*() {
        let fired: Effect.Effect<void, unknown> = Effect.void
        const body = Transaction.use((tx) =>
          Effect.flatMap(tx.watch(key), (watch) => {
            fired = watch
            return Effect.fail("changed my mind")
          })
        )
        yield* Effect.flip(db.transact(body))
        assert.include(yield* Effect.flip(fired), { code: 1025 })
        assert.strictEqual(client.pendingWatches, 0)
      }))
    ))

  it.effect("leaves nothing behind, re-armed thousands of times", () =>
    Effect.gen(function*() {
      const client = yield* FakeClient.make
      const opened = yield* nativeLayer.makeNetwork(client).open({
        clusterFile: undefined,
        database: {},
        apiVersion: undefined,
        network: {}
      })
      const { registry } = opened
      for (let i = 0; i < 3000; i++) {
        const tracked = registry.track(opened.database.rawCreateTransaction())
        tracked.native.setOption(optionCodes.timeout, 1000)
        const watch = tracked.native.watch(Buffer.from("key"), { throwAllErrors: true })
        tracked.trackWatch(watch).catch(() => {})
        tracked.release()
        watch.cancel()
        yield* Effect.promise(() => Promise.resolve())
      }
      assert.strictEqual(registry.size, 0)
      assert.strictEqual(registry.pending, 0)
      assert.strictEqual(client.pendingWatches, 0)
    }))

  it.effect("of which there are too many fails with 1032", () =>
    test((client, db) =>
      Effect.gen(function*() {
        client.fail({ call: "watch", code: 1032 })
        const watched = Effect.flatten(db.transact(Transaction.use((tx) => tx.watch(key))))
        assert.include(yield* failure(Effect.scoped(watched)), { code: 1032, phase: "watch" })
      })
    ))
})

describe("closing the layer", () => {
  const open = Effect.gen(function*() {
    const client = yield* FakeClient.make
    const scope = yield* Scope.make()
    const db = yield* Scope.provide(nativeLayer.make(client), scope)
    return { client, db, close: Scope.close(scope, Exit.void) }
  })

  it.effect("cancels reads and watches, waits for commits, and closes the database once, last", () =>
    Effect.gen(function*() {
      const { client, close, db } = yield* open
      const watches = yield* Scope.make()
      const fired = yield* Scope.provide(db.transact(Transaction.use((tx) => tx.watch(key))), watches)
      client.connected = false
      const reading = yield* Effect.forkChild(Effect.flip(run(db, (tx) => tx.get(key), { timeout: "1 hour" })))
      const committing = yield* Effect.forkChild(run(db, set))
      yield* TestClock.adjust(0)
      const closing = yield* Effect.forkChild(close)
      yield* TestClock.adjust("1 second")
      assert.include(yield* Fiber.join(reading), { code: 1025, phase: "read" })
      assert.include(yield* Effect.flip(fired), { code: 1025 })
      assert.isUndefined(closing.pollUnsafe())
      assert.strictEqual(client.openDatabases, 1)
      client.connect()
      yield* Fiber.join(committing)
      yield* Fiber.join(closing)
      assert.strictEqual(client.openDatabases, 0)
      yield* Scope.close(watches, Exit.void)
      assert.deepStrictEqual(client.violations, [])
    }))

  it.effect("leaves no way to a database that is closed: 1025, and nothing was committed", () =>
    Effect.gen(function*() {
      const { client, close, db } = yield* open
      const middle = yield* Deferred.make<void>()
      const late = yield* Effect.forkChild(
        Effect.flip(run(db, (tx) => Effect.andThen(tx.set(key, value), Deferred.await(middle))))
      )
      const lateRead = yield* Effect.forkChild(Effect.flip(run(db, (tx) =>
        Effect.gen(function*() {
          yield* tx.set(key, value)
          yield* Deferred.await(middle)
          yield* tx.set(key, value)
          return yield* tx.get(key)
        }))))
      yield* TestClock.adjust(0)
      const { created } = client
      yield* close
      yield* Deferred.succeed(middle, undefined)
      assert.include(yield* Fiber.join(late), { code: 1025, phase: "write", maybeCommitted: false })
      assert.include(yield* Fiber.join(lateRead), { code: 1025, phase: "read" })
      for (const use of [set, (tx: TransactionService) => tx.get(key), (tx: TransactionService) => tx.readVersion]) {
        assert.include(yield* Effect.flip(run(db, use as Use<unknown, unknown>)), { code: 1025, maybeCommitted: false })
      }
      assert.strictEqual(client.created, created)
      assert.deepStrictEqual(client.violations, [])
    }))

  it.effect("does not wait for ever: after half a minute it warns and leaves the database open", () =>
    Effect.gen(function*() {
      const { client, close, db } = yield* open
      client.connected = false
      const committing = yield* Effect.forkChild(Effect.flip(run(db, set, { timeout: "1 hour" })))
      yield* TestClock.adjust(0)
      const lines: Array<unknown> = []
      const closing = yield* Effect.forkChild(Effect.provide(
        close,
        Logger.layer([Logger.make(({ message }) => void lines.push(message))])
      ))
      yield* TestClock.adjust("29 seconds")
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      assert.match(String(lines), /1 operations unfinished 30s/)
      assert.strictEqual(client.openDatabases, 1)
      assert.include(yield* Fiber.join(committing), { code: 1025, phase: "commit", maybeCommitted: true })
    }))
})
