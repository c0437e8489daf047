/** Atomic operations, byte for byte. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Bytes from "../../Bytes.ts"
import type { FdbError } from "../../FdbError.ts"
import type { AtomicOp } from "../../Mutation.ts"
import type { TransactionService } from "../../Transaction.ts"
import { maxValueLength } from "../limits.ts"
import { run, type Space, type Tests } from "./harness.ts"

/** The vectors of each operation: `before:operand=after` in hexadecimal, `-` for no value. */
const table: Record<AtomicOp, string> = {
  Add: `-:01000000=01000000 :0100=0100 01000000:02000000=03000000 ff000000:01000000=00010000
    ffffffff:01000000=00000000 01000000:ffffffff=00000000 ff:0100=0001 ffff:01=00 0102030405:0101=0203 0102:=
    ffffffffffffffffff:010000000000000000=000000000000000000`,
  BitAnd: `-:0f=0f :0fff=0000 3c:0f=0c 3c:0fff=0c00 3cff:0f=0c 3c:=`,
  BitOr: `-:0f=0f 30:0f=3f 30:0f0f=3f0f 3030:0f=3f 30:=`,
  BitXor: `-:0f=0f ff:0f=f0 ff:0f0f=f00f ffff:0f=f0 ff:=`,
  AppendIfFits: `-:01=01 :01=01 01:0203=010203 01:=01`,
  Max: `-:05=05 :00=00 04:05=05 06:05=06 0001:ff00=0001 06:0500=0600 06:0001=0001 0601:05=06 0401:05=05 06:=`,
  Min: `-:05=05 :05=00 04:05=04 06:05=05 0001:ff00=ff00 06:0001=0600 06:0500=0500 0401:05=04 06:=`,
  ByteMax: `-:05=05 :05=05 04:05=05 06:05=06 0501:05=0501 ff00:0001=ff00 05:=05`,
  ByteMin: `-:05=05 :05= 04:05=04 06:05=05 0501:05=05 ff00:0001=0001 05:=`,
  CompareAndClear: `-:05=- 05:05=- 05:06=05 05:0500=05 :=-`
}

const hex = (value: Uint8Array | undefined) => value === undefined ? "-" : Bytes.toHex(value)

const vectors = Object.entries(table).flatMap(([op, texts]) =>
  texts.split(/\s+/).map((text) => {
    const [before = "", operand = "", after = ""] = text.split(/[:=]/)
    return { op: op as AtomicOp, name: `${op} ${text}`, before, operand: Bytes.fromHex(operand), after }
  })
)

const expected = vectors.map(({ name, after }) => `${name} gives ${after}`)

/** Runs `use` on the key of each vector in one transaction, and returns the results. */
const each = (
  space: Space,
  use: (
    tx: TransactionService,
    key: Uint8Array,
    vector: typeof vectors[number]
  ) => Effect.Effect<Uint8Array | undefined | void, FdbError>
) =>
  run(function*(tx) {
    const given: Array<string> = []
    for (const vector of vectors) {
      given.push(`${vector.name} gives ${hex((yield* use(tx, space.key(vector.name), vector)) ?? undefined)}`)
    }
    return given
  })

/** The stored values of the vectors' keys. */
const stored = (space: Space) => each(space, (tx, key) => tx.get(key))

/** Gives a key the vector's value before the operation. */
const seed = (tx: TransactionService, key: Uint8Array, { before }: typeof vectors[number]) =>
  before === "-" ? tx.clear(key) : tx.set(key, Bytes.fromHex(before))

export const atomics: Tests = (test) => {
  test("atomic operations change the stored value, and reads see them before the commit", function*(space) {
    yield* each(space, seed)
    const seen = yield* each(
      space,
      (tx, key, { op, operand }) => Effect.andThen(tx.atomic(op, key, operand), tx.get(key))
    )
    assert.deepStrictEqual(seen, expected)
    assert.deepStrictEqual(yield* stored(space), expected)
  })

  test("atomic operations without a read change the stored value", function*(space) {
    yield* each(space, seed)
    yield* each(space, (tx, key, { op, operand }) => tx.atomic(op, key, operand))
    assert.deepStrictEqual(yield* stored(space), expected)
  })

  test("atomic operations change a value that the transaction itself has set or cleared", function*(space) {
    // The stored value must not matter.
    yield* each(space, (tx, key) => tx.set(key, Uint8Array.of(9, 8)))
    const seen = yield* each(
      space,
      Effect.fnUntraced(function*(tx, key, vector) {
        yield* seed(tx, key, vector)
        yield* tx.atomic(vector.op, key, vector.operand)
        return yield* tx.get(key)
      })
    )
    assert.deepStrictEqual(seen, expected)
    assert.deepStrictEqual(yield* stored(space), expected)
  })

  test("AppendIfFits does not change a value that would grow beyond 100 kB", function*(space) {
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
  })

  test("AppendIfFits joins the operands of one transaction before it appends them", function*(space) {
    const name = space.key("a")
    const lengths = (before: number, ...appended: ReadonlyArray<number>) =>
      Effect.gen(function*() {
        yield* run((tx) => tx.set(name, new Uint8Array(before)))
        const own = yield* run(function*(tx) {
          for (const length of appended) yield* tx.atomic("AppendIfFits", name, new Uint8Array(length))
          return (yield* tx.get(name))?.length
        })
        return [own, (yield* run((tx) => tx.get(name)))?.length]
      })
    // Together they do not fit, so neither is appended, though the second alone would fit.
    assert.deepStrictEqual(yield* lengths(50_000, 40_000, 30_000), [50_000, 50_000])
    assert.deepStrictEqual(yield* lengths(50_000, 20_000, 30_000), [100_000, 100_000])
    // Operands that together exceed the limit of a value are not joined.
    assert.deepStrictEqual(yield* lengths(0, 70_000, 70_000), [70_000, 70_000])
    assert.deepStrictEqual(yield* lengths(20_000, 70_000, 70_000, 1), [90_001, 90_001])
  })

  test("one transaction can apply 20,000 atomic operations to a key, of one kind or of several", function*(space) {
    const count = 20_000
    const one = Uint8Array.of(1, 0, 0, 0)
    const number = (value: Uint8Array | undefined) =>
      new DataView(value!.buffer, value!.byteOffset, 4).getUint32(0, true)
    yield* run(function*(tx) {
      for (let index = 0; index < count; index++) {
        yield* tx.atomic("Add", space.key("a"), one)
        yield* tx.atomic(index % 2 === 0 ? "Add" : "Max", space.key("b"), one)
      }
      assert.strictEqual(number(yield* tx.get(space.key("a"))), count)
    })
    assert.strictEqual(number(yield* run((tx) => tx.get(space.key("a")))), count)
    assert.strictEqual(number(yield* run((tx) => tx.get(space.key("b")))), count / 2)
  })

  test("several atomic operations on a key are applied one after the other", function*(space) {
    const name = space.key("a")
    for (const isRead of [true, false]) {
      yield* run((tx) => tx.set(name, Uint8Array.of(5)))
      yield* run(function*(tx) {
        yield* tx.atomic("Add", name, Uint8Array.of(3))
        yield* tx.atomic("Max", name, Uint8Array.of(7))
        yield* tx.atomic("BitXor", name, Uint8Array.of(1, 1))
        yield* tx.atomic("AppendIfFits", name, Uint8Array.of(9))
        if (isRead) assert.strictEqual(hex(yield* tx.get(name)), "090109")
      })
      assert.strictEqual(hex(yield* run((tx) => tx.get(name))), "090109")
    }
    const cleared = yield* run(function*(tx) {
      yield* tx.atomic("CompareAndClear", name, Bytes.fromHex("090109"))
      yield* tx.atomic("Add", name, Uint8Array.of(4))
      return yield* tx.get(name)
    })
    assert.strictEqual(hex(cleared), "04")
    assert.strictEqual(hex(yield* run((tx) => tx.get(name))), "04")
  })
}
