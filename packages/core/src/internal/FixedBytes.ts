/** A value of a fixed number of bytes. Two of the same class are `Equal` when their bytes are. */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Bytes from "../Bytes.ts"

export abstract class FixedBytes implements Equal.Equal {
  /** The bytes, big-endian; do not write to them. */
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array, length: number, name: string) {
    if (bytes.length !== length) throw new RangeError(`a ${name} has ${length} bytes, not ${bytes.length}`)
    this.bytes = bytes
  }

  [Equal.symbol](that: Equal.Equal): boolean {
    return that instanceof FixedBytes && this.constructor === that.constructor && Bytes.equals(this.bytes, that.bytes)
  }

  [Hash.symbol](): number {
    return Hash.string(this.constructor.name + Bytes.toHex(this.bytes))
  }

  toJSON(): string {
    return this.toString()
  }
}
