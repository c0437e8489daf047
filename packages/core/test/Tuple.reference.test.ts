/** Against the npm package `fdb-tuple`, which other FoundationDB clients for JavaScript use. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fdbTuple from "fdb-tuple"
import { Bytes, Tuple, Versionstamp } from "../src/index.ts"
import * as arbitrary from "./support/arbitraries.ts"

const toItem = (element: Tuple.TupleElement): fdbTuple.TupleItem => {
  if (element instanceof Uint8Array) return Buffer.from(element)
  if (element instanceof Versionstamp.Versionstamp) return { type: "versionstamp", value: Buffer.from(element.bytes) }
  if (element instanceof Tuple.IncompleteVersionstamp) {
    return { type: "unbound versionstamp", code: element.userVersion }
  }
  if (element instanceof Tuple.Float || element instanceof Tuple.Double) {
    const type = element instanceof Tuple.Float ? "float" : "double"
    return { type, value: element.value, rawEncoding: Buffer.from(element.bytes) }
  }
  if (element instanceof Tuple.Uuid) return { type: "uuid", value: Buffer.from(element.bytes) }
  if (Array.isArray(element)) return element.map(toItem)
  return element as fdbTuple.TupleItem
}

const toItems = (elements: ReadonlyArray<Tuple.TupleElement>) => elements.map(toItem)

const packedThere = (elements: ReadonlyArray<Tuple.TupleElement>) => Bytes.toHex(fdbTuple.pack(toItems(elements)))

describe("the tuple codec and that of fdb-tuple", () => {
  it.prop("give the same bytes", [arbitrary.elements], ([elements]) => {
    assert.strictEqual(Bytes.toHex(Tuple.pack(elements)), packedThere(elements))
  }, { arbitrary: { runs: 1000 } })

  it.prop("put an incomplete versionstamp at the same place", [arbitrary.elements], ([elements]) => {
    const stamped = [...elements, [elements.length, Tuple.incompleteVersionstamp(258)], "after"]
    const { bytes, offset } = Tuple.packVersionstamped(stamped)
    const there = fdbTuple.packUnboundVersionstamp(toItems(stamped))
    assert.deepStrictEqual([Bytes.toHex(bytes), offset], [Bytes.toHex(there.data), there.stampPos])
  })

  it.prop("give the same elements for all bytes that are accepted here", [arbitrary.bytes], ([bytes]) => {
    const unpacked = Tuple.unpack(bytes)
    if (Result.isFailure(unpacked)) return
    const incomplete = JSON.stringify(unpacked.success, (_key, value) => typeof value === "bigint" ? 0 : value)
      .includes("IncompleteVersionstamp")
    if (!incomplete) assert.strictEqual(packedThere(unpacked.success), Bytes.toHex(bytes))
  }, { arbitrary: { runs: 1000 } })
})
