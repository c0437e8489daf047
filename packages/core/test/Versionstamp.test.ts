import { assert, describe, it } from "@effect/vitest"
import { Equal, Hash } from "effect"
import { Bytes, Versionstamp } from "../src/index.ts"

const transaction = Bytes.fromHex("000000000000012c0007")

describe("Versionstamp", () => {
  it("is made of a commit's bytes and a user version", () => {
    const stamp = Versionstamp.make(transaction, 258)
    assert.strictEqual(stamp.version, 300n)
    assert.strictEqual(stamp.userVersion, 258)
    assert.strictEqual(String(stamp), "000000000000012c00070102")
    assert.strictEqual(JSON.stringify({ stamp }), "{\"stamp\":\"000000000000012c00070102\"}")
  })

  it("reads bytes that are part of others", () => {
    const within = Bytes.concat(Uint8Array.of(1, 2, 3), Versionstamp.make(transaction, 5).bytes).subarray(3)
    const stamp = new Versionstamp.Versionstamp(within)
    assert.strictEqual(stamp.version, 300n)
    assert.strictEqual(stamp.userVersion, 5)
  })

  it("is equal to another of the same bytes", () => {
    const stamp = Versionstamp.make(transaction, 1)
    const same = new Versionstamp.Versionstamp(Uint8Array.from(stamp.bytes))
    assert.isTrue(Equal.equals(stamp, same))
    assert.strictEqual(Hash.hash(stamp), Hash.hash(same))
    assert.isFalse(Equal.equals(stamp, Versionstamp.make(transaction, 2)))
    assert.isTrue(Versionstamp.isVersionstamp(stamp))
    assert.isFalse(Versionstamp.isVersionstamp(stamp.bytes))
  })

  it("sorts as the commits, and by user version within one", () => {
    const later = Bytes.fromHex("000000000000012c0008")
    assert.isBelow(Versionstamp.compare(Versionstamp.make(transaction, 9), Versionstamp.make(later)), 0)
    assert.isBelow(Versionstamp.compare(Versionstamp.make(transaction, 1), Versionstamp.make(transaction, 2)), 0)
    assert.strictEqual(Versionstamp.compare(Versionstamp.make(transaction), Versionstamp.make(transaction)), 0)
  })

  it("is refused with the wrong length", () => {
    assert.throws(() => Versionstamp.make(new Uint8Array(12)), RangeError)
    assert.throws(() => new Versionstamp.Versionstamp(new Uint8Array(10)), RangeError)
  })
})
