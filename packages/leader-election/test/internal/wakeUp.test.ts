import { Database, MemoryDatabase, Transaction } from "@effect-fdb/core"
import * as FdbError from "@effect-fdb/core/FdbError"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { WakeUp } from "../../src/internal/candidate/watches.ts"

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
      const wakeUp = yield* WakeUp.make
      assert.isFalse(wakeUp.isArmed)
      const armed = yield* Database.transact(Effect.flatMap(Transaction, (tx) => wakeUp.arm(tx, [key])))
      yield* wakeUp.started(armed)
      assert.isTrue(wakeUp.isArmed)
      const waiting = yield* Effect.forkChild(wakeUp.during(Effect.never), { startImmediately: true })
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(waiting.pollUnsafe())
      yield* set(1)
      yield* Fiber.join(waiting)
      assert.isFalse(wakeUp.isArmed)
    }).pipe(Effect.provide(MemoryDatabase.layer)))

  it.effect("is not lost when it comes between the arming and the commit", () =>
    Effect.gen(function*() {
      const wakeUp = yield* WakeUp.make
      const armed = yield* wakeUp.arm({ watch: () => Effect.succeed(Effect.never) } as never, [key])
      yield* wakeUp.call
      yield* wakeUp.started(armed)
      yield* wakeUp.during(Effect.die("it has waited"))
      assert.isFalse(wakeUp.isArmed)
      wakeUp.answer()
      yield* wakeUp.started(yield* wakeUp.arm({ watch: () => Effect.succeed(Effect.never) } as never, [key]))
      assert.isTrue(wakeUp.isArmed)
      assert.strictEqual(yield* Effect.flip(wakeUp.during(Effect.fail("waits") as never)), "waits")
    }))

  it.effect("asks to be armed again when a watch is lost, without cutting the wait short", () =>
    Effect.gen(function*() {
      const wakeUp = yield* WakeUp.make
      const lost = { watch: () => Effect.succeed(Effect.fail(FdbError.make(1101, "watch"))) } as never
      yield* wakeUp.started(yield* wakeUp.arm(lost, [key]))
      yield* TestClock.adjust(0)
      assert.isFalse(wakeUp.isArmed)
      const waiting = yield* Effect.forkChild(wakeUp.during(Effect.never), { startImmediately: true })
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(waiting.pollUnsafe())
    }))

  it.effect("cuts the wait short when a watch fails for good", () =>
    Effect.gen(function*() {
      const wakeUp = yield* WakeUp.make
      const failed = {
        watch: () => Effect.succeed(Effect.fail(FdbError.make(FdbError.databaseReplaced, "watch")))
      } as never
      yield* wakeUp.started(yield* wakeUp.arm(failed, [key]))
      yield* TestClock.adjust(0)
      yield* wakeUp.during(Effect.die("it has waited"))
      assert.isFalse(wakeUp.isArmed)
      assert.isFalse(wakeUp.hasFired)
    }))

  it.effect("keeps none of the other watches of an arming, one of which has fired or was lost, beyond the next", () =>
    Effect.gen(function*() {
      const cancelled: Array<string> = []
      const scope = yield* Scope.make()
      const wakeUp = yield* Scope.provide(WakeUp.make, scope)
      for (const ended of [Effect.void, Effect.fail(FdbError.make(1101, "watch"))]) {
        const tx = {
          watch: (of: Uint8Array) =>
            Effect.as(
              Effect.addFinalizer(() => Effect.sync(() => void cancelled.push(String(of[0])))),
              of[0] === 1 ? ended : Effect.never
            )
        }
        yield* wakeUp.started(yield* wakeUp.arm(tx as never, [key, Uint8Array.of(2)]))
        yield* TestClock.adjust(0)
        assert.isFalse(wakeUp.isArmed)
        wakeUp.answer()
        yield* wakeUp.started(yield* wakeUp.arm({ watch: () => Effect.succeed(Effect.never) } as never, [key]))
        assert.isTrue(wakeUp.isArmed)
        assert.deepStrictEqual(cancelled.splice(0).toSorted(), ["1", "2"])
      }
      yield* Scope.close(scope, Exit.void)
    }))

  it.effect("keeps no watches of attempts that came to nothing, and none beyond its scope", () =>
    Effect.gen(function*() {
      const cancelled: Array<string> = []
      const scope = yield* Scope.make()
      const wakeUp = yield* Scope.provide(WakeUp.make, scope)
      const arm = (name: string) =>
        Effect.flatMap(Transaction, (tx) => wakeUp.arm(tx, [key])).pipe(watching(cancelled, name))
      yield* arm("first")
      const second = yield* arm("second")
      assert.deepStrictEqual(cancelled, ["first"])
      yield* wakeUp.started(second)
      yield* wakeUp.started(yield* arm("third"))
      assert.deepStrictEqual(cancelled, ["first", "second"])
      yield* arm("fourth")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(cancelled.toSorted(), ["first", "fourth", "second", "third"])
    }))
})
