import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { type Leadership } from "../src/index.ts"
import { eventsOf, lead, onHosts, reasonOf } from "./support/candidates.ts"

describe("isHeld", () => {
  onHosts("asks and ends nothing: the watchdog ends the tenure", function*(a) {
    let leadership: Leadership | undefined
    const fiber = yield* lead(a, { id: "a" }, (given) =>
      Effect.suspend(() => {
        leadership = given
        return Effect.never
      }))
    assert.isTrue(yield* leadership!.isHeld)
    a.wallOffset = 60_000
    assert.isFalse(yield* leadership!.isHeld)
    assert.lengthOf(eventsOf(a, "Lost"), 0)
    assert.isUndefined(fiber.pollUnsafe())
    yield* TestClock.adjust("1 second")
    assert.strictEqual(reasonOf(a), "clock-jumped")
  })

  onHosts("stays false once it was, though the clock is set back before the watchdog looks", function*(a) {
    let leadership: Leadership | undefined
    yield* lead(a, { id: "a" }, (given) =>
      Effect.suspend(() => {
        leadership = given
        return Effect.never
      }))
    a.wallOffset = 60_000
    assert.isFalse(yield* leadership!.isHeld)
    a.wallOffset = 0
    assert.isFalse(yield* leadership!.isHeld)
    yield* TestClock.adjust("1 second")
    assert.strictEqual(reasonOf(a), "clock-jumped")
  })
})
