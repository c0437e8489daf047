/**
 * Versionstamps: the place of a commit in the order of all commits.
 *
 * The database gives the first ten bytes at the commit: eight of the version, two of the place within it. The last two, the
 * user version, tell apart several stamps of one transaction. Versionstamps sort as bytes, in commit order.
 */
import * as Bytes from "./Bytes.ts"
import { FixedBytes } from "./internal/FixedBytes.ts"

/**
 * The length in bytes of a whole versionstamp.
 *
 * @since 0.1.0
 * @category constants
 */
export const length = 12

/**
 * The length in bytes of the part that the database gives.
 *
 * @since 0.1.0
 * @category constants
 */
export const transactionLength = 10

/**
 * A complete versionstamp. Two are `Equal` when their bytes are.
 *
 * @since 0.1.0
 * @category models
 */
export class Versionstamp extends FixedBytes {
  constructor(bytes: Uint8Array) {
    super(bytes, length, "versionstamp")
  }

  /** The eight bytes of the commit version, as a number. */
  get version(): bigint {
    return (BigInt(Bytes.readUint(this.bytes, 0, 4)) << 32n) + BigInt(Bytes.readUint(this.bytes, 4, 4))
  }

  /** The two bytes of the user version, as a number. */
  get userVersion(): number {
    return Bytes.readUint(this.bytes, transactionLength, 2)
  }

  /** Lower-case hexadecimal, 24 digits. */
  override toString(): string {
    return Bytes.toHex(this.bytes)
  }
}

/**
 * Returns whether a value is a {@link Versionstamp}.
 *
 * @example Versionstamp.isVersionstamp(Versionstamp.make(new Uint8Array(10))) // => true
 * @since 0.1.0
 * @category predicates
 */
export const isVersionstamp = (value: unknown): value is Versionstamp => value instanceof Versionstamp

/**
 * Makes a versionstamp from the ten bytes of a commit and a user version from 0 to 65535. Throws a `RangeError` on any
 * other length.
 *
 * @example Versionstamp.make(Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0, 0, 0), 7).version // => 256n
 * @since 0.1.0
 * @category constructors
 */
export const make = (transaction: Uint8Array, userVersion = 0): Versionstamp => {
  if (transaction.length !== transactionLength) {
    throw new RangeError(`a commit gives ${transactionLength} bytes, not ${transaction.length}`)
  }
  const bytes = new Uint8Array(length)
  bytes.set(transaction)
  Bytes.writeUint(bytes, transactionLength, 2, userVersion)
  return new Versionstamp(bytes)
}

/**
 * Compares versionstamps in the order of their commits: negative when `a` comes first, zero when they are equal.
 *
 * @example [Versionstamp.make(new Uint8Array(10), 1)].toSorted(Versionstamp.compare).length // => 1
 * @since 0.1.0
 * @category ordering
 */
export const compare = (a: Versionstamp, b: Versionstamp): number => Bytes.compare(a.bytes, b.bytes)

/**
 * Bytes with a gap of ten at `offset`, which the commit fills with its versionstamp. `Tuple.packVersionstamped` makes them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Versionstamped {
  readonly bytes: Uint8Array
  readonly offset: number
}
