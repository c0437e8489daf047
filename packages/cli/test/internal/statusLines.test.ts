import { assert, describe, it } from "@effect/vitest"
import * as StatusLines from "../../src/internal/statusLines.ts"

const account = (candidates: number): StatusLines.StatusLines => ({
  title: "Election",
  facts: ["Leader", "Term", "Candidates"],
  candidates: Array.from({ length: candidates }, (_, i) => String(i))
})

/** As many of its lines as fit, one after the other. */
const fit = (candidates: number, room: number): string => StatusLines.toFit(account(candidates), room).join("|")

describe("an account of an election", () => {
  it("is whole where there is room", () => {
    assert.strictEqual(fit(2, 6), "Election|Leader|Term|Candidates|0|1")
    assert.strictEqual(fit(0, 100), "Election|Leader|Term|Candidates")
  })

  it("leaves out candidates first, and says how many", () => {
    assert.strictEqual(fit(20, 7), "Election|Leader|Term|Candidates|0|1|  ... 18 more alive")
    assert.strictEqual(fit(2, 5), "Election|Leader|Term|Candidates|  ... 2 more alive")
  })

  it("leaves out its title rather than who leads", () => {
    assert.strictEqual(fit(2, 4), "Leader|Term|Candidates|  ... 2 more alive")
    assert.strictEqual(fit(1, 4), "Leader|Term|Candidates|0")
    assert.strictEqual(fit(0, 3), "Leader|Term|Candidates")
    assert.strictEqual(fit(2, 2), "Leader|  ... 2 more alive")
    assert.strictEqual(fit(2, 1), "Leader")
    assert.strictEqual(fit(0, 1), "Leader")
  })

  it("never takes more room than there is", () => {
    for (let candidates = 0; candidates < 5; candidates++) {
      for (let room = 1; room < 12; room++) {
        const lines = StatusLines.toFit(account(candidates), room)
        assert.isAtMost(lines.length, room)
        assert.include(lines, "Leader")
      }
    }
  })
})
