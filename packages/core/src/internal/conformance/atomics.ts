/** Atomic operations, byte for byte. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Bytes from "../../Bytes.ts"
import type { AtomicOp } from "../../Mutation.ts"
import { maxValueLength } from "../limits.ts"
import { makeSpace, run, type Tests } from "./tests.ts"

/** Operation, value before, operand, value after; in hexadecimal, `undefined` for no value. */
type Vector = readonly [AtomicOp, string | undefined, string, string | undefined]

const vectors: ReadonlyArray<Vector> = [
  ["Add", undefined, "01000000", "01000000"],
  ["Add", "", "0100", "0100"],
  ["Add", "01000000", "02000000", "03000000"],
  ["Add", "ff000000", "01000000", "00010000"],
  ["Add", "ffffffff", "01000000", "00000000"],
  ["Add", "01000000", "ffffffff", "00000000"],
  ["Add", "ff", "0100", "0001"],
  ["Add", "ffff", "01", "00"],
  ["Add", "0102030405", "0101", "0203"],
  ["Add", "0102", "", ""],
  ["Add", "ffffffffffffffffff", "010000000000000000", "000000000000000000"],

  ["BitAnd", undefined, "0f", "0f"],
  ["BitAnd", "", "0fff", "0000"],
  ["BitAnd", "3c", "0f", "0c"],
  ["BitAnd", "3c", "0fff", "0c00"],
  ["BitAnd", "3cff", "0f", "0c"],
  ["BitAnd", "3c", "", ""],

  ["BitOr", undefined, "0f", "0f"],
  ["BitOr", "30", "0f", "3f"],
  ["BitOr", "30", "0f0f", "3f0f"],
  ["BitOr", "3030", "0f", "3f"],
  ["BitOr", "30", "", ""],

  ["BitXor", undefined, "0f", "0f"],
  ["BitXor", "ff", "0f", "f0"],
  ["BitXor", "ff", "0f0f", "f00f"],
  ["BitXor", "ffff", "0f", "f0"],
  ["BitXor", "ff", "", ""],

  ["AppendIfFits", undefined, "01", "01"],
  ["AppendIfFits", "", "01", "01"],
  ["AppendIfFits", "01", "0203", "010203"],
  ["AppendIfFits", "01", "", "01"],

  ["Max", undefined, "05", "05"],
  ["Max", "", "00", "00"],
  ["Max", "04", "05", "05"],
  ["Max", "06", "05", "06"],
  ["Max", "0001", "ff00", "0001"],
  ["Max", "06", "0500", "0600"],
  ["Max", "06", "0001", "0001"],
  ["Max", "0601", "05", "06"],
  ["Max", "0401", "05", "05"],
  ["Max", "06", "", ""],

  ["Min", undefined, "05", "05"],
  ["Min", "", "05", "00"],
  ["Min", "04", "05", "04"],
  ["Min", "06", "05", "05"],
  ["Min", "0001", "ff00", "ff00"],
  ["Min", "06", "0001", "0600"],
  ["Min", "06", "0500", "0500"],
  ["Min", "0401", "05", "04"],
  ["Min", "06", "", ""],

  ["ByteMax", undefined, "05", "05"],
  ["ByteMax", "", "05", "05"],
  ["ByteMax", "04", "05", "05"],
  ["ByteMax", "06", "05", "06"],
  ["ByteMax", "0501", "05", "0501"],
  ["ByteMax", "ff00", "0001", "ff00"],
  ["ByteMax", "05", "", "05"],

  ["ByteMin", undefined, "05", "05"],
  ["ByteMin", "", "05", ""],
  ["ByteMin", "04", "05", "04"],
  ["ByteMin", "06", "05", "05"],
  ["ByteMin", "0501", "05", "05"],
  ["ByteMin", "ff00", "0001", "0001"],
  ["ByteMin", "05", "", ""],

  ["CompareAndClear", undefined, "05", undefined],
  ["CompareAndClear", "05", "05", undefined],
  ["CompareAndClear", "05", "06", "05"],
  ["CompareAndClear", "05", "0500", "05"],
  ["CompareAndClear", "", "", undefined]
]

const hex = (value: Uint8Array | undefined): string | undefined => value === undefined ? undefined : Bytes.toHex(value)

const key = (prefix: Uint8Array, index: number) => Bytes.concat(prefix, Uint8Array.of(index))

/** What the vectors' keys have come to, for people. */
const describe = (values: ReadonlyArray<Uint8Array | undefined>) =>
  vectors.map(([op, before, operand], index) => `${op}(${before}, ${operand}) = ${hex(values[index])}`)

const expected = describe(vectors.map(([, , , after]) => after === undefined ? undefined : Bytes.fromHex(after)))

const seed = (prefix: Uint8Array) =>
  run((tx) =>
    Effect.forEach(
      vectors,
      ([, before], index) => before === undefined ? Effect.void : tx.set(key(prefix, index), Bytes.fromHex(before)),
      { discard: true }
    )
  )

const stored = (prefix: Uint8Array) =>
  Effect.map(run((tx) => Effect.forEach(vectors, (_, index) => tx.get(key(prefix, index)))), describe)

export const atomics: Tests = (it) => {
  it.effect("atomic operations change what is stored, and are seen before the commit", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const prefix = space.key("")
      yield* seed(prefix)
      const seen = yield* run((tx) =>
        Effect.forEach(vectors, ([op, , operand], index) =>
          Effect.andThen(
            tx.atomic(op, key(prefix, index), Bytes.fromHex(operand)),
            tx.get(key(prefix, index))
          ))
      )
      assert.deepStrictEqual(describe(seen), expected)
      assert.deepStrictEqual(yield* stored(prefix), expected)
    }))

  it.effect("atomic operations change what is stored without reading it", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const prefix = space.key("")
      yield* seed(prefix)
      yield* run((tx) =>
        Effect.forEach(vectors, ([op, , operand], index) => tx.atomic(op, key(prefix, index), Bytes.fromHex(operand)), {
          discard: true
        })
      )
      assert.deepStrictEqual(yield* stored(prefix), expected)
    }))

  it.effect("atomic operations change what the transaction itself has written or cleared", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const prefix = space.key("")
      // What is there beforehand must not matter.
      yield* run((tx) =>
        Effect.forEach(vectors, (_, index) => tx.set(key(prefix, index), Bytes.fromHex("0908")), { discard: true })
      )
      const seen = yield* run((tx) =>
        Effect.forEach(vectors, ([op, before, operand], index) =>
          Effect.gen(function*() {
            yield* before === undefined
              ? tx.clear(key(prefix, index))
              : tx.set(key(prefix, index), Bytes.fromHex(before))
            yield* tx.atomic(op, key(prefix, index), Bytes.fromHex(operand))
            return yield* tx.get(key(prefix, index))
          }))
      )
      assert.deepStrictEqual(describe(seen), expected)
      assert.deepStrictEqual(yield* stored(prefix), expected)
    }))

  it.effect("AppendIfFits leaves a value alone that would grow beyond 100 kB", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const name = space.key("a")
      yield* run((tx) => tx.set(name, new Uint8Array(maxValueLength - 2)))
      const append = (length: number) =>
        Effect.andThen(
          run((tx) => tx.atomic("AppendIfFits", name, new Uint8Array(length))),
          Effect.map(run((tx) => tx.get(name)), (value) => value?.length)
        )
      assert.strictEqual(yield* append(3), maxValueLength - 2)
      assert.strictEqual(yield* append(2), maxValueLength)
      assert.strictEqual(yield* append(1), maxValueLength)
    }))

  it.effect("AppendIfFits joins what one transaction appends, before the database knows what it has", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const name = space.key("a")
      const lengths = (before: number, ...appended: ReadonlyArray<number>) =>
        Effect.gen(function*() {
          yield* run((tx) => tx.set(name, new Uint8Array(before)))
          const own = yield* run((tx) =>
            Effect.gen(function*() {
              for (const length of appended) yield* tx.atomic("AppendIfFits", name, new Uint8Array(length))
              return (yield* tx.get(name))?.length
            })
          )
          return [own, (yield* run((tx) => tx.get(name)))?.length]
        })
      // Together they do not fit, so neither is appended, though the second alone would fit.
      assert.deepStrictEqual(yield* lengths(50_000, 40_000, 30_000), [50_000, 50_000])
      assert.deepStrictEqual(yield* lengths(50_000, 20_000, 30_000), [100_000, 100_000])
      // What would not fit into any value is not joined.
      assert.deepStrictEqual(yield* lengths(0, 70_000, 70_000), [70_000, 70_000])
      assert.deepStrictEqual(yield* lengths(20_000, 70_000, 70_000, 1), [90_001, 90_001])
    }))

  it.effect("as many atomic operations on a key as one likes, of one kind or of several", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const count = 20_000
      const one = Uint8Array.of(1, 0, 0, 0)
      const number = (value: Uint8Array | undefined) =>
        new DataView(value!.buffer, value!.byteOffset, 4).getUint32(0, true)
      yield* run((tx) =>
        Effect.gen(function*() {
          for (let index = 0; index < count; index++) {
            yield* tx.atomic("Add", space.key("a"), one)
            yield* tx.atomic(index % 2 === 0 ? "Add" : "Max", space.key("b"), one)
          }
          assert.strictEqual(number(yield* tx.get(space.key("a"))), count)
        })
      )
      assert.strictEqual(number(yield* run((tx) => tx.get(space.key("a")))), count)
      assert.strictEqual(number(yield* run((tx) => tx.get(space.key("b")))), count / 2)
    }))

  it.effect("several atomic operations on a key are applied one after the other", () =>
    Effect.gen(function*() {
      const space = yield* makeSpace
      const name = space.key("a")
      yield* run((tx) => tx.set(name, Uint8Array.of(5)))
      const steps = (read: boolean) =>
        run((tx) =>
          Effect.gen(function*() {
            yield* tx.atomic("Add", name, Uint8Array.of(3))
            yield* tx.atomic("Max", name, Uint8Array.of(7))
            yield* tx.atomic("BitXor", name, Uint8Array.of(1, 1))
            yield* tx.atomic("AppendIfFits", name, Uint8Array.of(9))
            if (read) assert.strictEqual(hex(yield* tx.get(name)), "090109")
          })
        )
      yield* steps(true)
      assert.strictEqual(hex(yield* run((tx) => tx.get(name))), "090109")
      yield* run((tx) => tx.set(name, Uint8Array.of(5)))
      yield* steps(false)
      assert.strictEqual(hex(yield* run((tx) => tx.get(name))), "090109")
      const cleared = yield* run((tx) =>
        Effect.gen(function*() {
          yield* tx.atomic("CompareAndClear", name, Bytes.fromHex("090109"))
          yield* tx.atomic("Add", name, Uint8Array.of(4))
          return yield* tx.get(name)
        })
      )
      assert.strictEqual(hex(cleared), "04")
      assert.strictEqual(hex(yield* run((tx) => tx.get(name))), "04")
    }))
}
