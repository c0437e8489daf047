import { Database, MemoryDatabase, Transaction } from "@effect-fdb/core"
import * as FdbError from "@effect-fdb/core/FdbError"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Watches } from "../../../src/internal/candidate/watches.ts"

const key = Uint8Array.of(1)
const set = (value: number) => Database.transact(Effect.flatMap(Transaction, (tx) => tx.set(key, Uint8Array.of(value))))

/** A transaction whose watches tell when they are cancelled, and never fire. */
const watching = (cancelled: Array<string>, name: string) =>
  Effect.provideService(
    Transaction,
    {
      watch: () => Effect.as(Effect.addFinalizer(() => Effect.sync(() => void cancelled.push(name))), Effect.never)
    } as never
  )

describe("a wake-up call", () => {
  it.effect("cuts the wait short when a key changes after it was armed", () =>
    Effect.gen(function*() {
      const watches = yield* Watches.make
      assert.isFalse(watches.isWatching)
      const watchSet = yield* Database.transact(Effect.flatMap(Transaction, (tx) => watches.set(tx, [key])))
      yield* watches.use(watchSet)
      assert.isTrue(watches.isWatching)
      const waiting = yield* Effect.forkChild(watches.during(Effect.never), { startImmediately: true })
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(waiting.pollUnsafe())
      yield* set(1)
      yield* Fiber.join(waiting)
      assert.isFalse(watches.isWatching)
    }).pipe(Effect.provide(MemoryDatabase.layer)))

  it.effect("is not lost when it comes between the arming and the commit", () =>
    Effect.gen(function*() {
      const watches = yield* Watches.make
      const watchSet = yield* watches.set({ watch: () => Effect.succeed(Effect.never) } as never, [key])
      yield* watches.wake
      yield* watches.use(watchSet)
      yield* watches.during(Effect.die("it has waited"))
      assert.isFalse(watches.isWatching)
      watches.acknowledge()
      yield* watches.use(yield* watches.set({ watch: () => Effect.succeed(Effect.never) } as never, [key]))
      assert.isTrue(watches.isWatching)
      assert.strictEqual(yield* Effect.flip(watches.during(Effect.fail("waits") as never)), "waits")
    }))

  it.effect("asks to be armed again when a watch is lost, without cutting the wait short", () =>
    Effect.gen(function*() {
      const watches = yield* Watches.make
      const lost = { watch: () => Effect.succeed(Effect.fail(FdbError.make(1101, "watch"))) } as never
      yield* watches.use(yield* watches.set(lost, [key]))
      yield* TestClock.adjust(0)
      assert.isFalse(watches.isWatching)
      const waiting = yield* Effect.forkChild(watches.during(Effect.never), { startImmediately: true })
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(waiting.pollUnsafe())
    }))

  it.effect("cuts the wait short when a watch fails for good", () =>
    Effect.gen(function*() {
      const watches = yield* Watches.make
      const failed = {
        watch: () => Effect.succeed(Effect.fail(FdbError.make(FdbError.databaseReplaced, "watch")))
      } as never
      yield* watches.use(yield* watches.set(failed, [key]))
      yield* TestClock.adjust(0)
      yield* watches.during(Effect.die("it has waited"))
      assert.isFalse(watches.isWatching)
      assert.isFalse(watches.hasFired)
    }))

  it.effect("keeps none of the other watches of an arming, one of which has fired or was lost, beyond the next", () =>
    Effect.gen(function*() {
      const cancelled: Array<string> = []
      const scope = yield* Scope.make()
      const watches = yield* Scope.provide(Watches.make, scope)
      for (const ended of [Effect.void, Effect.fail(FdbError.make(1101, "watch"))]) {
        const tx = {
          watch: (of: Uint8Array) =>
            Effect.as(
              Effect.addFinalizer(() => Effect.sync(() => void cancelled.push(String(of[0])))),
              of[0] === 1 ? ended : Effect.never
            )
        }
        yield* watches.use(yield* watches.set(tx as never, [key, Uint8Array.of(2)]))
        yield* TestClock.adjust(0)
        assert.isFalse(watches.isWatching)
        watches.acknowledge()
        yield* watches.use(yield* watches.set({ watch: () => Effect.succeed(Effect.never) } as never, [key]))
        assert.isTrue(watches.isWatching)
        assert.deepStrictEqual(cancelled.splice(0).toSorted(), ["1", "2"])
      }
      yield* Scope.close(scope, Exit.void)
    }))

  it.effect("keeps no watches of attempts that came to nothing, and none beyond its scope", () =>
    Effect.gen(function*() {
      const cancelled: Array<string> = []
      const scope = yield* Scope.make()
      const watches = yield* Scope.provide(Watches.make, scope)
      const arm = (name: string) =>
        Effect.flatMap(Transaction, (tx) => watches.set(tx, [key])).pipe(watching(cancelled, name))
      yield* arm("first")
      const second = yield* arm("second")
      assert.deepStrictEqual(cancelled, ["first"])
      yield* watches.use(second)
      yield* watches.use(yield* arm("third"))
      assert.deepStrictEqual(cancelled, ["first", "second"])
      yield* arm("fourth")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(cancelled.toSorted(), ["first", "fourth", "second", "third"])
    }))
})
