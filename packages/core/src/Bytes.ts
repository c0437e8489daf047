/**
 * Byte strings in FoundationDB's order: byte by byte, unsigned, and a prefix before its extensions.
 */

/**
 * Compares two byte strings: negative when `a` sorts before `b`, zero when they are equal, positive otherwise.
 *
 * @example Bytes.compare(Bytes.fromString("a"), Bytes.fromString("ab")) < 0 // => true
 * @since 0.1.0
 * @category ordering
 */
export const compare = (a: Uint8Array, b: Uint8Array): number => {
  const length = a.length < b.length ? a.length : b.length
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/**
 * Returns whether two byte strings are the same.
 *
 * @example Bytes.equals(Bytes.fromString("a"), Uint8Array.of(0x61)) // => true
 * @since 0.1.0
 * @category predicates
 */
export const equals = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && compare(a, b) === 0

/**
 * Joins byte strings.
 *
 * @example Bytes.concat(Uint8Array.of(1), Uint8Array.of(2, 3)) // => Uint8Array.of(1, 2, 3)
 * @since 0.1.0
 * @category combinators
 */
export const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/**
 * Returns the first byte string after `key`: `key` and a zero byte.
 *
 * @example Bytes.successor(Uint8Array.of(1)) // => Uint8Array.of(1, 0)
 * @since 0.1.0
 * @category combinators
 */
export const successor = (key: Uint8Array): Uint8Array => {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

/**
 * Formats bytes as lower-case hexadecimal.
 *
 * @example Bytes.toHex(Uint8Array.of(1, 255)) // => "01ff"
 * @since 0.1.0
 * @category conversions
 */
export const toHex = (bytes: Uint8Array): string => {
  let hex = ""
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0")
  return hex
}

/**
 * Returns a text of one character for each byte, to use bytes as the key of a `Map`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toName = (bytes: Uint8Array): string => {
  let name = ""
  for (let i = 0; i < bytes.length; i++) name += String.fromCharCode(bytes[i]!)
  return name
}

/**
 * Reads a big-endian unsigned integer of `length` bytes, six at most.
 *
 * @since 0.1.0
 * @category conversions
 */
export const readUint = (bytes: Uint8Array, offset: number, length: number): number => {
  let value = 0
  for (let i = offset; i < offset + length; i++) value = value * 256 + bytes[i]!
  return value
}

/**
 * Writes a big-endian unsigned integer of `length` bytes.
 *
 * @since 0.1.0
 * @category conversions
 */
export const writeUint = (bytes: Uint8Array, offset: number, length: number, value: number): void => {
  let rest = value
  for (let i = offset + length - 1; i >= offset; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

/**
 * Parses hexadecimal text. Throws a `RangeError` on anything else.
 *
 * @example Bytes.fromHex("01ff") // => Uint8Array.of(1, 255)
 * @since 0.1.0
 * @category constructors
 */
export const fromHex = (hex: string): Uint8Array => {
  if (!/^([0-9a-f]{2})*$/i.test(hex)) throw new RangeError("not a hexadecimal text of whole bytes")
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}

/**
 * Encodes text as UTF-8.
 *
 * @example Bytes.fromString("é") // => Uint8Array.of(0xc3, 0xa9)
 * @since 0.1.0
 * @category constructors
 */
export const fromString = (text: string): Uint8Array => new TextEncoder().encode(text)

/**
 * Formats a key for people: printable ASCII as it is, every other byte as `\xNN`.
 *
 * @example Bytes.toPrintable(Tuple.pack(["mail"])) // => "\\x02mail\\x00"
 * @since 0.1.0
 * @category conversions
 */
export const toPrintable = (bytes: Uint8Array): string => {
  let text = ""
  for (const byte of bytes) {
    text += byte >= 0x20 && byte < 0x7f && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, "0")}`
  }
  return text
}
