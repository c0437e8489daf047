/** Versionstamped keys and values, and what a commit tells of itself. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Bytes from "../../Bytes.ts"
import type { FdbError } from "../../FdbError.ts"
import * as KeyRange from "../../KeyRange.ts"
import * as KeySelector from "../../KeySelector.ts"
import type { Range, RangeOptions, TransactionService } from "../../Transaction.ts"
import { transactionLength, type Versionstamped } from "../../Versionstamp.ts"
import { begin, bytes, failsWith, makeSpace, read, refused, run, type Tests, text, write } from "./tests.ts"

/** A gap for the versionstamp between two parts. */
const stamped = (before: Uint8Array, after: Uint8Array = new Uint8Array(0)): Versionstamped => ({
  bytes: Bytes.concat(before, new Uint8Array(transactionLength).fill(0xff), after),
  offset: before.length
})

const versionOf = (stamp: Uint8Array): bigint => new DataView(stamp.buffer, stamp.byteOffset).getBigUint64(0)

export const versionstamps: Tests = (test) => {
  test("a versionstamped key and value hold the ten bytes that the commit tells", function*(space) {
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

  test("versionstamps grow with every commit, and are unique among concurrent ones", function*(space) {
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

  test("what a versionstamped key may become cannot be read in the transaction: 1036", function*(space) {
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

  test("a cleared range holds no versionstamped key", function*(space) {
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

  test("a versionstamped key is cleared where it stands before the commit: at the read version, or at zeroes", function*() {
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
        // It stands behind the first key that it may become: what clears up to there leaves it.
        yield* keeps(["new"], (tx, first) => tx.clearRange({ begin: prefix, end: first }))
        yield* keeps(["new"], (tx, first) => tx.clear(first))
        yield* keeps([], (tx, first) => tx.clearRange(from(first)))
        // Trimming what is older than now drops the new entry only where it stands at zeroes.
        const trim = KeyRange.make(prefix, Bytes.concat(prefix, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1)))
        yield* keeps(isVersioned ? ["new"] : [], (tx) => tx.clearRange(trim))
        // Of two the first is committed beforehand, so only its own key is cleared of it.
        yield* keeps(
          ["new"],
          (tx, first) => Effect.andThen(tx.setVersionstampedKey(key, bytes("newer")), tx.clearRange(from(first)))
        )
      }
    }
  })

  test("what is written where a versionstamped key may come to stand, is committed as it was made", function*(space) {
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

  test("a read is refused only where it comes to a key that cannot be read: 1036", function*(space) {
    yield* write(space, { a: "1", b: "2", c: "3", d: "4", e: "5" })
    const { firstGreaterOrEqual, firstGreaterThan, lastLessOrEqual, lastLessThan, move } = KeySelector
    const key = space.key
    const tx = yield* begin()
    yield* tx.setVersionstampedValue(key("c"), stamped(bytes("")))
    const last = space.range.end
    const names = (begin: Range["begin"], end: Range["end"], options?: RangeOptions) =>
      Effect.map(tx.getRange({ begin, end }, options), (pairs) => pairs.map((pair) => space.nameOf(pair.key)).join(""))
    // The limit is reached before.
    assert.strictEqual(yield* names(key("a"), key("e"), { limit: 2 }), "ab")
    assert.strictEqual(yield* names(key("a"), last, { limit: 2, reverse: true }), "ed")
    assert.strictEqual(yield* names(key("a"), move(firstGreaterOrEqual(key("a")), 4), { limit: 1 }), "a")
    assert.strictEqual(yield* names(move(lastLessOrEqual(key("e")), -4), last, { limit: 1, reverse: true }), "e")
    // The range ends where the key is.
    assert.strictEqual(yield* names(key("a"), key("c")), "ab")
    assert.strictEqual(yield* names(key("a"), move(firstGreaterOrEqual(key("a")), 2)), "ab")
    assert.strictEqual(yield* names(firstGreaterThan(key("c")), last), "de")
    assert.strictEqual(yield* names(key("a"), firstGreaterThan(key("b")), { reverse: true }), "ba")
    // The selectors are in the wrong order, whatever they come to.
    assert.strictEqual(yield* names(firstGreaterThan(key("e")), lastLessThan(key("d"))), "")
    assert.strictEqual(yield* names(move(firstGreaterThan(key("b")), 2), key("b")), "")
    assert.strictEqual(yield* names(key("e"), key("a"), { reverse: true }), "")
    yield* tx.abandon
    const unreadable: ReadonlyArray<Range> = [
      { begin: key("a"), end: firstGreaterThan(key("c")) },
      { begin: key("c"), end: last },
      { begin: key("a"), end: lastLessThan(key("d")) },
      { begin: move(firstGreaterOrEqual(key("b")), 1), end: key("e") }
    ]
    for (const range of unreadable) {
      for (const reverse of [false, true]) {
        yield* refused(1036, (tx) =>
          Effect.andThen(
            tx.setVersionstampedValue(key("c"), stamped(bytes(""))),
            tx.getRange(range, { reverse })
          ))
      }
    }
  })

  test("a gap that is not within the bytes is refused: 2000", function*(space) {
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
