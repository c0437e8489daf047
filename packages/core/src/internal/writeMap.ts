/** The write map: a transaction's writes so far, as its own reads see them and as its commit sends them. */
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
 * - `Known`: the value does not depend on the database; `undefined` where cleared
 * - `Stack`: mutations that could not be joined. The first determines whether they depend on the database's value. The array grows in
 *   place, so that many mutations of a key cost linear time
 */
export type Write =
  | { readonly _tag: "Known"; readonly value: Uint8Array | undefined }
  | { readonly _tag: "Stack"; readonly mutations: Array<KeyMutation> }

/** The effect of the writes on a key: a function of the database's value, or a value. */
export type Overlay =
  | ((below: Uint8Array | undefined) => Uint8Array | undefined)
  | { readonly value: Uint8Array | undefined }

const lastStamp = new Uint8Array(transactionLength).fill(0xff)

/** Operations of which two can be joined only where their operands have the same length. */
const associativeByLength: ReadonlySet<AtomicOp> = new Set(["Add", "BitOr", "BitXor", "Max", "Min"])

/** Joins two operations as FoundationDB's client does; `undefined` if it keeps both. */
const joined = (first: KeyMutation, second: AtomicMutation): AtomicMutation | undefined => {
  if (first._tag !== "Atomic" || first.op !== second.op || first.op === "CompareAndClear") return undefined
  if (associativeByLength.has(first.op) && first.operand.length !== second.operand.length) return undefined
  return { ...first, operand: apply(first.op, first.operand, second.operand)! }
}

/** The used length of each buffer that {@link append} has made. */
const used = new WeakMap<ArrayBufferLike, number>()

/** Joins values and leaves room for more, so that many small ones cost linear time. */
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

export class WriteMap {
  /** A versionstamped key is stored under its {@link placeholder}. */
  private writes: sortedMap.SortedMap<Write> = undefined
  private cleared: rangeSet.RangeSet = undefined
  /** Keys whose value, or existence, depends on the versionstamp; only a clear makes them readable again. */
  private unreadable: rangeSet.RangeSet = undefined
  private writeConflicts: Array<KeyRange.KeyRange> = []
  /** Earlier writes that no read sees any more. The commit applies them first. */
  private readonly sealed = {
    mutations: new Array<Mutation>(),
    conflicts: new Array<KeyRange.KeyRange>(),
    /** All versionstamped keys so far. */
    stampedKeys: new Array<Versionstamped>()
  }

  /** There is nothing to commit. */
  get isEmpty(): boolean {
    return this.isTransparent && this.writeConflicts.length === 0
  }

  /** No write has an effect on reads. */
  get isTransparent(): boolean {
    return this.writes === undefined && this.cleared === undefined && this.unreadable === undefined
  }

  /** Adds a mutation. `readVersion` is the transaction's, if it was taken. */
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
    this.writeConflicts.push(range)
  }

  /** The overlay of a readable key; `undefined` if the transaction has not written it. */
  overlay(key: Uint8Array): Overlay | undefined {
    const write = sortedMap.get(this.writes, key)
    if (write === undefined) return rangeSet.has(this.cleared, key) ? absentWrite : undefined
    if (write._tag === "Known") return write
    const { mutations } = write
    return isDependent(write) ? (below) => applyAll(mutations, below) : { value: applyAll(mutations, undefined) }
  }

  /** Returns whether no write touches a range. */
  isUntouched(range: KeyRange.KeyRange): boolean {
    const written = sortedMap.ceiling(this.writes, range.begin)
    return (written === undefined || Bytes.compare(written.key, range.end) >= 0) &&
      !rangeSet.meets(this.cleared, range) && !rangeSet.meets(this.unreadable, range)
  }

  /** Returns whether a key cannot be read. */
  isUnreadable(key: Uint8Array): boolean {
    return rangeSet.has(this.unreadable, key)
  }

  /** The last bound between keys that are written differently, before `limit`. */
  lastBound(limit: Uint8Array): Uint8Array | undefined {
    const point = sortedMap.lower(this.writes, limit)
    const end = point && Bytes.successor(point.key)
    return latest(
      end === undefined || Bytes.compare(end, limit) < 0 ? end : point?.key,
      rangeSet.lastBound(this.cleared, limit),
      rangeSet.lastBound(this.unreadable, limit)
    )
  }

  /** The next bound between keys that are written differently, behind `key`. */
  nextBound(key: Uint8Array): Uint8Array | undefined {
    const after = Bytes.successor(key)
    return earliest(
      sortedMap.get(this.writes, key) === undefined ? sortedMap.ceiling(this.writes, after)?.key : after,
      rangeSet.nextBound(this.cleared, key),
      rangeSet.nextBound(this.unreadable, key)
    )
  }

  /** Returns whether the value of a key depends on the database. */
  isDependent(key: Uint8Array): boolean {
    const write = sortedMap.get(this.writes, key)
    return write === undefined ? !rangeSet.has(this.cleared, key) : isDependent(write)
  }

  /** Adds the parts of a range that depend on the database to `conflicts`. */
  addConflict(range: KeyRange.KeyRange, conflicts: Array<KeyRange.KeyRange>): void {
    if (Bytes.compare(range.begin, range.end) >= 0) return
    if (this.isUntouched(range)) {
      conflicts.push(range)
      return
    }
    const independent = rangeSet.within(this.cleared, range)
    for (const { key, value } of sortedMap.entries(this.writes, range.begin, range.end)) {
      if (!isDependent(value)) independent.push(KeyRange.single(key))
    }
    let { begin } = range
    for (const known of KeyRange.coalesce(independent)) {
      if (Bytes.compare(begin, known.begin) < 0) conflicts.push({ begin, end: known.begin })
      begin = known.end
    }
    if (Bytes.compare(begin, range.end) < 0) conflicts.push({ begin, end: range.end })
  }

  /** The mutations to commit: what was sealed, then cleared ranges, then key by key. */
  mutations(): ReadonlyArray<Mutation> {
    const mutations = [...this.sealed.mutations]
    this.collectMutations(KeyRange.all, mutations)
    return mutations
  }

  /** The keys that were written within cleared ranges: FoundationDB's client sends the clears between them one by one. */
  writtenWithinCleared(): ReadonlyArray<Uint8Array> {
    const keys: Array<Uint8Array> = []
    for (const { begin, end } of rangeSet.within(this.cleared, KeyRange.all)) {
      for (const { key } of sortedMap.entries(this.writes, Bytes.successor(begin), end)) keys.push(key)
    }
    return keys
  }

  /** The write conflicts to commit, in no order; without versionstamped keys, which only the commit knows. */
  conflicts(): Array<KeyRange.KeyRange> {
    const conflicts = [...this.sealed.conflicts]
    this.collectConflicts(KeyRange.all, conflicts)
    return conflicts
  }

  /** The write conflicts as FoundationDB's client reports them, in no order. */
  reportedConflicts(readVersion: bigint | undefined): Array<KeyRange.KeyRange> {
    const conflicts = this.sealed.stampedKeys.map((key) => stampedRange(key, readVersion ?? 0n))
    this.collectConflicts(KeyRange.all, conflicts)
    return conflicts
  }

  private collectMutations(range: KeyRange.KeyRange, mutations: Array<Mutation>): void {
    for (const { begin, end } of rangeSet.within(this.cleared, range)) {
      mutations.push({ _tag: "ClearRange", begin, end })
    }
    for (const { key, value: write } of sortedMap.entries(this.writes, range.begin, range.end)) {
      if (write._tag === "Stack") { for (const mutation of write.mutations) mutations.push(mutation) }
      else if (write.value === undefined) mutations.push({ _tag: "Clear", key })
      else mutations.push({ _tag: "Set", key, value: write.value })
    }
  }

  private collectConflicts(range: KeyRange.KeyRange, conflicts: Array<KeyRange.KeyRange>): void {
    for (const cleared of rangeSet.within(this.cleared, range)) conflicts.push(cleared)
    for (const { key, value: write } of sortedMap.entries(this.writes, range.begin, range.end)) {
      if (write._tag === "Known" || write.mutations.some(({ _tag }) => _tag !== "SetVersionstampedKey")) {
        conflicts.push(KeyRange.single(key))
      }
    }
    for (const conflict of this.writeConflicts) {
      const common = KeyRange.intersection(conflict, range)
      if (common !== undefined) conflicts.push(common)
    }
  }

  private write(key: Uint8Array, mutation: KeyMutation): void {
    const present = sortedMap.get(this.writes, key)
    const isUnreadable = this.isUnreadable(key)
    if (present === undefined) {
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
   * As in FoundationDB's client, no key that it may become can be read from now on. Earlier writes to these keys are sealed. The key
   * itself can still be cleared, under its placeholder.
   */
  private addStampedKey(mutation: StampedKeyMutation, readVersion: bigint): void {
    const range = stampedRange(mutation.key, readVersion)
    this.seal(range)
    this.sealed.stampedKeys.push(mutation.key)
    this.unreadable = rangeSet.add(this.unreadable, range)
    this.write(placeholder(mutation.key, readVersion), mutation)
  }

  private seal(range: KeyRange.KeyRange): void {
    this.collectMutations(range, this.sealed.mutations)
    this.collectConflicts(range, this.sealed.conflicts)
    this.writes = sortedMap.removeRange(this.writes, range.begin, range.end)
    this.cleared = rangeSet.remove(this.cleared, range)
    this.writeConflicts = this.writeConflicts.flatMap((conflict) => KeyRange.difference(conflict, range))
  }

  private clear(range: KeyRange.KeyRange): void {
    this.writes = sortedMap.removeRange(this.writes, range.begin, range.end)
    this.cleared = rangeSet.add(this.cleared, range)
    this.unreadable = rangeSet.remove(this.unreadable, range)
  }
}

const latest = (...keys: ReadonlyArray<Uint8Array | undefined>): Uint8Array | undefined =>
  keys.reduce((a, b) => a === undefined || b !== undefined && Bytes.compare(a, b) < 0 ? b : a)

const earliest = (...keys: ReadonlyArray<Uint8Array | undefined>): Uint8Array | undefined =>
  keys.reduce((a, b) => a === undefined || b !== undefined && Bytes.compare(b, a) < 0 ? b : a)

const absentWrite = { _tag: "Known", value: undefined } as const

const alone = (mutation: KeyMutation): Write =>
  mutation._tag === "Set" ? { _tag: "Known", value: mutation.value } : { _tag: "Stack", mutations: [mutation] }

/** Applies an atomic operation to a known value. */
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

/** The keys that a versionstamped key may become. */
const stampedRange = (key: Versionstamped, readVersion: bigint): KeyRange.KeyRange => {
  const end = filled(key, lastStamp, 1)
  return {
    begin: filled(key, firstStamp(readVersion), 0),
    end: Bytes.compare(end, KeyRange.all.end) < 0 ? end : KeyRange.all.end
  }
}

/** The key under which FoundationDB's client stores a versionstamped key: the first that it may become, then the offset. */
const placeholder = (key: Versionstamped, readVersion: bigint): Uint8Array => {
  const bytes = filled(key, firstStamp(readVersion), offsetLength)
  new DataView(bytes.buffer).setUint32(key.bytes.length, key.offset, true)
  return bytes
}
