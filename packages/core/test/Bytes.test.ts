import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Bytes } from "../src/index.ts"
import * as arbitrary from "./support/arbitraries.ts"

describe("Bytes", () => {
  it("sorts as unsigned bytes, shorter before longer", () => {
    const sorted = ["", "00", "0000", "01", "7f", "80", "ff", "ff00"].map(Bytes.fromHex)
    assert.deepStrictEqual(sorted.toReversed().toSorted(Bytes.compare), sorted)
  })

  it("prints what is printable, and the rest in hexadecimal", () => {
    assert.strictEqual(Bytes.toPrintable(Bytes.fromHex("61205c7f00ff7e")), "a \\x5c\\x7f\\x00\\xff~")
  })

  it.prop("hexadecimal and back is the same", [arbitrary.bytes], ([bytes]) => {
    assert.deepStrictEqual(Bytes.fromHex(Bytes.toHex(bytes)), bytes)
  })

  it.prop("concatenates in order, into bytes of its own", [arbitrary.bytes, arbitrary.bytes], ([a, b]) => {
    const joined = Bytes.concat(a, b)
    assert.strictEqual(Bytes.toHex(joined), Bytes.toHex(a) + Bytes.toHex(b))
    assert.notStrictEqual(joined.buffer, a.buffer)
    assert.strictEqual(Bytes.equals(a, b), Bytes.compare(a, b) === 0)
  })

  it.prop("whole numbers are read as they were written, the highest byte first", [
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xffff_ffff }))
  ], ([value]) => {
    const bytes = new Uint8Array(6).fill(0xff)
    Bytes.writeUint(bytes, 1, 4, value)
    assert.strictEqual(Bytes.readUint(bytes, 1, 4), value)
    assert.strictEqual(Bytes.toHex(bytes), `ff${value.toString(16).padStart(8, "0")}ff`)
  })

  it.prop("names are the same when the bytes are", [arbitrary.bytes, arbitrary.bytes], ([a, b]) => {
    assert.strictEqual(Bytes.toName(a).length, a.length)
    assert.strictEqual(Bytes.toName(a) === Bytes.toName(b), Bytes.equals(a, b))
  })

  it("refuses what is no hexadecimal", () => {
    for (const text of ["0", "0x00", "gg", "00 "]) assert.throws(() => Bytes.fromHex(text), RangeError)
  })
})
