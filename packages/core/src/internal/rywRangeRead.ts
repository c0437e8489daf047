/**
 * Reads ranges between key selectors in the steps of FoundationDB's client.
 *
 * The steps determine the conflict ranges, the refusals (1036) and the ends of pages. They follow `RYWImpl::getRangeValue` and
 * `getRangeValueBack` in `fdbclient/ReadYourWrites.actor.cpp`, release 7.3, and `getRange` in `NativeAPI.actor.cpp`:
 *
 * 1. Count both selectors as far as the segments are known (see `RywIterator`). If a count stops at an end of the database, the
 *    conflict range may extend to that end.
 * 2. If the end is not known yet and seems to be before the beginning, look it up first, as `getKey` does.
 * 3. Take pairs, segment by segment. At an unknown segment, request the wanted rows and those that the selectors still have to count,
 *    up to the next cleared range. Then count on. A non-empty page of limited size ends at an unknown segment.
 *
 * A backward read exchanges beginning and end. A cluster splits a request at the ends of its shards and at the size of a reply. This
 * module does not imitate that.
 */
import * as Bytes from "../Bytes.ts"
import * as KeyRange from "../KeyRange.ts"
import type { KeySelector } from "../KeySelector.ts"
import type { KeyValue } from "../Transaction.ts"
import type { Snapshot } from "../VersionedStore.ts"
import { endOfKeys, readDatabase, type RywIterator, type Segment } from "./rywIterator.ts"

/** Only the commit determines the answer: error 1036. */
export const unreadable = Symbol("unreadable")
/** Only the database has the answer. */
export const unknown = Symbol("unknown")
/** Why there is no answer. */
export type Blocked = typeof unreadable | typeof unknown

/** A selector without `orEqual`: with an offset of one it selects `key`, or the first key after it. */
export interface Anchored {
  readonly key: Uint8Array
  readonly offset: number
}

/** Removes `orEqual` from a selector. */
export const anchored = ({ key, offset, orEqual }: KeySelector): Anchored => ({
  key: orEqual ? Bytes.successor(key) : key,
  offset
})

/** The key of a selector without `orEqual`, `\xff` at most. */
export const anchor = (selector: KeySelector): Uint8Array => {
  const { key } = anchored(selector)
  return Bytes.compare(key, lastKey) > 0 ? lastKey : key
}

/** The limits of a page or a request. It is full at either. */
export interface RequestLimits {
  readonly rows: number
  readonly bytes: number
}

/** A page of a range. */
export interface RangePage {
  readonly values: ReadonlyArray<KeyValue>
  /** There may be more pairs. */
  readonly more: boolean
  /** A selector went beyond this end of the database, so the page depends on the end. */
  readonly clampedBegin: boolean
  readonly clampedEnd: boolean
}

/** The answer of a read. */
export interface Read<A> {
  readonly answer: A | Blocked
  /** The ranges that it read of the database. */
  readonly cached: ReadonlyArray<KeyRange.KeyRange>
}

const firstKey = KeyRange.all.begin
const lastKey = KeyRange.all.end
const isFirst = (key: Uint8Array): boolean => key.length === 0
const isAtLeast = (a: Uint8Array, b: Uint8Array): boolean => Bytes.compare(a, b) >= 0

const nothing: RangePage = { values: [], more: false, clampedBegin: false, clampedEnd: false }

/** The maximum number of pairs that one call of the store reads. */
const pairsAtOnce = 256

/** The size of a pair in a page. */
const sizeOf = ({ key, value }: KeyValue): number => 8 + key.length + value.length

/** The database's reply. */
interface Reply {
  readonly values: ReadonlyArray<KeyValue>
  readonly more: boolean
  readonly fromBegin: boolean
  readonly throughEnd: boolean
}

/** Looks a selector up in the database. `left` is the rest of its count if the keys ended before it did. */
const find = (below: Snapshot, { key, offset }: Anchored): { readonly key: Uint8Array; readonly left: number } => {
  if (offset === 1) return { key, left: 0 }
  const reverse = offset < 1
  const range = reverse ? { begin: firstKey, end: key } : { begin: key, end: endOfKeys }
  const count = reverse ? 1 - offset : offset
  const pairs = readDatabase(below, range, count, reverse)
  return pairs.length === count
    ? { key: pairs[count - 1]!.key, left: 0 }
    : { key: reverse ? firstKey : endOfKeys, left: count - pairs.length }
}

/** Requests a range between selectors from the database: at least `minRows`, independently of their size. */
const ask = (
  below: Snapshot,
  begin: Anchored,
  end: Anchored,
  { bytes, rows }: RequestLimits,
  minRows: number,
  reverse: boolean
): Reply => {
  const startsFirst = isFirst(begin.key) && begin.offset < 1
  if (isFirst(end.key) && end.offset <= 1) return { values: [], more: false, fromBegin: startsFirst, throughEnd: false }
  const from = find(below, startsFirst ? { key: firstKey, offset: 1 } : begin)
  const to = find(below, end)
  // If a server cannot count to the end of a selector, the client looks both selectors up and reports their keys.
  const isLookedUp = from.left > 0 && (begin.offset < 1 || from.left > 1) ||
    to.left > 0 && (end.offset < 1 || to.left > 1)
  const range = { begin: from.key, end: to.key }
  if (isAtLeast(range.begin, range.end)) {
    return { values: [], more: false, fromBegin: startsFirst && !isLookedUp, throughEnd: false }
  }
  const values: Array<KeyValue> = []
  let left = bytes
  let more = false
  let rest = range
  for (let chunk = pairsAtOnce; !more && chunk === pairsAtOnce;) {
    const pairs = readDatabase(below, rest, Math.min(pairsAtOnce, rows - values.length), reverse)
    for (const pair of pairs) {
      values.push(pair)
      left -= sizeOf(pair)
      more = values.length === rows || left <= 0 && values.length >= minRows
      if (more) break
    }
    chunk = pairs.length
    const last = values.at(-1)?.key
    if (last !== undefined) {
      rest = reverse ? { begin: rest.begin, end: last } : { begin: Bytes.successor(last), end: rest.end }
    }
  }
  return {
    values,
    more,
    fromBegin: isLookedUp ? isFirst(range.begin) && !(reverse && more) : startsFirst,
    throughEnd: isLookedUp && Bytes.equals(range.end, endOfKeys) && (reverse || !more)
  }
}

/** The range that a reply covers. */
const coveredBy = (reply: Reply, begin: Anchored, end: Anchored, reverse: boolean): KeyRange.KeyRange => {
  const { fromBegin, more, throughEnd, values } = reply
  const lowest = reverse ? values.at(-1) : values[0]
  const highest = reverse ? values[0] : values.at(-1)
  const reachesBegin = begin.offset <= 1 && !(reverse && more)
  const reachesEnd = end.offset >= 1 && (reverse || !more)
  let from = fromBegin ? firstKey : reachesBegin ? begin.key : endOfKeys
  let to = throughEnd ? endOfKeys : reachesEnd ? end.key : firstKey
  if (lowest !== undefined && Bytes.compare(lowest.key, from) < 0) from = lowest.key
  if (highest !== undefined && Bytes.compare(highest.key, to) >= 0) to = Bytes.successor(highest.key)
  return { begin: from, end: to }
}

/** A selector that is being counted, and the segment that it has reached. */
class CountedSelector implements Anchored {
  key: Uint8Array
  offset: number
  /** The offset at which the count stopped, before the selector was limited to an end of the database. */
  counted: number
  segment!: Segment

  constructor({ key, offset }: Anchored) {
    this.key = key
    this.offset = offset
    this.counted = offset
  }

  get isFound(): boolean {
    return this.offset === 1
  }

  /** Counts on as far as the segments are known. Returns the end of the database if it has reached one. */
  advance(view: RywIterator): "begin" | "end" | undefined {
    const wasFound = this.isFound
    let at = view.at(this.key)
    if (this.offset <= 0 && !isFirst(this.key) && Bytes.equals(at.begin, this.key)) at = view.before(at)
    while (this.offset > 1 && isKnown(at) && Bytes.compare(at.end, lastKey) < 0) {
      if (at.kind === "pair") this.offset--
      at = view.after(at)
      this.key = at.begin
    }
    while (this.offset < 1 && isKnown(at) && !isFirst(at.begin)) {
      if (at.kind === "pair" && ++this.offset === 1) {
        this.key = at.begin
        break
      }
      at = view.before(at)
      this.key = at.end
    }
    this.segment = at
    if (!wasFound) this.counted = this.offset
    if (isKnown(at) && !this.isFound) {
      const end = this.offset < 1 ? "begin" : "end"
      this.key = end === "begin" ? firstKey : lastKey
      this.offset = 1
      return end
    }
    while (at.kind === "empty" && Bytes.compare(at.end, lastKey) < 0) {
      at = view.after(at)
      this.key = at.begin
    }
    this.segment = at
    return undefined
  }
}

const isKnown = ({ kind }: Segment): boolean => kind === "pair" || kind === "empty"

/** A direction of reading. */
interface Direction {
  readonly reverse: boolean
  /** The ends of the database, in its order. */
  readonly start: Uint8Array
  readonly stop: Uint8Array
  readonly next: (view: RywIterator, at: Segment) => Segment
  readonly previous: (view: RywIterator, at: Segment) => Segment
  /** How many keys a selector still has to count in this direction; negative in the opposite direction. */
  readonly ahead: (selector: Anchored) => number
  readonly comesBefore: (a: Uint8Array, b: Uint8Array) => boolean
  /** The ends of a segment, in its order. */
  readonly entry: (at: Segment) => Uint8Array
  readonly exit: (at: Segment) => Uint8Array
}

const forwards: Direction = {
  reverse: false,
  start: firstKey,
  stop: lastKey,
  next: (view, at) => view.after(at),
  previous: (view, at) => view.before(at),
  ahead: ({ offset }) => offset - 1,
  comesBefore: (a, b) => Bytes.compare(a, b) < 0,
  entry: ({ begin }) => begin,
  exit: ({ end }) => end
}

const backwards: Direction = {
  reverse: true,
  start: lastKey,
  stop: firstKey,
  next: forwards.previous,
  previous: forwards.next,
  ahead: ({ offset }) => 1 - offset,
  comesBefore: (a, b) => Bytes.compare(a, b) > 0,
  entry: forwards.exit,
  exit: forwards.entry
}

/** Segments that were passed. */
interface Passed {
  /** The last unknown one, or the first. */
  readonly last: Segment
  /** The number of keys among them that were cleared one by one. */
  readonly clears: number
}

/** Passes segments up to a cleared range, an unreadable segment, or a segment for which `isEnd` returns true. */
const pass = (
  view: RywIterator,
  { entry, exit, next, reverse }: Direction,
  from: Segment,
  isEnd: (at: Segment, clears: number) => boolean
): Passed => {
  let at = from
  let last = from
  let emptyFrom = entry(from)
  let clears = 0
  while (!isEnd(at, clears)) {
    if (at.kind === "unreadable" || at.kind === "empty") {
      const [begin, end] = reverse ? [exit(at), emptyFrom] : [emptyFrom, exit(at)]
      if (at.kind === "unreadable" || !KeyRange.isSingle({ begin, end })) break
      clears++
    } else {
      emptyFrom = exit(at)
    }
    at = next(view, at)
    if (at.kind === "unknown") last = at
  }
  return { last, clears }
}

/** Counts the keys ahead that were cleared one by one, up to the next cleared range; at most `limit`. */
const countClears = (view: RywIterator, direction: Direction, from: Segment, limit: number): number =>
  pass(
    view,
    direction,
    from,
    (at, clears) => clears >= limit || !direction.comesBefore(direction.exit(at), direction.stop)
  ).clears

/** A read under way. */
class RangeRead {
  view: RywIterator
  readonly cached: Array<KeyRange.KeyRange> = []

  constructor(view: RywIterator) {
    this.view = view
  }

  /** Resolves a selector, as `getKey` does. */
  key({ key, offset }: Anchored): Uint8Array | Blocked {
    const reverse = offset <= 0
    const page = reverse
      ? this.range({ key: firstKey, offset: 1 }, { key, offset: offset + 1 }, oneRow, true)
      : this.range({ key, offset }, { key: lastKey, offset: 1 }, oneRow, false)
    if (typeof page === "symbol") return page
    const [isNear, isFar] = reverse ? [page.clampedEnd, page.clampedBegin] : [page.clampedBegin, page.clampedEnd]
    const { start, stop } = reverse ? backwards : forwards
    return isNear ? start : isFar ? stop : page.values[0]?.key ?? stop
  }

  /** Reads a page of a range. */
  range(beginAt: Anchored, endAt: Anchored, limits: RequestLimits, reverse: boolean): RangePage | Blocked {
    const direction = reverse ? backwards : forwards
    const { ahead, comesBefore, next } = direction
    const begin = new CountedSelector(beginAt)
    const end = new CountedSelector(endAt)
    const [near, far] = reverse ? [end, begin] : [begin, end]
    let clampedBegin = false
    let clampedEnd = false
    const clamp = (isBegin: boolean, isEnd: boolean): void => {
      clampedBegin ||= isBegin
      clampedEnd ||= isEnd
    }
    const advance = (): void => {
      for (const selector of [near, far]) {
        const came = selector.advance(this.view)
        clamp(came === "begin", came === "end")
      }
    }
    const lookUpFar = (): Uint8Array | Blocked => {
      const key = this.key(far)
      if (typeof key !== "symbol") clamp(isFirst(key), Bytes.equals(key, lastKey))
      return key
    }
    const none = (): RangePage => ({ values: [], more: false, clampedBegin, clampedEnd })
    const isInverted = (): boolean => begin.counted >= end.counted && isAtLeast(begin.key, end.key)
    advance()
    if (isInverted()) return nothing
    if (begin.isFound && Bytes.equals(begin.key, lastKey) || end.isFound && isFirst(end.key)) return none()
    if (!far.isFound && Bytes.compare(begin.key, end.key) > 0) {
      const key = lookUpFar()
      if (typeof key === "symbol") return key
      if (!comesBefore(near.key, key) && ahead(near) >= 0) return nothing
      if (Bytes.equals(key, direction.start)) return none()
      advance()
    }
    const values: Array<KeyValue> = []
    let { bytes, rows } = limits
    let past = 0
    let more = false
    let requests = 0
    let at = near.segment
    const isFull = (): boolean => rows === 0 || bytes <= 0 && values.length > 0
    const isPastFar = (): boolean => past >= -ahead(far)
    for (;;) {
      if (values.length === 0 && isInverted()) return nothing
      if (ahead(far) <= 0 && !comesBefore(direction.start, far.key)) return none()
      if (
        begin.offset >= end.offset && isAtLeast(begin.key, end.key) ||
        ahead(near) >= 0 && !comesBefore(near.key, direction.stop)
      ) {
        if (far.isFound || values.length === 0) break
        const key = lookUpFar()
        if (typeof key === "symbol") return key
        far.key = key
        far.offset = 1
        break
      }
      if (isKnown(at) && comesBefore(far.segment.begin, at.begin) && (!reverse || isPastFar())) {
        if (far.isFound) break
        return none()
      }
      if (isFull() && isPastFar()) break
      if (!reverse) {
        const isAtEnd = begin.offset > 0 && end.isFound && Bytes.equals(end.key, at.begin)
        if (Bytes.equals(at.begin, far.segment.begin) && (isKnown(at) || isAtEnd)) break
      } else if (end.isFound && Bytes.equals(end.key, at.begin)) {
        if (isPastFar() && Bytes.equals(at.begin, far.segment.begin)) break
        at = this.view.before(at)
      }
      if (at.kind === "unreadable") return unreadable
      if (at.kind === "unknown") {
        if (limits.bytes !== Number.POSITIVE_INFINITY && values.length > 0 && isPastFar()) {
          more = true
          break
        }
        const hasRead = this.request(direction, near, far, at, rows, bytes, requests)
        if (!hasRead) return unknown
        requests++
        advance()
        at = near.segment
        continue
      }
      if (at.kind === "pair") {
        const stop = far.isFound ? far.key : direction.stop
        const wanted = rows === Number.POSITIVE_INFINITY ? pairsAtOnce : rows + Math.max(0, -ahead(far)) + 1
        const pairs = this.view.contiguous(at, stop, reverse, Math.min(wanted, pairsAtOnce))
        for (const pair of pairs) {
          if (isFull()) {
            past++
            continue
          }
          values.push(pair)
          rows--
          bytes -= sizeOf(pair)
        }
        if (pairs.length > 1) at = this.view.at(pairs.at(-1)!.key)
      }
      if (reverse && Bytes.equals(at.begin, far.segment.begin)) break
      at = next(this.view, at)
    }
    more ||= isFull()
    let kept = values
    if (far.isFound) {
      kept = values.filter(({ key }) => reverse ? isAtLeast(key, far.key) : Bytes.compare(key, far.key) < 0)
      if (kept.length < values.length) more = false
    }
    return {
      values: kept,
      more,
      clampedBegin: clampedBegin && !(reverse && more),
      clampedEnd: clampedEnd && (reverse || !more)
    }
  }

  /** Sends one request to the database. Returns false if there is no database. */
  private request(
    direction: Direction,
    near: CountedSelector,
    far: CountedSelector,
    at: Segment,
    rows: number,
    bytes: number,
    requests: number
  ): boolean {
    const { below } = this.view
    if (below === undefined) return false
    const { ahead, comesBefore, entry, exit, reverse } = direction
    const opposite = reverse ? forwards : backwards
    const move = (selector: Anchored, count: number): Anchored => ({
      key: selector.key,
      offset: selector.offset + (reverse ? -count : count)
    })
    // Like the client, it expects no cleared keys at the first request, and more at each later one.
    const clearLimit = requests === 0 ? 0 : 2 ** Math.min(requests, 20)
    let additional = 0
    let passed: Passed = { last: at, clears: 0 }
    if (comesBefore(at.begin, far.segment.begin)) {
      let left = clearLimit + 100
      passed = pass(this.view, direction, at, ({ begin }) => left-- === 0 || Bytes.equals(begin, far.segment.begin))
    }
    let clears = Math.min(passed.clears, clearLimit)
    let to: Anchored
    if (!Bytes.equals(passed.last.begin, far.segment.begin)) {
      to = { key: exit(passed.last), offset: 1 }
      additional += Math.max(0, -ahead(far))
    } else if (ahead(far) < 0) {
      to = { key: far.key, offset: 1 }
      additional -= ahead(far)
    } else {
      if (ahead(far) > 0) clears += countClears(this.view, direction, passed.last, clearLimit - clears)
      to = ahead(far) > 0 ? move(far, clears) : far
    }
    additional += clears
    let from: Anchored
    if (near.isFound) {
      if (comesBefore(near.key, entry(at))) near.key = entry(at)
      from = near
    } else if (ahead(near) > 0) {
      from = { key: near.key, offset: 1 }
      additional += ahead(near)
    } else {
      const behind = countClears(this.view, opposite, at, clearLimit)
      from = move(near, -behind)
      additional += behind
    }
    if (comesBefore(to.key, from.key)) to = { key: from.key, offset: to.offset }
    const offset = 1 - ahead(from)
    const isSpent = bytes <= 0
    const limits: RequestLimits = {
      rows: rows === Number.POSITIVE_INFINITY && !isSpent
        ? rows
        : Math.max((rows === Number.POSITIVE_INFINITY ? 1 : Math.max(1, rows)) + additional, offset),
      bytes: isSpent || bytes === Number.POSITIVE_INFINITY
        ? Number.POSITIVE_INFINITY
        : Math.min(bytes * 2 ** Math.min(requests, 20), replySize)
    }
    const [begin, end] = reverse ? [to, from] : [from, to]
    const range = coveredBy(
      ask(below, begin, end, limits, Math.max(1 + additional, offset), reverse),
      begin,
      end,
      reverse
    )
    if (Bytes.compare(range.begin, range.end) < 0) {
      this.cached.push(range)
      this.view = this.view.caching(range)
    }
    return true
  }
}

/** The largest reply of a server, in bytes. */
export const replySize = 80_000
const oneRow: RequestLimits = { rows: 1, bytes: Number.POSITIVE_INFINITY }

const read = <A>(view: RywIterator, use: (read: RangeRead) => A | Blocked): Read<A> => {
  const reading = new RangeRead(view)
  return { answer: use(reading), cached: reading.cached }
}

/** Reads at most a page of a range. */
export const readRange = (view: RywIterator, begin: Anchored, end: Anchored, limits: RequestLimits, reverse: boolean) =>
  read(view, (reading) => reading.range(begin, end, limits, reverse))

/** Resolves a selector. */
export const readKey = (view: RywIterator, selector: Anchored) => read(view, (reading) => reading.key(selector))
