import { assert, describe, it } from "@effect/vitest"
import * as Table from "../../src/internal/table.ts"

describe("a table", () => {
  it("has columns as wide as what is in them on a terminal, and does not pad the last", () => {
    assert.deepStrictEqual(Table.lines([["a", "b"], ["long", "c"], ["", "d"]]), ["a     b", "long  c", "      d"])
    assert.deepStrictEqual(Table.lines([["a", ""], ["b", "c"]]), ["a", "b  c"])
    assert.deepStrictEqual(Table.lines([]), [])
  })

  it("aligns wide characters, emoji of several code points, combining marks and half-width forms", () => {
    const ids = ["日本", "👩‍👩‍👧", "e\u0301", "ﾊ", "🇨🇭", "한국", "plain"]
    const width = [4, 2, 1, 1, 2, 4, 5]
    const lines = Table.lines(ids.map((id) => [id, "|"]))
    assert.deepStrictEqual(lines, ids.map((id, i) => `${id}${" ".repeat(5 - width[i]!)}  |`))
  })

  it("writes the escapes of colours out, which then take their columns", () => {
    assert.deepStrictEqual(Table.lines([["\u001b[31mred", "|"], ["x", "|"]]), ["\\x1b[31mred  |", "x            |"])
  })
})
