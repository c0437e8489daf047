/**
 * A persistent map from byte strings in their order: an AVL tree whose versions share their common nodes.
 */
import * as Bytes from "../Bytes.ts"

interface Node<V> {
  readonly key: Uint8Array
  readonly value: V
  readonly left: SortedMap<V>
  readonly right: SortedMap<V>
  readonly height: number
}

/** `undefined` is the empty map. */
export type SortedMap<V> = Node<V> | undefined

/** A key and its value. */
export interface Entry<V> {
  readonly key: Uint8Array
  readonly value: V
}

const height = <V>(map: SortedMap<V>): number => map === undefined ? 0 : map.height

const node = <V>(left: SortedMap<V>, key: Uint8Array, value: V, right: SortedMap<V>): Node<V> => ({
  key,
  value,
  left,
  right,
  height: Math.max(height(left), height(right)) + 1
})

/** A node of two trees whose heights differ by two at most. */
const balanced = <V>(left: SortedMap<V>, key: Uint8Array, value: V, right: SortedMap<V>): Node<V> => {
  if (left !== undefined && left.height > height(right) + 1) {
    const inner = left.right
    return inner === undefined || height(left.left) >= inner.height
      ? node(left.left, left.key, left.value, node(inner, key, value, right))
      : node(
        node(left.left, left.key, left.value, inner.left),
        inner.key,
        inner.value,
        node(inner.right, key, value, right)
      )
  }
  if (right !== undefined && right.height > height(left) + 1) {
    const inner = right.left
    return inner === undefined || height(right.right) >= inner.height
      ? node(node(left, key, value, inner), right.key, right.value, right.right)
      : node(
        node(left, key, value, inner.left),
        inner.key,
        inner.value,
        node(inner.right, right.key, right.value, right.right)
      )
  }
  return node(left, key, value, right)
}

/** A node of two trees of any heights. */
const join = <V>(left: SortedMap<V>, key: Uint8Array, value: V, right: SortedMap<V>): Node<V> => {
  if (left !== undefined && left.height > height(right) + 1) {
    return balanced(left.left, left.key, left.value, join(left.right, key, value, right))
  }
  if (right !== undefined && right.height > height(left) + 1) {
    return balanced(join(left, key, value, right.left), right.key, right.value, right.right)
  }
  return node(left, key, value, right)
}

const first = <V>(map: Node<V>): Node<V> => map.left === undefined ? map : first(map.left)

const removeFirst = <V>(map: Node<V>): SortedMap<V> =>
  map.left === undefined ? map.right : balanced(removeFirst(map.left), map.key, map.value, map.right)

const concat = <V>(left: SortedMap<V>, right: SortedMap<V>): SortedMap<V> => {
  if (left === undefined) return right
  if (right === undefined) return left
  const { key, value } = first(right)
  return join(left, key, value, removeFirst(right))
}

/** The keys before `key`. */
const before = <V>(map: SortedMap<V>, key: Uint8Array): SortedMap<V> => {
  if (map === undefined) return undefined
  return Bytes.compare(map.key, key) < 0
    ? join(map.left, map.key, map.value, before(map.right, key))
    : before(map.left, key)
}

/** The keys from `key` on. */
const from = <V>(map: SortedMap<V>, key: Uint8Array): SortedMap<V> => {
  if (map === undefined) return undefined
  return Bytes.compare(map.key, key) < 0
    ? from(map.right, key)
    : join(from(map.left, key), map.key, map.value, map.right)
}

/** The value of a key. */
export const get = <V>(map: SortedMap<V>, key: Uint8Array): V | undefined => {
  let at = map
  while (at !== undefined) {
    const order = Bytes.compare(key, at.key)
    if (order === 0) return at.value
    at = order < 0 ? at.left : at.right
  }
  return undefined
}

/** The last entry before a bound, or the first after it. The bound is just before `key`, or just after it if `included`. */
const nearest = <V>(map: SortedMap<V>, key: Uint8Array, included: boolean, side: "last" | "first") => {
  let found: Entry<V> | undefined
  for (let at = map; at !== undefined;) {
    const order = Bytes.compare(at.key, key)
    const isBefore = order < 0 || order === 0 && included
    if (isBefore === (side === "last")) found = at
    at = isBefore ? at.right : at.left
  }
  return found
}

/** The last entry whose key is `key` or before it. */
export const floor = <V>(map: SortedMap<V>, key: Uint8Array) => nearest(map, key, true, "last")

/** The last entry whose key is before `key`. */
export const lower = <V>(map: SortedMap<V>, key: Uint8Array) => nearest(map, key, false, "last")

/** The first entry whose key is `key` or after it. */
export const ceiling = <V>(map: SortedMap<V>, key: Uint8Array) => nearest(map, key, false, "first")

/** The map with `key` set to `value`. */
export const set = <V>(map: SortedMap<V>, key: Uint8Array, value: V): Node<V> => {
  if (map === undefined) return node(undefined, key, value, undefined)
  const order = Bytes.compare(key, map.key)
  if (order === 0) return { key: map.key, value, left: map.left, right: map.right, height: map.height }
  const side = order < 0 ? map.left : map.right
  const changed = set(side, key, value)
  const [left, right] = order < 0 ? [changed, map.right] as const : [map.left, changed] as const
  return changed.height === height(side)
    ? { key: map.key, value: map.value, left, right, height: map.height }
    : balanced(left, map.key, map.value, right)
}

/** Sets `key` in a map of which there is no other version, and only if the map has it. Returns whether it has. */
export const replace = <V>(map: SortedMap<V>, key: Uint8Array, value: V): boolean => {
  for (let at = map as { -readonly [K in keyof Node<V>]: Node<V>[K] } | undefined; at !== undefined;) {
    const order = Bytes.compare(key, at.key)
    if (order === 0) {
      at.value = value
      return true
    }
    at = order < 0 ? at.left : at.right
  }
  return false
}

/** The map without `key`; the same object if it does not contain the key. */
export const remove = <V>(map: SortedMap<V>, key: Uint8Array): SortedMap<V> => {
  if (map === undefined) return undefined
  const order = Bytes.compare(key, map.key)
  if (order === 0) return concat(map.left, map.right)
  if (order < 0) {
    const left = remove(map.left, key)
    return left === map.left ? map : balanced(left, map.key, map.value, map.right)
  }
  const right = remove(map.right, key)
  return right === map.right ? map : balanced(map.left, map.key, map.value, right)
}

/** The map without the keys from `begin` on, `end` excluded. */
export const removeRange = <V>(map: SortedMap<V>, begin: Uint8Array, end: Uint8Array): SortedMap<V> =>
  Bytes.compare(begin, end) < 0 ? concat(before(map, begin), from(map, end)) : map

/** Entries one after another. */
export interface Cursor<V> {
  /** The next entry, `undefined` after the last. */
  readonly next: () => Entry<V> | undefined
}

/** The entries from `begin` up to `end`, which is excluded; backwards from the last if `reverse`. */
export const cursor = <V>(map: SortedMap<V>, begin: Uint8Array, end: Uint8Array, reverse = false): Cursor<V> => {
  const path: Array<Node<V>> = []
  const isBehind = (key: Uint8Array): boolean => reverse ? Bytes.compare(key, end) < 0 : Bytes.compare(key, begin) >= 0
  const isBefore = (key: Uint8Array): boolean => reverse ? Bytes.compare(key, begin) >= 0 : Bytes.compare(key, end) < 0
  const descend = (from: SortedMap<V>): void => {
    for (let at = from; at !== undefined;) {
      const isNext = isBehind(at.key)
      if (isNext) path.push(at)
      at = isNext !== reverse ? at.left : at.right
    }
  }
  descend(map)
  return {
    next: () => {
      const here = path.pop()
      if (here === undefined || !isBefore(here.key)) return undefined
      descend(reverse ? here.left : here.right)
      return here
    }
  }
}

/** The entries of a range, in order. */
export function* entries<V>(map: SortedMap<V>, begin: Uint8Array, end: Uint8Array): Iterable<Entry<V>> {
  const { next } = cursor(map, begin, end)
  for (let entry = next(); entry !== undefined; entry = next()) yield entry
}
