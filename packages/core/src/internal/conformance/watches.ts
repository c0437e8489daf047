/** Watches. Spurious wake-ups are allowed, so no test asserts that a watch does not fire. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import {
  begin,
  bytes,
  conflicting,
  failsWith,
  read,
  run,
  soon,
  type Space,
  steps,
  type Tests,
  write
} from "./harness.ts"

/** Watches a key in a transaction that is committed. */
const watch = (space: Space, name: string) => run((tx) => tx.watch(space.key(name)))

export const watches: Tests = (test) => {
  test("a watch fires when a later transaction sets, changes or clears the key", function*(space) {
    for (const change of ["set a 1", "Add a 1", "clear a", "set a 1", "clear a..b"]) {
      const fired = yield* watch(space, "a")
      yield* run(steps(space, change))
      yield* soon(fired)
    }
  })

  test("a watch wakes a fiber that is already waiting", function*(space) {
    const fired = yield* watch(space, "a")
    const fiber = yield* Effect.forkChild(fired, { startImmediately: true })
    yield* write(space, { b: "unrelated" })
    yield* write(space, { a: "1" })
    yield* soon(Fiber.join(fiber))
  })

  test("all watches of a key fire, those of one transaction and those of several", function*(space) {
    const key = space.key("a")
    const first = yield* run((tx) => Effect.all([tx.watch(key), tx.watch(key), tx.watch(space.key("b"))]))
    const second = yield* watch(space, "a")
    yield* write(space, { a: "1", b: "1" })
    yield* soon(Effect.all([...first, second], { concurrency: "unbounded" }))
  })

  test("a fired watch stays fired", function*(space) {
    const fired = yield* watch(space, "a")
    yield* write(space, { a: "1" })
    yield* soon(fired)
    yield* write(space, { a: "2" })
    yield* soon(fired)
  })

  test(
    "a watch fires on a change between its transaction's read and the commit",
    function*(space) {
      const tx = yield* begin()
      const fired = yield* tx.watch(space.key("a"))
      yield* write(space, { a: "1" })
      yield* tx.commit
      yield* soon(fired)
    }
  )

  test("a watch fires on a later write of its own transaction", function*(space) {
    const tx = yield* begin()
    const fired = yield* tx.watch(space.key("a"))
    yield* tx.set(space.key("a"), bytes("1"))
    yield* tx.commit
    yield* soon(fired)
  })

  test("a watch that follows the transaction's own write waits for the next change", function*(space) {
    const fired = yield* run((tx) => Effect.andThen(tx.set(space.key("a"), bytes("1")), tx.watch(space.key("a"))))
    yield* write(space, { a: "2" })
    yield* soon(fired)
  })

  test("a watch reads its key, so it conflicts", function*(space) {
    const tx = yield* begin()
    yield* Effect.asVoid(tx.watch(space.key("a")))
    yield* tx.set(space.key("b"), bytes("1"))
    yield* write(space, { a: "1" })
    yield* conflicting(tx)
  })

  test("a failed commit fails its watches", function*(space) {
    const tx = yield* begin()
    const fired = yield* tx.watch(space.key("w"))
    yield* steps(space, "get a; set b 1")(tx)
    yield* write(space, { a: "1" })
    yield* conflicting(tx)
    const error = yield* soon(Effect.flip(fired))
    assert.include([1020, 1025, 1101], error.code)
  })

  test("a transaction that fails in its body fails its watches", function*(space) {
    const tx = yield* begin()
    const fired = yield* tx.watch(space.key("a"))
    yield* tx.abandon
    const error = yield* soon(Effect.flip(fired))
    assert.include([1025, 1101], error.code)
  })

  test("closing the scope ends a watch: 1025", function*(space) {
    const scope = yield* Scope.make()
    const fired = yield* Effect.provideService(watch(space, "a"), Scope.Scope, scope)
    const fiber = yield* Effect.forkChild(fired, { startImmediately: true })
    yield* Scope.close(scope, Exit.void)
    yield* failsWith(soon(Fiber.join(fiber)), 1025)
    yield* write(space, { a: "1" })
    yield* failsWith(soon(fired), 1025)
  })

  test("a waiting fiber can be interrupted, and the watch continues for others", function*(space) {
    const fired = yield* watch(space, "a")
    const fiber = yield* Effect.forkChild(fired, { startImmediately: true })
    yield* soon(Fiber.interrupt(fiber))
    yield* write(space, { a: "1" })
    yield* soon(fired)
  })

  test("a loop of watches sees the last of many changes", function*(space) {
    yield* write(space, { a: "0" })
    const follower = yield* Effect.forkChild(Effect.gen(function*() {
      while (true) {
        const next = yield* run((tx) => Effect.all([tx.get(space.key("a")), tx.watch(space.key("a"))]))
        if (next[0]?.[0] === 0x39) return
        yield* next[1]
      }
    }))
    for (let round = 1; round <= 9; round++) yield* write(space, { a: String(round) })
    yield* soon(Fiber.join(follower))
    assert.strictEqual(yield* read(space, "a"), "9")
  })
}
