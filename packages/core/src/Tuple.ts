/**
 * Tuples: lists of values as byte strings that sort like the values, in the encoding that all FoundationDB clients share.
 *
 * This module is strict about what goes in and what comes out:
 *
 * - Only the canonical bytes of a tuple are accepted. Truncated elements, integers that are not minimal, invalid UTF-8 and
 *   unknown type codes are refused with a {@link TupleError}; so `pack` after `unpack` gives the same bytes.
 * - Integers are exact. A JavaScript `number` has to be a safe integer; larger integers are bigints, fractions are
 *   {@link double}s or {@link float}s. Integers are always unpacked as bigints.
 * - Floating-point numbers keep their exact bits, also those of NaNs.
 *
 * Integers of ±(2⁶⁴ − 1) are packed into eight bytes, as the C, Rust and JavaScript clients do; the nine-byte form that
 * the Python client gives to these two values is not canonical here.
 */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Bytes from "./Bytes.ts"
import type { KeyRange } from "./KeyRange.ts"
import { length as versionstampLength, transactionLength, Versionstamp, type Versionstamped } from "./Versionstamp.ts"

/**
 * Values that are no tuple, or bytes that encode none.
 *
 * **Details**
 *
 * - `operation`: what was tried
 * - `path`: when packing, which element is wrong: its index, and the indices within nested tuples
 * - `offset`: when unpacking, the first byte that is wrong
 * - `problem`: what is wrong with it
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

/** What a tuple may hold. */
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

/** A value of fixed length that is the same as another when their bits are. */
abstract class Bits implements Equal.Equal {
  /** The bits, big-endian; not to be written to. */
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array, length: number) {
    if (bytes.length !== length) throw new RangeError(`${length} bytes are needed, not ${bytes.length}`)
    this.bytes = bytes
  }

  [Equal.symbol](that: Equal.Equal): boolean {
    return that instanceof Bits && this.constructor === that.constructor && Bytes.equals(this.bytes, that.bytes)
  }

  [Hash.symbol](): number {
    return Hash.string(this.constructor.name + Bytes.toHex(this.bytes))
  }

  toJSON(): unknown {
    return this.toString()
  }
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** A floating-point number of 32 bits; two are `Equal` when their bits are. {@link float} makes one of a number. */
export class Float extends Bits {
  constructor(bytes: Uint8Array) {
    super(bytes, 4)
  }

  get value(): number {
    return view(this.bytes).getFloat32(0)
  }

  override toString(): string {
    return `Float(${this.value})`
  }
}

/** A floating-point number of 64 bits; two are `Equal` when their bits are. {@link double} makes one of a number. */
export class Double extends Bits {
  constructor(bytes: Uint8Array) {
    super(bytes, 8)
  }

  get value(): number {
    return view(this.bytes).getFloat64(0)
  }

  override toString(): string {
    return `Double(${this.value})`
  }
}

/** A UUID; two are `Equal` when their bytes are. {@link uuid} makes one of a text. */
export class Uuid extends Bits {
  constructor(bytes: Uint8Array) {
    super(bytes, 16)
  }

  /** The usual form: 36 characters in lower case. */
  override toString(): string {
    return Bytes.toHex(this.bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
  }
}

/** Stands for the versionstamp of the commit that will write the tuple; see {@link packVersionstamped}. */
export class IncompleteVersionstamp implements Equal.Equal {
  /** Tells apart several stamps of one transaction: 0 to 65535. */
  readonly userVersion: number

  constructor(userVersion: number) {
    if (!Number.isInteger(userVersion) || userVersion < 0 || userVersion > 0xffff) {
      throw new RangeError(`a user version is an integer from 0 to 65535, not ${userVersion}`)
    }
    this.userVersion = userVersion
  }

  /** What stands in a tuple until the commit: a gap of `0xff` bytes, and the user version. */
  get bytes(): Uint8Array {
    const bytes = new Uint8Array(versionstampLength).fill(0xff)
    view(bytes).setUint16(transactionLength, this.userVersion)
    return bytes
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

/** The nearest floating-point number of 32 bits. */
export const float = (value: number): Float => {
  const bytes = new Uint8Array(4)
  view(bytes).setFloat32(0, value)
  return new Float(bytes)
}

/** A number as a floating-point number of 64 bits; it sorts after all integers. */
export const double = (value: number): Double => {
  const bytes = new Uint8Array(8)
  view(bytes).setFloat64(0, value)
  return new Double(bytes)
}

/** A UUID from its text, with or without hyphens. Throws a `RangeError` on anything else. */
export const uuid = (text: string): Uuid => {
  if (!/^[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}$/i.test(text)) {
    throw new RangeError(`not a UUID: ${text}`)
  }
  return new Uuid(Bytes.fromHex(text.replaceAll("-", "")))
}

/** See {@link IncompleteVersionstamp}. Throws a `RangeError` unless `userVersion` is an integer from 0 to 65535. */
export const incompleteVersionstamp = (userVersion = 0): IncompleteVersionstamp =>
  new IncompleteVersionstamp(userVersion)

/** How deep tuples may be nested: far beyond any use, and far from the end of the stack. */
const maxDepth = 100
/** The longest integer in bytes: its length is one byte. */
const maxIntegerLength = 255
const integerBound = 1n << BigInt(8 * maxIntegerLength)
const largestPlain = 2n ** 64n - 1n

/** The type codes of the encoding. */
const code = {
  null: 0x00,
  bytes: 0x01,
  string: 0x02,
  nested: 0x05,
  negativeBig: 0x0b,
  zero: 0x14,
  positiveBig: 0x1d,
  float: 0x20,
  double: 0x21,
  false: 0x26,
  true: 0x27,
  uuid: 0x30,
  versionstamp: 0x33
}

/** Stands behind a zero byte that does not end its element. */
const escape = 0xff
/** How many bytes an integer may have beside its code before it needs its length. */
const maxPlainLength = 8

const checkNumber = (value: number): string | undefined =>
  !Number.isSafeInteger(value)
    ? `the number ${value} is not a safe integer; use a bigint, or Tuple.double`
    : Object.is(value, -0)
    ? "the number -0 is not an integer; use 0, or Tuple.double"
    : undefined

const checkBigint = (value: bigint): string | undefined =>
  value >= integerBound || value <= -integerBound
    ? `the integer is longer than ${maxIntegerLength} bytes`
    : undefined

/** A UTF-16 surrogate without its other half, which UTF-8 cannot express. */
const checkString = (value: string): string | undefined =>
  /\p{Surrogate}/u.test(value) ? "the string has a lone surrogate" : undefined

/** Where tuples are written before they are cut to their length; it is made anew when one does not fit. */
let draft = new Uint8Array(256)

/** Writes one tuple, and refuses what cannot be encoded exactly. */
class Packer {
  private length = 0
  /** Where it is: the index of the element, and the indices within nested tuples. */
  private readonly path: Array<number> = []
  /** Where the commit is to put its part of the incomplete versionstamp. */
  stampOffset: number | undefined = undefined

  elements(elements: ReadonlyArray<TupleElement>): void {
    for (let index = 0; index < elements.length; index++) {
      this.path.push(index)
      this.element(elements[index]!)
      this.path.pop()
    }
  }

  finish(): Uint8Array {
    return draft.slice(0, this.length)
  }

  private element(element: TupleElement): void {
    switch (typeof element) {
      case "boolean":
        return this.byte(element ? code.true : code.false)
      case "string":
        return this.string(element)
      case "number":
        this.check(checkNumber(element))
        return this.integer(element < 0, Math.floor(Math.abs(element) / 2 ** 32), Math.abs(element) % 2 ** 32)
      case "bigint":
        return this.bigint(element)
    }
    if (element === null) {
      this.byte(code.null)
      return this.path.length > 1 ? this.byte(escape) : undefined
    }
    if (element instanceof Versionstamp) return this.coded(code.versionstamp, element.bytes)
    if (element instanceof Uint8Array) return this.escaped(code.bytes, element)
    if (Array.isArray(element)) {
      this.check(this.path.length > maxDepth ? `tuples are nested deeper than ${maxDepth}` : undefined)
      this.byte(code.nested)
      this.elements(element)
      return this.byte(0)
    }
    if (element instanceof IncompleteVersionstamp) {
      this.check(this.stampOffset === undefined ? undefined : "a tuple can have only one incomplete versionstamp")
      this.stampOffset = this.length + 1
      return this.coded(code.versionstamp, element.bytes)
    }
    if (element instanceof Float) return this.coded(code.float, sortable(element.bytes))
    if (element instanceof Double) return this.coded(code.double, sortable(element.bytes))
    if (element instanceof Uuid) return this.coded(code.uuid, element.bytes)
    this.check(`${Object.prototype.toString.call(element)} is not a tuple element`)
  }

  /** Texts of ASCII, as most are, are copied as they are checked. */
  private string(text: string): void {
    const { length } = this
    this.reserve(2 * text.length + 2)
    this.byte(code.string)
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit >= 0x80) {
        this.check(checkString(text))
        this.length = length
        return this.escaped(code.string, Bytes.fromString(text))
      }
      draft[this.length++] = unit
      if (unit === 0) draft[this.length++] = escape
    }
    this.byte(0)
  }

  private bigint(value: bigint): void {
    const magnitude = value < 0n ? -value : value
    if (magnitude <= largestPlain) {
      return this.integer(value < 0n, Number(magnitude >> 32n), Number(magnitude & 0xffff_ffffn))
    }
    this.check(checkBigint(value))
    const digits = magnitude.toString(16)
    const bytes = Bytes.fromHex(digits.length % 2 === 0 ? digits : `0${digits}`)
    this.byte(value < 0n ? code.negativeBig : code.positiveBig)
    this.coded(value < 0n ? ~bytes.length : bytes.length, value < 0n ? bytes.map((byte) => ~byte) : bytes)
  }

  /** An integer whose magnitude is given in two halves of 32 bits. */
  private integer(isNegative: boolean, high: number, low: number): void {
    const length = high === 0 ? 4 - (Math.clz32(low) >> 3) : maxPlainLength - (Math.clz32(high) >> 3)
    const flip = isNegative ? 0xff : 0
    this.byte(isNegative ? code.zero - length : code.zero + length)
    for (let i = length - 1; i >= 0; i--) {
      draft[this.length++] = (i < 4 ? low >>> (8 * i) : high >>> (8 * (i - 4))) ^ flip
    }
  }

  private escaped(type: number, bytes: Uint8Array): void {
    this.reserve(2 * bytes.length + 2)
    this.byte(type)
    for (const byte of bytes) {
      draft[this.length++] = byte
      if (byte === 0) draft[this.length++] = escape
    }
    this.byte(0)
  }

  private coded(type: number, bytes: Uint8Array): void {
    this.reserve(bytes.length + 1)
    this.byte(type)
    draft.set(bytes, this.length)
    this.length += bytes.length
  }

  /** One byte; there is room for an integer behind it. */
  private byte(byte: number): void {
    this.reserve(1 + maxPlainLength)
    draft[this.length++] = byte
  }

  private reserve(more: number): void {
    if (this.length + more <= draft.length) return
    const larger = new Uint8Array(2 * (this.length + more))
    larger.set(draft.subarray(0, this.length))
    draft = larger
  }

  private check(problem: string | undefined): void {
    if (problem !== undefined) throw new TupleError({ operation: "pack", path: [...this.path], problem })
  }
}

/** The bits of a floating-point number, turned so that they sort as the number does. */
const sortable = (bits: Uint8Array): Uint8Array =>
  (bits[0]! & 0x80) === 0 ? withSignFlipped(bits) : bits.map((byte) => ~byte)

const fromSortable = (sorted: Uint8Array): Uint8Array =>
  (sorted[0]! & 0x80) === 0 ? sorted.map((byte) => ~byte) : withSignFlipped(sorted)

const withSignFlipped = (bits: Uint8Array): Uint8Array => {
  const flipped = bits.slice()
  flipped[0]! ^= 0x80
  return flipped
}

/**
 * The bytes of a tuple.
 *
 * Throws a {@link TupleError} when an element cannot be packed: a number that is not a safe integer, a string with a lone
 * surrogate, an integer longer than 255 bytes, an incomplete versionstamp. {@link tryPack} returns it instead.
 */
export const pack = (elements: ReadonlyArray<TupleElement>): Uint8Array => {
  const packer = new Packer()
  packer.elements(elements)
  if (packer.stampOffset !== undefined) {
    throw new TupleError({
      operation: "pack",
      problem: "it has an incomplete versionstamp; use packVersionstamped"
    })
  }
  return packer.finish()
}

/** As {@link pack}, but returns the error. For elements that come from outside of the program. */
export const tryPack = (elements: ReadonlyArray<TupleElement>): Result.Result<Uint8Array, TupleError> =>
  Result.try({ try: () => pack(elements), catch: (error) => error as TupleError })

/**
 * The bytes of a tuple with exactly one {@link incompleteVersionstamp}, and where in them the commit has to put its ten
 * bytes. For `setVersionstampedKey` and `setVersionstampedValue`. Throws a {@link TupleError} as {@link pack} does.
 */
export const packVersionstamped = (elements: ReadonlyArray<TupleElement>): Versionstamped => {
  const packer = new Packer()
  packer.elements(elements)
  if (packer.stampOffset === undefined) {
    throw new TupleError({ operation: "pack", problem: "it has no incomplete versionstamp; use pack" })
  }
  return { bytes: packer.finish(), offset: packer.stampOffset }
}

const malformed = (offset: number, problem: string): TupleError =>
  new TupleError({ operation: "unpack", offset, problem })

const notCanonical = (offset: number): TupleError =>
  malformed(offset, "the bytes are not canonical: invalid UTF-8, or an integer that is not minimal")

/** Where bytes are not the UTF-8 of the text that they were decoded to; what is not UTF-8 is told by a replacement. */
const findInvalid = (encoded: Uint8Array, text: string): number => {
  if (!text.includes("\ufffd")) return encoded.length
  const canonical = Bytes.fromString(text)
  let position = 0
  while (position < encoded.length && encoded[position] === canonical[position]) position++
  return position
}

/** How many of the bytes are escaped. */
const countZeros = (bytes: Uint8Array): number => bytes.reduce((count, byte) => byte === 0 ? count + 1 : count, 0)

/** Reads one tuple, and refuses with a thrown {@link TupleError} what no tuple is packed into. */
class Unpacker {
  private readonly bytes: Uint8Array
  private position = 0
  private incomplete = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  tuple(): ReadonlyArray<TupleElement> {
    const elements: Array<TupleElement> = []
    while (this.position < this.bytes.length) elements.push(this.element(0))
    return elements
  }

  private nested(depth: number): ReadonlyArray<TupleElement> {
    if (depth > maxDepth) throw malformed(this.position - 1, `tuples are nested deeper than ${maxDepth}`)
    const { bytes } = this
    const elements: Array<TupleElement> = []
    while (this.position < bytes.length) {
      if (bytes[this.position] !== code.null) {
        elements.push(this.element(depth))
      } else if (bytes[this.position + 1] === escape) {
        this.position += 2
        elements.push(null)
      } else {
        this.position++
        return elements
      }
    }
    throw malformed(bytes.length, "the nested tuple is cut off")
  }

  private element(depth: number): TupleElement {
    const start = this.position++
    const type = this.bytes[start]!
    if (type > code.negativeBig && type < code.positiveBig) return this.integer(start, type - code.zero)
    switch (type) {
      case code.null:
        return null
      case code.false:
        return false
      case code.true:
        return true
      case code.bytes:
        return this.escaped(start).slice()
      case code.string:
        return this.string(start)
      case code.nested:
        return this.nested(depth + 1)
      case code.positiveBig:
      case code.negativeBig:
        return this.bigInteger(start, type === code.negativeBig)
      case code.float:
        return new Float(fromSortable(this.take(start, 4)))
      case code.double:
        return new Double(fromSortable(this.take(start, 8)))
      case code.uuid:
        return new Uuid(this.take(start, 16).slice())
      case code.versionstamp:
        return this.versionstamp(start)
    }
    throw malformed(start, `0x${type.toString(16).padStart(2, "0")} is not a type code`)
  }

  /** The next so many bytes of the element that begins at `start`. */
  private take(start: number, length: number): Uint8Array {
    const begin = this.position
    this.position += length
    if (this.position > this.bytes.length) throw malformed(start, "the element is cut off")
    return this.bytes.subarray(begin, this.position)
  }

  /** An integer of less than nine bytes; `signedLength` is below zero where it is. */
  private integer(start: number, signedLength: number): bigint {
    const isNegative = signedLength < 0
    const flip = isNegative ? 0xff : 0
    const { bytes, position } = this
    const end = position + Math.abs(signedLength)
    if (end > bytes.length) throw malformed(start, "the element is cut off")
    if (end > position && bytes[position] === flip) throw notCanonical(start)
    let high = 0
    let low = 0
    for (let at = position; at < end; at++) {
      high = (high << 8) | (low >>> 24)
      low = (low << 8) | (bytes[at]! ^ flip)
    }
    this.position = end
    const magnitude = high === 0 ? BigInt(low >>> 0) : (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
    return isNegative ? -magnitude : magnitude
  }

  private bigInteger(start: number, isNegative: boolean): bigint {
    const flip = isNegative ? 0xff : 0
    const length = this.take(start, 1)[0]! ^ flip
    const bytes = this.take(start, length)
    if (length <= maxPlainLength || bytes[0] === flip) throw notCanonical(start)
    const magnitude = BigInt(`0x${Bytes.toHex(bytes.map((byte) => byte ^ flip))}`)
    return isNegative ? -magnitude : magnitude
  }

  /** Up to a zero byte; those that are escaped are part of it. Not a copy, where none is. */
  private escaped(start: number): Uint8Array {
    const { bytes } = this
    const begin = this.position
    let escapes = 0
    let end = bytes.indexOf(0, begin)
    for (; end >= 0 && bytes[end + 1] === escape; end = bytes.indexOf(0, end + 2)) escapes++
    if (end < 0) throw malformed(start, "the element is cut off")
    this.position = end + 1
    const content = bytes.subarray(begin, end)
    return escapes === 0 ? content : content.filter((_, i) => content[i - 1] !== 0)
  }

  private string(start: number): string {
    const begin = this.position
    const encoded = this.escaped(start)
    const text = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength).toString()
    const valid = findInvalid(encoded, text)
    if (valid < encoded.length) throw notCanonical(begin + valid + countZeros(encoded.subarray(0, valid)))
    return text
  }

  private versionstamp(start: number): Versionstamp | IncompleteVersionstamp {
    const bytes = this.take(start, versionstampLength).slice()
    for (let i = 0; i < transactionLength; i++) {
      if (bytes[i] !== 0xff) return new Versionstamp(bytes)
    }
    if (++this.incomplete > 1) throw malformed(start, "a tuple can have only one incomplete versionstamp")
    return new IncompleteVersionstamp(view(bytes).getUint16(transactionLength))
  }
}

/**
 * The elements of a packed tuple.
 *
 * **Details**
 *
 * - Integers come as bigints, floating-point numbers as {@link Float} and {@link Double}.
 * - A versionstamp whose ten bytes are all `0xff` comes as an {@link IncompleteVersionstamp}; only
 *   {@link packVersionstamped} gives such bytes back.
 * - Never throws: bytes that are not exactly what `pack` would give are a {@link TupleError}.
 */
export const unpack = (bytes: Uint8Array): Result.Result<ReadonlyArray<TupleElement>, TupleError> =>
  Result.try({ try: () => new Unpacker(bytes).tuple(), catch: (error) => error as TupleError })

/** All tuples that begin with `elements` and have at least one more. Throws a {@link TupleError} as {@link pack} does. */
export const range = (elements: ReadonlyArray<TupleElement>): KeyRange => {
  const prefix = pack(elements)
  return { begin: Bytes.concat(prefix, Uint8Array.of(0x00)), end: Bytes.concat(prefix, Uint8Array.of(0xff)) }
}
