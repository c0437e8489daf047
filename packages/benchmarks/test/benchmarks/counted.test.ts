import { assert, describe, it } from "@effect/vitest"
import * as Conflicts from "../../src/benchmarks/Conflicts.ts"
import * as Guarded from "../../src/benchmarks/Guarded.ts"
import * as RoundTrips from "../../src/benchmarks/RoundTrips.ts"
import { elections } from "../../src/harness/elections.ts"

describe("what is counted, and not timed", () => {
  it("a renewal needs one round trip, a follower's cycle two; three, seldom, where its last version has become too old", () => {
    const { follower, leader } = RoundTrips.count(elections.here(), 120)
    assert.isAbove(leader.length, 30)
    assert.isAbove(follower.length, 50)
    assert.deepStrictEqual([...new Set(leader)], [1])
    assert.isTrue(follower.every((trips) => trips === 2 || trips === 3))
    assert.isBelow(follower.filter((trips) => trips === 3).length, follower.length / 10)
  })

  it("a beat of the baseline needs five", () => {
    const { follower, leader } = RoundTrips.count(elections.baseline(), 60)
    assert.deepStrictEqual([...new Set([...leader, ...follower])], [5])
  })

  it("candidates in steady state do not conflict", () => {
    assert.strictEqual(Conflicts.count(elections.here(), 300, 1, 10), 0)
  })

  it("no renewal aborts a guarded transaction; every one of the baseline's does, or nearly", () => {
    const here = Guarded.measure(elections.here(), 20)
    assert.isAbove(here.committed, 1000)
    assert.strictEqual(here.aborted, 0)
    assert.isAbove(Guarded.measure(elections.baseline(), 20).aborted, 5)
  })
})
