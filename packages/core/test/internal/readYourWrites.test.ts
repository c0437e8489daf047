/** Reads that no own write touches go straight to the database. They must agree with the steps of FoundationDB's client. */
import { assert, it } from "@effect/vitest"
import { Bytes, type KeyRange, type Mutation, type VersionedStore } from "../../src/index.ts"
import * as rangeSet from "../../src/internal/rangeSet.ts"
import * as readYourWrites from "../../src/internal/readYourWrites.ts"
import { RywIterator } from "../../src/internal/rywIterator.ts"
import { anchored, readKey, readRange, replySize } from "../../src/internal/rywRangeRead.ts"
import { WriteMap } from "../../src/internal/writeMap.ts"
import { randomTransaction } from "../support/randomTransactions.ts"
import { atomicOps, type Operation, toSelector } from "../support/recorded.ts"

const { fromHex, toHex } = Bytes

/** The pairs as a database holds them. */
const snapshotOf = (pairs: ReadonlyArray<readonly [string, string]>): VersionedStore.Snapshot => {
  const stored = pairs.map(([key, value]) => ({ key: fromHex(key), value: fromHex(value) }))
    .toSorted((a, b) => Bytes.compare(a.key, b.key))
  return {
    version: 1n,
    isReadable: () => true,
    get: (key) => stored.find((pair) => Bytes.equals(pair.key, key))?.value,
    getRange: (begin, end, limit, reverse, skip) => {
      const within = stored.filter(({ key }) => Bytes.compare(begin, key) <= 0 && Bytes.compare(key, end) < 0)
      return (reverse ? within.toReversed() : within).slice(skip, skip + limit)
    },
    close: () => {}
  }
}

const mutationOf = (operation: Operation): Mutation | undefined => {
  switch (operation.op) {
    case "set":
      return { _tag: "Set", key: fromHex(operation.key), value: fromHex(operation.value) }
    case "clear":
      return { _tag: "Clear", key: fromHex(operation.key) }
    case "clearRange":
      return { _tag: "ClearRange", begin: fromHex(operation.begin), end: fromHex(operation.end) }
    case "atomic":
      return {
        _tag: "Atomic",
        op: atomicOps[operation.type]!,
        key: fromHex(operation.key),
        operand: fromHex(operation.value)
      }
    default:
      return undefined
  }
}

const letters = ["61", "62", "63", "64", "65"]
const allKeys = ["", ...letters.flatMap((a) => [a, `${a}00`, ...letters.flatMap((b) => [a + b, `${a + b}00`])])].map(
  fromHex
)

/** The keys of the cached ranges, without those whose value the own writes determine. */
const knownKeys = (own: WriteMap, ranges: ReadonlyArray<KeyRange.KeyRange>): ReadonlyArray<string> => {
  const known = ranges.reduce<rangeSet.RangeSet>(rangeSet.add, undefined)
  return allKeys.filter((key) => rangeSet.has(known, key) && typeof own.overlay(key) !== "object").map(toHex)
}

it("a read that no own write touches answers as FoundationDB's client does and remembers the same ranges", () => {
  let compared = 0
  for (let seed = 1; seed <= 1500; seed++) {
    const { ops, preload } = randomTransaction(seed)
    const database = snapshotOf(preload)
    const own = new WriteMap()
    for (const operation of ops) {
      const mutation = mutationOf(operation)
      if (mutation !== undefined) own.add(mutation, undefined)
      for (const below of [undefined, database]) {
        const view = new RywIterator(below, own, undefined)
        const nothing = () => undefined
        if (operation.op === "getKey") {
          const selector = toSelector(operation.selector)
          const short = readYourWrites.resolve(below, own, selector, nothing)
          const long = readKey(view, anchored(selector))
          assert.deepStrictEqual(short.answer, long.answer, `seed ${seed}`)
          assert.deepStrictEqual(knownKeys(own, short.cached), knownKeys(own, long.cached), `seed ${seed}`)
          compared++
        }
        if (operation.op === "getRange" && operation.begin.offset === 1 && operation.end.offset === 1) {
          const [begin, end] = [toSelector(operation.begin), toSelector(operation.end)]
          if (readYourWrites.isInverted(begin, end)) continue
          const wanted = operation.limit === 0 ? Number.POSITIVE_INFINITY : operation.limit
          const limits = { wanted, pageSize: 1000 }
          const short = readYourWrites.getRange(below, own, begin, end, limits, operation.reverse, nothing)
          const rows = { rows: wanted, bytes: replySize }
          const long = readRange(view, anchored(begin), anchored(end), rows, operation.reverse)
          assert.deepStrictEqual(short.answer, long.answer, `seed ${seed}`)
          compared++
          if (wanted === Number.POSITIVE_INFINITY) {
            assert.deepStrictEqual(knownKeys(own, short.cached), knownKeys(own, long.cached), `seed ${seed}`)
          }
        }
      }
    }
  }
  assert.isAbove(compared, 2000)
})
