import { assert, describe, it } from "@effect/vitest"
import * as Screen from "../../src/internal/screen.ts"
import type { StatusLines } from "../../src/internal/statusLines.ts"

const account: StatusLines = {
  title: "Election  app",
  facts: ["Leader    web-1"],
  candidates: ["  *  web-1", "     web-🙂"]
}

const rows = (columns: number, rows: number): string => Screen.rows(account, { columns, rows }).join("|")

describe("a frame", () => {
  it("is as large as the terminal, but for the row of the cursor", () => {
    assert.strictEqual(
      rows(80, 24),
      "Election  app|Leader    web-1|  *  web-1|     web-🙂||Ctrl-C ends the watch, not the election."
    )
    assert.strictEqual(rows(10, 5), "Election  |Leader    |  *  web-1|     web-🙂")
    assert.strictEqual(rows(7, 4), "Electio|Leader |  ... 2")
    assert.strictEqual(rows(80, 1), "Leader    web-1")
  })

  it("leaves nothing of the one before it, and the terminal as it was", () => {
    const drawn = Screen.draw(account, { columns: 80, rows: 4 })
    assert.isTrue(drawn.startsWith("\u001b[?7l\u001b[H\u001b[J"))
    assert.isTrue(drawn.endsWith("\u001b[?7h"))
    assert.lengthOf(drawn.split("\n"), 3)
  })
})
