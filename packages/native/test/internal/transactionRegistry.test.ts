import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { BindingTransaction } from "../../src/internal/binding.ts"
import { TransactionRegistry } from "../../src/internal/transactionRegistry.ts"

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

/** A transaction that notes what is asked of it, and a promise that is settled by hand. */
const makeNative = () => {
  const calls: Array<string> = []
  const native = {
    rawCancel: () => void calls.push("cancel"),
    rawReset: () => void calls.push("reset")
  } as BindingTransaction
  return { calls, native }
}

const makePromise = () => {
  let resolve!: (value: boolean) => void
  let reject!: (cause: unknown) => void
  const promise = new Promise<boolean>((...both) => ([resolve, reject] = both))
  return { promise, resolve, reject }
}

const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
const second = Duration.seconds(1)

describe("the registry of transactions", () => {
  it.live("keeps a transaction from being collected until it is released and all its promises have settled", () =>
    Effect.gen(function*() {
      const registry = new TransactionRegistry()
      const { promise, resolve } = makePromise()
      const begin = () => {
        const { native } = makeNative()
        const tracked = registry.track(native)
        tracked.track(promise)
        tracked.release()
        return new WeakRef(native)
      }
      const reference = begin()
      yield* turn
      collect()
      assert.isDefined(reference.deref())
      assert.strictEqual(registry.size, 1)
      resolve(true)
      yield* turn
      assert.strictEqual(registry.size, 0)
      collect()
      assert.isUndefined(reference.deref())
    }))

  it.live("frees the native buffers as soon as the last promise has settled, rejected or not", () =>
    Effect.gen(function*() {
      const registry = new TransactionRegistry()
      const { calls, native } = makeNative()
      const tracked = registry.track(native)
      const [first, last] = [makePromise(), makePromise()]
      tracked.track(first.promise)
      tracked.track(last.promise).catch(() => {})
      first.resolve(true)
      yield* turn
      tracked.release()
      assert.deepStrictEqual(calls, [])
      last.reject(new Error("1025"))
      yield* turn
      assert.deepStrictEqual(calls, ["reset"])
      assert.strictEqual(registry.pending, 0)
    }))

  it.effect("drains: reads and watches are cancelled, a commit is waited for", () =>
    Effect.gen(function*() {
      const registry = new TransactionRegistry()
      const [reading, committing, watching] = [makeNative(), makeNative(), makeNative()]
      const [read, commit, watch] = [makePromise(), makePromise(), makePromise()]
      registry.track(reading.native).track(read.promise).catch(() => {})
      const tracked = registry.track(committing.native)
      tracked.committing = true
      tracked.track(commit.promise)
      const watched = registry.track(watching.native)
      watched.committing = true
      watched.trackWatch({ promise: watch.promise, cancel: () => watch.reject(new Error("1101")) }).catch(() => {})
      const fiber = yield* Effect.forkChild(registry.drain(second))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(reading.calls, ["cancel", "reset"])
      assert.deepStrictEqual(committing.calls, [])
      assert.deepStrictEqual(watching.calls, [])
      read.reject(new Error("1025"))
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      commit.resolve(true)
      assert.strictEqual(yield* Fiber.join(fiber), 0)
    }))

  it.effect("gives up after the limit what never settles, and is not confused when it settles later", () =>
    Effect.gen(function*() {
      const registry = new TransactionRegistry()
      const { calls, native } = makeNative()
      const { promise, resolve } = makePromise()
      const tracked = registry.track(native)
      tracked.committing = true
      tracked.track(promise)
      const fiber = yield* Effect.forkChild(registry.drain(second))
      yield* TestClock.adjust(second)
      assert.strictEqual(yield* Fiber.join(fiber), 1)
      assert.deepStrictEqual(calls, ["cancel", "reset"])
      assert.strictEqual(registry.pending, 0)
      assert.strictEqual(registry.size, 0)
      resolve(true)
      yield* TestClock.adjust(0)
      assert.strictEqual(registry.pending, 0)
    }))

  it.effect("waits to the limit in an uninterruptible fiber that is interrupted", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const registry = new TransactionRegistry()
      const tracked = registry.track(makeNative().native)
      tracked.track(makePromise().promise)
      const fiber = yield* Effect.forkChild(Effect.uninterruptible(tracked.settleWithin(second)))
      yield* TestClock.adjust(0)
      fiber.interruptUnsafe()
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isDefined(fiber.pollUnsafe())
      assert.strictEqual(registry.pending, 0)
    }))
})
