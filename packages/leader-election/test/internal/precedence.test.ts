import { Versionstamp } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { CandidateInfo } from "../../src/index.ts"
import * as Precedence from "../../src/internal/precedence.ts"

const stamp = (n: number) => Versionstamp.make(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, n), 0)
const candidate = (processId: string, n: number) =>
  new CandidateInfo({ processId, priority: 0, lastHeartbeat: 0n, registration: stamp(n) })

describe("precedence", () => {
  const living = [candidate("a", 4), candidate("b", 1), candidate("c", 3), candidate("d", 2)]

  it("is of those that have registered before, the leader aside", () => {
    const place = (id: string, n: number) => Precedence.place(living, { id, registration: stamp(n) }, "d")
    assert.deepStrictEqual([place("b", 1), place("c", 3), place("a", 4), place("new", 5)], [0, 1, 2, 2])
  })

  it("holds nobody off for longer than ten milliseconds, however many there are", () => {
    const many = Array.from({ length: 200 }, (_, n) => candidate(`p${n}`, n))
    const place = Precedence.place(many, { id: "last", registration: stamp(255) }, "p0")
    assert.isAtMost(Duration.toMillis(Precedence.headStart(place)), 10)
    assert.strictEqual(Duration.toMillis(Precedence.headStart(0)), 0)
  })
})
