import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Semaphore from "effect/Semaphore"
import { take } from "../../../src/internal/candidate/lock.ts"

/** A fiber that yields once, before one of its steps. */
const yieldingAt = (base: Scheduler.Scheduler, step: number): Scheduler.Scheduler => {
  let hasYielded = false
  return {
    executionMode: base.executionMode,
    makeDispatcher: () => base.makeDispatcher(),
    shouldYield: (fiber) => {
      if (hasYielded || fiber.currentOpCount !== step) return base.shouldYield(fiber)
      hasYielded = true
      return true
    }
  }
}

describe("a lock", () => {
  it.effect("is not lost, before whichever step its fiber is interrupted", () =>
    Effect.gen(function*() {
      const base = yield* Scheduler.Scheduler
      for (let step = 1; step < 60; step++) {
        const lock = Semaphore.makeUnsafe(1)
        const using = Effect.uninterruptibleMask((restore) =>
          Effect.andThen(take(lock, restore), Effect.ensuring(restore(Effect.yieldNow), lock.release(1)))
        )
        const fiber = yield* Effect.forkChild(
          Effect.provideService(using, Scheduler.Scheduler, yieldingAt(base, step)),
          { startImmediately: true }
        )
        yield* Fiber.interrupt(fiber)
        expect(yield* lock.takeIfAvailable(1), `step ${step}`).toBe(true)
      }
    }))
})
