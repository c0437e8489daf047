/**
 * How the database lies in LMDB: one tree, in which the first byte of a key tells what is stored there.
 *
 * One tree and not four, for every tree that a commit touches costs it at least a page more to write.
 */
import * as Bytes from "@effect-fdb/core/Bytes"
import type * as Clock from "effect/Clock"

const dataPrefix = 3

/** The longest key of a user. Two bytes below what LMDB takes: one for the prefix, one for {@link bound}. */
export const maxKeyLength = 1976

/** Holds {@link format}. */
export const formatKey = Uint8Array.of(0)

/** What a database of this layout says of itself; another layout gets another number. */
export const format = "effect-fdb lmdb 2"

/**
 * The layout before. It has no chunks in the log, and some of its databases no {@link identityKey}; all else is the same. Whoever
 * goes by it cannot read at the versions before a large commit, and would not know.
 */
export const formatBefore = "effect-fdb lmdb 1"

/** Holds random bytes that no other database has. */
export const identityKey = Uint8Array.of(0, 1)

/** Holds the {@link Head}. */
export const headKey = Uint8Array.of(1)

/** Holds what is to be known of a commit while others are checked against it. */
export const logKey = (sequence: number): Uint8Array => {
  const key = new Uint8Array(9)
  key[0] = 2
  new DataView(key.buffer).setBigUint64(1, BigInt(sequence))
  return key
}

/** Holds a part of what was there before a commit that has written to many keys. */
export const chunkKey = (sequence: number, index: number): Uint8Array => {
  const key = new Uint8Array(13)
  key.set(logKey(sequence))
  new DataView(key.buffer).setUint32(9, index)
  return key
}

/** Holds the `Reservation`. */
export const reservationKey = Uint8Array.of(4)

/** Where the value of a user's key is stored. */
export const dataKey = (key: Uint8Array): Uint8Array => {
  const stored = new Uint8Array(key.length + 1)
  stored[0] = dataPrefix
  stored.set(key, 1)
  return stored
}

/** The user's key of a stored one. */
export const userKey = (key: Uint8Array): Uint8Array => new Uint8Array(key.subarray(1))

/**
 * An end of a range of stored keys, which users may give at any length. All keys that are there come on the same side of a
 * longer bound as of the first byte string behind the longest key that it begins with.
 */
export const bound = (key: Uint8Array): Uint8Array =>
  key.length <= maxKeyLength ? dataKey(key) : Bytes.successor(dataKey(key.subarray(0, maxKeyLength)))

/** Which commit was the last, and what else every commit has to agree on. */
export interface Head {
  /** Counts the commits, without gaps. A commit is written only if this is still what it was prepared upon. */
  readonly sequence: number
  /** The version of the last commit. */
  readonly version: bigint
  /** What the host's monotonic clock, in microseconds, has to be added to for the version of the next commit. */
  readonly epoch: bigint
  /** The highest version whose commit is forgotten; conflicts with commits before it cannot be found any more. */
  readonly floor: bigint
  /** The sequence of the first commit that is not forgotten; one above `sequence` if there is none. */
  readonly oldest: number
}

/** That of a database without commits. */
export const firstHead = (clock: Clock.Clock): Head => {
  const wall = clock.currentTimeNanosUnsafe() / 1000n
  const epoch = wall - clock.monotonicTimeNanosUnsafe() / 1000n
  return { sequence: 0, version: wall, epoch, floor: wall, oldest: 1 }
}

const headLength = 40

/** The sequence comes first, little-endian, as a double: LMDB's conditional writes compare the first eight bytes. */
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

/** `undefined` for bytes that are no head. */
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
