/**
 * Subspaces: parts of the key space, each with a prefix of its own, in which tuples are keys.
 *
 * A subspace is a plain value. Tuples never begin with the byte `0xff`, so what is outside of a subspace cannot get into
 * its `range`, and two subspaces of different tuples of the same length never overlap.
 */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Result from "effect/Result"
import * as Bytes from "./Bytes.ts"
import type { KeyRange } from "./KeyRange.ts"
import * as Tuple from "./Tuple.ts"
import type { Versionstamped } from "./Versionstamp.ts"

/**
 * See the module; two are `Equal` when their prefixes are.
 *
 * @since 0.1.0
 * @category models
 */
export class Subspace implements Equal.Equal {
  /** What every key of the subspace begins with; not to be written to. */
  readonly prefix: Uint8Array

  constructor(prefix: Uint8Array) {
    this.prefix = prefix
  }

  /** The key of a tuple; the prefix itself without one. Throws a `TupleError` as `Tuple.pack` does. */
  pack(elements: ReadonlyArray<Tuple.TupleElement> = []): Uint8Array {
    return Bytes.concat(this.prefix, Tuple.pack(elements))
  }

  /** The key of a tuple with one incomplete versionstamp. Throws a `TupleError` as `Tuple.packVersionstamped` does. */
  packVersionstamped(elements: ReadonlyArray<Tuple.TupleElement>): Versionstamped {
    const { bytes, offset } = Tuple.packVersionstamped(elements)
    return { bytes: Bytes.concat(this.prefix, bytes), offset: this.prefix.length + offset }
  }

  /** The tuple of a key. A key that is not of this subspace is a `TupleError`, like one that does not hold a tuple. */
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

  /**
   * The keys of all tuples that begin with `elements` and have at least one more: all tuples of the subspace without any.
   * Throws a `TupleError` as `Tuple.pack` does.
   */
  range(elements: ReadonlyArray<Tuple.TupleElement> = []): KeyRange {
    const prefix = this.pack(elements)
    return { begin: Bytes.concat(prefix, Uint8Array.of(0x00)), end: Bytes.concat(prefix, Uint8Array.of(0xff)) }
  }

  /** The subspace of the tuples that begin with `elements`. Throws a `TupleError` as `Tuple.pack` does. */
  subspace(elements: ReadonlyArray<Tuple.TupleElement>): Subspace {
    return new Subspace(this.pack(elements))
  }

  /** Whether the key begins with the prefix. */
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

  /** Offsets are told in the key, not in the tuple behind the prefix. */
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
 * Whether a value is a {@link Subspace}.
 *
 * **Example**
 *
 * ```ts
 * import { Subspace } from "@effect-fdb/core"
 *
 * Subspace.isSubspace(Subspace.fromTuple(["app"])) // => true
 * ```
 *
 * @since 0.1.0
 * @category predicates
 */
export const isSubspace = (value: unknown): value is Subspace => value instanceof Subspace

/**
 * The subspace of all keys that begin with `prefix`.
 *
 * **Example**
 *
 * ```ts
 * import { Bytes, Subspace } from "@effect-fdb/core"
 *
 * const raw = Subspace.make(Uint8Array.of(0x15))
 *
 * Bytes.toHex(raw.pack([0])) // => "1514"
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (prefix: Uint8Array): Subspace => new Subspace(Uint8Array.from(prefix))

/**
 * The subspace of the tuples that begin with `elements`. Throws a `TupleError` as `Tuple.pack` does.
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
