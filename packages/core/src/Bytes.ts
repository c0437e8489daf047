/**
 * Byte strings in the order of FoundationDB: unsigned bytes, shorter before longer.
 */

/** Keys and values are short for the most part: up to this length, going through them costs less than calling `Buffer`. */
const short = 64

/** Negative when `a` sorts before `b`, zero when they are equal, positive otherwise. */
export const compare = (a: Uint8Array, b: Uint8Array): number => {
  const length = a.length < b.length ? a.length : b.length
  if (length > short) return Buffer.compare(a, b)
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Whether two byte strings are the same. */
export const equals = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && compare(a, b) === 0

/** One byte string after another. */
export const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/** The first byte string after `key`: `key` and a zero byte. */
export const successor = (key: Uint8Array): Uint8Array => {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

/** Lower-case hexadecimal. */
export const toHex = (bytes: Uint8Array): string => toBuffer(bytes).toString("hex")

/**
 * The bytes as a `Buffer`, which may share their memory. A short byte string is copied: V8 keeps it among its objects, and
 * would have to give it memory of its own to be shared.
 */
export const toBuffer = (bytes: Uint8Array): Buffer =>
  bytes.length > short ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : Buffer.from(bytes)

/** A whole number of `length` bytes, the highest first. */
export const readUint = (bytes: Uint8Array, offset: number, length: number): number => {
  let value = 0
  for (let i = offset; i < offset + length; i++) value = value * 256 + bytes[i]!
  return value
}

/** Writes a whole number as `length` bytes, the highest first. */
export const writeUint = (bytes: Uint8Array, offset: number, length: number, value: number): void => {
  let rest = value
  for (let i = offset + length - 1; i >= offset; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

/** The bytes of a hexadecimal text; anything else in it is ignored from there on, as `Buffer` does. */
export const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"))

/** The bytes of a text in UTF-8. */
export const fromString = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A key for people: printable ASCII as it is, every other byte as `\xNN`. */
export const toPrintable = (bytes: Uint8Array): string => {
  let text = ""
  for (const byte of bytes) {
    text += byte >= 0x20 && byte < 0x7f && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, "0")}`
  }
  return text
}
