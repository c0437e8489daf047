/** Reading: points, ranges, key selectors, and the transaction's own writes. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Bytes from "../../Bytes.ts"
import * as KeyRange from "../../KeyRange.ts"
import * as KeySelector from "../../KeySelector.ts"
import type { KeyValue, Range, RangeOptions, Reads } from "../../Transaction.ts"
import { begin, bytes, contents, read, refused, run, type Space, type Tests, text, write } from "./tests.ts"

const letters = { a: "1", b: "2", c: "3", d: "4", e: "5" }

const names = (space: Space, pairs: ReadonlyArray<KeyValue>): string =>
  pairs.map(({ key, value }) => `${space.nameOf(key)}${text(value)}`).join(" ")

/** A range by `getRange` and by `streamRange`, which have to agree. */
const readBoth = (reads: Reads, range: Range, options?: RangeOptions) =>
  Effect.gen(function*() {
    const pairs = yield* reads.getRange(range, options)
    assert.deepStrictEqual(yield* Stream.runCollect(reads.streamRange(range, options)), pairs)
    return pairs
  })

export const reads: Tests = (test) => {
  test("a key has the value that was committed last, and none before the first and after a clear", function*(space) {
    assert.isUndefined(yield* read(space, "a"))
    yield* write(space, { a: "1" })
    yield* write(space, { a: "2" })
    assert.strictEqual(yield* read(space, "a"), "2")
    yield* run((tx) => tx.clear(space.key("a")))
    assert.isUndefined(yield* read(space, "a"))
    yield* write(space, { a: "" })
    assert.strictEqual(yield* read(space, "a"), "")
  })

  test("keys and values are any bytes, and keys sort as unsigned bytes", function*(space) {
    const tails = ["00", "0000", "00ff", "01", "7f", "80", "ff", "ff00", "ffff"].map(Bytes.fromHex)
    yield* run(function*(tx) {
      for (const tail of tails.toReversed()) yield* tx.set(Bytes.concat(space.range.begin, tail), tail)
    })
    const pairs = yield* run((tx) => tx.getRange(space.range))
    assert.deepStrictEqual(pairs.map(({ value }) => Bytes.toHex(value)), tails.map(Bytes.toHex))
    assert.deepStrictEqual(
      pairs.map(({ key }) => Bytes.toHex(key.subarray(space.range.begin.length))),
      tails.map(Bytes.toHex)
    )
  })

  test("a transaction reads one version, whatever others commit meanwhile", function*(space) {
    yield* write(space, letters)
    const tx = yield* begin()
    assert.strictEqual(text(yield* tx.get(space.key("a"))), "1")
    yield* run((other) =>
      Effect.andThen(
        other.clearRange(space.range),
        Effect.andThen(other.set(space.key("a"), bytes("9")), other.set(space.key("f"), bytes("6")))
      )
    )
    assert.strictEqual(text(yield* tx.get(space.key("a"))), "1")
    assert.strictEqual(text(yield* tx.snapshot.get(space.key("b"))), "2")
    assert.isUndefined(yield* tx.get(space.key("f")))
    assert.strictEqual(names(space, yield* tx.getRange(space.range)), "a1 b2 c3 d4 e5")
    assert.strictEqual(names(space, yield* tx.snapshot.getRange(space.range)), "a1 b2 c3 d4 e5")
    assert.strictEqual(space.nameOf(yield* tx.getKey(KeySelector.firstGreaterThan(space.key("d")))), "e")
    yield* tx.commit
    assert.deepStrictEqual(yield* contents(space), { a: "9", f: "6" })
  })

  test("a transaction sees everything that was acknowledged before it began", function*(space) {
    for (let round = 0; round < 20; round++) {
      yield* write(space, { a: String(round) })
      assert.strictEqual(yield* read(space, "a"), String(round))
    }
  })

  test("ranges: limit, reverse and both, as an array and as a stream", function*(space) {
    yield* write(space, letters)
    const tx = yield* begin()
    for (const reads of [tx, tx.snapshot]) {
      const ask = (range: Range, options?: RangeOptions) =>
        Effect.map(readBoth(reads, range, options), (pairs) => names(space, pairs))
      const part = { begin: space.key("b"), end: space.key("e") }
      assert.strictEqual(yield* ask(space.range), "a1 b2 c3 d4 e5")
      assert.strictEqual(yield* ask(part), "b2 c3 d4")
      assert.strictEqual(yield* ask(part, { reverse: true }), "d4 c3 b2")
      assert.strictEqual(yield* ask(part, { limit: 2 }), "b2 c3")
      assert.strictEqual(yield* ask(part, { limit: 2, reverse: true }), "d4 c3")
      assert.strictEqual(yield* ask(part, { limit: 3 }), "b2 c3 d4")
      assert.strictEqual(yield* ask(part, { limit: 9 }), "b2 c3 d4")
      assert.strictEqual(yield* ask(part, { limit: 0 }), "b2 c3 d4")
      assert.strictEqual(yield* ask({ begin: space.key("c"), end: space.key("c") }), "")
      assert.strictEqual(yield* ask({ begin: space.key("d"), end: space.key("b") }), "")
      assert.strictEqual(yield* ask({ begin: space.key("bb"), end: space.key("bc") }), "")
    }
    yield* tx.commit
  })

  test("ranges between key selectors", function*(space) {
    const { key } = space
    yield* write(space, letters)
    const tx = yield* begin()
    const { firstGreaterOrEqual, firstGreaterThan, lastLessOrEqual, lastLessThan, move } = KeySelector
    const ask = (begin: Range["begin"], end: Range["end"], options?: RangeOptions) =>
      Effect.map(readBoth(tx, { begin, end }, options), (pairs) => names(space, pairs))
    assert.strictEqual(yield* ask(firstGreaterThan(key("b")), firstGreaterThan(key("d"))), "c3 d4")
    assert.strictEqual(yield* ask(lastLessOrEqual(key("bb")), lastLessThan(key("e"))), "b2 c3")
    assert.strictEqual(
      yield* ask(move(firstGreaterOrEqual(key("a")), 1), move(lastLessOrEqual(key("e")), -1)),
      "b2 c3"
    )
    assert.strictEqual(yield* ask(lastLessOrEqual(key("b")), key("e"), { limit: 2 }), "b2 c3")
    const far = move(firstGreaterOrEqual(key("b")), 2)
    assert.strictEqual(yield* ask(key("a"), far, { limit: 2, reverse: true }), "c3 b2")
    assert.strictEqual(yield* ask(firstGreaterThan(key("d")), lastLessThan(key("c"))), "")
    yield* tx.commit
  })

  test("a range of many pages comes whole and in order, either way", function*(space) {
    const count = 3000
    const name = (index: number) => String(index).padStart(5, "0")
    const expected = Array.from({ length: count }, (_, index) => name(index))
    yield* write(space, Object.fromEntries(expected.map((each) => [each, "x".repeat(100)])))
    const tx = yield* begin()
    // Some of the pages have to be merged with the transaction's own writes.
    yield* tx.clearRange({ begin: space.key(name(100)), end: space.key(name(900)) })
    yield* tx.clear(space.key(name(2000)))
    yield* tx.set(space.key(`${name(2500)}a`), bytes("own"))
    const merged = [...expected.slice(0, 100), ...expected.slice(900)].filter((each) => each !== name(2000))
    merged.splice(merged.indexOf(name(2500)) + 1, 0, `${name(2500)}a`)
    const plain = yield* begin()
    for (const [session, all] of [[plain, expected], [tx, merged]] as const) {
      for (const reverse of [false, true]) {
        const wanted = reverse ? all.toReversed() : all
        const pairs = yield* readBoth(session, space.range, { reverse })
        assert.deepStrictEqual(pairs.map((pair) => space.nameOf(pair.key)), wanted)
        const limited = yield* readBoth(session, space.range, { reverse, limit: 1234 })
        assert.deepStrictEqual(limited.map((pair) => space.nameOf(pair.key)), wanted.slice(0, 1234))
        const first = yield* Stream.runCollect(Stream.take(session.streamRange(space.range, { reverse }), 3))
        assert.deepStrictEqual(first.map((pair) => space.nameOf(pair.key)), wanted.slice(0, 3))
      }
    }
    yield* tx.abandon
    yield* plain.commit
  })

  test("key selectors find keys by order and offset", function*(space) {
    yield* write(space, { b: "", d: "", f: "", h: "" })
    const tx = yield* begin()
    for (const reads of [tx, tx.snapshot]) {
      const find = (selector: KeySelector.KeySelector) => Effect.map(reads.getKey(selector), space.nameOf)
      const { firstGreaterOrEqual, firstGreaterThan, lastLessOrEqual, lastLessThan, move } = KeySelector
      assert.strictEqual(yield* find(firstGreaterOrEqual(space.key("d"))), "d")
      assert.strictEqual(yield* find(firstGreaterOrEqual(space.key("c"))), "d")
      assert.strictEqual(yield* find(firstGreaterThan(space.key("d"))), "f")
      assert.strictEqual(yield* find(firstGreaterThan(space.key("c"))), "d")
      assert.strictEqual(yield* find(lastLessOrEqual(space.key("f"))), "f")
      assert.strictEqual(yield* find(lastLessOrEqual(space.key("g"))), "f")
      assert.strictEqual(yield* find(lastLessThan(space.key("f"))), "d")
      assert.strictEqual(yield* find(lastLessThan(space.key("e"))), "d")
      assert.strictEqual(yield* find(move(firstGreaterOrEqual(space.key("b")), 2)), "f")
      assert.strictEqual(yield* find(move(firstGreaterOrEqual(space.key("f")), -1)), "d")
      assert.strictEqual(yield* find(move(firstGreaterThan(space.key("b")), -1)), "b")
      assert.strictEqual(yield* find(move(lastLessThan(space.key("h")), -2)), "b")
      assert.strictEqual(yield* find(move(lastLessOrEqual(space.key("b")), 3)), "h")
      assert.strictEqual(yield* find(firstGreaterThan(space.key("h"))), ">")
      assert.strictEqual(yield* find(lastLessThan(space.key("b"))), "<")
    }
    yield* tx.commit
  })

  test("key selectors stay at the ends of the database", function*(space) {
    yield* write(space, letters)
    const { begin: first, end } = KeyRange.all
    const tx = yield* begin()
    for (const reads of [tx, tx.snapshot]) {
      const find = (selector: KeySelector.KeySelector) => Effect.map(reads.getKey(selector), Bytes.toHex)
      assert.strictEqual(yield* find(KeySelector.lastLessThan(first)), "")
      assert.strictEqual(yield* find(KeySelector.move(KeySelector.firstGreaterOrEqual(first), -7)), "")
      assert.strictEqual(yield* find(KeySelector.firstGreaterOrEqual(end)), "ff")
      assert.strictEqual(yield* find(KeySelector.move(KeySelector.lastLessThan(end), 9)), "ff")
      const last = yield* reads.getKey(KeySelector.lastLessThan(end))
      assert.strictEqual(yield* find(KeySelector.firstGreaterThan(last)), "ff")
      const before = yield* reads.getRange({ begin: KeySelector.lastLessThan(first), end: first })
      assert.deepStrictEqual(before, [])
    }
    yield* tx.commit
  })

  test("key selectors see the transaction's own writes", function*(space) {
    yield* write(space, { b: "", d: "", f: "", h: "" })
    const tx = yield* begin()
    yield* tx.clearRange({ begin: space.key("c"), end: space.key("g") })
    yield* tx.set(space.key("e"), bytes(""))
    for (const reads of [tx, tx.snapshot]) {
      const find = (selector: KeySelector.KeySelector) => Effect.map(reads.getKey(selector), space.nameOf)
      assert.strictEqual(yield* find(KeySelector.firstGreaterThan(space.key("b"))), "e")
      assert.strictEqual(yield* find(KeySelector.firstGreaterThan(space.key("e"))), "h")
      assert.strictEqual(yield* find(KeySelector.lastLessThan(space.key("h"))), "e")
      assert.strictEqual(yield* find(KeySelector.move(KeySelector.firstGreaterOrEqual(space.key("b")), 2)), "h")
      assert.strictEqual(yield* find(KeySelector.move(KeySelector.lastLessOrEqual(space.key("h")), -2)), "b")
    }
    yield* tx.abandon
  })

  test("reads see the transaction's own writes, snapshot reads too", function*(space) {
    yield* write(space, letters)
    const tx = yield* begin()
    yield* tx.set(space.key("bb"), bytes("own"))
    yield* tx.set(space.key("a"), bytes("own"))
    yield* tx.clear(space.key("c"))
    yield* tx.clearRange({ begin: space.key("d"), end: space.key("e") })
    yield* tx.atomic("Add", space.key("e"), Uint8Array.of(1))
    yield* tx.atomic("Add", space.key("f"), Uint8Array.of(0x39))
    for (const reads of [tx, tx.snapshot]) {
      assert.strictEqual(text(yield* reads.get(space.key("a"))), "own")
      assert.isUndefined(yield* reads.get(space.key("c")))
      assert.isUndefined(yield* reads.get(space.key("d")))
      assert.strictEqual(text(yield* reads.get(space.key("e"))), "6")
      assert.strictEqual(text(yield* reads.get(space.key("f"))), "9")
      assert.strictEqual(names(space, yield* readBoth(reads, space.range)), "aown b2 bbown e6 f9")
      const last = yield* readBoth(reads, space.range, { reverse: true, limit: 3 })
      assert.strictEqual(names(space, last), "f9 e6 bbown")
    }
    yield* tx.set(space.key("c"), bytes("again"))
    assert.strictEqual(text(yield* tx.get(space.key("c"))), "again")
    assert.strictEqual(yield* read(space, "a"), "1")
    yield* tx.commit
    assert.deepStrictEqual(yield* contents(space), { a: "own", b: "2", bb: "own", c: "again", e: "6", f: "9" })
  })

  test("several keys are read at once, in the order asked for, with the transaction's own writes", function*(space) {
    yield* write(space, letters)
    const tx = yield* begin()
    const keys = ["c", "absent", "a", "c", "b"].map(space.key)
    for (const reads of [tx, tx.snapshot]) {
      assert.deepStrictEqual((yield* reads.getAll(keys)).map(text), ["3", undefined, "1", "3", "2"])
      assert.deepStrictEqual(yield* reads.getAll([]), [])
    }
    yield* tx.set(space.key("absent"), bytes("own"))
    yield* tx.clear(space.key("a"))
    for (const reads of [tx, tx.snapshot]) {
      assert.deepStrictEqual((yield* reads.getAll(keys)).map(text), ["3", "own", undefined, "3", "2"])
    }
    yield* tx.abandon
  })

  test("writes are applied in the order in which they were made", function*(space) {
    yield* write(space, letters)
    yield* run(function*(tx) {
      yield* tx.set(space.key("a"), bytes("x"))
      yield* tx.clearRange({ begin: space.key("a"), end: space.key("c") })
      yield* tx.set(space.key("b"), bytes("y"))
      yield* tx.atomic("AppendIfFits", space.key("b"), bytes("z"))
      yield* tx.atomic("AppendIfFits", space.key("a"), bytes("w"))
      yield* tx.atomic("AppendIfFits", space.key("c"), bytes("1"))
      yield* tx.atomic("AppendIfFits", space.key("c"), bytes("2"))
      yield* tx.set(space.key("d"), bytes("gone"))
      yield* tx.clear(space.key("d"))
    })
    assert.deepStrictEqual(yield* contents(space), { a: "w", b: "yz", c: "312", e: "5" })
  })

  test("a read sees the writes made before it was started, not those made before it is awaited", function*(space) {
    const start = Effect.forkChild({ startImmediately: true })
    yield* write(space, { a: "old", b: "old" })
    const tx = yield* begin()
    for (const reads of [tx, tx.snapshot]) {
      const value = yield* start(reads.get(space.key("a")))
      const values = yield* start(reads.getAll([space.key("b"), space.key("a")]))
      const pairs = yield* start(reads.getRange(space.range))
      yield* tx.set(space.key("a"), bytes("new"))
      yield* tx.clear(space.key("b"))
      assert.strictEqual(text(yield* Fiber.join(value)), "old")
      assert.deepStrictEqual((yield* Fiber.join(values)).map(text), ["old", "old"])
      assert.strictEqual(names(space, yield* Fiber.join(pairs)), "aold bold")
      assert.strictEqual(text(yield* reads.get(space.key("a"))), "new")
      yield* tx.set(space.key("a"), bytes("old"))
      yield* tx.set(space.key("b"), bytes("old"))
    }
    yield* tx.commit
  })

  test("system keys cannot be read: 2004", function*() {
    const system = Bytes.fromHex("ff01")
    yield* refused(2004, (tx) => tx.get(system))
    yield* refused(2004, (tx) => tx.get(KeyRange.all.end))
    yield* refused(2004, (tx) => tx.getAll([bytes("a"), system]))
    yield* refused(2004, (tx) => tx.getKey(KeySelector.firstGreaterOrEqual(system)))
    yield* refused(2004, (tx) => tx.getRange({ begin: bytes("a"), end: system }))
    yield* refused(2004, (tx) => tx.getRange({ begin: system, end: system }))
  })

  test("a limit that is none is refused: 2012", function*(space) {
    yield* refused(2012, (tx) => tx.getRange(space.range, { limit: -1 }))
    yield* refused(2012, (tx) => tx.getRange(space.range, { limit: 1.5 }))
    yield* refused(2012, (tx) => Stream.runDrain(tx.streamRange(space.range, { limit: -1 })))
  })
}
