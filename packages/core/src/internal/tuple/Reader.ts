/** Reads the elements of a tuple, and refuses bytes that are not exactly what the writer would give. */
import { Versionstamp } from "../../Versionstamp.ts"
import { Double, Float, IncompleteVersionstamp, type TupleElement, TupleError, Uuid } from "./elements.ts"
import { code, escape, maxDepth, maxSmallIntegerLength } from "./encoding.ts"

/** Refuses invalid UTF-8. A string has only one valid form. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The number of encoded bytes before the first that is not valid UTF-8. */
const validLength = (content: Uint8Array): number => {
  const read = new TextEncoder().encode(new TextDecoder("utf-8", { ignoreBOM: true }).decode(content))
  const length = content.findIndex((byte, i) => byte !== read[i])
  // Each zero among them is followed by an escape.
  return length + content.subarray(0, length).filter((byte) => byte === 0x00).length
}

export class Reader {
  private readonly bytes: Uint8Array
  private position = 0
  private incomplete = false

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** All elements. Throws a `TupleError`. */
  elements(): Array<TupleElement> {
    const elements: Array<TupleElement> = []
    while (this.position < this.bytes.length) elements.push(this.element(0))
    return elements
  }

  private nested(depth: number): Array<TupleElement> {
    const elements: Array<TupleElement> = []
    while (true) {
      if (this.position >= this.bytes.length) this.refuse(this.bytes.length, "the nested tuple is cut off")
      if (this.bytes[this.position] !== code.null) elements.push(this.element(depth))
      else if (this.bytes[this.position + 1] === escape) {
        this.position += 2
        elements.push(null)
      } else {
        this.position++
        return elements
      }
    }
  }

  private element(depth: number): TupleElement {
    const start = this.position
    const type = this.bytes[this.position++]!
    if (type >= code.negativeBig && type <= code.positiveBig) return this.integer(start, type)
    switch (type) {
      case code.null:
        return null
      case code.false:
        return false
      case code.true:
        return true
      case code.bytes:
        return this.escaped(start)
      case code.string:
        return this.string(start)
      case code.nested:
        return depth < maxDepth
          ? this.nested(depth + 1)
          : this.refuse(start, `tuples are nested deeper than ${maxDepth}`)
      case code.float:
        return new Float(this.float(start, 4))
      case code.double:
        return new Double(this.float(start, 8))
      case code.uuid:
        return new Uuid(this.take(start, 16).slice())
      case code.versionstamp:
        return this.versionstamp(start)
      default:
        return this.refuse(start, `0x${type.toString(16).padStart(2, "0")} is not a type code`)
    }
  }

  private integer(start: number, type: number): bigint {
    const negative = type < code.zero
    const flip = negative ? 0xff : 0x00
    let length = Math.abs(type - code.zero)
    if (length > maxSmallIntegerLength) {
      length = this.take(start, 1)[0]! ^ flip
      if (length <= maxSmallIntegerLength) this.notCanonical(start)
    }
    const bytes = this.take(start, length)
    if (length > 0 && bytes[0] === flip) this.notCanonical(start)
    let value = 0n
    // Six bytes at a time: as many as a number holds exactly.
    for (let i = 0; i < length;) {
      const end = i + ((length - i) % 6 || 6)
      let part = 0
      const count = end - i
      for (; i < end; i++) part = part * 256 + (bytes[i]! ^ flip)
      value = value === 0n ? BigInt(part) : (value << BigInt(8 * count)) | BigInt(part)
    }
    return negative ? -value : value
  }

  private escaped(start: number): Uint8Array {
    const { bytes } = this
    let escapes = 0
    let end = bytes.indexOf(0x00, this.position)
    while (end >= 0 && bytes[end + 1] === escape) {
      escapes++
      end = bytes.indexOf(0x00, end + 2)
    }
    if (end < 0) this.refuse(start, "the element is cut off")
    const content = new Uint8Array(end - this.position - escapes)
    for (let from = this.position, to = 0; from < end; from++) {
      content[to++] = bytes[from]!
      if (bytes[from] === 0x00) from++
    }
    this.position = end + 1
    return content
  }

  private string(start: number): string {
    const { bytes } = this
    let text = ""
    for (let i = this.position; i < bytes.length; i++) {
      const byte = bytes[i]!
      if (byte === 0x00 && bytes[i + 1] !== escape) {
        this.position = i + 1
        return text
      }
      if (byte === 0x00 || byte >= 0x80) break
      text += String.fromCharCode(byte)
    }
    const content = this.escaped(start)
    try {
      return utf8.decode(content)
    } catch {
      return this.notCanonical(start + 1 + validLength(content))
    }
  }

  private float(start: number, length: number): Uint8Array {
    const bits = this.take(start, length).slice()
    const negative = bits[0]! < 0x80
    for (let i = 0; i < length; i++) bits[i]! ^= negative ? 0xff : i === 0 ? 0x80 : 0x00
    return bits
  }

  private versionstamp(start: number): Versionstamp | IncompleteVersionstamp {
    const bytes = this.take(start, 12)
    for (let i = 0; i < 10; i++) if (bytes[i] !== 0xff) return new Versionstamp(bytes.slice())
    if (this.incomplete) this.refuse(start, "a tuple can have only one incomplete versionstamp")
    this.incomplete = true
    return new IncompleteVersionstamp(bytes[10]! * 256 + bytes[11]!)
  }

  /** The next bytes of the element that began at `start`. */
  private take(start: number, length: number): Uint8Array {
    if (this.position + length > this.bytes.length) this.refuse(start, "the element is cut off")
    this.position += length
    return this.bytes.subarray(this.position - length, this.position)
  }

  private notCanonical(offset: number): never {
    return this.refuse(offset, "the bytes are not canonical: invalid UTF-8, or an integer that is not minimal")
  }

  private refuse(offset: number, problem: string): never {
    throw new TupleError({ operation: "unpack", offset, problem })
  }
}
