/** Converts bytes and numbers for the binding, and back. */
import { type AtomicOp, Bytes, KeyRange, type KeySelector, type Versionstamp } from "@effect-fdb/core"
import type { BindingSelector } from "./binding.ts"

const maxInt32 = 0x7fffffff
const minInt32 = -0x80000000

/** The same bytes as a `Buffer`. Native code copies them before the call returns. */
export const toBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The same bytes as a plain `Uint8Array`, as the other engines return them. */
export const fromBuffer = (buffer: Buffer): Uint8Array =>
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)

/** Limits a whole number to 32 bits. Native code would take the lowest 32 bits of a larger one. */
export const toInt32 = (value: number): number => Math.max(minInt32, Math.min(maxInt32, value))

/** Milliseconds for the option `timeout`; zero would mean no limit. */
export const toTimeout = (millis: number): number => Math.max(1, toInt32(Math.ceil(millis)))

export const toSelector = (selector: KeySelector.KeySelector): BindingSelector => ({
  key: toBuffer(selector.key),
  orEqual: selector.orEqual,
  offset: toInt32(selector.offset),
  _isKeySelector: true
})

/** The result of `getKey`: the binding gives `undefined` for the empty key, and keys of the system are hidden. */
export const toKey = (found: Buffer | undefined): Uint8Array => {
  if (found === undefined) return new Uint8Array(0)
  return Bytes.compare(found, KeyRange.all.end) >= 0 ? KeyRange.all.end : fromBuffer(found)
}

/** Reads a version: eight bytes, big-endian, signed. */
export const toVersion = (bytes: Buffer): bigint => bytes.readBigInt64BE(0)

/** Writes a version; `undefined` if it does not fit into eight bytes. */
export const fromVersion = (version: bigint): Buffer | undefined => {
  if (BigInt.asIntN(64, version) !== version) return undefined
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(version)
  return bytes
}

/** The bytes, followed by the offset of the versionstamp: four bytes, little-endian, which the server removes. */
export const toStamped = ({ bytes, offset }: Versionstamp.Versionstamped): Buffer => {
  const stamped = Buffer.alloc(bytes.length + 4)
  stamped.set(bytes)
  stamped.writeUInt32LE(offset, bytes.length)
  return stamped
}

/** FoundationDB's codes of the mutations that `atomicOpNative` makes. */
export const mutationCodes: Readonly<Record<AtomicOp | `SetVersionstamped${"Key" | "Value"}`, number>> = {
  Add: 2,
  BitAnd: 6,
  BitOr: 7,
  BitXor: 8,
  AppendIfFits: 9,
  Max: 12,
  Min: 13,
  SetVersionstampedKey: 14,
  SetVersionstampedValue: 15,
  ByteMin: 16,
  ByteMax: 17,
  CompareAndClear: 20
}

/** FoundationDB's streaming modes: large pages for a whole range, smaller ones for a stream. */
export const streamingModes = { all: -2, page: 4 } as const

/** FoundationDB's codes of transaction options. */
export const optionCodes = {
  causalReadRisky: 20,
  prioritySystemImmediate: 200,
  priorityBatch: 201,
  timeout: 500,
  sizeLimit: 503,
  autoThrottleTag: 801
} as const
