/**
 * Tuples encode lists of values as byte strings that sort like the values. All FoundationDB clients share the encoding.
 *
 * - Only canonical bytes are accepted, so `pack` after `unpack` gives the same bytes. Truncated elements, integers that are not
 *   minimal, invalid UTF-8 and unknown type codes are a {@link TupleError}.
 * - Integers are exact. A JavaScript `number` must be a safe integer; larger integers are bigints, fractions are {@link double}s
 *   or {@link float}s. Integers are unpacked as bigints.
 * - Floating-point numbers keep their exact bits, those of NaNs too.
 *
 * The integers ±(2⁶⁴ − 1) take eight bytes, as in the C, Rust and JavaScript clients. The Python client packs these two into nine
 * (`1d08ff…`, `0bf7…`): such a key cannot be unpacked here. Do not write these two values from Python where both are used.
 */
import * as Result from "effect/Result"
import * as Bytes from "./Bytes.ts"
import { type TupleElement, TupleError } from "./internal/tuple/elements.ts"
import { Reader } from "./internal/tuple/Reader.ts"
import { Writer } from "./internal/tuple/Writer.ts"
import type { KeyRange } from "./KeyRange.ts"
import type { Versionstamped } from "./Versionstamp.ts"

export {
  Double,
  double,
  Float,
  float,
  IncompleteVersionstamp,
  incompleteVersionstamp,
  type TupleElement,
  TupleError,
  Uuid,
  uuid
} from "./internal/tuple/elements.ts"

/**
 * Packs a tuple.
 *
 * Throws a {@link TupleError} when an element cannot be packed: a number that is not a safe integer, a string with a lone
 * surrogate, an integer longer than 255 bytes, an incomplete versionstamp. {@link tryPack} returns it instead.
 *
 * @example Bytes.toHex(Tuple.pack(["a", 1])) // => "0261001501"
 * @since 0.1.0
 * @category constructors
 */
export const pack = (elements: ReadonlyArray<TupleElement>): Uint8Array => {
  const writer = new Writer()
  writer.elements(elements)
  if (writer.stampOffset !== undefined) {
    throw new TupleError({
      operation: "pack",
      problem: "it has an incomplete versionstamp; use packVersionstamped"
    })
  }
  return writer.finish()
}

/**
 * Packs a tuple as {@link pack} does, but returns the error. For elements that come from outside of the program.
 *
 * @example Result.isFailure(Tuple.tryPack([0.5])) // => true
 * @since 0.1.0
 * @category constructors
 */
export const tryPack = (elements: ReadonlyArray<TupleElement>): Result.Result<Uint8Array, TupleError> =>
  Result.try({ try: () => pack(elements), catch: (error) => error as TupleError })

/**
 * Packs a tuple with exactly one {@link incompleteVersionstamp}, for `setVersionstampedKey` and `setVersionstampedValue`. Throws a
 * {@link TupleError} as {@link pack} does.
 *
 * **Example**
 *
 * ```ts
 * import { Database, Transaction, Tuple } from "@effect-fdb/core"
 *
 * const key = Tuple.packVersionstamped(["log", Tuple.incompleteVersionstamp()])
 *
 * export const append = Database.transact(Transaction.use((tx) => tx.setVersionstampedKey(key, Uint8Array.of(1))))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const packVersionstamped = (elements: ReadonlyArray<TupleElement>): Versionstamped => {
  const writer = new Writer()
  writer.elements(elements)
  const { stampOffset } = writer
  if (stampOffset === undefined) {
    throw new TupleError({ operation: "pack", problem: "it has no incomplete versionstamp; use pack" })
  }
  return { bytes: writer.finish(), offset: stampOffset }
}

/**
 * Unpacks a tuple. Never throws: bytes that are not exactly what `pack` would give are a {@link TupleError}.
 *
 * Integers come as bigints, floating-point numbers as {@link Float} and {@link Double}. A versionstamp whose ten bytes are all
 * `0xff` comes as an {@link IncompleteVersionstamp}.
 *
 * @example Result.getOrThrow(Tuple.unpack(Tuple.pack(["a", 1, true]))) // => ["a", 1n, true]
 * @since 0.1.0
 * @category conversions
 */
export const unpack = (bytes: Uint8Array): Result.Result<ReadonlyArray<TupleElement>, TupleError> =>
  Result.try({ try: () => new Reader(bytes).elements(), catch: (error) => error as TupleError })

/**
 * Makes the range of all tuples that begin with `elements` and have at least one more. Throws a {@link TupleError} as
 * {@link pack} does.
 *
 * @example KeyRange.contains(Tuple.range(["a"]), Tuple.pack(["a", 1])) // => true
 * @since 0.1.0
 * @category constructors
 */
export const range = (elements: ReadonlyArray<TupleElement>): KeyRange => {
  const prefix = pack(elements)
  return { begin: Bytes.concat(prefix, Uint8Array.of(0x00)), end: Bytes.concat(prefix, Uint8Array.of(0xff)) }
}
