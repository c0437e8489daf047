/**
 * The simplest model of the database, for comparison with random programs.
 *
 * Keys are numbers from 0 on, and a state is the array of their values. It shares no code with the engines but the atomic
 * operations, which have their own vectors.
 */
import * as Atomic from "../../Atomic.ts"
import * as Bytes from "../../Bytes.ts"
import type { AtomicOp } from "../../Mutation.ts"

/** The number of keys. */
export const keyCount = 16
/** Programs write only to the keys between these, so key selectors always find a key on both sides. */
export const firstKey = 4
export const endKey = 12

/** The values of the keys in hexadecimal. */
export type State = ReadonlyArray<string | undefined>

/** A key selector. */
export interface Selector {
  readonly key: number
  readonly orEqual: boolean
  readonly offset: number
}

/** A write; ranges include `begin` and exclude `end`. */
export type Write =
  | { readonly op: "set"; readonly key: number; readonly value: string }
  | { readonly op: "clear"; readonly key: number }
  | { readonly op: "clearRange"; readonly begin: number; readonly end: number }
  | { readonly op: "atomic"; readonly atomic: AtomicOp; readonly key: number; readonly value: string }

/** A read. */
export type Read =
  | { readonly op: "get"; readonly key: number; readonly snapshot: boolean }
  | { readonly op: "getKey"; readonly selector: Selector; readonly snapshot: boolean }
  | {
    readonly op: "getRange"
    readonly begin: Selector
    readonly end: Selector
    /** Zero means none. */
    readonly limit: number
    readonly reverse: boolean
    readonly stream: boolean
    readonly snapshot: boolean
  }

const toBytes = Bytes.fromHex
const toHex = (bytes: Uint8Array | undefined) => bytes === undefined ? undefined : Bytes.toHex(bytes)

/** The state after a write. */
export const write = (state: State, write: Write): State => {
  const next = [...state]
  switch (write.op) {
    case "set":
      next[write.key] = write.value
      break
    case "clear":
      next[write.key] = undefined
      break
    case "clearRange":
      next.fill(undefined, write.begin, Math.max(write.begin, write.end))
      break
    case "atomic": {
      const existing = state[write.key]
      next[write.key] = toHex(
        Atomic.apply(write.atomic, existing === undefined ? undefined : toBytes(existing), toBytes(write.value))
      )
    }
  }
  return next
}

const present = (state: State): ReadonlyArray<number> =>
  Array.from(state.keys()).filter((key) => state[key] !== undefined)

/** Absent keys that selectors count, because an own `CompareAndClear` has removed them (see `Options.selectorsCountCleared`). */
export type ClearedKeys = ReadonlySet<number>

const noClearedKeys: ClearedKeys = new Set()

/** The key that a selector finds. */
export const resolve = (
  state: State,
  { key, offset, orEqual }: Selector,
  clearedKeys: ClearedKeys = noClearedKeys
): number => {
  const isThere = (each: number) => state[each] !== undefined
  const counted = Array.from(state.keys()).filter((each) => isThere(each) || clearedKeys.has(each))
  const last = counted.findLastIndex((each) => orEqual ? each <= key : each < key)
  const passed = counted.slice(0, last + offset)
  const found = offset > 0
    ? counted.slice(last + offset).find(isThere)
    : counted.slice(0, last + offset + 1).findLast(isThere)
  if (found === undefined || passed.length < last + offset) {
    throw new RangeError("the selector leaves the keys of the model")
  }
  return found
}

/** The begin or end of a range. A plain key is not looked up. */
const border = (state: State, selector: Selector, clearedKeys: ClearedKeys): number =>
  isPlain(selector) ? selector.key : resolve(state, selector, clearedKeys)

const isPlain = (selector: Selector): boolean => !selector.orEqual && selector.offset === 1

/** The result of a read: keys as numbers, values in hexadecimal. */
export const read = (state: State, read: Read, clearedKeys: ClearedKeys = noClearedKeys): unknown => {
  switch (read.op) {
    case "get":
      return state[read.key]
    case "getKey":
      return resolve(state, read.selector, clearedKeys)
    case "getRange":
      return range(state, read, clearedKeys).map((key) => [key, state[key]])
  }
}

const range = (
  state: State,
  read: Extract<Read, { readonly op: "getRange" }>,
  clearedKeys: ClearedKeys
): ReadonlyArray<number> => {
  const begin = border(state, read.begin, clearedKeys)
  const end = border(state, read.end, clearedKeys)
  const keys = present(state).filter((key) => begin <= key && key < end)
  if (read.reverse) keys.reverse()
  return read.limit === 0 ? keys : keys.slice(0, read.limit)
}

/** A set of points in the order of keys: `2 * key` is the key, `2 * key + 1` all keys between it and the next. */
export type Points = ReadonlySet<number>

const span = (begin: number, end: number): Points =>
  new Set(Array.from({ length: Math.max(0, end - begin) }, (_, index) => begin + index))

/** One key. */
export const single = (key: number): Points => span(2 * key, 2 * key + 1)

/** The keys from `begin` on, `end` excluded. */
export const between = (begin: number, end: number): Points => span(2 * begin, 2 * end)

/** The points that a write changes. */
export const written = (write: Write): Points =>
  write.op === "clearRange" ? between(write.begin, write.end) : single(write.key)

/**
 * All points that may be in the conflict ranges of a read. An engine may record fewer. The points after the last pair of a range that
 * was cut by its limit are not among them.
 */
export const dependsOn = (state: State, read: Read): Points => {
  const anchor = ({ key, orEqual }: Selector): number => orEqual ? 2 * key + 1 : 2 * key
  switch (read.op) {
    case "get":
      return single(read.key)
    case "getKey": {
      const found = 2 * resolve(state, read.selector)
      const from = anchor(read.selector)
      return read.selector.offset > 0 ? span(from, found + 1) : span(found, from)
    }
    case "getRange": {
      const ends = (selector: Selector): ReadonlyArray<number> => [
        anchor(selector),
        2 * border(state, selector, noClearedKeys)
      ]
      const keys = range(state, read, noClearedKeys)
      const cut = read.limit > 0 && keys.length === read.limit
      const begin = ends(read.begin)
      const end = ends(read.end)
      // A selector other than a plain key is resolved completely, independently of the limit.
      const from = cut && read.reverse ? [...end, 2 * keys.at(-1)!, ...selected(read.begin, begin)] : [...begin, ...end]
      const to = cut && !read.reverse
        ? [...begin, 2 * keys.at(-1)! + 1, ...selected(read.end, end)]
        : [...begin.map((point) => point + 1), ...end]
      return span(Math.min(...from), Math.max(...to))
    }
  }
}

const selected = (selector: Selector, ends: ReadonlyArray<number>): ReadonlyArray<number> =>
  isPlain(selector) ? [] : ends

/** The points of a read that every engine records as conflicts: single keys. */
export const certainlyDependsOn = (read: Read): Points => read.op === "get" ? single(read.key) : new Set()
