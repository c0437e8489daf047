import { Database, MemoryDatabase } from "@effect-fdb/core"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import { throttled } from "../../../src/internal/candidate/throttle.ts"

/** As many as look at once. */
const turns = 64

/** Lets what is scheduled happen. */
const settle = Effect.repeat(Effect.yieldNow, { times: 10 })

/** A fiber that yields before its first step after each wait, while it `hesitates`. */
const hesitating = (base: Scheduler.Scheduler, hesitates: () => boolean): Scheduler.Scheduler => ({
  executionMode: base.executionMode,
  makeDispatcher: () => base.makeDispatcher(),
  shouldYield: (fiber) => (hesitates() && fiber.currentOpCount === 1) || base.shouldYield(fiber)
})

describe("the turns of a process's campaigns", () => {
  it.effect("are not lost with a fiber that is interrupted when its turn has come, before its next step", () =>
    Effect.gen(function*() {
      const database = yield* Database
      const running = yield* Effect.forEach(
        Array.from({ length: turns }),
        () => Effect.forkChild(throttled(database, Effect.never))
      )
      yield* settle
      let hesitates = false
      const base = yield* Scheduler.Scheduler
      for (const round of running) {
        const waiting: Fiber.Fiber<void> = yield* throttled(database, Effect.void).pipe(
          Effect.provideService(Scheduler.Scheduler, hesitating(base, () => hesitates)),
          Effect.forkChild
        )
        yield* settle
        hesitates = true
        yield* Fiber.interrupt(round)
        for (let i = 0; i < 4; i++) yield* Effect.yieldNow
        hesitates = false
        yield* Fiber.interrupt(waiting)
      }
      yield* settle
      let began = 0
      const after = yield* Effect.forkChild(throttled(database, Effect.sync(() => began++)))
      yield* settle
      expect(began).toBe(1)
      yield* Fiber.join(after)
    }).pipe(Effect.provide(MemoryDatabase.layer)))
})
