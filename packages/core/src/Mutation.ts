/** Mutations: the writes of a transaction. */
import type { Versionstamped } from "./Versionstamp.ts"

/**
 * FoundationDB's atomic operations. They change a value without reading it, and so without a conflict.
 *
 * Numbers are little-endian; the result has the length of the operand. An absent value counts as the operand for `Max`, `Min`,
 * `ByteMax`, `ByteMin` and `BitAnd`, as zeroes for the rest. `CompareAndClear` clears the key if its value equals the operand.
 * `AppendIfFits` appends unless the value would grow beyond 100 kB.
 *
 * @since 0.1.0
 * @category models
 */
export type AtomicOp =
  | "Add"
  | "BitAnd"
  | "BitOr"
  | "BitXor"
  | "AppendIfFits"
  | "Max"
  | "Min"
  | "ByteMax"
  | "ByteMin"
  | "CompareAndClear"

/**
 * A mutation, as an engine takes it.
 *
 * @since 0.1.0
 * @category models
 */
export type Mutation =
  | { readonly _tag: "Set"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly _tag: "Clear"; readonly key: Uint8Array }
  | { readonly _tag: "ClearRange"; readonly begin: Uint8Array; readonly end: Uint8Array }
  | { readonly _tag: "Atomic"; readonly op: AtomicOp; readonly key: Uint8Array; readonly operand: Uint8Array }
  | { readonly _tag: "SetVersionstampedKey"; readonly key: Versionstamped; readonly value: Uint8Array }
  | { readonly _tag: "SetVersionstampedValue"; readonly key: Uint8Array; readonly value: Versionstamped }
