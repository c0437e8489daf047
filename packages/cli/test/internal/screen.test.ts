import { assert, describe, it } from "@effect/vitest"
import type { StatusLines } from "../../src/internal/electionStatus.ts"
import * as Screen from "../../src/internal/screen.ts"

const status: StatusLines = {
  title: "Election  app",
  facts: ["Leader    web-1"],
  details: ["  *  web-1", "     web-🙂"]
}

const rows = (columns: number, rows: number): string => Screen.rows(status, { columns, rows }).join("|")

describe("a screen", () => {
  it("is as large as the terminal, but for the row of the cursor", () => {
    assert.strictEqual(
      rows(80, 24),
      "Election  app|Leader    web-1|  *  web-1|     web-🙂||Ctrl-C ends the watch, not the election."
    )
    assert.strictEqual(rows(10, 5), "Election  |Leader    |  *  web-1|     web-")
    assert.strictEqual(rows(11, 5), "Election  a|Leader    w|  *  web-1|     web-🙂")
    assert.strictEqual(rows(7, 4), "Electio|Leader |  ... 2")
    assert.strictEqual(rows(80, 1), "Leader    web-1")
  })

  it("leaves nothing of the one before it, and the terminal as it was", () => {
    const drawn = Screen.draw(status, { columns: 80, rows: 4 })
    assert.isTrue(drawn.startsWith("\u001b[?7l\u001b[H\u001b[J"))
    assert.isTrue(drawn.endsWith("\u001b[?7h"))
    assert.lengthOf(drawn.split("\n"), 3)
  })
})

const statusOf = (candidates: number): StatusLines => ({
  title: "Election",
  facts: ["Leader", "Term", "Candidates"],
  details: Array.from({ length: candidates }, (_, i) => String(i))
})

/** As many of its lines as fit, one after the other. */
const fit = (candidates: number, room: number): string => Screen.fit(statusOf(candidates), room).join("|")

describe("the status of an election on a screen", () => {
  it("is whole where there is room", () => {
    assert.strictEqual(fit(2, 6), "Election|Leader|Term|Candidates|0|1")
    assert.strictEqual(fit(0, 100), "Election|Leader|Term|Candidates")
  })

  it("leaves out candidates first, and says how many", () => {
    assert.strictEqual(fit(20, 7), "Election|Leader|Term|Candidates|0|1|  ... 18 more")
    assert.strictEqual(fit(2, 5), "Election|Leader|Term|Candidates|  ... 2 more")
  })

  it("leaves out its title rather than who leads", () => {
    assert.strictEqual(fit(2, 4), "Leader|Term|Candidates|  ... 2 more")
    assert.strictEqual(fit(1, 4), "Leader|Term|Candidates|0")
    assert.strictEqual(fit(0, 3), "Leader|Term|Candidates")
    assert.strictEqual(fit(2, 2), "Leader|  ... 2 more")
    assert.strictEqual(fit(2, 1), "Leader")
    assert.strictEqual(fit(0, 1), "Leader")
  })

  it("never takes more room than there is", () => {
    for (let candidates = 0; candidates < 5; candidates++) {
      for (let room = 1; room < 12; room++) {
        const lines = Screen.fit(statusOf(candidates), room)
        assert.isAtMost(lines.length, room)
        assert.include(lines, "Leader")
      }
    }
  })
})
