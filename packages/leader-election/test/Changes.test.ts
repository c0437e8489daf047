import { assert, describe } from "@effect/vitest"
import { Effect, Fiber, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { election, lead, onHosts, start } from "./support/candidates.ts"

describe("changes", () => {
  onHosts(
    "tell who leads, first and whenever it changes, and when nobody has been heard of for a lease",
    function*(a, b, c) {
      const seen: Array<string | undefined> = []
      yield* Effect.forkChild(
        c.run(
          Stream.runForEach(
            election.changes,
            (leader) => Effect.sync(() => void seen.push(Option.getOrUndefined(leader)?.leaderId))
          )
        )
      )
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(seen, [undefined])
      const led = yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(seen, [undefined, "a"])
      yield* Fiber.interrupt(led)
      yield* lead(b, { id: "b" })
      assert.deepStrictEqual(seen, [undefined, "a", undefined, "b"])
      b.connection = "hangs"
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(seen, [undefined, "a", undefined, "b", undefined])
    }
  )
})
