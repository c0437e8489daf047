import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Equal, Hash, Result } from "effect"
import { readFileSync } from "node:fs"
import { Bytes, Tuple, Versionstamp } from "../src/index.ts"
import * as arbitrary from "./support/arbitraries.ts"

const { vectors } = JSON.parse(
  readFileSync(new URL("./fixtures/tuple-golden.json", import.meta.url), "utf8")
) as { readonly vectors: Readonly<Record<string, string | number>> }

const ns: ReadonlyArray<Tuple.TupleElement> = ["app", "election"]
const stamp = new Versionstamp.Versionstamp(Bytes.fromHex("000102030405060708090a0b"))

/** What each vector packs, by the vector's name. */
const tuples: Readonly<Record<string, ReadonlyArray<Tuple.TupleElement>>> = {
  "config": ["config"],
  "leader": ["leader"],
  "candidates,p1": ["candidates", "p1"],
  "candidates": ["candidates"],
  "ns": ns,
  "ns+config": [...ns, "config"],
  "ns+leader": [...ns, "leader"],
  "ns+candidates,p1": [...ns, "candidates", "p1"],
  "cfg(number)": [10e9, 3e9, 15e9, true, true],
  "cfg(bigint)": [10_000_000_000n, 3_000_000_000n, 15_000_000_000n, true, true],
  "leader value": [1, "p1", -5, 1700000010000000000n, stamp.bytes],
  "leader value bigint ballot": [1n, "p1", -5n, 1700000010000000000n, stamp.bytes],
  "cand complete": [7, 1700000000000000000n, stamp],
  "str nul": ["a\0b"],
  "bytes nul": [Bytes.fromHex("61006200")],
  "empty str": [""],
  "empty bytes": [new Uint8Array(0)],
  "null": [null],
  "nested": [["x", null, 1, [true]], "y"],
  "unicode": ["é𝄞"],
  "bools": [true, false],
  "uuid": [Tuple.uuid("00010203-0405-0607-0809-0a0b0c0d0e0f")],
  "double 1.5": [Tuple.double(1.5)],
  "number 2^53 (pitfall)": [Tuple.double(2 ** 53)],
  "number 1.7e18 (pitfall)": [Tuple.double(1700000010000000000)],
  "-0 (pitfall)": [Tuple.double(-0)],
  "float 1.5": [Tuple.float(1.5)]
}

const tupleOf = (name: string): ReadonlyArray<Tuple.TupleElement> => {
  const [kind, value] = name.split(" ")
  if (name in tuples) return tuples[name]!
  if (kind === "int") return [Number(value)]
  if (kind === "big") return [BigInt(value!)]
  throw new Error(`the vector ${name} is not covered`)
}

/** Numbers become bigints, as `unpack` gives them. */
const normalise = (element: Tuple.TupleElement): Tuple.TupleElement =>
  typeof element === "number" ? BigInt(element) : Array.isArray(element) ? element.map(normalise) : element

const refused = (elements: ReadonlyArray<unknown>): Tuple.TupleError => {
  const result = Tuple.tryPack(elements as ReadonlyArray<Tuple.TupleElement>)
  if (Result.isSuccess(result)) throw new Error(`packed as ${Bytes.toHex(result.success)}`)
  assert.throws(() => Tuple.pack(elements as ReadonlyArray<Tuple.TupleElement>), result.failure.message)
  assert.instanceOf(result.failure, Tuple.TupleError)
  return result.failure
}

const malformed = (hex: string): Tuple.TupleError => {
  const result = Tuple.unpack(Bytes.fromHex(hex))
  if (Result.isSuccess(result)) throw new Error(`unpacked ${hex}`)
  assert.strictEqual(result.failure.operation, "unpack")
  return result.failure
}

describe("Tuple golden vectors", () => {
  const special = /^(range\(|cand incomplete|cand pack_with)/
  for (const [name, hex] of Object.entries(vectors).filter(([name]) => !special.test(name))) {
    it(`packs and unpacks ${name}`, () => {
      const elements = tupleOf(name)
      assert.strictEqual(Bytes.toHex(Tuple.pack(elements)), hex)
      assert.deepStrictEqual(Tuple.unpack(Bytes.fromHex(String(hex))), Result.succeed(elements.map(normalise)))
    })
  }

  it("gives the ranges of the vectors", () => {
    for (
      const [name, elements] of [["candidates", ["candidates"]], ["ns+candidates", [...ns, "candidates"]]] as const
    ) {
      const { begin, end } = Tuple.range(elements)
      assert.strictEqual(Bytes.toHex(begin), vectors[`range(${name}).begin`])
      assert.strictEqual(Bytes.toHex(end), vectors[`range(${name}).end`])
    }
  })

  it("leaves the gap for a versionstamp where the vectors have it", () => {
    const { bytes, offset } = Tuple.packVersionstamped([7, 1700000000000000000n, Tuple.incompleteVersionstamp()])
    const suffix = new Uint8Array(4)
    new DataView(suffix.buffer).setUint32(0, offset, true)
    assert.strictEqual(Bytes.toHex(bytes), vectors["cand incomplete data"])
    assert.strictEqual(offset, vectors["cand incomplete stampPos"])
    assert.strictEqual(Bytes.toHex(Bytes.concat(bytes, suffix)), vectors["cand pack_with_versionstamp"])
  })
})

describe("Tuple.pack", () => {
  it("refuses numbers that are not safe integers, and says what to use", () => {
    for (const number of [2 ** 53, -(2 ** 53), 1.5, -0, Number.NaN, Number.POSITIVE_INFINITY]) {
      const error = refused(["a", number])
      assert.match(error.message, /cannot pack element 1 of a tuple: .*Tuple\.double/)
      assert.deepStrictEqual(error.path, [1])
    }
    assert.match(refused([2 ** 53]).message, /bigint/)
  })

  it("tells the place in nested tuples", () => {
    assert.deepStrictEqual(refused([1, ["a", [null, 0.5]]]).path, [1, 1, 1])
  })

  it("refuses lone surrogates, which UTF-8 cannot express", () => {
    for (const text of ["\ud800", "a\udc00b", "\udc00\ud800"]) {
      assert.match(refused([text]).message, /lone surrogate/)
    }
    assert.strictEqual(Bytes.toHex(Tuple.pack(["\ud834\udd1e"])), "02f09d849e00")
  })

  it("refuses what is no element", () => {
    for (const value of [undefined, {}, new Date(0), () => 1, Symbol("s"), Object.create(null)]) {
      assert.match(refused([value]).message, /not a tuple element/)
    }
    assert.match(refused(Array(1)).message, /Undefined.*not a tuple element/)
  })

  it("refuses integers longer than 255 bytes, and packs the longest", () => {
    const longest = (1n << 2040n) - 1n
    for (const integer of [longest, -longest]) {
      assert.deepStrictEqual(Tuple.unpack(Tuple.pack([integer])), Result.succeed([integer]))
    }
    for (const integer of [longest + 1n, -longest - 1n]) {
      assert.match(refused([integer]).message, /255 bytes/)
    }
  })

  it("refuses tuples nested too deeply, a tuple that contains itself among them", () => {
    const cycle: Array<unknown> = []
    cycle.push(cycle)
    assert.match(refused(cycle).message, /nested deeper than 100/)
    const deep = (depth: number): Tuple.TupleElement => depth === 0 ? 1n : [deep(depth - 1)]
    assert.deepStrictEqual(Tuple.unpack(Tuple.pack([deep(100)])), Result.succeed([deep(100)]))
    assert.match(refused([deep(101)]).message, /nested deeper than 100/)
  })

  it("refuses an incomplete versionstamp, and packVersionstamped anything but one", () => {
    const incomplete = Tuple.incompleteVersionstamp(7)
    assert.match(refused([1, incomplete]).message, /use packVersionstamped/)
    assert.throws(() => Tuple.packVersionstamped([1]), /use pack/)
    assert.throws(() => Tuple.packVersionstamped([incomplete, [incomplete]]), /element 1\.0 .*only one/)
    assert.throws(() => Tuple.incompleteVersionstamp(65536), RangeError)
    assert.throws(() => Tuple.incompleteVersionstamp(0.5), RangeError)
  })

  it("keeps the user version behind the gap", () => {
    const { bytes, offset } = Tuple.packVersionstamped(["a", ["b", Tuple.incompleteVersionstamp(0x0102)]])
    bytes.set(stamp.bytes.subarray(0, 10), offset)
    assert.deepStrictEqual(
      Tuple.unpack(bytes),
      Result.succeed(["a", ["b", Versionstamp.make(stamp.bytes.subarray(0, 10), 0x0102)]])
    )
  })

  it("gives bytes of their own", () => {
    const value = Uint8Array.of(1, 2, 3)
    const packed = Tuple.pack([value, Buffer.from("b")])
    assert.strictEqual(packed.constructor, Uint8Array)
    value.fill(9)
    assert.strictEqual(Bytes.toHex(packed), "0101020300016200")
    const unpacked = Result.getOrThrow(Tuple.unpack(packed))
    packed.fill(9)
    assert.deepStrictEqual(unpacked, [Uint8Array.of(1, 2, 3), Uint8Array.of(0x62)])
    assert.notStrictEqual(Tuple.pack([]).buffer, Tuple.pack([]).buffer)
  })
})

describe("Tuple.unpack", () => {
  const cases: ReadonlyArray<readonly [name: string, hex: string, offset: number, problem: RegExp]> = [
    ["a string without an end", "150102616263", 2, /cut off/],
    ["a string that ends in an escaped zero", "026100ff", 0, /cut off/],
    ["an integer that is cut off", "271601", 1, /cut off/],
    ["a float that is cut off", "20bfc000", 0, /cut off/],
    ["a double that is cut off", "21bff80000000000", 0, /cut off/],
    ["a UUID that is cut off", "30000102030405060708090a0b0c0d0e", 0, /cut off/],
    ["a versionstamp of eleven bytes", "33000102030405060708090a", 0, /cut off/],
    ["an integer of declared length that is cut off", "1d0901000000000000", 0, /cut off/],
    ["a large integer without its length", "1d", 0, /cut off/],
    ["a large negative integer without its length", "0b", 0, /cut off/],
    ["a nested tuple without an end", "05150105", 4, /cut off/],
    ["an unknown type code", "150103", 2, /0x03 is not a type code/],
    ["the code 0xff", "ff", 0, /not a type code/],
    ["an 80-bit versionstamp", "3200010203040506070809", 0, /not a type code/],
    ["an integer with a leading zero", "160001", 0, /not canonical/],
    ["a zero of one byte", "1500", 0, /not canonical/],
    ["a negative zero of one byte", "13ff", 0, /not canonical/],
    ["a negative integer with a leading zero", "12fffe", 0, /not canonical/],
    ["2^64 - 1 as a large integer", "1d08ffffffffffffffff", 0, /not canonical/],
    ["a large integer of one byte", "1d0101", 0, /not canonical/],
    ["a large integer of no bytes", "1d00", 0, /not canonical/],
    ["a byte that UTF-8 does not have", "0261ff00", 2, /not canonical/],
    ["a surrogate in UTF-8", "02eda08000", 1, /not canonical/],
    ["an overlong character", "02c0af00", 1, /not canonical/],
    ["a character that is cut off", "02e28200", 1, /not canonical/],
    ["two incomplete versionstamps", `33${"ff".repeat(12)}05${`33${"ff".repeat(12)}`}00`, 14, /only one/],
    ["tuples nested too deeply", "05".repeat(101) + "00".repeat(101), 100, /nested deeper/],
    ["tuples nested far too deeply", "05".repeat(200_000), 100, /nested deeper/]
  ]
  for (const [name, hex, offset, problem] of cases) {
    it(`refuses ${name}`, () => {
      const error = malformed(hex)
      assert.strictEqual(error.offset, offset)
      assert.match(error.message, problem)
      assert.include(error.message, `byte ${offset} of`)
    })
  }

  it("keeps the bits of NaNs", () => {
    // Packed bits are inverted for negative numbers and have their sign flipped for others.
    for (const hex of ["21fff8000000000001", "21fff0000000000001", "210007fffffffffffe", "20ffc00001", "20ff800001"]) {
      const elements = Result.getOrThrow(Tuple.unpack(Bytes.fromHex(hex)))
      assert.isNaN((elements[0] as Tuple.Double | Tuple.Float).value)
      assert.strictEqual(Bytes.toHex(Tuple.pack(elements)), hex)
    }
  })

  it("tells an incomplete versionstamp", () => {
    const { bytes } = Tuple.packVersionstamped([Tuple.incompleteVersionstamp(3)])
    assert.deepStrictEqual(Tuple.unpack(bytes), Result.succeed([Tuple.incompleteVersionstamp(3)]))
  })

  it("keeps a byte order mark", () => {
    assert.deepStrictEqual(Tuple.unpack(Tuple.pack(["\ufeffa"])), Result.succeed(["\ufeffa"]))
  })
})

describe("Tuple laws", () => {
  it.prop("unpack after pack gives the elements, integers as bigints", [arbitrary.elements], ([elements]) => {
    assert.deepStrictEqual(Tuple.unpack(Tuple.pack(elements)), Result.succeed(elements.map(normalise)))
  }, { arbitrary: { runs: 500 } })

  it.prop("any bytes are refused or packed again as they were", [arbitrary.bytes], ([bytes]) => {
    const result = Tuple.unpack(bytes)
    if (Result.isFailure(result)) return assert.instanceOf(result.failure, Tuple.TupleError)
    const incomplete = JSON.stringify(
      result.success,
      (_, value) => typeof value === "bigint" ? 0 : value instanceof Tuple.IncompleteVersionstamp ? "incomplete" : value
    )
      .includes("\"incomplete\"")
    const packed = incomplete ? Tuple.packVersionstamped(result.success).bytes : Tuple.pack(result.success)
    assert.strictEqual(Bytes.toHex(packed), Bytes.toHex(bytes))
  }, { arbitrary: { runs: 3000 } })

  it.prop(
    "bytes with one byte changed are refused or packed again as they are",
    [arbitrary.elements, Arbitrary.array(arbitrary.byte, { minLength: 2, maxLength: 2 })],
    ([elements, [position, value]]) => {
      const bytes = Tuple.pack(elements)
      if (bytes.length === 0) return
      bytes[position! % bytes.length] = value!
      const result = Tuple.unpack(bytes)
      if (Result.isFailure(result)) return
      const packed = Tuple.tryPack(result.success)
      if (Result.isSuccess(packed)) assert.strictEqual(Bytes.toHex(packed.success), Bytes.toHex(bytes))
    },
    { arbitrary: { runs: 1000 } }
  )

  const sign = (order: number) => Math.sign(order)
  const packedOrder = (a: Tuple.TupleElement, b: Tuple.TupleElement) =>
    sign(Bytes.compare(Tuple.pack([a]), Tuple.pack([b])))

  it.prop("integers sort by their value", [arbitrary.bigint, arbitrary.bigint], ([a, b]) => {
    assert.strictEqual(packedOrder(a, b), a < b ? -1 : a > b ? 1 : 0)
  }, { arbitrary: { runs: 500 } })

  it.prop("numbers and bigints sort together", [arbitrary.safeInteger, arbitrary.bigint], ([a, b]) => {
    assert.strictEqual(packedOrder(a, b), BigInt(a) < b ? -1 : BigInt(a) > b ? 1 : 0)
  }, { arbitrary: { runs: 500 } })

  it.prop("byte strings sort by their bytes", [arbitrary.bytes, arbitrary.bytes], ([a, b]) => {
    assert.strictEqual(packedOrder(a, b), sign(Bytes.compare(a, b)))
  }, { arbitrary: { runs: 500 } })

  it.prop("texts sort by their UTF-8 bytes", [arbitrary.text, arbitrary.text], ([a, b]) => {
    assert.strictEqual(packedOrder(a, b), sign(Bytes.compare(Bytes.fromString(a), Bytes.fromString(b))))
  }, { arbitrary: { runs: 500 } })

  it.prop("doubles sort by their value", [arbitrary.double, arbitrary.double], ([a, b]) => {
    if (a.value < b.value) assert.strictEqual(packedOrder(a, b), -1)
    if (a.value > b.value) assert.strictEqual(packedOrder(a, b), 1)
  }, { arbitrary: { runs: 500 } })

  it.prop("versionstamps sort as their commits", [arbitrary.versionstamp, arbitrary.versionstamp], ([a, b]) => {
    assert.strictEqual(packedOrder(a, b), sign(Versionstamp.compare(a, b)))
  }, { arbitrary: { runs: 200 } })

  it.prop(
    "tuples sort element by element, the shorter first",
    [arbitrary.elements, arbitrary.elements, arbitrary.element],
    ([prefix, rest, last]) => {
      assert.isBelow(Bytes.compare(Tuple.pack(prefix), Tuple.pack([...prefix, last, ...rest])), 0)
      const { begin, end } = Tuple.range(prefix)
      const inside = Tuple.pack([...prefix, last, ...rest])
      assert.isAtMost(Bytes.compare(begin, inside), 0)
      assert.isBelow(Bytes.compare(inside, end), 0)
    },
    { arbitrary: { runs: 300 } }
  )
})

describe("Tuple values", () => {
  it("are equal when their bits are", () => {
    const pairs = [
      [Tuple.float(1.5), Tuple.float(1.5), Tuple.float(2.5)],
      [Tuple.double(0), Tuple.double(0), Tuple.double(-0)],
      [Tuple.double(Number.NaN), Tuple.double(Number.NaN), Tuple.double(1)],
      [Tuple.incompleteVersionstamp(1), Tuple.incompleteVersionstamp(1), Tuple.incompleteVersionstamp(2)],
      [
        Tuple.uuid("00010203-0405-0607-0809-0A0B0C0D0E0F"),
        Tuple.uuid("000102030405060708090a0b0c0d0e0f"),
        Tuple.uuid("000102030405060708090a0b0c0d0e00")
      ]
    ] as const
    for (const [a, same, other] of pairs) {
      assert.isTrue(Equal.equals(a, same))
      assert.strictEqual(Hash.hash(a), Hash.hash(same))
      assert.isFalse(Equal.equals(a, other))
    }
    assert.isFalse(Equal.equals(Tuple.float(1), Tuple.double(1)))
  })

  it("are printable", () => {
    assert.strictEqual(String(Tuple.uuid("000102030405060708090a0b0c0d0e0f")), "00010203-0405-0607-0809-0a0b0c0d0e0f")
    assert.strictEqual(String(Tuple.float(1.5)), "Float(1.5)")
    assert.strictEqual(String(Tuple.double(-0.25)), "Double(-0.25)")
    assert.strictEqual(JSON.stringify([Tuple.double(0.5)]), "[\"Double(0.5)\"]")
  })

  it("are refused when they have the wrong length", () => {
    assert.throws(() => new Tuple.Uuid(new Uint8Array(15)), RangeError)
    assert.throws(() => new Tuple.Double(new Uint8Array(4)), RangeError)
    assert.throws(() => Tuple.uuid("not a uuid"), RangeError)
    assert.throws(() => Tuple.uuid("00010203-04050607-0809-0a0b0c0d0e0f"), RangeError)
  })
})
