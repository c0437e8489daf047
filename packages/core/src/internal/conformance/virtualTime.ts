/** Tests that need much time. They run under the test clock. */
import { assert } from "@effect/vitest"
import * as TestClock from "effect/testing/TestClock"
import { begin, bytes, failsWith, read, type Tests, text, write } from "./harness.ts"

export const virtualTime: Tests = (test) => {
  test("a transaction reads for five seconds, then it is too old: 1007", function*(space) {
    yield* write(space, { a: "1" })
    const tx = yield* begin({ timeout: "1 minute" })
    assert.strictEqual(text(yield* tx.get(space.key("a"))), "1")
    yield* TestClock.adjust("4900 millis")
    assert.strictEqual(text(yield* tx.get(space.key("a"))), "1")
    yield* TestClock.adjust("200 millis")
    yield* failsWith(tx.get(space.key("a")), 1007)
    yield* failsWith(tx.commit, 1007)
  })

  test("a transaction that has read commits within five seconds, then it is too old: 1007", function*(space) {
    for (const [pause, ends] of [["4900 millis", true], ["5100 millis", false]] as const) {
      const tx = yield* begin({ timeout: "1 minute" })
      yield* tx.get(space.key("a"))
      yield* tx.set(space.key(pause), bytes("1"))
      yield* TestClock.adjust(pause)
      if (ends) yield* tx.commit
      else yield* failsWith(tx.commit, 1007)
      assert.strictEqual(yield* read(space, pause), ends ? "1" : undefined)
    }
  })

  test("a blind write and a read-only commit are never too old", function*(space) {
    const blind = yield* begin({ timeout: "1 minute" })
    yield* blind.set(space.key("a"), bytes("1"))
    const readOnly = yield* begin({ timeout: "1 minute" })
    yield* readOnly.get(space.key("a"))
    yield* TestClock.adjust("10 seconds")
    yield* blind.commit
    yield* readOnly.commit
    assert.strictEqual(yield* read(space, "a"), "1")
  })

  test("a watch fires after any time", function*(space) {
    const tx = yield* begin()
    const fired = yield* tx.watch(space.key("a"))
    yield* tx.commit
    yield* TestClock.adjust("1 day")
    yield* write(space, { a: "1" })
    yield* fired
  })

  test("the timeout is ten seconds unless set: 1031", function*(space) {
    const tx = yield* begin()
    yield* tx.set(space.key("a"), bytes("1"))
    yield* TestClock.adjust("9 seconds")
    yield* tx.set(space.key("b"), bytes("1"))
    yield* TestClock.adjust("2 seconds")
    yield* failsWith(tx.get(space.key("a")), 1031)
    yield* failsWith(tx.commit, 1031)
    assert.isUndefined(yield* read(space, "a"))
  })
}
