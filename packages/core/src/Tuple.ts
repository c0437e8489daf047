/**
 * Tuples: lists of values as byte strings that sort like the values, in the encoding that all FoundationDB clients share.
 *
 * The bytes are made by the npm package `fdb-tuple`. This module is strict about what goes in and what comes out:
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
import * as fdbTuple from "fdb-tuple"
import * as Bytes from "./Bytes.ts"
import type { KeyRange } from "./KeyRange.ts"
import { Versionstamp, type Versionstamped } from "./Versionstamp.ts"

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

type Item = fdbTuple.TupleItem

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

/** Turns elements into what `fdb-tuple` encodes exactly, and refuses what it would encode as something else. */
class Packer {
  incomplete = 0
  /** Where it is: the index of the element in each of the tuples that it stands in. */
  private readonly path: Array<number> = []

  items(elements: ReadonlyArray<TupleElement>): Array<Item> {
    const depth = this.path.length
    const items: Array<Item> = []
    for (let index = 0; index < elements.length; index++) {
      this.path[depth] = index
      items.push(this.item(elements[index]!))
    }
    this.path.length = depth
    return items
  }

  private item(element: TupleElement): Item {
    switch (typeof element) {
      case "boolean":
        return element
      case "string":
        return this.checked(element, checkString(element))
      case "number":
        return this.checked(element, checkNumber(element))
      case "bigint":
        return this.checked(element, checkBigint(element))
    }
    if (element === null) return null
    if (element instanceof Uint8Array) return Bytes.toBuffer(element)
    if (element instanceof Versionstamp) return { type: "versionstamp", value: Bytes.toBuffer(element.bytes) }
    if (element instanceof IncompleteVersionstamp) {
      return this.checked(
        { type: "unbound versionstamp", code: element.userVersion },
        ++this.incomplete > 1 ? "a tuple can have only one incomplete versionstamp" : undefined
      )
    }
    if (element instanceof Float) {
      return { type: "float", value: element.value, rawEncoding: Bytes.toBuffer(element.bytes) }
    }
    if (element instanceof Double) {
      return { type: "double", value: element.value, rawEncoding: Bytes.toBuffer(element.bytes) }
    }
    if (element instanceof Uuid) return { type: "uuid", value: Bytes.toBuffer(element.bytes) }
    if (Array.isArray(element)) {
      return this.path.length > maxDepth
        ? this.checked(null, `tuples are nested deeper than ${maxDepth}`)
        : this.items(element)
    }
    return this.checked(null, `${Object.prototype.toString.call(element)} is not a tuple element`)
  }

  private checked<A>(item: A, problem: string | undefined): A {
    if (problem === undefined) return item
    throw new TupleError({ operation: "pack", path: [...this.path], problem })
  }
}

/**
 * The bytes of a tuple.
 *
 * Throws a {@link TupleError} when an element cannot be packed: a number that is not a safe integer, a string with a lone
 * surrogate, an integer longer than 255 bytes, an incomplete versionstamp. {@link tryPack} returns it instead.
 */
export const pack = (elements: ReadonlyArray<TupleElement>): Uint8Array => {
  const packer = new Packer()
  const items = packer.items(elements)
  if (packer.incomplete > 0) {
    throw new TupleError({
      operation: "pack",
      problem: "it has an incomplete versionstamp; use packVersionstamped"
    })
  }
  return new Uint8Array(fdbTuple.pack(items))
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
  const items = packer.items(elements)
  if (packer.incomplete === 0) {
    throw new TupleError({ operation: "pack", problem: "it has no incomplete versionstamp; use pack" })
  }
  const { data, stampPos } = fdbTuple.packUnboundVersionstamp(items)
  return { bytes: new Uint8Array(data), offset: stampPos }
}

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

const escape = 0xff

const malformed = (offset: number, problem: string): TupleError =>
  new TupleError({ operation: "unpack", offset, problem })

/** The length of the element at `start`, code included; `undefined` for a code that is not known. */
const elementLength = (bytes: Uint8Array, start: number): number | undefined => {
  const type = bytes[start]!
  if (type > code.negativeBig && type < code.positiveBig) return 1 + Math.abs(type - code.zero)
  switch (type) {
    case code.null:
    case code.false:
    case code.true:
      return 1
    case code.bytes:
    case code.string: {
      let end = bytes.indexOf(0, start + 1)
      while (end >= 0 && bytes[end + 1] === escape) end = bytes.indexOf(0, end + 2)
      return end < 0 ? Number.POSITIVE_INFINITY : end + 1 - start
    }
    case code.positiveBig:
      return 2 + (bytes[start + 1] ?? 0)
    case code.negativeBig:
      return 2 + ((bytes[start + 1] ?? 0xff) ^ 0xff)
    case code.float:
      return 5
    case code.double:
      return 9
    case code.uuid:
      return 17
    case code.versionstamp:
      return 13
    default:
      return undefined
  }
}

/**
 * Whether an element may be one that `pack` would write in another way: an integer that is not minimal, invalid UTF-8. What
 * is beyond ASCII counts as doubtful.
 */
const isDoubtful = (bytes: Uint8Array, start: number, end: number): boolean => {
  const type = bytes[start]!
  if (type === code.string) {
    for (let i = start + 1; i < end; i++) if (bytes[i]! >= 0x80) return true
    return false
  }
  if (type < code.negativeBig || type > code.positiveBig) return false
  return type === code.negativeBig || type === code.positiveBig ||
    bytes[start + 1] === (type < code.zero ? 0xff : 0x00)
}

/** Whether the structure is sound, and whether the elements have to be packed again to know that they are canonical. */
interface Structure {
  readonly error: TupleError | undefined
  readonly doubtful: boolean
}

const unsound = (error: TupleError): Structure => ({ error, doubtful: false })

/**
 * What is wrong with the structure: a code, a length, the nesting, a second incomplete versionstamp. Bytes that pass can be
 * decoded by `fdb-tuple`, which checks none of these.
 */
const inspect = (bytes: Uint8Array): Structure => {
  let doubtful = false
  let depth = 0
  let incomplete = 0
  let position = 0
  while (position < bytes.length) {
    const type = bytes[position]!
    if (type === code.nested) {
      if (++depth > maxDepth) return unsound(malformed(position, `tuples are nested deeper than ${maxDepth}`))
      position++
    } else if (type === code.null && depth > 0) {
      const isNull = bytes[position + 1] === escape
      if (!isNull) depth--
      position += isNull ? 2 : 1
    } else {
      const length = elementLength(bytes, position)
      if (length === undefined) {
        return unsound(malformed(position, `0x${type.toString(16).padStart(2, "0")} is not a type code`))
      }
      const end = position + length
      if (end > bytes.length) return unsound(malformed(position, "the element is cut off"))
      if (
        type === code.versionstamp && bytes.subarray(position + 1, end - 2).every((byte) => byte === 0xff) &&
        ++incomplete > 1
      ) {
        return unsound(malformed(position, "a tuple can have only one incomplete versionstamp"))
      }
      doubtful ||= isDoubtful(bytes, position, end)
      position = end
    }
  }
  return { error: depth > 0 ? malformed(bytes.length, "the nested tuple is cut off") : undefined, doubtful }
}

const fromItem = (item: Item): TupleElement => {
  if (item === null || typeof item === "boolean" || typeof item === "string") return item
  if (typeof item === "number") return BigInt(item)
  if (typeof item === "bigint") return item
  if (Buffer.isBuffer(item)) return new Uint8Array(item)
  if (Array.isArray(item)) return item.map(fromItem)
  const tagged = item as Extract<Item, { readonly type: string }>
  switch (tagged.type) {
    case "float":
      return new Float(new Uint8Array(tagged.rawEncoding!))
    case "double":
      return new Double(new Uint8Array(tagged.rawEncoding!))
    case "uuid":
      return new Uuid(new Uint8Array(tagged.value))
    case "versionstamp":
      return new Versionstamp(new Uint8Array(tagged.value))
    case "unbound versionstamp":
      return new IncompleteVersionstamp(tagged.code!)
  }
}

const hasIncomplete = (elements: ReadonlyArray<TupleElement>): boolean =>
  elements.some((element) =>
    element instanceof IncompleteVersionstamp || (Array.isArray(element) && hasIncomplete(element))
  )

const firstDifference = (a: Uint8Array, b: Uint8Array): number => {
  let offset = 0
  while (offset < a.length && a[offset] === b[offset]) offset++
  return offset
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
export const unpack = (bytes: Uint8Array): Result.Result<ReadonlyArray<TupleElement>, TupleError> => {
  const { doubtful, error } = inspect(bytes)
  if (error !== undefined) return Result.fail(error)
  const elements = fdbTuple.unpack(Bytes.toBuffer(bytes), true).map(fromItem)
  if (!doubtful) return Result.succeed(elements)
  const canonical = hasIncomplete(elements) ? packVersionstamped(elements).bytes : pack(elements)
  return Bytes.equals(canonical, bytes)
    ? Result.succeed(elements)
    : Result.fail(malformed(
      firstDifference(bytes, canonical),
      "the bytes are not canonical: invalid UTF-8, or an integer that is not minimal"
    ))
}

/** All tuples that begin with `elements` and have at least one more. Throws a {@link TupleError} as {@link pack} does. */
export const range = (elements: ReadonlyArray<TupleElement>): KeyRange => {
  const prefix = pack(elements)
  return { begin: Bytes.concat(prefix, Uint8Array.of(0x00)), end: Bytes.concat(prefix, Uint8Array.of(0xff)) }
}
