import { Bytes, KeyRange } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { createRequire } from "node:module"
import * as encoding from "../../src/internal/encoding.ts"

/** The package's own table of codes, which loads no native code. */
const { MutationType, StreamingMode, TransactionOptionCode } = createRequire(import.meta.url)(
  "foundationdb/dist/lib/opts.g.js"
)

describe("encoding", () => {
  it("has the codes of the package", () => {
    for (const [tag, code] of Object.entries(encoding.mutationCodes)) assert.strictEqual(MutationType[tag], code, tag)
    assert.deepStrictEqual(encoding.streamingModes, { all: StreamingMode.WantAll, page: StreamingMode.Serial })
    assert.deepStrictEqual(encoding.optionCodes, {
      causalReadRisky: TransactionOptionCode.CausalReadRisky,
      prioritySystemImmediate: TransactionOptionCode.PrioritySystemImmediate,
      priorityBatch: TransactionOptionCode.PriorityBatch,
      timeout: TransactionOptionCode.Timeout,
      sizeLimit: TransactionOptionCode.SizeLimit,
      autoThrottleTag: TransactionOptionCode.AutoThrottleTag
    })
  })

  it.prop("keeps every version of 64 bits exact", { version: Schema.BigInt }, ({ version }) => {
    const signed = BigInt.asIntN(64, version)
    assert.strictEqual(encoding.toVersion(encoding.fromVersion(signed)!), signed)
  })

  it("reads eight bytes of ones as -1, and refuses what has no room in them", () => {
    assert.strictEqual(encoding.toVersion(Buffer.alloc(8, 0xff)), -1n)
    assert.strictEqual(encoding.toVersion(Buffer.from("001fffffffffffff", "hex")), 9007199254740991n)
    assert.isUndefined(encoding.fromVersion(2n ** 63n))
    assert.isUndefined(encoding.fromVersion(-(2n ** 63n) - 1n))
  })

  it("hands over the same bytes as a Buffer, a part of a larger one too, and gives back plain bytes", () => {
    const part = Uint8Array.of(9, 1, 2, 3, 9).subarray(1, 4)
    const buffer = encoding.toBuffer(part)
    assert.isTrue(Buffer.isBuffer(buffer))
    assert.deepStrictEqual([...buffer], [1, 2, 3])
    const back = encoding.fromBuffer(buffer)
    assert.isFalse(Buffer.isBuffer(back))
    assert.isTrue(Bytes.equals(back, part))
  })

  it("never asks for a timeout of zero, which would mean none, nor for one beyond 32 bits", () => {
    assert.strictEqual(encoding.toTimeout(0), 1)
    assert.strictEqual(encoding.toTimeout(-5), 1)
    assert.strictEqual(encoding.toTimeout(0.2), 1)
    assert.strictEqual(encoding.toTimeout(1500.2), 1501)
    assert.strictEqual(encoding.toTimeout(Number.POSITIVE_INFINITY), 2 ** 31 - 1)
  })

  it("marks a selector, and keeps its offset within 32 bits", () => {
    const selector = { key: Uint8Array.of(1), orEqual: true, offset: 2 ** 40 }
    assert.deepStrictEqual(encoding.toSelector(selector), {
      key: Buffer.of(1),
      orEqual: true,
      offset: 2 ** 31 - 1,
      _isKeySelector: true
    })
  })

  it("gives the empty key where the package gives none, and the end of all keys for those of the system", () => {
    assert.deepStrictEqual(encoding.toKey(undefined), new Uint8Array(0))
    assert.deepStrictEqual(encoding.toKey(Buffer.from("ff02", "hex")), KeyRange.all.end)
    assert.deepStrictEqual(encoding.toKey(Buffer.from("fe", "hex")), Uint8Array.of(0xfe))
  })

  it("puts the place of a versionstamp behind the bytes, little-endian", () => {
    const stamped = encoding.toStamped({ bytes: new Uint8Array(300), offset: 258 })
    assert.strictEqual(stamped.length, 304)
    assert.strictEqual(stamped.subarray(300).toString("hex"), "02010000")
  })
})
