/**
 * A subspace is the part of the key space with a certain prefix. Its keys are tuples.
 *
 * Tuples never begin with the byte `0xff`, so no key from outside lies in the `range` of a subspace. Subspaces of different
 * tuples of the same length never overlap.
 */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Result from "effect/Result"
import * as Bytes from "./Bytes.ts"
import type { KeyRange } from "./KeyRange.ts"
import * as Tuple from "./Tuple.ts"
import type { Versionstamped } from "./Versionstamp.ts"

/**
 * A subspace; see the module. Two are `Equal` when their prefixes are.
 *
 * @since 0.1.0
 * @category models
 */
export class Subspace implements Equal.Equal {
  /** The prefix of every key; do not write to it. */
  readonly prefix: Uint8Array

  constructor(prefix: Uint8Array) {
    this.prefix = prefix
  }

  /** Packs a tuple as a key; without elements it returns the prefix. Throws a `TupleError` as `Tuple.pack` does. */
  pack(elements: ReadonlyArray<Tuple.TupleElement> = []): Uint8Array {
    return Bytes.concat(this.prefix, Tuple.pack(elements))
  }

  /** Packs a tuple with one incomplete versionstamp as a key. Throws a `TupleError` as `Tuple.packVersionstamped` does. */
  packVersionstamped(elements: ReadonlyArray<Tuple.TupleElement>): Versionstamped {
    const { bytes, offset } = Tuple.packVersionstamped(elements)
    return { bytes: Bytes.concat(this.prefix, bytes), offset: this.prefix.length + offset }
  }

  /** Unpacks the tuple of a key. A key that is outside of the subspace or not a tuple gives a `TupleError`. */
  unpack(key: Uint8Array): Result.Result<ReadonlyArray<Tuple.TupleElement>, Tuple.TupleError> {
    return this.contains(key)
      ? Result.mapError(Tuple.unpack(key.subarray(this.prefix.length)), (error) => this.shift(error))
      : Result.fail(
        new Tuple.TupleError({
          operation: "unpack",
          problem: `the key ${Bytes.toPrintable(key)} is not in the subspace ${this}`
        })
      )
  }

  /** Makes the range of all tuples with `elements` and at least one more. Throws a `TupleError` as `Tuple.pack` does. */
  range(elements: ReadonlyArray<Tuple.TupleElement> = []): KeyRange {
    const prefix = this.pack(elements)
    return { begin: Bytes.concat(prefix, Uint8Array.of(0x00)), end: Bytes.concat(prefix, Uint8Array.of(0xff)) }
  }

  /** Makes the subspace of the tuples that begin with `elements`. Throws a `TupleError` as `Tuple.pack` does. */
  subspace(elements: ReadonlyArray<Tuple.TupleElement>): Subspace {
    return new Subspace(this.pack(elements))
  }

  /** Returns whether a key begins with the prefix. */
  contains(key: Uint8Array): boolean {
    return key.length >= this.prefix.length && Bytes.equals(key.subarray(0, this.prefix.length), this.prefix)
  }

  /** The prefix, printable. */
  toString(): string {
    return `Subspace(${Bytes.toPrintable(this.prefix)})`
  }

  toJSON(): unknown {
    return this.toString()
  }

  [Equal.symbol](that: Equal.Equal): boolean {
    return that instanceof Subspace && Bytes.equals(this.prefix, that.prefix)
  }

  [Hash.symbol](): number {
    return Hash.string(Bytes.toHex(this.prefix))
  }

  /** Offsets in errors count from the beginning of the key. */
  private shift(error: Tuple.TupleError): Tuple.TupleError {
    return error.offset === undefined
      ? error
      : new Tuple.TupleError({
        operation: error.operation,
        offset: this.prefix.length + error.offset,
        problem: error.problem
      })
  }
}

/**
 * Returns whether a value is a {@link Subspace}.
 *
 * @example Subspace.isSubspace(Subspace.fromTuple(["app"])) // => true
 * @since 0.1.0
 * @category predicates
 */
export const isSubspace = (value: unknown): value is Subspace => value instanceof Subspace

/**
 * Makes the subspace of all keys that begin with `prefix`.
 *
 * @example Bytes.toHex(Subspace.make(Uint8Array.of(0x15)).pack([0])) // => "1514"
 * @since 0.1.0
 * @category constructors
 */
export const make = (prefix: Uint8Array): Subspace => new Subspace(Uint8Array.from(prefix))

/**
 * Makes the subspace of the tuples that begin with `elements`. Throws a `TupleError` as `Tuple.pack` does.
 *
 * **Example**
 *
 * ```ts
 * import { Subspace } from "@effect-fdb/core"
 * import { Result } from "effect"
 *
 * const jobs = Subspace.fromTuple(["app", "jobs"])
 *
 * Result.getOrThrow(jobs.unpack(jobs.pack(["report", 7]))) // => ["report", 7n]
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromTuple = (elements: ReadonlyArray<Tuple.TupleElement>): Subspace => new Subspace(Tuple.pack(elements))
