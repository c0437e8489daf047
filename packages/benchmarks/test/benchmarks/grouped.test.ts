import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Grouped from "../../src/benchmarks/Grouped.ts"

describe("elections that one process leads", () => {
  it.effect("each disturbance ends the tenures that it is meant for, and no other", () =>
    Effect.gen(function*() {
      const { lost, others, transactionsPerSecond, victims } = yield* Grouped.measure({
        elections: 20,
        victims: 2,
        undisturbedMillis: 30_000
      })
      const ways = Object.keys(Grouped.disturbances)
      assert.deepStrictEqual(others.map(({ how }) => how), ["undisturbed", ...ways])
      assert.strictEqual(victims.size, 2 * ways.length)
      assert.deepStrictEqual(lost, victims)
      assert.isTrue(others.every(({ longest, lost }) => lost === 0 && longest > 0.8 && longest < 1.3))
      // At least one in each heartbeat, at most one for each renewal, and some for evictions.
      assert.isTrue(transactionsPerSecond > 0.27 && transactionsPerSecond < 20 / 2.4 + 2)
    }))
})
