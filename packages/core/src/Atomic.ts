/** FoundationDB's atomic operations, byte for byte, for authors of engines. */
import * as Bytes from "./Bytes.ts"
import { maxValueLength } from "./internal/limits.ts"
import type { AtomicOp } from "./Mutation.ts"

type Combine = (existing: Uint8Array | undefined, operand: Uint8Array) => Uint8Array | undefined

const nothing = new Uint8Array(0)

/** Cuts a value to a length, or fills it with zeroes. */
const resize = (value: Uint8Array, length: number): Uint8Array => {
  const resized = new Uint8Array(length)
  resized.set(value.length > length ? value.subarray(0, length) : value)
  return resized
}

/** Compares little-endian numbers, as far as `operand` reaches. */
const compareLittleEndian = (existing: Uint8Array, operand: Uint8Array): number => {
  for (let i = operand.length - 1; i >= 0; i--) {
    const difference = (existing[i] ?? 0) - operand[i]!
    if (difference !== 0) return difference
  }
  return 0
}

/** Combines byte by byte; the operand's bytes beyond the existing value stay as they are. */
const bitwise = (combine: (existing: number, operand: number) => number): Combine => (existing = nothing, operand) =>
  operand.map((byte, i) => i < existing.length ? combine(existing[i]!, byte) : byte)

const combine: Record<AtomicOp, Combine> = {
  Add: (existing = nothing, operand) => {
    if (existing.length === 0) return operand
    const sum = new Uint8Array(operand.length)
    let carry = 0
    for (let i = 0; i < operand.length; i++) {
      carry += operand[i]! + (existing[i] ?? 0)
      sum[i] = carry
      carry >>= 8
    }
    return sum
  },
  BitAnd: (existing, operand) => existing === undefined ? operand : operand.map((byte, i) => byte & (existing[i] ?? 0)),
  BitOr: bitwise((existing, operand) => existing | operand),
  BitXor: bitwise((existing, operand) => existing ^ operand),
  AppendIfFits: (existing = nothing, operand) =>
    existing.length + operand.length > maxValueLength ? existing : Bytes.concat(existing, operand),
  Max: (existing = nothing, operand) =>
    existing.length === 0 || compareLittleEndian(existing, operand) <= 0 ? operand : resize(existing, operand.length),
  Min: (existing, operand) =>
    existing === undefined || compareLittleEndian(existing, operand) >= 0 ? operand : resize(existing, operand.length),
  ByteMax: (existing, operand) => existing === undefined || Bytes.compare(existing, operand) <= 0 ? operand : existing,
  ByteMin: (existing, operand) => existing === undefined || Bytes.compare(existing, operand) >= 0 ? operand : existing,
  CompareAndClear: (existing, operand) =>
    existing === undefined || Bytes.equals(existing, operand) ? undefined : existing
}

/**
 * Applies an operation to a value; `undefined` stands for no value. See `AtomicOp`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const apply = (
  op: AtomicOp,
  existing: Uint8Array | undefined,
  operand: Uint8Array
): Uint8Array | undefined => combine[op](existing, operand)

/**
 * The atomic operations.
 *
 * @since 0.1.0
 * @category constants
 */
export const ops = Object.keys(combine) as ReadonlyArray<AtomicOp>
