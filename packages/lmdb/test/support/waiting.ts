/** Waits for events within this process, however slow the host. */
import { Effect, type Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as sharedEnvironments from "../../src/internal/sharedEnvironments.ts"

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

/** Lets the event loop turn as often. */
export const turns = (count: number) => Effect.repeat(turn, { times: count - 1 })

/** How often the event loop turns until a fiber has ended. */
export const turnsUntil = Effect.fnUntraced(function*<A, E>(fiber: Fiber.Fiber<A, E>) {
  let passed = 0
  for (; fiber.pollUnsafe() === undefined; passed++) yield* turn
  return passed
})

/** Moves the test clock until a fiber has ended. Gives the milliseconds, which are those that the fiber waits for, or more. */
export const millisUntil = Effect.fnUntraced(function*<A, E>(fiber: Fiber.Fiber<A, E>) {
  let passed = 0
  for (; fiber.pollUnsafe() === undefined; passed += 100) {
    yield* TestClock.adjust("100 millis")
    yield* TestClock.withLive(Effect.sleep("1 millis"))
  }
  return passed
})

/** Waits until LMDB has a commit of this process that is not done. */
export const isCommitting = (directory: string) =>
  Effect.flatMap(
    Effect.scoped(sharedEnvironments.acquire(directory, { durability: "disk", access: "owner" })),
    (environment) => Effect.repeat(turn, { until: () => environment.isWriting })
  )
