/**
 * The log's entry of a commit, kept for five seconds: the ranges that it wrote, for conflict checks, and its before images, for reads
 * at earlier versions. Those of a large commit are in separate chunks, because a conflict check does not need them.
 */
import * as Bytes from "@effect-fdb/core/Bytes"
import { coalesce, type KeyRange } from "@effect-fdb/core/KeyRange"
import type { SortedRanges } from "./sortedRanges.ts"
import type { Steps } from "./timeSlices.ts"
import type { Change } from "./writeBatch.ts"

/** A key and its value before the commit. */
export interface BeforeImage {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

type Part = Uint8Array | undefined

const absent = 0xffff_ffff
/** Stands in place of the length of a key, before the number of chunks. */
const chunked = 0xffff_fffe
/** The version and the length of the ranges. */
const headerLength = 12

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The parts in a row, each after its length. */
const encodeParts = (parts: ReadonlyArray<Part>): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + 4 + (part?.length ?? 0), 0))
  const view = viewOf(bytes)
  let offset = 0
  for (const part of parts) {
    view.setUint32(offset, part?.length ?? absent)
    offset += 4
    if (part === undefined) continue
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

const encodeImages = (changes: Iterable<Change>): Uint8Array => {
  const parts: Array<Part> = []
  for (const { before, key } of changes) parts.push(key, before)
  return encodeParts(parts)
}

const decodeImages = (bytes: Uint8Array): ReadonlyArray<BeforeImage> => {
  const view = viewOf(bytes)
  let offset = 0
  const next = (): Part => {
    const length = view.getUint32(offset)
    offset += 4
    if (length === absent) return undefined
    offset += length
    return bytes.slice(offset - length, offset)
  }
  const images: Array<BeforeImage> = []
  while (offset < bytes.length) images.push({ key: next()!, value: next() })
  return images
}

const withRanges = (ranges: ReadonlyArray<KeyRange>, rest: Uint8Array): Uint8Array => {
  const ends = encodeParts(ranges.flatMap(({ begin, end }) => [begin, end]))
  const bytes = Bytes.concat(new Uint8Array(headerLength), ends, rest)
  viewOf(bytes).setUint32(8, ends.length)
  return bytes
}

/** The entry of a small commit. */
export const encode = (
  version: bigint,
  ranges: ReadonlyArray<KeyRange>,
  changes: Iterable<Change>
): Uint8Array => {
  const bytes = withRanges(ranges, encodeImages(changes))
  setVersion(bytes, version)
  return bytes
}

/** The entry of a large commit. Its version is zero until {@link setVersion}. */
export const encodeChunked = (ranges: ReadonlyArray<KeyRange>, chunks: number): Uint8Array => {
  if (chunks === 0) return withRanges(ranges, new Uint8Array(0))
  const count = new Uint8Array(8)
  viewOf(count).setUint32(0, chunked)
  viewOf(count).setUint32(4, chunks)
  return withRanges(ranges, count)
}

export const setVersion = (bytes: Uint8Array, version: bigint): void => viewOf(bytes).setBigUint64(0, version)

/** Encodes the before images of sorted changes as chunks. */
export function* encodeChunks(
  changes: ReadonlyArray<Change>,
  chunkBytes: number
): Steps<ReadonlyArray<Uint8Array>> {
  const chunks: Array<Uint8Array> = []
  for (let begin = 0, end = 0; begin < changes.length; begin = end) {
    for (let length = 0; end < changes.length && length < chunkBytes; end++) {
      const { before, key } = changes[end]!
      length += key.length + (before?.length ?? 0) + 8
    }
    chunks.push(encodeImages(changes.slice(begin, end)))
    yield
  }
  return chunks
}

const rangesEnd = (bytes: Uint8Array): number => headerLength + viewOf(bytes).getUint32(8)

export const version = (bytes: Uint8Array): bigint => viewOf(bytes).getBigUint64(0)

/** The part of an entry that {@link version} and {@link ranges} need. */
export const withoutImages = (bytes: Uint8Array): Uint8Array => bytes.slice(0, rangesEnd(bytes))

/** The ranges that the commit wrote. */
export const ranges = (bytes: Uint8Array): SortedRanges =>
  coalesce(
    decodeImages(bytes.subarray(headerLength, rangesEnd(bytes))).map(({ key, value }) => ({ begin: key, end: value! }))
  )

/** The number of chunks; 0 if the entry contains the before images. */
export const chunkCount = (bytes: Uint8Array): number => {
  const end = rangesEnd(bytes)
  const view = viewOf(bytes)
  return bytes.length === end + 8 && view.getUint32(end) === chunked ? view.getUint32(end + 4) : 0
}

/** The before images in the entry, each key once. */
export const beforeImages = (bytes: Uint8Array): ReadonlyArray<BeforeImage> =>
  decodeImages(bytes.subarray(rangesEnd(bytes)))

/** The before images of a chunk, sorted by keys. */
export const chunk: (bytes: Uint8Array) => ReadonlyArray<BeforeImage> = decodeImages

export const firstKey = (bytes: Uint8Array): Uint8Array => bytes.slice(4, 4 + viewOf(bytes).getUint32(0))
