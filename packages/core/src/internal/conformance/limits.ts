/** The limits on keys, values and transactions. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Bytes from "../../Bytes.ts"
import * as KeyRange from "../../KeyRange.ts"
import { maxValueLength } from "../limits.ts"
import { bytes, failsWith, makeSpace, read, run, type Tests, text, write } from "./tests.ts"

export const limits: Tests = (it, { maxKeyLength }) => {
  it.effect(`keys have up to ${maxKeyLength} bytes, more are refused: 2102`, () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const prefix = space.key("")
      const longest = Bytes.concat(prefix, new Uint8Array(maxKeyLength - prefix.length).fill(0x61))
      const tooLong = Bytes.concat(longest, Uint8Array.of(0x61))
      const value = bytes("1")
      yield* run((tx) => tx.set(longest, value))
      assert.deepStrictEqual((yield* run((tx) => tx.getRange(space.range))).map(({ key }) => key.length), [
        maxKeyLength
      ])
      yield* failsWith(run((tx) => tx.set(tooLong, value)), 2102)
      yield* failsWith(run((tx) => tx.clear(tooLong)), 2102)
      yield* failsWith(run((tx) => tx.atomic("Add", tooLong, value)), 2102)
      yield* failsWith(run((tx) => tx.setVersionstampedKey({ bytes: tooLong, offset: prefix.length }, value)), 2102)
      // Where the versionstamp goes, counts.
      const stamped = (length: number) =>
        run((tx) => tx.setVersionstampedKey({ bytes: longest.slice(0, length), offset: prefix.length }, value))
      yield* failsWith(stamped(maxKeyLength - 3), 2102)
      yield* stamped(maxKeyLength - 4)
      yield* run((tx) => tx.clearRange({ begin: prefix, end: longest }))
      assert.isUndefined(yield* run((tx) => tx.get(tooLong)))
      assert.deepStrictEqual((yield* run((tx) => tx.getAll([tooLong, longest, tooLong]))).map(text), [
        undefined,
        "1",
        undefined
      ])
      yield* run((tx) => tx.clear(longest))
      assert.deepStrictEqual(yield* run((tx) => tx.getRange(space.range)), [])
    }))

  it.effect("values have up to 100,000 bytes, more are refused: 2103", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const longest = new Uint8Array(maxValueLength).map((_, index) => index % 251)
      const tooLong = new Uint8Array(maxValueLength + 1)
      yield* run((tx) => tx.set(space.key("a"), longest))
      assert.isTrue(Bytes.equals(longest, (yield* run((tx) => tx.get(space.key("a"))))!))
      yield* failsWith(run((tx) => tx.set(space.key("b"), tooLong)), 2103)
      yield* failsWith(run((tx) => tx.atomic("BitOr", space.key("b"), tooLong)), 2103)
      yield* failsWith(run((tx) => tx.setVersionstampedValue(space.key("b"), { bytes: tooLong, offset: 0 })), 2103)
      const stamped = (length: number) =>
        run((tx) => tx.setVersionstampedValue(space.key("b"), { bytes: new Uint8Array(length), offset: 0 }))
      yield* failsWith(stamped(maxValueLength - 3), 2103)
      assert.isUndefined(yield* read(space, "b"))
      yield* stamped(maxValueLength - 4)
    }))

  it.effect("a transaction of more than ten million bytes is refused as a whole: 2101", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const fill = (count: number) =>
        run((tx) =>
          Effect.forEach(
            Array.from({ length: count }, (_, index) => index),
            (index) => tx.set(space.key(String(index)), new Uint8Array(maxValueLength)),
            { discard: true }
          )
        )
      const error = yield* failsWith(fill(101), 2101)
      assert.isFalse(error.retryable)
      assert.isFalse(error.maybeCommitted)
      assert.deepStrictEqual(yield* run((tx) => tx.getRange(space.range, { limit: 1 })), [])
      yield* fill(20)
    }))

  it.effect("`sizeLimit` lowers the limit, and conflicts count: 2101", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const set = (length: number, sizeLimit: number) =>
        run((tx) => tx.set(space.key("a"), new Uint8Array(length)), { sizeLimit })
      yield* failsWith(set(2000, 1000), 2101)
      assert.isUndefined(yield* read(space, "a"))
      yield* set(100, 1000)
      yield* failsWith(
        run((tx) =>
          Effect.gen(function*() {
            for (let index = 0; index < 100; index++) yield* tx.addReadConflictKey(space.key(`conflict ${index * 2}`))
            yield* tx.set(space.key("b"), bytes("1"))
          }), { sizeLimit: 1000 }),
        2101
      )
      assert.isUndefined(yield* read(space, "b"))
    }))

  it.effect("`sizeLimit` is from 32 to ten million: 2006", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const set = (sizeLimit: number) => run((tx) => tx.set(space.key("a"), bytes("1")), { sizeLimit })
      for (const sizeLimit of [Number.NaN, -1, 0, 31, 1000.5, 10_000_001]) yield* failsWith(set(sizeLimit), 2006)
      assert.isUndefined(yield* read(space, "a"))
      yield* set(10_000_000)
      yield* failsWith(set(32), 2101)
    }))

  it.effect("system keys are not written: 2004", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const system = Bytes.fromHex("ff01")
      const value = bytes("1")
      const end = KeyRange.all.end
      yield* failsWith(run((tx) => tx.set(system, value)), 2004)
      yield* failsWith(run((tx) => tx.set(end, value)), 2004)
      yield* failsWith(run((tx) => tx.clear(system)), 2004)
      yield* failsWith(run((tx) => tx.clearRange({ begin: space.range.end, end: system })), 2004)
      yield* failsWith(run((tx) => tx.atomic("Add", system, value)), 2004)
      yield* failsWith(run((tx) => tx.addReadConflictKey(system)), 2004)
      yield* failsWith(run((tx) => tx.addWriteConflictRange({ begin: system, end: Bytes.fromHex("ff02") })), 2004)
      yield* failsWith(
        run((tx) => tx.setVersionstampedKey({ bytes: Bytes.concat(end, new Uint8Array(10)), offset: 1 }, value)),
        2004
      )
    }))

  it.effect("an inverted range is refused: 2005; an empty one does nothing", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      yield* write(space, { a: "1", b: "2" })
      const inverted = { begin: space.key("b"), end: space.key("a") }
      yield* failsWith(run((tx) => tx.clearRange(inverted)), 2005)
      yield* failsWith(run((tx) => tx.addReadConflictRange(inverted)), 2005)
      yield* failsWith(run((tx) => tx.addWriteConflictRange(inverted)), 2005)
      const empty = { begin: space.key("a"), end: space.key("a") }
      yield* run((tx) => tx.clearRange(empty))
      assert.strictEqual(yield* read(space, "a"), "1")
    }))

  it.effect("a refused write makes nothing of the transaction's other writes", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      yield* failsWith(
        run((tx) =>
          Effect.andThen(
            tx.set(space.key("a"), bytes("1")),
            tx.set(space.key("b"), new Uint8Array(maxValueLength + 1))
          )
        ),
        2103
      )
      assert.isUndefined(yield* read(space, "a"))
    }))
}
