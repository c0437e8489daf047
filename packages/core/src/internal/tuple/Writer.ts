/** Writes the elements of a tuple as bytes. Refuses values that a reader could not restore exactly. */
import { Versionstamp } from "../../Versionstamp.ts"
import { Double, Float, IncompleteVersionstamp, type TupleElement, TupleError, Uuid } from "./elements.ts"
import { code, escape, maxDepth, maxIntegerLength, maxSmallIntegerLength } from "./encoding.ts"

const integerBound = 1n << BigInt(8 * maxIntegerLength)

const minSafe = BigInt(Number.MIN_SAFE_INTEGER)
const maxSafe = BigInt(Number.MAX_SAFE_INTEGER)

const maxSmall = (1n << BigInt(8 * maxSmallIntegerLength)) - 1n
const eightBytes = new DataView(new ArrayBuffer(maxSmallIntegerLength))

const utf8 = new TextEncoder()

/** A UTF-16 surrogate without its other half, which UTF-8 cannot express. */
const loneSurrogate = /\p{Surrogate}/u

export class Writer {
  /** The offset of the incomplete versionstamp's ten bytes, once one was written. */
  stampOffset: number | undefined = undefined
  private bytes = new Uint8Array(64)
  private length = 0
  /** The position of the current element: its index in each of the nested tuples. */
  private readonly path: Array<number> = []

  /** The bytes of all elements. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length)
  }

  elements(elements: ReadonlyArray<TupleElement>): void {
    const depth = this.path.length
    for (let index = 0; index < elements.length; index++) {
      this.path[depth] = index
      this.element(elements[index]!, depth > 0)
    }
    this.path.length = depth
  }

  private element(element: TupleElement, nested: boolean): void {
    switch (typeof element) {
      case "boolean":
        return this.byte(element ? code.true : code.false)
      case "string":
        return this.string(element)
      case "number":
        return this.number(element)
      case "bigint":
        return this.bigint(element)
    }
    if (element === null) {
      this.byte(code.null)
      if (nested) this.byte(escape)
    } else if (element instanceof Uint8Array) this.escaped(code.bytes, element)
    else if (element instanceof Versionstamp) this.fixed(code.versionstamp, element.bytes)
    else if (element instanceof IncompleteVersionstamp) this.incomplete(element)
    else if (element instanceof Float) this.float(code.float, element.bytes)
    else if (element instanceof Double) this.float(code.double, element.bytes)
    else if (element instanceof Uuid) this.fixed(code.uuid, element.bytes)
    else if (Array.isArray(element)) this.nested(element)
    else this.refuse(`${Object.prototype.toString.call(element)} is not a tuple element`)
  }

  private nested(elements: ReadonlyArray<TupleElement>): void {
    if (this.path.length > maxDepth) this.refuse(`tuples are nested deeper than ${maxDepth}`)
    this.byte(code.nested)
    this.elements(elements)
    this.byte(0x00)
  }

  private string(value: string): void {
    const start = this.length
    this.reserve(value.length + 2)
    this.bytes[this.length++] = code.string
    for (let i = 0; i < value.length; i++) {
      const char = value.charCodeAt(i)
      if (char === 0 || char >= 0x80) {
        // Starts again for a string that is not plain ASCII.
        this.length = start
        if (loneSurrogate.test(value)) this.refuse("the string has a lone surrogate")
        return this.escaped(code.string, utf8.encode(value))
      }
      this.bytes[this.length++] = char
    }
    this.bytes[this.length++] = 0x00
  }

  private escaped(type: number, bytes: Uint8Array): void {
    this.reserve(2 * bytes.length + 2)
    this.bytes[this.length++] = type
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!
      this.bytes[this.length++] = byte
      if (byte === 0x00) this.bytes[this.length++] = escape
    }
    this.bytes[this.length++] = 0x00
  }

  private number(value: number): void {
    if (!Number.isSafeInteger(value)) {
      this.refuse(`the number ${value} is not a safe integer; use a bigint, or Tuple.double`)
    }
    if (Object.is(value, -0)) this.refuse("the number -0 is not an integer; use 0, or Tuple.double")
    let length = 0
    for (let rest = Math.abs(value); rest > 0; rest = Math.floor(rest / 256)) length++
    this.reserve(1 + length)
    this.bytes[this.length] = value < 0 ? code.zero - length : code.zero + length
    // The ones' complement of a negative number, without leaving the safe integers.
    const flip = value < 0 ? 0xff : 0x00
    let rest = Math.abs(value)
    for (let i = this.length + length; i > this.length; i--) {
      this.bytes[i] = (rest % 256) ^ flip
      rest = Math.floor(rest / 256)
    }
    this.length += 1 + length
  }

  private bigint(value: bigint): void {
    if (value >= integerBound || value <= -integerBound) {
      this.refuse(`the integer is longer than ${maxIntegerLength} bytes`)
    }
    if (value >= minSafe && value <= maxSafe) return this.number(Number(value))
    const negative = value < 0n
    const flip = negative ? 0xff : 0x00
    const magnitude = negative ? -value : value
    if (magnitude <= maxSmall) return this.small(magnitude, negative, flip)
    const hex = magnitude.toString(16)
    const length = (hex.length + 1) >> 1
    this.byte(negative ? code.negativeBig : code.positiveBig)
    this.byte(length ^ flip)
    this.reserve(length)
    for (let end = hex.length; end > 0; end -= 2) {
      const index = this.length + length - 1 - ((hex.length - end) >> 1)
      this.bytes[index] = Number.parseInt(hex.slice(Math.max(0, end - 2), end), 16) ^ flip
    }
    this.length += length
  }

  /** An integer of eight bytes at most, as times are: without the text that a longer one needs. */
  private small(magnitude: bigint, negative: boolean, flip: number): void {
    eightBytes.setBigUint64(0, magnitude)
    let first = 0
    while (eightBytes.getUint8(first) === 0) first++
    const length = maxSmallIntegerLength - first
    this.byte(negative ? code.zero - length : code.zero + length)
    this.reserve(length)
    for (let i = first; i < maxSmallIntegerLength; i++) this.bytes[this.length++] = eightBytes.getUint8(i) ^ flip
  }

  /** Sorts like the number: the sign is flipped, and of a negative number every other bit too. */
  private float(type: number, bits: Uint8Array): void {
    const first = this.length + 1
    this.fixed(type, bits)
    const negative = bits[0]! >= 0x80
    for (let i = first; i < this.length; i++) this.bytes[i]! ^= negative ? 0xff : i === first ? 0x80 : 0x00
  }

  private incomplete({ userVersion }: IncompleteVersionstamp): void {
    if (this.stampOffset !== undefined) this.refuse("a tuple can have only one incomplete versionstamp")
    this.stampOffset = this.length + 1
    const bytes = new Uint8Array(12).fill(0xff)
    bytes[10] = userVersion >> 8
    bytes[11] = userVersion & 0xff
    this.fixed(code.versionstamp, bytes)
  }

  private fixed(type: number, bytes: Uint8Array): void {
    this.byte(type)
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  private byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  private reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  private refuse(problem: string): never {
    throw new TupleError({ operation: "pack", path: [...this.path], problem })
  }
}
