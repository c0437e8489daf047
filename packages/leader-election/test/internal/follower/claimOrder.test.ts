import { Versionstamp } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import * as ClaimOrder from "../../../src/internal/follower/claimOrder.ts"
import type { HeldRecord } from "../../../src/internal/protocol/records.ts"

const identity = (id: string, n: number) => ({
  id,
  registration: Versionstamp.make(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, n), 0)
})
const candidate = (id: string, n: number) => ({ ...identity(id, n), priority: 0, lastHeartbeat: 0n })
const led = (id: string, n: number): HeldRecord => ({ _tag: "Held", term: 1n, priority: 0, ...identity(id, n) })
const everybody = () => true

describe("precedence", () => {
  const candidates = [candidate("a", 4), candidate("b", 1), candidate("c", 3), candidate("d", 2)]

  it("is of those that have registered before, the leader aside", () => {
    const place = (id: string, n: number) => ClaimOrder.rank(candidates, identity(id, n), led("d", 2), everybody)
    assert.deepStrictEqual([place("b", 1), place("c", 3), place("a", 4), place("new", 5)], [0, 1, 2, 2])
  })

  it("is not of the dead", () => {
    const place = (id: string, n: number) =>
      ClaimOrder.rank(candidates, identity(id, n), led("d", 2), (other) => other.id !== "b")
    assert.deepStrictEqual([place("c", 3), place("a", 4)], [0, 1])
  })

  it("holds nobody off for longer than ten milliseconds, however many there are", () => {
    const many = Array.from({ length: 200 }, (_, n) => candidate(`p${n}`, n))
    const place = ClaimOrder.rank(many, identity("last", 255), led("p0", 0), everybody)
    assert.isAtMost(Duration.toMillis(ClaimOrder.claimDelay(place)), 10)
    assert.strictEqual(Duration.toMillis(ClaimOrder.claimDelay(0)), 0)
  })
})
