/** Versionstamped keys and values, and the version and versionstamp of a commit. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Bytes from "../../Bytes.ts"
import type { FdbError } from "../../FdbError.ts"
import * as KeyRange from "../../KeyRange.ts"
import * as KeySelector from "../../KeySelector.ts"
import type { TransactionService } from "../../Transaction.ts"
import { transactionLength, type Versionstamped } from "../../Versionstamp.ts"
import { begin, bytes, failsWith, makeSpace, read, refused, run, steps, type Tests, text, write } from "./harness.ts"

/** A gap for the versionstamp between two parts. */
const stamped = (before: Uint8Array, after: Uint8Array = new Uint8Array(0)): Versionstamped => ({
  bytes: Bytes.concat(before, new Uint8Array(transactionLength).fill(0xff), after),
  offset: before.length
})

const versionOf = (stamp: Uint8Array): bigint => new DataView(stamp.buffer, stamp.byteOffset).getBigUint64(0)

export const versionstamps: Tests = (test) => {
  test("a versionstamped key and value contain the ten bytes that the commit returns", function*(space) {
    const tell = yield* run(function*(tx) {
      yield* tx.setVersionstampedKey(stamped(space.key("k"), bytes("!")), bytes("value"))
      yield* tx.setVersionstampedValue(space.key("v"), stamped(bytes("<"), bytes(">")))
      return { version: yield* tx.committedVersion, stamp: yield* tx.versionstamp }
    })
    const stamp = yield* tell.stamp
    assert.strictEqual(stamp.length, transactionLength)
    assert.strictEqual(versionOf(stamp), yield* tell.version)
    const [key, value] = yield* run((tx) => tx.getRange(space.range))
    assert.deepStrictEqual(Bytes.toHex(key!.key), Bytes.toHex(Bytes.concat(space.key("k"), stamp, bytes("!"))))
    assert.strictEqual(text(key!.value), "value")
    assert.deepStrictEqual(Bytes.toHex(value!.value), Bytes.toHex(Bytes.concat(bytes("<"), stamp, bytes(">"))))
  })

  test("versionstamps increase with every commit, and concurrent commits have different ones", function*(space) {
    const append = Effect.flatten(
      run((tx) => Effect.andThen(tx.setVersionstampedKey(stamped(space.key("")), new Uint8Array(0)), tx.versionstamp))
    )
    const inTurn: Array<string> = []
    for (let round = 0; round < 10; round++) inTurn.push(Bytes.toHex(yield* append))
    assert.deepStrictEqual(inTurn, inTurn.toSorted())
    const together = yield* Effect.all(Array.from({ length: 20 }, () => append), { concurrency: "unbounded" })
    const all = [...inTurn, ...together.map(Bytes.toHex)]
    assert.strictEqual(new Set(all).size, 30)
    assert.isTrue(together.every((stamp) => Bytes.toHex(stamp) > inTurn[9]!))
    const prefix = space.key("").length
    const stored = yield* run((tx) => tx.getRange(space.range))
    assert.deepStrictEqual(stored.map(({ key }) => Bytes.toHex(key.subarray(prefix))), all.toSorted())
  })

  test("one transaction gives the same versionstamp to all its keys", function*(space) {
    yield* run(function*(tx) {
      for (const user of [3, 1, 2]) {
        yield* tx.setVersionstampedKey(stamped(space.key(""), Uint8Array.of(0, user)), Uint8Array.of(user))
      }
    })
    const pairs = yield* run((tx) => tx.getRange(space.range))
    assert.deepStrictEqual(pairs.map(({ value }) => value[0]), [1, 2, 3])
    const prefix = space.key("").length
    const stamps = pairs.map(({ key }) => Bytes.toHex(key.subarray(prefix, prefix + transactionLength)))
    assert.strictEqual(new Set(stamps).size, 1)
  })

  test("a key that was given a versionstamped value cannot be read in the transaction: 1036", function*(space) {
    yield* write(space, { a: "1", b: "2", c: "3" })
    const stamp = begin().pipe(Effect.tap((tx) => tx.setVersionstampedValue(space.key("b"), stamped(bytes("")))))
    const tx = yield* stamp
    for (const reads of [tx, tx.snapshot]) {
      yield* failsWith(reads.get(space.key("b")), 1036)
      yield* failsWith(reads.getAll([space.key("a"), space.key("b")]), 1036)
      yield* failsWith(reads.getRange(space.range), 1036)
      assert.strictEqual(text(yield* reads.get(space.key("a"))), "1")
      assert.strictEqual((yield* reads.getRange({ begin: space.key("c"), end: space.range.end })).length, 1)
    }
    // The failed read fails the commit.
    yield* failsWith(tx.commit, 1036)
    const overwritten = yield* stamp
    yield* overwritten.set(space.key("b"), bytes("plain"))
    yield* failsWith(overwritten.get(space.key("b")), 1036)
    yield* overwritten.abandon
    const cleared = yield* stamp
    yield* cleared.clear(space.key("b"))
    assert.isUndefined(yield* cleared.get(space.key("b")))
    yield* cleared.set(space.key("b"), bytes("plain"))
    assert.strictEqual(text(yield* cleared.get(space.key("b"))), "plain")
    yield* cleared.commit
    assert.strictEqual(yield* read(space, "b"), "plain")
  })

  test("the keys that a versionstamped key may become cannot be read in the transaction: 1036", function*(space) {
    yield* write(space, { a: "1", l: "2" })
    const tx = yield* begin()
    yield* tx.readVersion
    yield* tx.setVersionstampedKey(stamped(space.key("k")), bytes(""))
    assert.strictEqual(text(yield* tx.get(space.key("a"))), "1")
    assert.strictEqual(text(yield* tx.get(space.key("l"))), "2")
    yield* failsWith(tx.getRange(space.range), 1036)
    yield* failsWith(tx.getKey(KeySelector.firstGreaterThan(space.key("a"))), 1036)
    yield* failsWith(
      tx.snapshot.get(Bytes.concat(space.key("k"), new Uint8Array(transactionLength).fill(0xfe))),
      1036
    )
    yield* tx.abandon
  })

  test("a clear drops the versionstamped keys and values of its range", function*(space) {
    yield* run(function*(tx) {
      yield* tx.setVersionstampedKey(stamped(space.key("k")), bytes(""))
      yield* tx.setVersionstampedValue(space.key("v"), stamped(bytes("")))
      yield* tx.clearRange(space.range)
      assert.deepStrictEqual(yield* tx.getRange(space.range), [])
      yield* tx.setVersionstampedKey(stamped(space.key("l")), bytes("kept"))
    })
    const pairs = yield* run((tx) => tx.getRange(space.range))
    assert.deepStrictEqual(pairs.map(({ value }) => text(value)), ["kept"])
    assert.isTrue(KeyRange.contains(KeyRange.fromPrefix(space.key("l")), pairs[0]!.key))
  })

  test("a clear drops a versionstamped key by its placeholder: the read version in the gap, or zeroes", function*() {
    const zeroes = new Uint8Array(transactionLength)
    for (const filling of [0x00, 0x61, 0xff]) {
      for (const isVersioned of [true, false]) {
        const space = yield* makeSpace
        const prefix = space.key("k")
        const key = { bytes: Bytes.concat(prefix, zeroes.slice().fill(filling), bytes("!")), offset: prefix.length }
        const keeps = Effect.fnUntraced(function*(
          expected: Array<string>,
          use: (tx: TransactionService, first: Uint8Array) => Effect.Effect<void, FdbError>
        ) {
          yield* run((tx) => tx.clearRange(space.range))
          yield* run(function*(tx) {
            const stamp = new Uint8Array(transactionLength)
            if (isVersioned) new DataView(stamp.buffer).setBigUint64(0, yield* tx.readVersion)
            yield* tx.setVersionstampedKey(key, bytes("new"))
            yield* use(tx, Bytes.concat(prefix, stamp, bytes("!")))
          })
          const kept = (yield* run((tx) => tx.getRange(space.range))).map(({ value }) => text(value))
          const name = `filled with ${filling}, ${isVersioned ? "read version known" : "no read version"}`
          assert.deepStrictEqual(kept, expected, name)
        })
        const from = (first: Uint8Array) => ({ begin: first, end: Bytes.concat(first, Uint8Array.of(0xff)) })
        yield* keeps([], (tx) => tx.clearRange(KeyRange.fromPrefix(prefix)))
        // The placeholder comes after the first key that it may become. A clear up to that key does not drop it.
        yield* keeps(["new"], (tx, first) => tx.clearRange({ begin: prefix, end: first }))
        yield* keeps(["new"], (tx, first) => tx.clear(first))
        yield* keeps([], (tx, first) => tx.clearRange(from(first)))
        // A clear of all older entries drops the new one only if its placeholder has zeroes.
        const trim = KeyRange.make(prefix, Bytes.concat(prefix, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1)))
        yield* keeps(isVersioned ? ["new"] : [], (tx) => tx.clearRange(trim))
        // The first of two writes of a key is sealed by the second, and the clear drops only the second.
        yield* keeps(
          ["new"],
          (tx, first) => Effect.andThen(tx.setVersionstampedKey(key, bytes("newer")), tx.clearRange(from(first)))
        )
      }
    }
  })

  test("writes to the keys that a versionstamped key may become are committed in order", function*(space) {
    const key = stamped(space.key("k"))
    const inside = Bytes.concat(space.key("k"), new Uint8Array(transactionLength).fill(0xfe))
    yield* run((tx) => tx.set(inside, bytes("0")))
    yield* run(function*(tx) {
      yield* tx.atomic("AppendIfFits", inside, bytes("1"))
      yield* tx.setVersionstampedKey(key, bytes("new"))
      yield* tx.atomic("AppendIfFits", inside, bytes("2"))
      yield* tx.setVersionstampedKey(key, bytes("newer"))
      yield* tx.atomic("AppendIfFits", inside, bytes("3"))
    })
    const pairs = yield* run((tx) => tx.getRange(space.range))
    assert.deepStrictEqual(pairs.map(({ value }) => text(value)), ["newer", "0123"])
  })

  test("a read is refused only if it reaches a key that cannot be read: 1036", function*(space) {
    yield* write(space, { a: "1", b: "2", c: "3", d: "4", e: "5" })
    const stampC = (tx: TransactionService) => tx.setVersionstampedValue(space.key("c"), stamped(bytes("")))
    const tx = yield* begin()
    yield* stampC(tx)
    const answered: ReadonlyArray<readonly [range: string, expected: string]> = [
      // The limit is reached before the key.
      ["a..e 2", "a1 b2"],
      ["a..z 2 reverse", "e5 d4"],
      ["a..>=a+4 1", "a1"],
      ["<=e-4..z 1 reverse", "e5"],
      // The range does not reach the key.
      ["a..c", "a1 b2"],
      ["a..>=a+2", "a1 b2"],
      [">c..z", "d4 e5"],
      ["a..>b 0 reverse", "b2 a1"],
      // The selectors are in the wrong order, whatever they find.
      [">e..<d", ""],
      [">b+2..b", ""],
      ["e..a 0 reverse", ""]
    ]
    for (const [range, expected] of answered) {
      assert.strictEqual(yield* steps(space, `range ${range}`)(tx), expected, range)
    }
    yield* tx.abandon
    for (const range of ["a..>c", "c..z", "a..<d", ">=b+1..e"]) {
      for (const order of ["", " 0 reverse"]) {
        yield* refused(1036, (tx) => Effect.andThen(stampC(tx), steps(space, `range ${range}${order}`)(tx)))
      }
    }
  })

  test("a gap outside of the bytes is refused: 2000", function*(space) {
    const key = space.key("k")
    const room = Bytes.concat(key, new Uint8Array(transactionLength))
    for (const offset of [-1, key.length + 1, room.length, 0.5, Number.NaN]) {
      yield* refused(2000, (tx) => tx.setVersionstampedKey({ bytes: room, offset }, bytes("")))
      yield* refused(2000, (tx) => tx.setVersionstampedValue(key, { bytes: room, offset }))
    }
    yield* refused(2000, (tx) => tx.setVersionstampedValue(key, { bytes: bytes("short"), offset: 0 }))
    assert.deepStrictEqual(yield* run((tx) => tx.getRange(space.range)), [])
  })

  test("the versionstamp and the version are known after the commit, not before: 2015", function*(space) {
    const tx = yield* begin()
    yield* tx.set(space.key("a"), bytes("1"))
    const stamp = yield* tx.versionstamp
    const version = yield* tx.committedVersion
    yield* failsWith(stamp, 2015)
    yield* failsWith(version, 2015)
    yield* tx.commit
    assert.strictEqual(versionOf(yield* stamp), yield* version)
  })

  test("a read-only transaction has no version, -1, and no versionstamp, 2021", function*(space) {
    const tell = yield* run(function*(tx) {
      yield* tx.get(space.key("a"))
      yield* tx.addReadConflictKey(space.key("a"))
      return { version: yield* tx.committedVersion, stamp: yield* tx.versionstamp }
    })
    assert.strictEqual(yield* tell.version, -1n)
    yield* failsWith(tell.stamp, 2021)
  })
}
