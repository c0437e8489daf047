/**
 * The database at an earlier version: the present one with the values of then in place of what was written since.
 */
import * as Bytes from "@effect-fdb/core/Bytes"
import type { KeyValue } from "@effect-fdb/core/Transaction"
import * as logEntry from "./logEntry.ts"
import { textOf } from "./writeBatch.ts"

type BeforeImage = logEntry.BeforeImage

/** What was there before one commit, or before several that came one after another: each key once. */
export interface BeforeImages {
  readonly get: (key: Uint8Array) => BeforeImage | undefined
  /** Those of a range, from its end backwards when `reverse`. */
  readonly getRange: (begin: Uint8Array, end: Uint8Array, reverse: boolean) => Iterator<BeforeImage>
}

/** The index of the first that is not before a key. */
const indexOf = (length: number, keyOf: (index: number) => Uint8Array, key: Uint8Array): number => {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >> 1
    if (Bytes.compare(keyOf(middle), key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function* part(
  sorted: ReadonlyArray<BeforeImage>,
  begin: Uint8Array,
  end: Uint8Array,
  reverse: boolean
): Iterator<BeforeImage> {
  const keyOf = (index: number) => sorted[index]!.key
  const [from, to] = [indexOf(sorted.length, keyOf, begin), indexOf(sorted.length, keyOf, end)]
  if (reverse) { for (let i = to - 1; i >= from; i--) yield sorted[i]! }
  else for (let i = from; i < to; i++) yield sorted[i]!
}

/** Of commits that have written to few keys. */
export class InlineBeforeImages implements BeforeImages {
  private readonly byText = new Map<string, BeforeImage>()
  private sorted: ReadonlyArray<BeforeImage> | undefined = undefined

  /** To be called with the oldest commit first: the first that is known of a key is its value then. */
  add(befores: Iterable<BeforeImage>): void {
    for (const before of befores) {
      const text = textOf(before.key)
      if (!this.byText.has(text)) this.byText.set(text, before)
    }
  }

  get(key: Uint8Array): BeforeImage | undefined {
    return this.byText.get(textOf(key))
  }

  getRange(begin: Uint8Array, end: Uint8Array, reverse: boolean): Iterator<BeforeImage> {
    this.sorted ??= [...this.byText.values()].toSorted(logEntry.byKey)
    return part(this.sorted, begin, end, reverse)
  }
}

/** Of a commit that has written to many keys: read from the log as they are needed. */
export class ChunkedBeforeImages implements BeforeImages {
  private readonly count: number
  private readonly read: (index: number) => Uint8Array
  private readonly firstKeys: Array<Uint8Array | undefined> = []
  private last: { readonly index: number; readonly befores: ReadonlyArray<BeforeImage> } | undefined = undefined

  constructor(count: number, read: (index: number) => Uint8Array) {
    this.count = count
    this.read = read
  }

  get(key: Uint8Array): BeforeImage | undefined {
    return part(this.chunk(this.chunkOf(key)), key, Bytes.successor(key), false).next().value as BeforeImage | undefined
  }

  *getRange(begin: Uint8Array, end: Uint8Array, reverse: boolean): Iterator<BeforeImage> {
    const [from, to] = [this.chunkOf(begin), this.chunkOf(end)]
    for (let i = 0; i <= to - from; i++) {
      const inChunk = part(this.chunk(reverse ? to - i : from + i), begin, end, reverse)
      for (let next = inChunk.next(); next.done !== true; next = inChunk.next()) yield next.value
    }
  }

  /** The chunk that a key is in, if it is in one. */
  private chunkOf(key: Uint8Array): number {
    const keyOf = (index: number) => this.firstKeys[index] ??= logEntry.firstKey(this.read(index))
    return Math.max(0, indexOf(this.count, keyOf, Bytes.successor(key)) - 1)
  }

  private chunk(index: number): ReadonlyArray<BeforeImage> {
    if (this.last?.index !== index) this.last = { index, befores: logEntry.chunk(this.read(index)) }
    return this.last.befores
  }
}

export class VersionedView {
  private readonly all: ReadonlyArray<BeforeImages>

  /** @param all from the oldest commit to the newest: the first that is known of a key is its value then */
  constructor(all: ReadonlyArray<BeforeImages>) {
    this.all = all
  }

  /** A key's value then, `undefined` if it is what it is now. */
  get(key: Uint8Array): BeforeImage | undefined {
    for (const befores of this.all) {
      const before = befores.get(key)
      if (before !== undefined) return before
    }
    return undefined
  }

  /** The pairs of a range then, from those of now. Both go from the end to the beginning when `reverse`. */
  *merge(now: Iterable<KeyValue>, begin: Uint8Array, end: Uint8Array, reverse: boolean): Iterable<KeyValue> {
    if (Bytes.compare(begin, end) >= 0) return
    const iterators: Array<Iterator<BeforeImage>> = this.all.map((befores) => befores.getRange(begin, end, reverse))
    iterators.push(now[Symbol.iterator]())
    const heads = iterators.map((iterator) => iterator.next())
    for (;;) {
      // Of one key, what is known from the oldest commit.
      let first: BeforeImage | undefined
      for (const head of heads) {
        if (head.done === true) continue
        const order = first === undefined ? -1 : Bytes.compare(head.value.key, first.key)
        if (first === undefined || (reverse ? order > 0 : order < 0)) first = head.value
      }
      if (first === undefined) return
      for (let i = 0; i < heads.length; i++) {
        const head = heads[i]!
        if (head.done !== true && Bytes.equals(head.value.key, first.key)) heads[i] = iterators[i]!.next()
      }
      if (first.value !== undefined) yield { key: first.key, value: first.value }
    }
  }
}
