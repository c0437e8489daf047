/** Inputs of the property tests. */
import { Arbitrary, Schema } from "effect"
import { Tuple, Versionstamp } from "../../src/index.ts"

const integer = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

/** One of several, with the same chance each. */
export const oneOf = <A>(...choices: ReadonlyArray<Arbitrary.Arbitrary<A>>): Arbitrary.Arbitrary<A> =>
  Arbitrary.flatMap(integer(0, choices.length - 1), (index) => choices[index]!)

/** Half of the bytes are those that mean something in the encoding. */
export const byte = oneOf(
  integer(0, 0xff),
  Arbitrary.schema(
    Schema.Literals([0, 1, 2, 5, 0x0b, 0x0c, 0x13, 0x14, 0x15, 0x1c, 0x1d, 0x20, 0x21, 0x26, 0x27, 0x30, 0x33, 0xff])
  )
)

export const bytes = Arbitrary.map(Arbitrary.array(byte, { maxLength: 40 }), (values) => Uint8Array.from(values))

const bytesOf = (length: number) =>
  Arbitrary.map(Arbitrary.array(byte, { minLength: length, maxLength: length }), (values) => Uint8Array.from(values))

/** Well-formed texts of one to four bytes a character, zero characters among them. */
export const text = Arbitrary.map(
  Arbitrary.array(
    oneOf(integer(0, 3), integer(0, 0xff), integer(0, 0xd7ff), integer(0xe000, 0xffff), integer(0x10000, 0x10ffff)),
    { maxLength: 12 }
  ),
  (points) => String.fromCodePoint(...points)
)

/** Integers of every length from one byte to twenty, and their neighbours at the borders. */
export const bigint: Arbitrary.Arbitrary<bigint> = Arbitrary.map(
  Arbitrary.all([integer(0, 160), integer(-2, 2), Arbitrary.schema(Schema.Boolean)]),
  ([bits, near, negative]) => (negative ? -1n : 1n) * ((1n << BigInt(bits)) + BigInt(near))
)

export const safeInteger = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)

export const float = Arbitrary.map(bytesOf(4), (bits) => new Tuple.Float(bits))
export const double = Arbitrary.map(bytesOf(8), (bits) => new Tuple.Double(bits))
export const uuid = Arbitrary.map(bytesOf(16), (bits) => new Tuple.Uuid(bits))
export const versionstamp = Arbitrary.map(
  Arbitrary.filter(bytesOf(12), (stamp) => stamp.subarray(0, 10).some((value) => value !== 0xff)),
  (stamp) => new Versionstamp.Versionstamp(stamp)
)

const leaf: Arbitrary.Arbitrary<Tuple.TupleElement> = oneOf<Tuple.TupleElement>(
  Arbitrary.Constant(null),
  Arbitrary.schema(Schema.Boolean),
  text,
  bytes,
  bigint,
  safeInteger,
  float,
  double,
  uuid,
  versionstamp
)

/** Any element, nested up to three deep. */
export const element: Arbitrary.Arbitrary<Tuple.TupleElement> = [1, 2, 3].reduce(
  (inner) => oneOf<Tuple.TupleElement>(leaf, leaf, Arbitrary.array(inner, { maxLength: 4 })),
  leaf
)

export const elements = Arbitrary.array(element, { maxLength: 5 })
