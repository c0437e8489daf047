import { Bytes, Database, Transaction, type TransactionOptions, type TransactionService } from "@effect-fdb/core"
import { NativeDatabase } from "@effect-fdb/native"
import { assert, describe, it, layer } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { makeSpace } from "../support/space.ts"
import { between, can, command, onCluster, unlessLost } from "./cluster.ts"

const value = Bytes.fromString("value")

const run = <A, E, R>(use: (tx: TransactionService) => Effect.Effect<A, E, R>, options?: TransactionOptions) =>
  Database.transact(Transaction.use(use), options)

const failsWith = (code: number) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(
    Effect.flip(Effect.asVoid(effect)),
    (error) => assert.strictEqual((error as { readonly code?: number }).code, code)
  )

/** A file of this text, that is removed with the scope. */
const temporaryFile = (text: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-native-")), "fdb.cluster")
      fs.writeFileSync(file, text)
      return file
    }),
    (file) => Effect.sync(() => fs.rmSync(path.dirname(file), { recursive: true }))
  )

const elapsedMillis = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>) {
  const begun = yield* Clock.monotonicTimeNanos
  yield* effect
  return Number((yield* Clock.monotonicTimeNanos) - begun) / 1e6
})

onCluster("the engine", () => {
  layer(NativeDatabase.layer(), { excludeTestServices: true, timeout: "30 seconds" })("on a cluster", (it) => {
    it.effect("renews in one round trip, and is told of a foreign change and of a version that is too old", () =>
      Effect.gen(function*() {
        const space = yield* makeSpace
        const key = space.pack(["lease"])
        const committed = yield* Effect.flatten(run((tx) => Effect.andThen(tx.set(key, value), tx.committedVersion)))
        const renew = (version: bigint) =>
          Effect.flatten(run((tx) =>
            Effect.gen(function*() {
              yield* tx.setReadVersion(version)
              yield* tx.addReadConflictKey(key)
              yield* tx.set(key, value)
              return yield* tx.committedVersion
            }), { retryLimit: 0 }))
        const next = yield* renew(committed)
        assert.isAbove(Number(next - committed), 0)
        yield* run((tx) => tx.set(key, Bytes.fromString("other")))
        yield* failsWith(1020)(renew(next))
        yield* Effect.sleep("7 seconds")
        yield* failsWith(1007)(renew(next))
      }))

    it.effect("commits thousands of times, and none is cancelled by the garbage collection", () =>
      Effect.gen(function*() {
        const space = yield* makeSpace
        yield* Effect.forEach(
          Array.from({ length: 5000 }, (_, i) => i),
          (i) => run((tx) => tx.set(space.pack([i]), new Uint8Array(500))),
          { discard: true, concurrency: 50 }
        )
        assert.strictEqual((yield* run((tx) => tx.getRange(space.range()))).length, 5000)
      }))

    it.effect.skipIf(!can("FDB_TEST_STOP", "FDB_TEST_START"))(
      "is bounded, can be interrupted, and keeps its watches while the server is stopped",
      () =>
        Effect.gen(function*() {
          const space = yield* makeSpace
          const key = space.pack(["key"])
          const fired = yield* run((tx) => tx.watch(key))
          yield* between(
            command("FDB_TEST_STOP"),
            command("FDB_TEST_START"),
            Effect.gen(function*() {
              // What was in the client's hands already may still be answered.
              yield* Effect.sleep("1 second")
              const get = run((tx) => tx.get(key), { timeout: "1500 millis" })
              const set = run((tx) => tx.set(key, value), { timeout: "1500 millis" })
              assert.isBelow(yield* elapsedMillis(failsWith(1031)(get)), 4000)
              assert.isBelow(yield* elapsedMillis(failsWith(1031)(set)), 4000)
              const fiber = yield* Effect.forkChild(run((tx) => tx.get(key), { timeout: "1 minute" }))
              yield* Effect.sleep("500 millis")
              assert.isBelow(yield* elapsedMillis(Fiber.interrupt(fiber)), 1000)
              const error = yield* Effect.flip(
                Effect.provide(Database, NativeDatabase.layer({ connectTimeout: "1 second" }), { local: true })
              )
              assert.strictEqual(error._tag, "ClusterUnreachable")
            }).pipe(Effect.orDie, Effect.provideContext(yield* Effect.context<Database>()))
          )
          yield* run((tx) => tx.set(key, Bytes.fromString("changed")), { idempotent: true, timeout: "1 minute" })
          yield* Effect.timeout(fired, "1 minute")
        }).pipe(unlessLost),
      300_000
    )
  })

  describe("connecting", () => {
    const connect = (options: NativeDatabase.NativeDatabaseOptions) =>
      Effect.flip(Effect.asVoid(Effect.provide(Database, NativeDatabase.layer(options), { local: true })))

    it.live("tells that nobody answers at the address of the cluster file", () =>
      Effect.gen(function*() {
        const clusterFile = yield* temporaryFile("nobody:here@127.0.0.1:1\n")
        const error = yield* connect({ clusterFile, connectTimeout: "500 millis" })
        assert.include(error, { _tag: "ClusterUnreachable", code: 1031, clusterFile })
      }).pipe(Effect.scoped))

    it.live("tells that a cluster file is missing, or says nothing sensible", () =>
      Effect.gen(function*() {
        for (
          const clusterFile of ["/nonexistent/fdb.cluster", yield* temporaryFile("this is no connection string\n")]
        ) {
          const error = yield* connect({ clusterFile })
          assert.include(error, { _tag: "ClientUnavailable", reason: "cluster-file" })
        }
      }).pipe(Effect.scoped))

    it.live("opens and closes the layer many times over one network", () =>
      Effect.forEach(
        Array.from({ length: 20 }),
        () => Effect.provide(run((tx) => tx.readVersion), NativeDatabase.layer(), { local: true }),
        { discard: true, concurrency: 4 }
      ))
  })
})
