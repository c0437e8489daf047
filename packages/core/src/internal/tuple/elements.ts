/** The elements of a tuple, and the error of the codec. */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Schema from "effect/Schema"
import * as Bytes from "../../Bytes.ts"
import type { Versionstamp } from "../../Versionstamp.ts"
import { FixedBytes } from "../FixedBytes.ts"

/**
 * Values that cannot be packed, or bytes that cannot be unpacked.
 *
 * `path` leads to the wrong element: its index, then the indices within nested tuples. `offset` is the first wrong byte.
 *
 * @since 0.1.0
 * @category errors
 */
export class TupleError extends Schema.TaggedError<TupleError>()("TupleError", {
  operation: Schema.Literals(["pack", "unpack"]),
  path: Schema.optionalKey(Schema.Array(Schema.Int)),
  offset: Schema.optionalKey(Schema.Int),
  problem: Schema.String
}) {
  override get message(): string {
    const place = this.path !== undefined && this.path.length > 0
      ? ` element ${this.path.join(".")} of`
      : this.offset !== undefined
      ? ` byte ${this.offset} of`
      : ""
    return `cannot ${this.operation}${place} a tuple: ${this.problem}`
  }
}

/**
 * An element of a tuple.
 *
 * @since 0.1.0
 * @category models
 */
export type TupleElement =
  | null
  | boolean
  | string
  | bigint
  | number
  | Uint8Array
  | Versionstamp
  | IncompleteVersionstamp
  | Float
  | Double
  | Uuid
  | ReadonlyArray<TupleElement>

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/**
 * A 32-bit floating-point number. {@link float} makes one from a number.
 *
 * @since 0.1.0
 * @category models
 */
export class Float extends FixedBytes {
  constructor(bytes: Uint8Array) {
    super(bytes, 4, "float")
  }

  get value(): number {
    return view(this.bytes).getFloat32(0)
  }

  override toString(): string {
    return `Float(${this.value})`
  }
}

/**
 * A 64-bit floating-point number. {@link double} makes one from a number.
 *
 * @since 0.1.0
 * @category models
 */
export class Double extends FixedBytes {
  constructor(bytes: Uint8Array) {
    super(bytes, 8, "double")
  }

  get value(): number {
    return view(this.bytes).getFloat64(0)
  }

  override toString(): string {
    return `Double(${this.value})`
  }
}

/**
 * A UUID. {@link uuid} parses one.
 *
 * @since 0.1.0
 * @category models
 */
export class Uuid extends FixedBytes {
  constructor(bytes: Uint8Array) {
    super(bytes, 16, "UUID")
  }

  /** Formats it in the usual form: 36 characters in lower case. */
  override toString(): string {
    return Bytes.toHex(this.bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
  }
}

/**
 * Stands for the versionstamp of the commit that will write the tuple; see `Tuple.packVersionstamped`.
 *
 * @since 0.1.0
 * @category models
 */
export class IncompleteVersionstamp implements Equal.Equal {
  /** Tells apart several stamps of one transaction: 0 to 65535. */
  readonly userVersion: number

  constructor(userVersion: number) {
    if (!Number.isInteger(userVersion) || userVersion < 0 || userVersion > 0xffff) {
      throw new RangeError(`a user version is an integer from 0 to 65535, not ${userVersion}`)
    }
    this.userVersion = userVersion
  }

  [Equal.symbol](that: Equal.Equal): boolean {
    return that instanceof IncompleteVersionstamp && this.userVersion === that.userVersion
  }

  [Hash.symbol](): number {
    return Hash.number(this.userVersion)
  }

  toString(): string {
    return `IncompleteVersionstamp(${this.userVersion})`
  }
}

/**
 * Makes a {@link Float}: the nearest 32-bit floating-point number.
 *
 * @example const key = Tuple.pack([Tuple.float(0.5)])
 * @since 0.1.0
 * @category constructors
 */
export const float = (value: number): Float => {
  const bytes = new Uint8Array(4)
  view(bytes).setFloat32(0, value)
  return new Float(bytes)
}

/**
 * Makes a {@link Double}, which sorts after all integers.
 *
 * @example const key = Tuple.pack([Tuple.double(0.1)])
 * @since 0.1.0
 * @category constructors
 */
export const double = (value: number): Double => {
  const bytes = new Uint8Array(8)
  view(bytes).setFloat64(0, value)
  return new Double(bytes)
}

/**
 * Parses a UUID, with or without hyphens. Throws a `RangeError` on anything else.
 *
 * @example Tuple.uuid("00112233-4455-6677-8899-AABBCCDDEEFF").toString() // => "00112233-4455-6677-8899-aabbccddeeff"
 * @since 0.1.0
 * @category constructors
 */
export const uuid = (text: string): Uuid => {
  if (!/^[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}$/i.test(text)) {
    throw new RangeError(`not a UUID: ${text}`)
  }
  return new Uuid(Bytes.fromHex(text.replaceAll("-", "")))
}

/**
 * Makes an {@link IncompleteVersionstamp}. Throws a `RangeError` unless `userVersion` is an integer from 0 to 65535.
 *
 * @example Tuple.packVersionstamped([Tuple.incompleteVersionstamp()]).offset // => 1
 * @since 0.1.0
 * @category constructors
 */
export const incompleteVersionstamp = (userVersion = 0): IncompleteVersionstamp =>
  new IncompleteVersionstamp(userVersion)
