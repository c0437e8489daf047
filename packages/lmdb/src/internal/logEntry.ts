/**
 * What the log keeps of a commit for five seconds: the ranges that it has written, which later commits are checked
 * against, and the values that were there before, out of which the database at an earlier version is put together.
 */
import type { KeyRange } from "@effect-fdb/core/KeyRange"

/** A key and its value before the commit. */
export interface Before {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

const absent = 0xffff_ffff

const sizeOf = (part: Uint8Array | undefined): number => 4 + (part?.length ?? 0)

/** Lengths go before contents, and the length of the ranges before all, so that they are read alone. */
export const encode = (
  version: bigint,
  ranges: ReadonlyArray<KeyRange>,
  befores: ReadonlyArray<Before>
): Uint8Array => {
  let rangesLength = 0
  for (const { begin, end } of ranges) rangesLength += sizeOf(begin) + sizeOf(end)
  let length = 12 + rangesLength
  for (const { key, value } of befores) length += sizeOf(key) + sizeOf(value)
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  let offset = 12
  const put = (part: Uint8Array | undefined): void => {
    view.setUint32(offset, part?.length ?? absent)
    offset += 4
    if (part === undefined) return
    bytes.set(part, offset)
    offset += part.length
  }
  view.setBigUint64(0, version)
  view.setUint32(8, rangesLength)
  for (const { begin, end } of ranges) {
    put(begin)
    put(end)
  }
  for (const { key, value } of befores) {
    put(key)
    put(value)
  }
  return bytes
}

const parts = (bytes: Uint8Array, from: number, to: number): Array<Uint8Array | undefined> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const found: Array<Uint8Array | undefined> = []
  for (let offset = from; offset < to;) {
    const length = view.getUint32(offset)
    offset += 4
    if (length === absent) {
      found.push(undefined)
    } else {
      found.push(bytes.slice(offset, offset + length))
      offset += length
    }
  }
  return found
}

const rangesEnd = (bytes: Uint8Array): number => 12 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(8)

/** The version of a commit. */
export const version = (bytes: Uint8Array): bigint => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)

/** What a commit has written. */
export const ranges = (bytes: Uint8Array): ReadonlyArray<KeyRange> => {
  const found: Array<KeyRange> = []
  const ends = parts(bytes, 12, rangesEnd(bytes))
  for (let i = 0; i < ends.length; i += 2) found.push({ begin: ends[i]!, end: ends[i + 1]! })
  return found
}

/** What was there before a commit, each key once. */
export const befores = (bytes: Uint8Array): ReadonlyArray<Before> => {
  const found: Array<Before> = []
  const pairs = parts(bytes, rangesEnd(bytes), bytes.length)
  for (let i = 0; i < pairs.length; i += 2) found.push({ key: pairs[i]!, value: pairs[i + 1] })
  return found
}
