/**
 * What a commit that writes to many keys will make of the data, in steps. When others have committed meanwhile, only what
 * they have written is applied anew.
 */
import * as Atomic from "@effect-fdb/core/Atomic"
import * as Bytes from "@effect-fdb/core/Bytes"
import * as KeyRange from "@effect-fdb/core/KeyRange"
import type { KeyValue } from "@effect-fdb/core/Transaction"
import type { PlainMutation } from "@effect-fdb/core/VersionedStore"
import { clip, has, type SortedRanges } from "./sortedRanges.ts"
import { sorted, stepLength, type Steps } from "./timeSlices.ts"
import { textOf } from "./writeBatch.ts"

/** The data as they are. */
export interface Present {
  readonly get: (key: Uint8Array) => Uint8Array | undefined
  readonly getRange: (begin: Uint8Array, end: Uint8Array, limit: number) => Iterable<KeyValue>
}

/** A key that is written to. */
export interface Change {
  readonly key: Uint8Array
  readonly before: Uint8Array | undefined
  value: Uint8Array | undefined
}

const byKey = (a: Change, b: Change): number => Bytes.compare(a.key, b.key)

const everything: SortedRanges = [KeyRange.all]

export class LargeWriteBatch {
  private readonly changed = new Map<string, Change>()

  /** How many keys are known to be written to. */
  get size(): number {
    return this.changed.size
  }

  /** What has become of the keys that were written to, in order. */
  *changes(): Steps<ReadonlyArray<Change>> {
    return yield* sorted([...this.changed.values()], byKey)
  }

  /** Applies mutations from the first one on, to what is there, as far as they concern the keys of some ranges. */
  *apply(present: Present, mutations: ReadonlyArray<PlainMutation>, within = everything): Steps<void> {
    if (within === everything) this.changed.clear()
    else yield* this.forget(within)
    // Only a range that is cleared after something was set in it has to look at what was set.
    let isSet = false
    let steps = 0
    for (const mutation of mutations) {
      if (++steps % stepLength === 0) yield
      if (mutation._tag === "ClearRange") {
        for (const part of within === everything ? [mutation] : clip(within, mutation)) {
          yield* this.clearRange(present, part, isSet)
        }
      } else if (within === everything || has(within, mutation.key)) {
        isSet = true
        const text = textOf(mutation.key)
        let change = this.changed.get(text)
        if (change === undefined) {
          const before = present.get(mutation.key)
          change = { key: mutation.key, before, value: before }
          this.changed.set(text, change)
        }
        change.value = mutation._tag === "Set"
          ? mutation.value
          : mutation._tag === "Clear"
          ? undefined
          : Atomic.apply(mutation.op, change.value, mutation.operand)
      }
    }
  }

  private *forget(ranges: SortedRanges): Steps<void> {
    let steps = 0
    for (const [text, { key }] of this.changed) {
      if (++steps % stepLength === 0) yield
      if (has(ranges, key)) this.changed.delete(text)
    }
  }

  private *clearRange(present: Present, range: KeyRange.KeyRange, isSet: boolean): Steps<void> {
    if (isSet) {
      let steps = 0
      for (const change of this.changed.values()) {
        if (++steps % stepLength === 0) yield
        if (KeyRange.contains(range, change.key)) change.value = undefined
      }
    }
    for (let begin = range.begin;;) {
      let found = 0
      for (const { key, value } of present.getRange(begin, range.end, stepLength)) {
        found++
        begin = key
        const text = textOf(key)
        const change = this.changed.get(text)
        if (change === undefined) this.changed.set(text, { key, before: value, value: undefined })
        else change.value = undefined
      }
      if (found < stepLength) return
      begin = Bytes.successor(begin)
      yield
    }
  }
}
