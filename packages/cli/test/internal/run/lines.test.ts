import { assert, describe, it } from "@effect/vitest"
import { PassThrough } from "node:stream"
import { readLines } from "../../../src/internal/run/lines.ts"

/** The lines of chunks, and how many ends were told. */
const read = async (chunks: ReadonlyArray<string | Uint8Array>, end: (input: PassThrough) => void) => {
  const input = new PassThrough()
  const lines: Array<string> = []
  let ends = 0
  readLines(input, (line) => lines.push(line), () => ends++)
  for (const chunk of chunks) input.write(chunk)
  end(input)
  await new Promise((resolve) => input.once("close", resolve))
  return { lines, ends }
}

const close = (input: PassThrough) => void input.end()

describe("readLines", () => {
  it("reads lines that come in parts, also parts of a character", async () => {
    const bytes = Buffer.from("until 1 2\nname ä\nlast\n")
    const chunks = [...bytes].map((byte) => Uint8Array.of(byte))
    assert.deepStrictEqual(await read(chunks, close), { lines: ["until 1 2", "name ä", "last"], ends: 1 })
  })

  it("ends a line at a line feed only: JSON holds other separators as they are", async () => {
    const line = JSON.stringify(["a\u2028b\u2029c\u0085d", "e\vf\fg"])
    assert.deepStrictEqual((await read([`${line}\n`], close)).lines, [line])
  })

  it("drops a line without its end, whose writer has died", async () => {
    assert.deepStrictEqual(await read(["until 100 200\nuntil 300 4"], close), { lines: ["until 100 200"], ends: 1 })
  })

  it("tells the end of a connection that is reset", async () => {
    const { ends } = await read(["a\n"], (input) => void input.destroy(new Error("read ECONNRESET")))
    assert.strictEqual(ends, 1)
  })
})
