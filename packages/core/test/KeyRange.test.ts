import { assert, describe, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { Bytes, KeyRange } from "../src/index.ts"
import * as arbitrary from "./support/arbitraries.ts"

const key = (hex: string) => Bytes.fromHex(hex)

describe("KeyRange", () => {
  it("has one key in single", () => {
    const range = KeyRange.single(key("61"))
    assert.isTrue(KeyRange.contains(range, key("61")))
    assert.isFalse(KeyRange.contains(range, key("60")))
    assert.isFalse(KeyRange.contains(range, key("6100")))
  })

  it("ends a prefix at the next byte string that does not begin with it", () => {
    assert.deepStrictEqual(KeyRange.fromPrefix(key("6162")), KeyRange.make(key("6162"), key("6163")))
    assert.deepStrictEqual(KeyRange.fromPrefix(key("61ffff")), KeyRange.make(key("61ffff"), key("62")))
    assert.deepStrictEqual(KeyRange.fromPrefix(key("")), KeyRange.all)
  })

  it("does not change the prefix", () => {
    const prefix = key("6162")
    KeyRange.fromPrefix(prefix)
    assert.deepStrictEqual(prefix, key("6162"))
  })

  it("touching ranges do not intersect, overlapping ones do", () => {
    const range = KeyRange.make(key("61"), key("63"))
    assert.isFalse(KeyRange.intersects(range, KeyRange.make(key("63"), key("64"))))
    assert.isTrue(KeyRange.intersects(range, KeyRange.make(key("62"), key("64"))))
    assert.isTrue(KeyRange.intersects(KeyRange.all, range))
  })

  it.prop("a prefix has exactly the keys that begin with it", [arbitrary.bytes, arbitrary.bytes], ([prefix, other]) => {
    if (prefix[0] === 0xff || other[0] === 0xff) return
    const range = KeyRange.fromPrefix(prefix)
    assert.isTrue(KeyRange.contains(range, prefix))
    const extended = Bytes.concat(prefix, other)
    assert.isTrue(KeyRange.contains(range, extended))
    const begins = other.length >= prefix.length && Bytes.equals(other.subarray(0, prefix.length), prefix)
    assert.strictEqual(KeyRange.contains(range, other), begins)
  })

  it.prop("nothing lies between a key and its successor", [arbitrary.bytes, arbitrary.bytes], ([a, b]) => {
    const next = Bytes.successor(a)
    assert.isBelow(Bytes.compare(a, next), 0)
    assert.isFalse(Bytes.compare(a, b) < 0 && Bytes.compare(b, next) < 0)
  })

  it.prop(
    "coalesced ranges have the same keys, in order and apart",
    [Arbitrary.array(Arbitrary.all([arbitrary.bytes, arbitrary.bytes]), { maxLength: 6 }), arbitrary.bytes],
    ([ends, other]) => {
      const ranges = ends.map(([a, b]) =>
        Bytes.compare(a, b) < 0 ? KeyRange.make(a, b) : KeyRange.make(b, Bytes.successor(a))
      )
      const coalesced = KeyRange.coalesce(ranges)
      for (const key of [other, ...ends.flat()]) {
        const has = (ranges: ReadonlyArray<KeyRange.KeyRange>) => ranges.some((range) => KeyRange.contains(range, key))
        assert.strictEqual(has(coalesced), has(ranges))
      }
      for (let i = 1; i < coalesced.length; i++) {
        assert.isBelow(Bytes.compare(coalesced[i - 1]!.end, coalesced[i]!.begin), 0)
      }
    }
  )
})
