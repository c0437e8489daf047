/**
 * Bytes and numbers as the binding wants them, and back.
 */
import { type AtomicOp, Bytes, KeyRange, type KeySelector, type Versionstamp } from "@effect-fdb/core"
import type { BindingSelector } from "./binding.ts"

const maxInt32 = 0x7fffffff
const minInt32 = -0x80000000

/** The same bytes as a `Buffer`; native code copies them before the call returns. */
export const toBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The same bytes as a plain `Uint8Array`, which is what the other engines give. */
export const fromBuffer = (buffer: Buffer): Uint8Array =>
  new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)

/** A whole number within 32 bits: native code would take the lowest 32 bits of any other. */
export const toInt32 = (value: number): number => Math.max(minInt32, Math.min(maxInt32, value))

/** Milliseconds for the option `timeout`, where zero would mean no limit at all. */
export const toTimeout = (millis: number): number => Math.max(1, toInt32(Math.ceil(millis)))

/** A selector with the mark by which the binding knows it. */
export const toSelector = (selector: KeySelector.KeySelector): BindingSelector => ({
  key: toBuffer(selector.key),
  orEqual: selector.orEqual,
  offset: toInt32(selector.offset),
  _isKeySelector: true
})

/** Where `getKey` has arrived: the binding has no empty key, and the keys of the system are not to be seen. */
export const toKey = (found: Buffer | undefined): Uint8Array => {
  if (found === undefined) return new Uint8Array(0)
  return Bytes.compare(found, KeyRange.all.end) >= 0 ? KeyRange.all.end : fromBuffer(found)
}

/** A version, as it is handed to and comes from native code: eight bytes, big-endian, signed. */
export const toVersion = (bytes: Buffer): bigint => bytes.readBigInt64BE(0)

/** See {@link toVersion}; `undefined` for a number that has no room in them. */
export const fromVersion = (version: bigint): Buffer | undefined => {
  if (BigInt.asIntN(64, version) !== version) return undefined
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(version)
  return bytes
}

/** The bytes and, behind them, where the gap is: four bytes, little-endian, which the server strips. */
export const toStamped = ({ bytes, offset }: Versionstamp.Versionstamped): Buffer => {
  const stamped = Buffer.alloc(bytes.length + 4)
  stamped.set(bytes)
  stamped.writeUInt32LE(offset, bytes.length)
  return stamped
}

/** FoundationDB's codes of the mutations that go by `atomicOp`. */
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

/** How large the pages of a range are: as large as is good for one client, and smaller for a stream. */
export const streamingModes = { all: -2, page: 4 } as const

/** FoundationDB's codes of the transaction options that are used. */
export const optionCodes = {
  causalReadRisky: 20,
  prioritySystemImmediate: 200,
  priorityBatch: 201,
  timeout: 500,
  sizeLimit: 503,
  autoThrottleTag: 801
} as const
