import { assert, describe, it } from "@effect/vitest"
import { printable } from "../../src/internal/printable.ts"

describe("what others have written", () => {
  it("is shown with its control characters written out, and nothing else changed", () => {
    const shown: ReadonlyArray<readonly [text: string, shown: string]> = [
      ["web-1 é 日本 🙂 \\n", "web-1 é 日本 🙂 \\n"],
      ["a\u001b[2Jb", "a\\x1b[2Jb"],
      ["a\nb\r\tc\0", "a\\nb\\r\\tc\\x00"],
      ["\u007f\u009b", "\\x7f\\x9b"],
      ["\u2028\u2029\u202e", "\\u2028\\u2029\\u202e"]
    ]
    for (const [text, expected] of shown) {
      assert.strictEqual(printable(text), expected)
      assert.strictEqual(printable(expected), expected)
    }
  })
})
