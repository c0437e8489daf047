/**
 * Byte strings in the order of FoundationDB: unsigned bytes, shorter before longer.
 */

/** Negative when `a` sorts before `b`, zero when they are equal, positive otherwise. */
export const compare = (a: Uint8Array, b: Uint8Array): number => {
  const length = a.length < b.length ? a.length : b.length
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
export const toHex = (bytes: Uint8Array): string => {
  let hex = ""
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0")
  return hex
}

/** A text of one character a byte, by which a `Map` can know the bytes. */
export const toName = (bytes: Uint8Array): string => {
  let name = ""
  for (let i = 0; i < bytes.length; i++) name += String.fromCharCode(bytes[i]!)
  return name
}

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

/** The bytes of a hexadecimal text. Throws a `RangeError` on anything else. */
export const fromHex = (hex: string): Uint8Array => {
  if (!/^([0-9a-f]{2})*$/i.test(hex)) throw new RangeError("not a hexadecimal text of whole bytes")
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}

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
