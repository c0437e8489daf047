/**
 * What a transaction has written so far, as its own reads have to see it and as its commit has to send it.
 */
import * as Atomic from "../Atomic.ts"
import * as Bytes from "../Bytes.ts"
import * as KeyRange from "../KeyRange.ts"
import type { Mutation } from "../Mutation.ts"
import { toVersionstamp } from "../VersionedStore.ts"
import { transactionLength, type Versionstamped } from "../Versionstamp.ts"
import * as rangeSet from "./rangeSet.ts"
import * as sortedMap from "./sortedMap.ts"

type AtomicMutation = Extract<Mutation, { readonly _tag: "Atomic" }>

/**
 * The writes to one key.
 *
 * - `Known`: the value does not depend on the database; `undefined` when cleared
 * - `Dependent`: atomic operations on whatever value the database has
 * - `Stamped`: there is a versionstamped value among them, so there is no telling before the commit
 */
type Write =
  | { readonly _tag: "Known"; readonly value: Uint8Array | undefined }
  | { readonly _tag: "Dependent"; readonly mutations: ReadonlyArray<AtomicMutation> }
  | { readonly _tag: "Stamped"; readonly mutations: ReadonlyArray<Mutation> }

/** What a key is for a reader of the database beneath. */
export type Overlay =
  /** The database's value is to be taken through this. */
  | ((below: Uint8Array | undefined) => Uint8Array | undefined)
  /** The database's value does not matter. */
  | { readonly value: Uint8Array | undefined }

const absent = { value: undefined }
const lastStamp = new Uint8Array(transactionLength).fill(0xff)

export class OwnWrites {
  private writes: sortedMap.SortedMap<Write> = undefined
  private cleared: rangeSet.RangeSet = undefined
  /** What a versionstamp may be going to stand in; only a clear makes it readable again. */
  private unreadable: rangeSet.RangeSet = undefined
  private stampedKeys: Array<Extract<Mutation, { readonly _tag: "SetVersionstampedKey" }>> = []

  get isEmpty(): boolean {
    return this.writes === undefined && this.cleared === undefined && this.stampedKeys.length === 0
  }

  /** Adds a mutation. `readVersion` is the transaction's, where it is known already. */
  add(mutation: Mutation, readVersion: bigint | undefined): void {
    switch (mutation._tag) {
      case "Set":
        return this.write(mutation, mutation.key, { _tag: "Known", value: mutation.value })
      case "Clear":
        if (this.cleared !== undefined || this.unreadable !== undefined || this.stampedKeys.length > 0) {
          return this.clear(KeyRange.single(mutation.key))
        }
        this.writes = sortedMap.set(this.writes, mutation.key, { _tag: "Known", value: undefined })
        return
      case "ClearRange":
        return this.clear(mutation)
      case "Atomic":
        return this.addAtomic(mutation)
      case "SetVersionstampedValue":
        this.unreadable = rangeSet.add(this.unreadable, KeyRange.single(mutation.key))
        return this.write(mutation, mutation.key, { _tag: "Stamped", mutations: [mutation] })
      case "SetVersionstampedKey":
        this.unreadable = rangeSet.add(this.unreadable, stampedRange(mutation.key, readVersion ?? 0n))
        this.stampedKeys.push(mutation)
    }
  }

  /** How the database's value of a key is to be seen; `undefined`: as it is. */
  overlay(key: Uint8Array): Overlay | undefined {
    const write = sortedMap.get(this.writes, key)
    if (write === undefined) return rangeSet.has(this.cleared, key) ? absent : undefined
    switch (write._tag) {
      case "Known":
        return write
      case "Dependent":
        return (below) => write.mutations.reduce((value, { op, operand }) => Atomic.apply(op, value, operand), below)
      case "Stamped":
        return absent
    }
  }

  /** The keys of a range that were written one by one, with what they are to be seen as. */
  points(begin: Uint8Array, end: Uint8Array, reverse: boolean): sortedMap.Cursor<unknown> {
    return reverse
      ? sortedMap.descending(this.writes, begin, end)
      : sortedMap.ascending(this.writes, begin, end)
  }

  /** Whether a range is untouched, so that the database's answer is the answer. */
  isUntouched(begin: Uint8Array, end: Uint8Array): boolean {
    return (this.writes === undefined || sortedMap.ascending(this.writes, begin, end).next() === undefined) &&
      rangeSet.within(this.cleared, { begin, end }).length === 0
  }

  /** The cleared range that a key lies in. */
  clearedAround(key: Uint8Array): KeyRange.KeyRange | undefined {
    return rangeSet.find(this.cleared, key)
  }

  /** Whether a key cannot be read. */
  isUnreadable(key: Uint8Array): boolean {
    return rangeSet.has(this.unreadable, key)
  }

  /** The parts of a range that cannot be read. */
  unreadableWithin(range: KeyRange.KeyRange): ReadonlyArray<KeyRange.KeyRange> {
    return rangeSet.within(this.unreadable, range)
  }

  /** Adds to `conflicts` what of a key that was read depends on the database. */
  addKeyConflict(key: Uint8Array, conflicts: Array<KeyRange.KeyRange>): void {
    const write = sortedMap.get(this.writes, key)
    if (write === undefined ? !rangeSet.has(this.cleared, key) : write._tag === "Dependent") {
      conflicts.push(KeyRange.single(key))
    }
  }

  /** Adds to `conflicts` what of a range that was read depends on the database. */
  addRangeConflict(range: KeyRange.KeyRange, conflicts: Array<KeyRange.KeyRange>): void {
    if (Bytes.compare(range.begin, range.end) >= 0) return
    if (this.isUntouched(range.begin, range.end)) {
      conflicts.push(range)
      return
    }
    let rest: rangeSet.RangeSet = rangeSet.add(undefined, range)
    for (const cleared of rangeSet.within(this.cleared, range)) rest = rangeSet.remove(rest, cleared)
    const points = sortedMap.ascending(this.writes, range.begin, range.end)
    for (let point = points.next(); point !== undefined; point = points.next()) {
      const single = KeyRange.single(point.key)
      rest = point.value._tag === "Dependent" ? rangeSet.add(rest, single) : rangeSet.remove(rest, single)
    }
    for (const part of rangeSet.within(rest, range)) conflicts.push(part)
  }

  /** The mutations to be committed: ranges cleared first, then key by key, then what goes to versionstamped keys. */
  mutations(): ReadonlyArray<Mutation> {
    const mutations: Array<Mutation> = rangeSet.within(this.cleared, KeyRange.all)
      .map(({ begin, end }) => ({ _tag: "ClearRange", begin, end }))
    const points = sortedMap.ascending(this.writes, KeyRange.all.begin, KeyRange.all.end)
    for (let point = points.next(); point !== undefined; point = points.next()) {
      const { key, value: write } = point
      if (write._tag !== "Known") mutations.push(...write.mutations)
      else if (write.value === undefined) mutations.push({ _tag: "Clear", key })
      else mutations.push({ _tag: "Set", key, value: write.value })
    }
    return this.stampedKeys.length === 0 ? mutations : mutations.concat(this.stampedKeys)
  }

  private write(mutation: Mutation, key: Uint8Array, write: Write): void {
    const present = sortedMap.get(this.writes, key)
    this.writes = sortedMap.set(
      this.writes,
      key,
      present?._tag === "Stamped" ? { _tag: "Stamped", mutations: [...present.mutations, mutation] } : write
    )
  }

  private addAtomic(mutation: AtomicMutation): void {
    const { key, op, operand } = mutation
    const present = sortedMap.get(this.writes, key) ?? (rangeSet.has(this.cleared, key) ? known(undefined) : undefined)
    switch (present?._tag) {
      case "Known":
        return this.write(mutation, key, known(Atomic.apply(op, present.value, operand)))
      case "Dependent":
        return this.write(mutation, key, { _tag: "Dependent", mutations: [...present.mutations, mutation] })
      default:
        return this.write(mutation, key, { _tag: "Dependent", mutations: [mutation] })
    }
  }

  private clear(range: KeyRange.KeyRange): void {
    this.writes = sortedMap.removeRange(this.writes, range.begin, range.end)
    this.cleared = rangeSet.add(this.cleared, range)
    this.unreadable = rangeSet.remove(this.unreadable, range)
    if (this.stampedKeys.length > 0) {
      this.stampedKeys = this.stampedKeys.filter(({ key }) => !KeyRange.contains(range, key.bytes))
    }
  }
}

const known = (value: Uint8Array | undefined): Write => ({ _tag: "Known", value })

/** Every key that a versionstamped key may turn out to be. */
const stampedRange = ({ bytes, offset }: Versionstamped, readVersion: bigint): KeyRange.KeyRange => {
  const begin = bytes.slice()
  begin.set(toVersionstamp({ version: readVersion, order: 0 }), offset)
  const end = Bytes.successor(bytes)
  end.set(lastStamp, offset)
  return { begin, end: Bytes.compare(end, KeyRange.all.end) < 0 ? end : KeyRange.all.end }
}
