/** The database at an earlier version: its present state, with the before images of the keys that were written since. */
import * as Bytes from "@effect-fdb/core/Bytes"
import type { KeyValue } from "@effect-fdb/core/Transaction"
import type { CommitLog } from "./commitLog.ts"
import type { Reader } from "./environment.ts"
import * as logEntry from "./logEntry.ts"
import { lowerBound } from "./sortedRanges.ts"
import { textOf } from "./writeBatch.ts"

type BeforeImage = logEntry.BeforeImage

function* part(
  sorted: ReadonlyArray<BeforeImage>,
  begin: Uint8Array,
  end: Uint8Array,
  reverse: boolean
): Iterable<BeforeImage> {
  const indexOf = (key: Uint8Array) => lowerBound(sorted.length, (index) => Bytes.compare(sorted[index]!.key, key) < 0)
  const [from, to] = [indexOf(begin), indexOf(end)]
  for (let i = 0; i < to - from; i++) yield sorted[reverse ? to - 1 - i : from + i]!
}

/** The before images of one large commit, or of several small ones in a row. */
interface BeforeImages {
  readonly get: (key: Uint8Array) => BeforeImage | undefined
  readonly getRange: (begin: Uint8Array, end: Uint8Array, reverse: boolean) => Iterable<BeforeImage>
}

/** Before images in `count` sorted chunks, each key once. */
const inChunks = (
  count: number,
  read: (index: number) => ReadonlyArray<BeforeImage>,
  firstKey: (index: number) => Uint8Array
): BeforeImages => {
  const firstKeys: Array<Uint8Array | undefined> = []
  let last: { readonly index: number; readonly images: ReadonlyArray<BeforeImage> } | undefined

  /** The only chunk that may contain a key. */
  const chunkOf = (key: Uint8Array): number => {
    const isBefore = (index: number) => Bytes.compare(firstKeys[index] ??= firstKey(index), key) <= 0
    return count === 1 ? 0 : Math.max(0, lowerBound(count, isBefore) - 1)
  }

  const chunk = (index: number): ReadonlyArray<BeforeImage> => {
    if (last?.index !== index) last = { index, images: read(index) }
    return last.images
  }

  return {
    get: (key) => {
      const [found] = part(chunk(chunkOf(key)), key, Bytes.successor(key), false)
      return found
    },
    *getRange(begin, end, reverse) {
      const [from, to] = [chunkOf(begin), chunkOf(end)]
      for (let i = 0; i <= to - from; i++) yield* part(chunk(reverse ? to - i : from + i), begin, end, reverse)
    }
  }
}

const ofSmall = (commits: ReadonlyArray<ReadonlyArray<BeforeImage>>): BeforeImages => {
  const sorted = () => {
    const byText = new Map<string, BeforeImage>()
    for (const images of commits.toReversed()) for (const image of images) byText.set(textOf(image.key), image)
    return [...byText.values()].toSorted((a, b) => Bytes.compare(a.key, b.key))
  }
  return inChunks(1, sorted, () => new Uint8Array(0))
}

export class VersionedView {
  /** From the oldest commit to the newest. The first before image of a key holds its value at the version. */
  private readonly all: ReadonlyArray<BeforeImages>

  /** @param version one that the log still covers */
  constructor(reader: Reader, log: CommitLog, version: bigint) {
    const all: Array<BeforeImages> = []
    let small: Array<ReadonlyArray<BeforeImage>> | undefined
    for (let sequence = log.sequenceAfter(version); sequence <= reader.head.sequence; sequence++) {
      const { chunks } = log.get(sequence)!
      if (chunks > 0) {
        small = undefined
        const read = (index: number) => reader.logged(sequence, index)
        all.push(inChunks(chunks, (i) => logEntry.chunk(read(i)), (i) => logEntry.firstKey(read(i))))
      } else {
        if (small === undefined) all.push(ofSmall(small = []))
        small.push(logEntry.beforeImages(reader.logged(sequence)))
      }
    }
    this.all = all
  }

  /** A key's value at the version; `undefined` if the key was not written since. */
  get(key: Uint8Array): BeforeImage | undefined {
    for (const images of this.all) {
      const image = images.get(key)
      if (image !== undefined) return image
    }
    return undefined
  }

  /** The pairs of a range at the version, from its present pairs. Both are in descending order if `reverse`. */
  *merge(now: Iterable<KeyValue>, begin: Uint8Array, end: Uint8Array, reverse: boolean): Iterable<KeyValue> {
    if (Bytes.compare(begin, end) >= 0) return
    const sources = [...this.all.map((images) => images.getRange(begin, end, reverse)), now]
    const iterators = sources.map((pairs): Iterator<BeforeImage> => pairs[Symbol.iterator]())
    const heads = iterators.map((iterator) => iterator.next())
    for (;;) {
      // The oldest before image of the next key; sources are in the order of commits.
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
