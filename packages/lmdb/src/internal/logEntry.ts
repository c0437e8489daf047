/**
 * What the log keeps of a commit for five seconds: the ranges that it has written, which later commits are checked
 * against, and the values that were there before, out of which the database at an earlier version is put together.
 *
 * Those values are in the entry itself, or, of a commit that has written to many keys, in chunks of their own: whoever only
 * checks a commit has not to read them, and whoever reads at an earlier version reads those that matter.
 */
import * as Bytes from "@effect-fdb/core/Bytes"
import type { KeyRange } from "@effect-fdb/core/KeyRange"
import { sort, type SortedRanges } from "./sortedRanges.ts"
import type { Steps } from "./timeSlices.ts"

/** A key and its value before the commit. */
export interface BeforeImage {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

const absent = 0xffff_ffff
/** Goes before the number of chunks, in place of the length of a key. */
const chunked = 0xffff_fffe
const headerLength = 12

const sizeOf = (part: Uint8Array | undefined): number => 4 + (part?.length ?? 0)

class Encoder {
  readonly bytes: Uint8Array
  readonly view: DataView
  offset = 0

  constructor(length: number) {
    this.bytes = new Uint8Array(length)
    this.view = new DataView(this.bytes.buffer)
  }

  put(part: Uint8Array | undefined): void {
    this.view.setUint32(this.offset, part?.length ?? absent)
    this.offset += 4
    if (part === undefined) return
    this.bytes.set(part, this.offset)
    this.offset += part.length
  }
}

/** Lengths go before contents, and the length of the ranges before all, so that they are read alone. */
const withRanges = (version: bigint, ranges: ReadonlyArray<KeyRange>, lengthOfRest: number): Encoder => {
  let rangesLength = 0
  for (const { begin, end } of ranges) rangesLength += sizeOf(begin) + sizeOf(end)
  const encoder = new Encoder(headerLength + rangesLength + lengthOfRest)
  encoder.view.setBigUint64(0, version)
  encoder.view.setUint32(8, rangesLength)
  encoder.offset = headerLength
  for (const { begin, end } of ranges) {
    encoder.put(begin)
    encoder.put(end)
  }
  return encoder
}

/** A commit that has written to few keys. */
export const encode = (
  version: bigint,
  ranges: ReadonlyArray<KeyRange>,
  befores: ReadonlyArray<BeforeImage>
): Uint8Array => {
  let length = 0
  for (const { key, value } of befores) length += sizeOf(key) + sizeOf(value)
  const encoder = withRanges(version, ranges, length)
  for (const { key, value } of befores) {
    encoder.put(key)
    encoder.put(value)
  }
  return encoder.bytes
}

/** A commit whose values before are in chunks. Its version is zero until {@link setVersion}. */
export const encodeChunked = (ranges: ReadonlyArray<KeyRange>, chunks: number): Uint8Array => {
  const encoder = withRanges(0n, ranges, 8)
  encoder.view.setUint32(encoder.offset, chunked)
  encoder.view.setUint32(encoder.offset + 4, chunks)
  return encoder.bytes
}

export const setVersion = (bytes: Uint8Array, version: bigint): void =>
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(0, version)

/** What was before a commit, sorted by keys, as chunks. */
export function* encodeChunks(
  changes: ReadonlyArray<{ readonly key: Uint8Array; readonly before: Uint8Array | undefined }>,
  chunkBytes: number
): Steps<ReadonlyArray<Uint8Array>> {
  const chunks: Array<Uint8Array> = []
  for (let begin = 0; begin < changes.length;) {
    let length = 0
    let end = begin
    while (end < changes.length && length < chunkBytes) {
      const { before, key } = changes[end++]!
      length += sizeOf(key) + sizeOf(before)
    }
    const encoder = new Encoder(length)
    for (; begin < end; begin++) {
      encoder.put(changes[begin]!.key)
      encoder.put(changes[begin]!.before)
    }
    chunks.push(encoder.bytes)
    yield
  }
  return chunks
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const parts = (bytes: Uint8Array, from: number, to: number): Array<Uint8Array | undefined> => {
  const view = viewOf(bytes)
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

const pairs = (bytes: Uint8Array, from: number): ReadonlyArray<BeforeImage> => {
  const found: Array<BeforeImage> = []
  const all = parts(bytes, from, bytes.length)
  for (let i = 0; i < all.length; i += 2) found.push({ key: all[i]!, value: all[i + 1] })
  return found
}

const rangesEnd = (bytes: Uint8Array): number => headerLength + viewOf(bytes).getUint32(8)

/** The version of a commit. */
export const version = (bytes: Uint8Array): bigint => viewOf(bytes).getBigUint64(0)

/** What a commit has written. */
export const ranges = (bytes: Uint8Array): SortedRanges => {
  const found: Array<KeyRange> = []
  const ends = parts(bytes, headerLength, rangesEnd(bytes))
  for (let i = 0; i < ends.length; i += 2) found.push({ begin: ends[i]!, end: ends[i + 1]! })
  return sort(found)
}

/** In how many chunks the values before a commit are; 0 when they are in the entry. */
export const chunkCount = (bytes: Uint8Array): number => {
  const end = rangesEnd(bytes)
  const view = viewOf(bytes)
  return bytes.length === end + 8 && view.getUint32(end) === chunked ? view.getUint32(end + 4) : 0
}

/** What was there before a commit, each key once, where it is in the entry. */
export const befores = (bytes: Uint8Array): ReadonlyArray<BeforeImage> =>
  chunkCount(bytes) > 0 ? [] : pairs(bytes, rangesEnd(bytes))

/** What a chunk holds, sorted by keys. */
export const chunk = (bytes: Uint8Array): ReadonlyArray<BeforeImage> => pairs(bytes, 0)

/** The first key of a chunk. */
export const firstKey = (bytes: Uint8Array): Uint8Array => bytes.slice(4, 4 + viewOf(bytes).getUint32(0))

/** The order of what was before. */
export const byKey = (a: BeforeImage, b: BeforeImage): number => Bytes.compare(a.key, b.key)
