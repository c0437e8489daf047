import { assert, describe, it } from "@effect/vitest"
import { Equal, Hash, Result } from "effect"
import { Bytes, KeyRange, Subspace, Tuple } from "../src/index.ts"
import * as arbitrary from "./support/arbitraries.ts"

const election = Subspace.fromTuple(["app", "election"])

const failure = (key: Uint8Array, subspace = election): Tuple.TupleError => {
  const result = subspace.unpack(key)
  if (Result.isSuccess(result)) throw new Error("unpacked")
  return result.failure
}

describe("Subspace", () => {
  it("packs behind its prefix", () => {
    assert.strictEqual(Bytes.toHex(election.prefix), "026170700002656c656374696f6e00")
    assert.deepStrictEqual(election.pack(["config"]), Tuple.pack(["app", "election", "config"]))
    assert.deepStrictEqual(election.pack(), election.prefix)
  })

  it("nests", () => {
    const candidates = election.subspace(["candidates"])
    assert.deepStrictEqual(candidates.pack(["p1"]), election.pack(["candidates", "p1"]))
    assert.isTrue(Equal.equals(candidates, Subspace.fromTuple(["app", "election", "candidates"])))
  })

  it("puts the gap of a versionstamp behind its prefix", () => {
    const inner = Tuple.packVersionstamped(["x", Tuple.incompleteVersionstamp(2)])
    const { bytes, offset } = election.packVersionstamped(["x", Tuple.incompleteVersionstamp(2)])
    assert.strictEqual(offset, election.prefix.length + inner.offset)
    assert.deepStrictEqual(bytes, Bytes.concat(election.prefix, inner.bytes))
  })

  it("refuses keys of others, and says which", () => {
    assert.match(failure(Tuple.pack(["app", "other"])).message, /not in the subspace Subspace\(\\x02app\\x00/)
    assert.match(failure(new Uint8Array(0)).message, /not in the subspace/)
  })

  it("tells offsets in the key", () => {
    assert.strictEqual(failure(Bytes.concat(election.prefix, Uint8Array.of(0x14, 0xee))).offset, 16)
  })

  it("keeps a prefix of its own", () => {
    const prefix = Uint8Array.of(1, 2)
    const subspace = Subspace.make(prefix)
    prefix.fill(9)
    assert.deepStrictEqual(subspace.pack([null]), Uint8Array.of(1, 2, 0))
  })

  it("is equal by prefix and printable", () => {
    const same = Subspace.make(election.prefix)
    assert.isTrue(Equal.equals(election, same))
    assert.strictEqual(Hash.hash(election), Hash.hash(same))
    assert.isFalse(Equal.equals(election, Subspace.fromTuple(["app"])))
    assert.strictEqual(String(election), "Subspace(\\x02app\\x00\\x02election\\x00)")
    assert.isTrue(Subspace.isSubspace(election))
    assert.isFalse(Subspace.isSubspace({ prefix: election.prefix }))
  })

  it.prop(
    "unpacks what it has packed, in whatever it lies",
    [arbitrary.bytes, arbitrary.elements],
    ([prefix, elements]) => {
      const subspace = Subspace.make(prefix)
      const key = subspace.pack(elements)
      assert.isTrue(subspace.contains(key))
      assert.deepStrictEqual(subspace.unpack(key), Tuple.unpack(Tuple.pack(elements)))
    }
  )

  it.prop(
    "has in its range the tuples that go on, and not the one that it is of",
    [arbitrary.elements, arbitrary.elements, arbitrary.element],
    ([prefix, elements, last]) => {
      const range = election.range(prefix)
      assert.isTrue(KeyRange.contains(range, election.pack([...prefix, ...elements, last])))
      assert.isFalse(KeyRange.contains(range, election.pack(prefix)))
      assert.deepStrictEqual(election.subspace(prefix).range(), range)
    }
  )
})
