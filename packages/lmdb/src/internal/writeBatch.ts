/**
 * The changes of a commit, computed in steps. When others have committed meanwhile, the mutations are applied again only to the keys
 * that those have written.
 */
import * as Atomic from "@effect-fdb/core/Atomic"
import * as Bytes from "@effect-fdb/core/Bytes"
import * as KeyRange from "@effect-fdb/core/KeyRange"
import type { PlainMutation } from "@effect-fdb/core/VersionedStore"
import type { Reader } from "./environment.ts"
import type { Limits } from "./limits.ts"
import { clip, containsKey, type SortedRanges } from "./sortedRanges.ts"
import { sorted, stepLength, type Steps } from "./timeSlices.ts"

export interface Change {
  readonly key: Uint8Array
  readonly before: Uint8Array | undefined
  value: Uint8Array | undefined
}

/** A key as a key of a `Map`. */
export const textOf = (key: Uint8Array): string =>
  Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1")

const byKey = (a: Change, b: Change): number => Bytes.compare(a.key, b.key)

const everything: SortedRanges = [KeyRange.all]

export class WriteBatch {
  /** By {@link textOf} the key. */
  readonly changes = new Map<string, Change>()
  private readonly earlier: ReadonlyMap<string, Change>
  private beforeBytes = 0

  /** @param earlier the changes of the preceding commits of the same batch */
  constructor(earlier: ReadonlyMap<string, Change> = new Map()) {
    this.earlier = earlier
  }

  isLarge({ bytes, keys }: Limits): boolean {
    return this.changes.size > keys || this.beforeBytes > bytes
  }

  sortedChanges(): Steps<ReadonlyArray<Change>> {
    return sorted([...this.changes.values()], byKey)
  }

  /** Applies all mutations, to the present values of the keys in `within`. */
  *apply(present: Reader, mutations: ReadonlyArray<PlainMutation>, within = everything): Steps<void> {
    if (within === everything) this.changes.clear()
    else yield* this.forget(within)
    // A clear must include own changes only if an earlier mutation may have set a value.
    let isSet = false
    let steps = 0
    for (const mutation of mutations) {
      if (++steps % stepLength === 0) yield
      if (mutation._tag === "ClearRange") {
        for (const part of within === everything ? [mutation] : clip(within, mutation)) {
          yield* this.clearRange(present, part, isSet)
        }
      } else if (within === everything || containsKey(within, mutation.key)) {
        isSet = true
        const change = this.changeOf(present, mutation.key)
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
    for (const [text, { key }] of this.changes) {
      if (++steps % stepLength === 0) yield
      if (containsKey(ranges, key)) this.changes.delete(text)
    }
  }

  private changeOf(present: Reader, key: Uint8Array): Change {
    const text = textOf(key)
    const change = this.changes.get(text)
    if (change !== undefined) return change
    const earlier = this.earlier.get(text)
    const before = earlier === undefined ? present.get(key) : earlier.value
    return this.add(text, { key, before, value: before })
  }

  private add(text: string, change: Change): Change {
    this.changes.set(text, change)
    this.beforeBytes += change.before?.length ?? 0
    return change
  }

  private *clearRange(present: Reader, range: KeyRange.KeyRange, isSet: boolean): Steps<void> {
    let steps = 0
    for (const written of isSet ? [this.earlier, this.changes] : [this.earlier]) {
      for (const { key, value } of written.values()) {
        if (++steps % stepLength === 0) yield
        if (value !== undefined && KeyRange.contains(range, key)) this.changeOf(present, key).value = undefined
      }
    }
    for (let { begin } = range;;) {
      let found = 0
      for (const { key, value } of present.getRange(begin, range.end, stepLength)) {
        found++
        begin = Bytes.successor(key)
        const text = textOf(key)
        const change = this.changes.get(text)
        if (change !== undefined) change.value = undefined
        else if (!this.earlier.has(text)) this.add(text, { key, before: value, value: undefined })
      }
      if (found < stepLength) return
      yield
    }
  }
}
