/**
 * What a transaction has written so far, as its own reads have to see it and as its commit has to send it.
 */
import * as Atomic from "../Atomic.ts"
import * as Bytes from "../Bytes.ts"
import * as KeyRange from "../KeyRange.ts"
import type { AtomicOp, Mutation } from "../Mutation.ts"
import { toVersionstamp } from "../VersionedStore.ts"
import { transactionLength, type Versionstamped } from "../Versionstamp.ts"
import { maxValueLength, offsetLength } from "./limits.ts"
import * as rangeSet from "./rangeSet.ts"
import * as sortedMap from "./sortedMap.ts"

type KeyMutation = Exclude<Mutation, { readonly _tag: "ClearRange" }>
type AtomicMutation = Extract<Mutation, { readonly _tag: "Atomic" }>
type StampedKeyMutation = Extract<Mutation, { readonly _tag: "SetVersionstampedKey" }>

/**
 * The writes to one key.
 *
 * - `Known`: the value does not depend on the database; `undefined` when cleared
 * - `Stack`: mutations that could not be made one. The first tells whether they depend on the database's value. It is
 *   pushed onto in place, so that a long one costs no more for each mutation than a short one
 */
export type Write =
  | { readonly _tag: "Known"; readonly value: Uint8Array | undefined }
  | { readonly _tag: "Stack"; readonly mutations: Array<KeyMutation> }

/** What a key is for a reader of the database beneath. */
export type Overlay =
  /** The database's value is to be taken through this. */
  | ((below: Uint8Array | undefined) => Uint8Array | undefined)
  /** The database's value does not matter. */
  | { readonly value: Uint8Array | undefined }

const absent = { value: undefined }
const lastStamp = new Uint8Array(transactionLength).fill(0xff)

/** Operations of which two make one only where their operands have the same length. */
const associativeByLength: ReadonlySet<AtomicOp> = new Set(["Add", "BitOr", "BitXor", "Max", "Min"])

/** The operation that has the effect of two, one after the other; where FoundationDB's client keeps both, `undefined`. */
const joined = (first: KeyMutation, second: AtomicMutation): AtomicMutation | undefined => {
  if (first._tag !== "Atomic" || first.op !== second.op || first.op === "CompareAndClear") return undefined
  if (associativeByLength.has(first.op) && first.operand.length !== second.operand.length) return undefined
  return { ...first, operand: apply(first.op, first.operand, second.operand)! }
}

/** How much of a buffer is in use, of those that {@link append} has made. */
const used = new WeakMap<ArrayBufferLike, number>()

/** Joins values with room for more behind them, so that many small ones cost no more than their bytes. */
const append = (value: Uint8Array, more: Uint8Array): Uint8Array => {
  const end = value.byteOffset + value.length
  const length = value.length + more.length
  if (used.get(value.buffer) !== end || end + more.length > value.buffer.byteLength) {
    const grown = new Uint8Array(new ArrayBuffer(2 * length), 0, length)
    grown.set(value)
    grown.set(more, value.length)
    used.set(grown.buffer, length)
    return grown
  }
  const grown = new Uint8Array(value.buffer, value.byteOffset, length)
  grown.set(more, value.length)
  used.set(grown.buffer, end + more.length)
  return grown
}

const apply: typeof Atomic.apply = (op, existing, operand) =>
  op === "AppendIfFits" && existing !== undefined && existing.length > 0 && operand.length > 0 &&
    existing.length + operand.length <= maxValueLength
    ? append(existing, operand)
    : Atomic.apply(op, existing, operand)

const isDependent = (write: Write): boolean => write._tag === "Stack" && write.mutations[0]!._tag === "Atomic"

/** See {@link WriteMap.seal}. */
interface Sealed {
  readonly mutations: Array<Mutation>
  readonly conflicts: Array<KeyRange.KeyRange>
  /** All versionstamped keys so far. */
  readonly stampedKeys: Array<Versionstamped>
}

export class WriteMap {
  /** A versionstamped key stands under its {@link placeholder}. */
  private writes: sortedMap.SortedMap<Write> = undefined
  private cleared: rangeSet.RangeSet = undefined
  /** What a versionstamp may be going to stand in; only a clear makes it readable again. */
  private unreadable: rangeSet.RangeSet = undefined
  private writeConflicts: Array<KeyRange.KeyRange> | undefined = undefined
  /** What is to be committed before everything else, and is no longer seen here: see {@link seal}. */
  private sealed: Sealed | undefined = undefined

  /** Nothing would be committed. */
  get isEmpty(): boolean {
    return this.isTransparent && this.writeConflicts === undefined
  }

  /** The database's answers are the transaction's. */
  get isTransparent(): boolean {
    return this.writes === undefined && this.cleared === undefined && this.unreadable === undefined
  }

  /** Some keys cannot be read. */
  get hasUnreadable(): boolean {
    return this.unreadable !== undefined
  }

  /** What is written so far, for reads alone; what is written afterwards is not in it. */
  get frozen(): WriteMap {
    const frozen = new WriteMap()
    frozen.writes = this.writes
    frozen.cleared = this.cleared
    frozen.unreadable = this.unreadable
    return frozen
  }

  /** Adds a mutation. `readVersion` is the transaction's, where it is known already. */
  add(mutation: Mutation, readVersion: bigint | undefined): void {
    switch (mutation._tag) {
      case "Clear":
        if (this.cleared !== undefined || this.unreadable !== undefined) {
          return this.clear(KeyRange.single(mutation.key))
        }
        this.writes = sortedMap.set(this.writes, mutation.key, absentWrite)
        return
      case "ClearRange":
        return this.clear(mutation)
      case "SetVersionstampedValue":
        this.write(mutation.key, mutation)
        this.unreadable = rangeSet.add(this.unreadable, KeyRange.single(mutation.key))
        return
      case "SetVersionstampedKey":
        return this.addStampedKey(mutation, readVersion ?? 0n)
      default:
        return this.write(mutation.key, mutation)
    }
  }

  addWriteConflict(range: KeyRange.KeyRange): void {
    if (this.writeConflicts === undefined) this.writeConflicts = [range]
    else this.writeConflicts.push(range)
  }

  /** How the database's value of a key that can be read is to be seen; `undefined`: as it is. */
  overlay(key: Uint8Array): Overlay | undefined {
    const write = sortedMap.get(this.writes, key)
    return write === undefined ? rangeSet.has(this.cleared, key) ? absent : undefined : overlayOf(write)
  }

  /** The keys of a range that were written one by one. */
  points(begin: Uint8Array, end: Uint8Array, reverse: boolean): sortedMap.Cursor<Write> {
    return reverse
      ? sortedMap.descending(this.writes, begin, end)
      : sortedMap.ascending(this.writes, begin, end)
  }

  /** Whether a range is untouched, so that the database's answer is the answer. */
  isUntouched(range: KeyRange.KeyRange): boolean {
    return (this.writes === undefined ||
      sortedMap.ascending(this.writes, range.begin, range.end).next() === undefined) &&
      !rangeSet.meets(this.cleared, range) && !rangeSet.meets(this.unreadable, range)
  }

  /** The cleared range that `key` lies in, or the next one behind it. */
  clearedFrom(key: Uint8Array): KeyRange.KeyRange | undefined {
    return rangeSet.from(this.cleared, key)
  }

  /** The last cleared range that begins before `key`. */
  clearedBefore(key: Uint8Array): KeyRange.KeyRange | undefined {
    return rangeSet.before(this.cleared, key)
  }

  /** Whether a key cannot be read. */
  isUnreadable(key: Uint8Array): boolean {
    return rangeSet.has(this.unreadable, key)
  }

  /** Where what a reader finds of the own writes changes last: at `key` or before it, or before it only. */
  lastBound(key: Uint8Array, isBefore: boolean): Uint8Array | undefined {
    const point = (isBefore ? sortedMap.lower : sortedMap.floor)(this.writes, key)
    const end = point && Bytes.successor(point.key)
    const order = end === undefined ? 0 : Bytes.compare(end, key)
    return latest(
      order < 0 || order === 0 && !isBefore ? end : point?.key,
      rangeSet.lastBound(this.cleared, key, isBefore),
      rangeSet.lastBound(this.unreadable, key, isBefore)
    )
  }

  /** Where what a reader finds of the own writes changes next, behind `key`. */
  nextBound(key: Uint8Array): Uint8Array | undefined {
    const after = Bytes.successor(key)
    return earliest(
      sortedMap.get(this.writes, key) === undefined ? sortedMap.ceiling(this.writes, after)?.key : after,
      rangeSet.nextBound(this.cleared, key),
      rangeSet.nextBound(this.unreadable, key)
    )
  }

  /** Where the keys that cannot be read begin, from `key` on. */
  unreadableFrom(key: Uint8Array): Uint8Array | undefined {
    const next = rangeSet.from(this.unreadable, key)
    return next === undefined || Bytes.compare(next.begin, key) >= 0 ? next?.begin : key
  }

  /** Where the keys that cannot be read end, below `key`. */
  unreadableBefore(key: Uint8Array): Uint8Array | undefined {
    const last = rangeSet.before(this.unreadable, key)
    return last === undefined || Bytes.compare(last.end, key) <= 0 ? last?.end : key
  }

  /** Adds to `conflicts` what of a key that was read depends on the database. */
  addKeyConflict(key: Uint8Array, conflicts: { readonly push: (range: KeyRange.KeyRange) => void }): void {
    const write = sortedMap.get(this.writes, key)
    if (write === undefined ? !rangeSet.has(this.cleared, key) : isDependent(write)) {
      conflicts.push(KeyRange.single(key))
    }
  }

  /** Adds to `conflicts` what of a range that was read depends on the database. */
  addRangeConflict(range: KeyRange.KeyRange, conflicts: Array<KeyRange.KeyRange>): void {
    if (Bytes.compare(range.begin, range.end) >= 0) return
    if (this.isUntouched(range)) {
      conflicts.push(range)
      return
    }
    let rest: rangeSet.RangeSet = rangeSet.add(undefined, range)
    for (const cleared of rangeSet.within(this.cleared, range)) rest = rangeSet.remove(rest, cleared)
    const points = sortedMap.ascending(this.writes, range.begin, range.end)
    for (let point = points.next(); point !== undefined; point = points.next()) {
      const single = KeyRange.single(point.key)
      rest = isDependent(point.value) ? rangeSet.add(rest, single) : rangeSet.remove(rest, single)
    }
    for (const part of rangeSet.within(rest, range)) conflicts.push(part)
  }

  /** The mutations to be committed: what was sealed, then ranges cleared, then key by key. */
  mutations(): ReadonlyArray<Mutation> {
    const mutations = this.sealed === undefined ? [] : [...this.sealed.mutations]
    this.collectMutations(KeyRange.all, mutations)
    return mutations
  }

  /** The keys that were written within ranges that were cleared: FoundationDB's client sends what is between them one by one. */
  writtenWithinCleared(): ReadonlyArray<Uint8Array> {
    const keys: Array<Uint8Array> = []
    for (const { begin, end } of rangeSet.within(this.cleared, KeyRange.all)) {
      const points = sortedMap.ascending(this.writes, Bytes.successor(begin), end)
      for (let point = points.next(); point !== undefined; point = points.next()) keys.push(point.key)
    }
    return keys
  }

  /** The write conflicts to be committed, but for versionstamped keys, which come about only then; in no order. */
  conflicts(): Array<KeyRange.KeyRange> {
    const conflicts = this.sealed === undefined ? [] : [...this.sealed.conflicts]
    this.collectConflicts(KeyRange.all, conflicts)
    return conflicts
  }

  /** The write conflicts as FoundationDB's client tells them, in no order. */
  toldConflicts(readVersion: bigint | undefined): Array<KeyRange.KeyRange> {
    const conflicts = this.sealed === undefined
      ? []
      : this.sealed.stampedKeys.map((key) => stampedRange(key, readVersion ?? 0n))
    this.collectConflicts(KeyRange.all, conflicts)
    return conflicts
  }

  private collectMutations(range: KeyRange.KeyRange, mutations: Array<Mutation>): void {
    for (const { begin, end } of rangeSet.within(this.cleared, range)) {
      mutations.push({ _tag: "ClearRange", begin, end })
    }
    const points = sortedMap.ascending(this.writes, range.begin, range.end)
    for (let point = points.next(); point !== undefined; point = points.next()) {
      const { key, value: write } = point
      if (write._tag === "Stack") { for (const mutation of write.mutations) mutations.push(mutation) }
      else if (write.value === undefined) mutations.push({ _tag: "Clear", key })
      else mutations.push({ _tag: "Set", key, value: write.value })
    }
  }

  private collectConflicts(range: KeyRange.KeyRange, conflicts: Array<KeyRange.KeyRange>): void {
    for (const cleared of rangeSet.within(this.cleared, range)) conflicts.push(cleared)
    const points = sortedMap.ascending(this.writes, range.begin, range.end)
    for (let point = points.next(); point !== undefined; point = points.next()) {
      const { key, value: write } = point
      if (write._tag === "Known" || write.mutations.some(({ _tag }) => _tag !== "SetVersionstampedKey")) {
        conflicts.push(KeyRange.single(key))
      }
    }
    for (const conflict of this.writeConflicts ?? []) {
      const common = KeyRange.intersection(conflict, range)
      if (common !== undefined) conflicts.push(common)
    }
  }

  private write(key: Uint8Array, mutation: KeyMutation): void {
    const present = sortedMap.get(this.writes, key)
    const isUnreadable = this.isUnreadable(key)
    if (present === undefined) {
      // A value that is not stored stays what it is, whatever comes of the database.
      const start = mutation._tag === "Atomic" && rangeSet.has(this.cleared, key) ? absentWrite : undefined
      this.put(key, start === undefined ? alone(mutation) : joinKnown(start, mutation) ?? alone(mutation))
    } else if (!isUnreadable && (mutation._tag === "Set" || mutation._tag === "SetVersionstampedValue")) {
      this.put(key, alone(mutation))
    } else if (present._tag === "Known") {
      const known = isUnreadable ? undefined : joinKnown(present, mutation)
      this.put(key, known ?? { _tag: "Stack", mutations: [toMutation(key, present.value), mutation] })
    } else {
      const { mutations } = present
      const last = isUnreadable || mutation._tag !== "Atomic" ? undefined : joined(mutations.at(-1)!, mutation)
      if (last === undefined) mutations.push(mutation)
      else mutations[mutations.length - 1] = last
    }
  }

  private put(key: Uint8Array, write: Write): void {
    this.writes = sortedMap.set(this.writes, key, write)
  }

  /**
   * Every key that it may become cannot be read from now on, and what was written there before is committed first, as it is
   * now: so does FoundationDB's client. The key itself can still be cleared, under its placeholder.
   */
  private addStampedKey(mutation: StampedKeyMutation, readVersion: bigint): void {
    const range = stampedRange(mutation.key, readVersion)
    this.seal(range).stampedKeys.push(mutation.key)
    this.unreadable = rangeSet.add(this.unreadable, range)
    this.write(placeholder(mutation.key, readVersion), mutation)
  }

  private seal(range: KeyRange.KeyRange): Sealed {
    const sealed = this.sealed ??= { mutations: [], conflicts: [], stampedKeys: [] }
    this.collectMutations(range, sealed.mutations)
    this.collectConflicts(range, sealed.conflicts)
    this.writes = sortedMap.removeRange(this.writes, range.begin, range.end)
    this.cleared = rangeSet.remove(this.cleared, range)
    this.writeConflicts = this.writeConflicts?.flatMap((conflict) => KeyRange.difference(conflict, range))
    return sealed
  }

  private clear(range: KeyRange.KeyRange): void {
    this.writes = sortedMap.removeRange(this.writes, range.begin, range.end)
    this.cleared = rangeSet.add(this.cleared, range)
    this.unreadable = rangeSet.remove(this.unreadable, range)
  }
}

/** How the database's value of a key that was written is to be seen. */
export const overlayOf = (write: Write): Overlay => {
  if (write._tag === "Known") return write
  return isDependent(write)
    ? (below) => applyAll(write.mutations, below)
    : { value: applyAll(write.mutations, undefined) }
}

const latest = (...keys: ReadonlyArray<Uint8Array | undefined>): Uint8Array | undefined =>
  keys.reduce((a, b) => a === undefined || b !== undefined && Bytes.compare(a, b) < 0 ? b : a)

const earliest = (...keys: ReadonlyArray<Uint8Array | undefined>): Uint8Array | undefined =>
  keys.reduce((a, b) => a === undefined || b !== undefined && Bytes.compare(b, a) < 0 ? b : a)

const absentWrite: Write = { _tag: "Known", value: undefined }

const alone = (mutation: KeyMutation): Write =>
  mutation._tag === "Set" ? { _tag: "Known", value: mutation.value } : { _tag: "Stack", mutations: [mutation] }

/** An atomic operation on a value that is known gives one that is known. */
const joinKnown = (write: Write, mutation: KeyMutation): Write | undefined =>
  write._tag === "Known" && mutation._tag === "Atomic"
    ? { _tag: "Known", value: apply(mutation.op, write.value, mutation.operand) }
    : undefined

const toMutation = (key: Uint8Array, value: Uint8Array | undefined): KeyMutation =>
  value === undefined ? { _tag: "Clear", key } : { _tag: "Set", key, value }

const applyAll = (
  mutations: ReadonlyArray<KeyMutation>,
  below: Uint8Array | undefined
): Uint8Array | undefined => {
  let value = below
  for (const mutation of mutations) {
    if (mutation._tag === "Atomic") value = Atomic.apply(mutation.op, value, mutation.operand)
    else if (mutation._tag === "Set") value = mutation.value
    else value = undefined
  }
  return value
}

const filled = ({ bytes, offset }: Versionstamped, stamp: Uint8Array, more: number): Uint8Array => {
  const key = new Uint8Array(bytes.length + more)
  key.set(bytes)
  key.set(stamp, offset)
  return key
}

const firstStamp = (readVersion: bigint): Uint8Array => toVersionstamp({ version: readVersion, order: 0 })

/** Every key that a versionstamped key may turn out to be. */
const stampedRange = (key: Versionstamped, readVersion: bigint): KeyRange.KeyRange => {
  const end = filled(key, lastStamp, 1)
  return {
    begin: filled(key, firstStamp(readVersion), 0),
    end: Bytes.compare(end, KeyRange.all.end) < 0 ? end : KeyRange.all.end
  }
}

/**
 * The key under which a versionstamped key can be cleared before the commit: the first that it may become, and behind it
 * where the versionstamp goes, as FoundationDB's client sends it.
 */
const placeholder = (key: Versionstamped, readVersion: bigint): Uint8Array => {
  const bytes = filled(key, firstStamp(readVersion), offsetLength)
  new DataView(bytes.buffer).setUint32(key.bytes.length, key.offset, true)
  return bytes
}
