/**
 * What one write to LMDB will make of the data: the commits of a batch, applied one after another to what is there. For what
 * writes to many keys, there is `LargeWriteBatch`.
 */
import * as Atomic from "@effect-fdb/core/Atomic"
import * as Bytes from "@effect-fdb/core/Bytes"
import * as KeyRange from "@effect-fdb/core/KeyRange"
import type { KeyValue } from "@effect-fdb/core/Transaction"
import type { PlainMutation } from "@effect-fdb/core/VersionedStore"
import type { Limits } from "./limits.ts"
import type { BeforeImage } from "./logEntry.ts"

/** The data as they are. */
export interface Present {
  readonly get: (key: Uint8Array) => Uint8Array | undefined
  readonly getRange: (begin: Uint8Array, end: Uint8Array) => Iterable<KeyValue>
}

interface Change {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** A key as a text, to be looked up by. */
export const textOf = (key: Uint8Array): string => Bytes.toName(key)

export class WriteBatch {
  private readonly present: Present
  private readonly limits: Limits
  private readonly changed = new Map<string, Change>()
  private befores = new Map<string, BeforeImage>()
  /** The length of the values in `befores`. */
  private bytes = 0

  constructor(present: Present, limits: Limits) {
    this.present = present
    this.limits = limits
  }

  /** What has become of the keys that were written to. */
  get changes(): Iterable<Change> {
    return this.changed.values()
  }

  /** How many keys were written to. */
  get size(): number {
    return this.changed.size
  }

  /**
   * Applies a commit, and tells what was there before it; `undefined` when that is more than a draft is for. The draft is of no
   * use then.
   */
  apply(mutations: ReadonlyArray<PlainMutation>): ReadonlyArray<BeforeImage> | undefined {
    this.befores = new Map()
    this.bytes = 0
    for (const mutation of mutations) {
      switch (mutation._tag) {
        case "Set":
          this.set(mutation.key, mutation.value, this.get(mutation.key))
          break
        case "Clear":
          this.set(mutation.key, undefined, this.get(mutation.key))
          break
        case "ClearRange":
          this.clearRange(mutation)
          break
        case "Atomic": {
          const before = this.get(mutation.key)
          this.set(mutation.key, Atomic.apply(mutation.op, before, mutation.operand), before)
        }
      }
      if (this.isFull) return undefined
    }
    return [...this.befores.values()]
  }

  private get isFull(): boolean {
    return this.befores.size > this.limits.keys || this.bytes > this.limits.bytes
  }

  private get(key: Uint8Array): Uint8Array | undefined {
    const change = this.changed.get(textOf(key))
    return change === undefined ? this.present.get(key) : change.value
  }

  private set(key: Uint8Array, value: Uint8Array | undefined, before: Uint8Array | undefined): void {
    const text = textOf(key)
    if (!this.befores.has(text)) {
      this.befores.set(text, { key, value: before })
      this.bytes += before?.length ?? 0
    }
    this.changed.set(text, { key, value })
  }

  private clearRange(range: KeyRange.KeyRange): void {
    for (const { key, value } of this.changed.values()) {
      if (value !== undefined && KeyRange.contains(range, key)) this.set(key, undefined, value)
    }
    for (const { key, value } of this.present.getRange(range.begin, range.end)) {
      if (!this.changed.has(textOf(key))) this.set(key, undefined, value)
      if (this.isFull) return
    }
  }
}
