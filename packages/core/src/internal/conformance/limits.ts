/** The limits of keys, values and transactions, and the keys and ranges that are refused. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Bytes from "../../Bytes.ts"
import type { FdbError } from "../../FdbError.ts"
import * as KeyRange from "../../KeyRange.ts"
import * as KeySelector from "../../KeySelector.ts"
import type { TransactionService } from "../../Transaction.ts"
import { maxValueLength } from "../limits.ts"
import { bytes, commitVersion, failsWith, read, refused, run, type Tests, text, write } from "./harness.ts"

type Use = (tx: TransactionService) => Effect.Effect<unknown, FdbError, Scope.Scope>

const value = bytes("1")

/** Every use is refused in a transaction of its own. */
const refuseAll = (code: number, ...uses: ReadonlyArray<Use>) =>
  Effect.forEach(uses, (use) => refused(code, use), { discard: true })

export const limits: Tests = (test, { maxKeyLength }) => {
  test(`keys have up to ${maxKeyLength} bytes, longer keys are refused: 2102`, function*(space) {
    const prefix = space.key("")
    const longest = Bytes.concat(prefix, new Uint8Array(maxKeyLength - prefix.length).fill(0x61))
    const tooLong = Bytes.concat(longest, Uint8Array.of(0x61))
    const stored = Effect.map(run((tx) => tx.getRange(space.range)), (pairs) => pairs.map(({ key }) => key.length))
    yield* run((tx) => tx.set(longest, value))
    assert.deepStrictEqual(yield* stored, [maxKeyLength])
    // The four bytes of the offset count.
    const stamped = (length: number): Use => (tx) =>
      tx.setVersionstampedKey({ bytes: tooLong.slice(0, length), offset: prefix.length }, value)
    yield* refuseAll(
      2102,
      (tx) => tx.set(tooLong, value),
      (tx) => tx.atomic("Add", tooLong, value),
      stamped(maxKeyLength + 1),
      stamped(maxKeyLength - 3)
    )
    yield* run(stamped(maxKeyLength - 4))
    yield* run((tx) => tx.clearRange({ begin: prefix, end: longest }))
    assert.isUndefined(yield* run((tx) => tx.get(tooLong)))
    const values = yield* run((tx) => tx.getAll([tooLong, longest, tooLong]))
    assert.deepStrictEqual(values.map(text), [undefined, "1", undefined])
    yield* run((tx) => tx.clear(longest))
    assert.deepStrictEqual(yield* stored, [])
  })

  test(
    "keys that are too long to exist are absent; a clear of one has no effect and it conflicts with nothing",
    function*(space) {
      for (const length of [maxKeyLength + 1, 2 * maxKeyLength, 2 * maxKeyLength + 1]) {
        const tooLong = Bytes.concat(space.key("k"), new Uint8Array(length - space.key("k").length).fill(0x61))
        assert.isUndefined(yield* run((tx) => tx.get(tooLong)))
        assert.strictEqual(yield* commitVersion((tx) => tx.clear(tooLong)), -1n)
        yield* run(function*(tx) {
          yield* tx.clear(tooLong)
          yield* tx.addReadConflictKey(tooLong)
          yield* tx.addWriteConflictKey(tooLong)
          yield* tx.set(space.key("a"), value)
        })
        assert.strictEqual(yield* read(space, "a"), "1")
        yield* run((tx) => tx.clearRange({ begin: tooLong, end: Bytes.concat(tooLong, tooLong) }))
        assert.deepStrictEqual(yield* run((tx) => tx.getRange({ begin: tooLong, end: space.range.end })), [])
        // The range is cleared from the first key after the long one.
        yield* write(space, { j: "1", l: "2" })
        yield* run((tx) => tx.clearRange({ begin: tooLong, end: space.range.end }))
        assert.strictEqual(yield* read(space, "j"), "1")
        assert.isUndefined(yield* read(space, "l"))
      }
    }
  )

  test("system keys are refused, even those that are too long: 2004", function*(space) {
    const { end } = KeyRange.all
    const system = Bytes.fromHex("ff01")
    // A second byte 0xff would begin FoundationDB's special keys, which are refused in other ways.
    const long = [0x61, 0xfe].map((byte) => Bytes.concat(end, new Uint8Array(maxKeyLength + 1).fill(byte)))
    for (const key of [end, system, ...long]) {
      yield* refuseAll(
        2004,
        (tx) => tx.get(key),
        (tx) => tx.getAll([bytes("a"), key]),
        (tx) => tx.snapshot.getAll([key]),
        (tx) => tx.watch(key),
        (tx) => tx.set(key, value),
        (tx) => tx.clear(key),
        (tx) => tx.atomic("Add", key, value),
        (tx) => tx.setVersionstampedKey({ bytes: key, offset: 1 }, value),
        (tx) => tx.addReadConflictKey(key),
        (tx) => tx.addWriteConflictKey(key)
      )
    }
    yield* refuseAll(
      2004,
      (tx) => tx.getKey(KeySelector.firstGreaterOrEqual(system)),
      (tx) => tx.getRange({ begin: bytes("a"), end: system }),
      (tx) => tx.getRange({ begin: system, end: system }),
      (tx) => tx.clearRange({ begin: space.range.end, end: system }),
      (tx) => tx.addWriteConflictRange({ begin: system, end: Bytes.fromHex("ff02") })
    )
  })

  test("values have up to 100,000 bytes, longer values are refused: 2103", function*(space) {
    const longest = new Uint8Array(maxValueLength).map((_, index) => index % 251)
    const tooLong = new Uint8Array(maxValueLength + 1)
    yield* run((tx) => tx.set(space.key("a"), longest))
    assert.isTrue(Bytes.equals(longest, (yield* run((tx) => tx.get(space.key("a"))))!))
    const key = space.key("b")
    const stamped = (length: number): Use => (tx) =>
      tx.setVersionstampedValue(key, { bytes: new Uint8Array(length), offset: 0 })
    yield* refuseAll(
      2103,
      (tx) => tx.set(key, tooLong),
      (tx) => tx.atomic("BitOr", key, tooLong),
      stamped(maxValueLength + 1),
      stamped(maxValueLength - 3)
    )
    assert.isUndefined(yield* read(space, "b"))
    yield* run(stamped(maxValueLength - 4))
  })

  test("a transaction of more than ten million bytes is refused as a whole: 2101", function*(space) {
    const fill = (count: number) =>
      run(function*(tx) {
        const value = new Uint8Array(maxValueLength)
        for (let index = 0; index < count; index++) yield* tx.set(space.key(String(index)), value)
      })
    const error = yield* failsWith(fill(101), 2101)
    assert.isFalse(error.retryable)
    assert.isFalse(error.maybeCommitted)
    assert.deepStrictEqual(yield* run((tx) => tx.getRange(space.range, { limit: 1 })), [])
    yield* fill(20)
  })

  test("`sizeLimit` lowers the limit, and conflicts count: 2101", function*(space) {
    const set = (length: number, sizeLimit: number) =>
      run((tx) => tx.set(space.key("a"), new Uint8Array(length)), { sizeLimit })
    yield* failsWith(set(2000, 1000), 2101)
    assert.isUndefined(yield* read(space, "a"))
    yield* set(100, 1000)
    yield* refused(2101, function*(tx) {
      for (let index = 0; index < 100; index++) yield* tx.addReadConflictKey(space.key(`conflict ${index * 2}`))
      yield* tx.set(space.key("b"), bytes("1"))
    }, { sizeLimit: 1000 })
    assert.isUndefined(yield* read(space, "b"))
  })

  test("a transaction has the size that FoundationDB's client counts, to one in a hundred: 2101", function*(space) {
    const sizeLimit = 100_000
    const key = (index: number) => space.key(String(index).padStart(6, "0"))
    const { length } = key(0)
    const mutation = 44
    const conflict = 24 + 2 * length + 1
    type Operate = (tx: TransactionService, index: number) => Effect.Effect<unknown, FdbError>
    const operations: ReadonlyArray<readonly [size: number, Operate]> = [
      [mutation + conflict + length + 10, (tx, index) => tx.set(key(index), new Uint8Array(10))],
      [mutation + conflict + length, (tx, index) => tx.set(key(index), new Uint8Array(0))],
      [mutation + conflict + 2 * length + 1, (tx, index) => tx.clear(key(index))],
      [mutation + conflict + length + 4, (tx, index) => tx.atomic("Add", key(index), new Uint8Array(4))],
      [conflict, (tx, index) => tx.addReadConflictKey(key(index))],
      [conflict, (tx, index) => tx.get(key(index))],
      [conflict, (tx, index) => tx.addWriteConflictKey(key(index))],
      [
        mutation + conflict + length + 14,
        (tx, index) => tx.setVersionstampedValue(key(index), { bytes: new Uint8Array(10), offset: 0 })
      ],
      [mutation + length + 14 + 10, (tx, index) =>
        tx.setVersionstampedKey(
          { bytes: Bytes.concat(key(index), new Uint8Array(10)), offset: length },
          new Uint8Array(10)
        )]
    ]
    for (const [size, operate] of operations) {
      const commit = (count: number) =>
        run(function*(tx) {
          // Without a write there would be nothing to commit.
          yield* tx.addWriteConflictKey(space.key("x"))
          for (let index = 0; index < count; index++) yield* operate(tx, 2 * index)
        }, { sizeLimit })
      const most = sizeLimit / size
      yield* failsWith(commit(Math.ceil(most * 1.01)), 2101)
      yield* commit(Math.floor(most * 0.99))
    }
    // A clear around keys that are written counts once between each of them.
    const around = (sizeLimit: number) =>
      run(function*(tx) {
        yield* tx.clearRange(space.range)
        for (let index = 0; index < 300; index++) yield* tx.set(key(index), new Uint8Array(10))
      }, { sizeLimit })
    const size = 300 * (2 * mutation + length + 10 + 2 * length + 1)
    yield* failsWith(around(Math.floor(size * 0.99)), 2101)
    yield* around(Math.ceil(size * 1.01))
    // Only the last write of a key counts, and adjacent clears are one.
    yield* run(function*(tx) {
      for (let index = 0; index < 1000; index++) {
        yield* tx.set(key(0), new Uint8Array(1000))
        yield* tx.clearRange({ begin: key(index), end: key(index + 1) })
        yield* tx.atomic("Add", key(1), new Uint8Array(100))
      }
    }, { sizeLimit })
  })

  test("`sizeLimit` is from 32 to ten million: 2006", function*(space) {
    const set = (sizeLimit: number) => run((tx) => tx.set(space.key("a"), bytes("1")), { sizeLimit })
    for (const sizeLimit of [Number.NaN, -1, 0, 31, 1000.5, 10_000_001]) yield* failsWith(set(sizeLimit), 2006)
    assert.isUndefined(yield* read(space, "a"))
    yield* set(10_000_000)
    yield* failsWith(set(32), 2101)
  })

  test("an inverted range is refused: 2005; an empty one does nothing", function*(space) {
    yield* write(space, { a: "1", b: "2" })
    const inverted = { begin: space.key("b"), end: space.key("a") }
    yield* refuseAll(
      2005,
      (tx) => tx.clearRange(inverted),
      (tx) => tx.addReadConflictRange(inverted),
      (tx) => tx.addWriteConflictRange(inverted)
    )
    const empty = { begin: space.key("a"), end: space.key("a") }
    yield* run((tx) => tx.clearRange(empty))
    assert.strictEqual(yield* read(space, "a"), "1")
  })

  test("a refused write discards the transaction's other writes", function*(space) {
    yield* refused(2103, (tx) =>
      Effect.andThen(
        tx.set(space.key("a"), bytes("1")),
        tx.set(space.key("b"), new Uint8Array(maxValueLength + 1))
      ))
    assert.isUndefined(yield* read(space, "a"))
  })
}
