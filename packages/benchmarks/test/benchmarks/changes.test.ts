import { assert, describe, it } from "@effect/vitest"
import * as Failover from "../../src/benchmarks/Failover.ts"
import * as Resignation from "../../src/benchmarks/Resignation.ts"
import { elections } from "../../src/harness/elections.ts"
import { commitsOnly } from "../../src/harness/Testbed.ts"

describe("changes of leaders, in virtual time", () => {
  for (const [name, make] of Object.entries(elections)) {
    it(`a leader that resigns is followed by another: ${name}`, () => {
      const took = Resignation.measure(make(), commitsOnly, 5)
      assert.isAtLeast(took.length, 5)
      assert.isTrue(took.every((millis) => millis > 0 && millis < 4000))
    })

    it(`a leader that is killed is followed by another, and the same seed gives the same time: ${name}`, () => {
      const took = Failover.measure(make, 3)
      assert.isTrue(took.every((leases) => leases > 0.5 && leases < 1.5))
      assert.deepStrictEqual(Failover.measure(make, 3), took)
    })
  }
})
