import { assert, describe, it } from "@effect/vitest"
import * as Liveness from "../../../src/internal/shards/liveness.ts"

const config = { heartbeat: 3n, timeout: 15n }
const first = { member: "m", candidate: "1" }

/** What a member of a certain age is taken for at some instants, if it gives no more signs after zero. */
const livenessAt = (age: bigint, instants: ReadonlyArray<bigint>) => {
  const sighting = Liveness.sight(undefined, first, 0n, age)
  return instants.map((now) => Liveness.liveness(sighting, now, config))
}

describe("a member", () => {
  it("is alive until it has given no sign for the candidate timeout", () => {
    assert.deepStrictEqual(livenessAt(0n, [0n, 14n, 15n]), ["alive", "alive", "dead"])
  })

  it("that was old when it was first seen is under suspicion until it had time for a heartbeat, never longer than that", () => {
    assert.deepStrictEqual(livenessAt(100n, [0n, 8n, 9n]), ["suspected", "suspected", "dead"])
    assert.deepStrictEqual(livenessAt(10n, [0n, 4n, 5n, 8n, 9n]), ["alive", "alive", "suspected", "suspected", "dead"])
  })

  it("of the future is as one that has just been seen", () => {
    assert.deepStrictEqual(livenessAt(-100n, [0n, 14n, 15n]), ["alive", "alive", "dead"])
  })

  it("gives a sign with each heartbeat, and when it tells another weight, but not when its candidacy is evicted", () => {
    const old = Liveness.sight(undefined, first, 0n, 100n)
    for (
      const sign of [{ ...first, candidate: "2" }, { ...first, member: "n" }, { member: "n", candidate: undefined }]
    ) {
      assert.strictEqual(Liveness.liveness(Liveness.sight(old, sign, 20n, 100n), 34n, config), "alive")
    }
    const gone = Liveness.sight(old, { member: "m", candidate: undefined }, 20n, 0n)
    assert.strictEqual(gone, old)
    assert.strictEqual(Liveness.liveness(gone, 20n, config), "dead")
    const back = Liveness.sight(gone, { member: "m", candidate: "3" }, 30n, 0n)
    assert.strictEqual(Liveness.liveness(back, 44n, config), "alive")
  })
})
