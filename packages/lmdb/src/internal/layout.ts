/**
 * The layout of the database in LMDB: one tree, because each further tree costs a commit at least one more page to write. The first
 * byte of a key is the kind of its record.
 */
import * as Bytes from "@effect-fdb/core/Bytes"
import type * as Clock from "effect/Clock"

const dataPrefix = 3

/** The maximum length of a user's key: two bytes less than LMDB's, one for the prefix and one for {@link bound}. */
export const maxKeyLength = 1976

/** Holds {@link format}. */
export const formatKey = Uint8Array.of(0)

/** The name of this layout. Each layout has its own number. */
export const format = "effect-fdb lmdb 2"

/**
 * The previous layout. It has no chunks in the log, and some of its databases lack {@link identityKey}. A process of that version
 * would read wrong values at the versions before a large commit.
 */
export const formatBefore = "effect-fdb lmdb 1"

/** Holds random bytes that identify the database. */
export const identityKey = Uint8Array.of(0, 1)

/** Holds the {@link Head}. */
export const headKey = Uint8Array.of(1)

/** Holds the log's entry of a commit, see `logEntry.ts`. */
export const logKey = (sequence: number): Uint8Array => {
  const key = new Uint8Array(9)
  key[0] = 2
  new DataView(key.buffer).setBigUint64(1, BigInt(sequence))
  return key
}

/** Holds a part of the before images of a large commit. */
export const chunkKey = (sequence: number, index: number): Uint8Array => {
  const key = new Uint8Array(13)
  key.set(logKey(sequence))
  new DataView(key.buffer).setUint32(9, index)
  return key
}

/** Holds the `Reservation`. */
export const reservationKey = Uint8Array.of(4)

/** The stored key of a user's key. */
export const dataKey = (key: Uint8Array): Uint8Array => {
  const stored = new Uint8Array(key.length + 1)
  stored[0] = dataPrefix
  stored.set(key, 1)
  return stored
}

/** The user's key of a stored key. */
export const userKey = (key: Uint8Array): Uint8Array => new Uint8Array(key.subarray(1))

/**
 * The stored key of a bound of a range. A user's bound may have any length. One that is longer than any key is replaced by the
 * successor of its longest possible prefix: no key lies between the two.
 */
export const bound = (key: Uint8Array): Uint8Array =>
  key.length <= maxKeyLength ? dataKey(key) : Bytes.successor(dataKey(key.subarray(0, maxKeyLength)))

/** The record that every commit reads and writes: the last commit and the extent of the log. */
export interface Head {
  /** Counts the commits without gaps. A commit is written only if the sequence has not changed since it was prepared. */
  readonly sequence: number
  /** The version of the last commit. */
  readonly version: bigint
  /** The next version is at least this plus the host's monotonic clock in microseconds. */
  readonly epoch: bigint
  /** The highest version whose commit the log has dropped. Lower read versions are too old. */
  readonly floor: bigint
  /** The sequence of the first commit in the log; one above `sequence` if there is none. */
  readonly oldest: number
}

/** The head of a database without commits. */
export const firstHead = (clock: Clock.Clock): Head => {
  const wall = clock.currentTimeNanosUnsafe() / 1000n
  const epoch = wall - clock.monotonicTimeNanosUnsafe() / 1000n
  return { sequence: 0, version: wall, epoch, floor: wall, oldest: 1 }
}

const headLength = 40

/** The sequence comes first, as a little-endian double: lmdb-js's conditional writes compare these eight bytes. */
export const encodeHead = (head: Head): Uint8Array => {
  const bytes = new Uint8Array(headLength)
  const view = new DataView(bytes.buffer)
  view.setFloat64(0, head.sequence, true)
  view.setBigUint64(8, head.version)
  view.setBigInt64(16, head.epoch)
  view.setBigUint64(24, head.floor)
  view.setBigUint64(32, BigInt(head.oldest))
  return bytes
}

/** `undefined` for bytes that are not a head. */
export const decodeHead = (bytes: Uint8Array | undefined): Head | undefined => {
  if (bytes?.length !== headLength) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return {
    sequence: view.getFloat64(0, true),
    version: view.getBigUint64(8),
    epoch: view.getBigInt64(16),
    floor: view.getBigUint64(24),
    oldest: Number(view.getBigUint64(32))
  }
}
