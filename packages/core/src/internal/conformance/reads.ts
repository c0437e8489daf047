/** Reading: points, ranges, key selectors, and the transaction's own writes. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Bytes from "../../Bytes.ts"
import type { FdbError } from "../../FdbError.ts"
import * as KeyRange from "../../KeyRange.ts"
import * as KeySelector from "../../KeySelector.ts"
import type { KeyValue, RangeOptions, TransactionService } from "../../Transaction.ts"
import {
  begin,
  contents,
  read,
  readRange,
  refused,
  run,
  type Space,
  steps,
  type Tests,
  text,
  write
} from "./harness.ts"

const letters = { a: "1", b: "2", c: "3", d: "4", e: "5" }

/** Reads and snapshot reads find the keys of a table: `selector:name`, see {@link Space.selector}. */
const finds = (space: Space, tx: TransactionService, table: string) =>
  Effect.gen(function*() {
    for (const reads of [tx, tx.snapshot]) {
      for (const [selector, name] of table.split(" ").map((row) => row.split(":"))) {
        assert.strictEqual(space.nameOf(yield* reads.getKey(space.selector(selector!))), name, selector)
      }
    }
  })

export const reads: Tests = (test) => {
  test(
    "a key has the value that was committed last, and no value before the first write and after a clear",
    function*(space) {
      assert.isUndefined(yield* read(space, "a"))
      yield* write(space, { a: "1" })
      yield* write(space, { a: "2" })
      assert.strictEqual(yield* read(space, "a"), "2")
      yield* run((tx) => tx.clear(space.key("a")))
      assert.isUndefined(yield* read(space, "a"))
      yield* write(space, { a: "" })
      assert.strictEqual(yield* read(space, "a"), "")
    }
  )

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
    yield* run((other) => other.clearRange(space.range))
    yield* write(space, { a: "9", f: "6" })
    assert.strictEqual(text(yield* tx.get(space.key("a"))), "1")
    assert.strictEqual(text(yield* tx.snapshot.get(space.key("b"))), "2")
    assert.isUndefined(yield* tx.get(space.key("f")))
    assert.strictEqual(yield* readRange(space, tx, "", "z"), "a1 b2 c3 d4 e5")
    assert.strictEqual(yield* readRange(space, tx.snapshot, "", "z"), "a1 b2 c3 d4 e5")
    yield* finds(space, tx, ">d:e")
    yield* tx.commit
    assert.deepStrictEqual(yield* contents(space), { a: "9", f: "6" })
  })

  test("a transaction sees everything that was acknowledged before it began", function*(space) {
    for (let round = 0; round < 20; round++) {
      yield* write(space, { a: String(round) })
      assert.strictEqual(yield* read(space, "a"), String(round))
    }
  })

  test("ranges: limit, reverse, key selectors, as an array and as a stream", function*(space) {
    yield* write(space, letters)
    const tx = yield* begin()
    const reverse = true
    const ranges: ReadonlyArray<readonly [begin: string, end: string, expected: string, options?: RangeOptions]> = [
      ["", "z", "a1 b2 c3 d4 e5"],
      ["b", "e", "b2 c3 d4"],
      ["b", "e", "d4 c3 b2", { reverse }],
      ["b", "e", "b2 c3", { limit: 2 }],
      ["b", "e", "d4 c3", { limit: 2, reverse }],
      ["b", "e", "b2 c3 d4", { limit: 3 }],
      ["b", "e", "b2 c3 d4", { limit: 9 }],
      ["b", "e", "b2 c3 d4", { limit: 0 }],
      ["c", "c", ""],
      ["d", "b", ""],
      ["bb", "bc", ""],
      [">b", ">d", "c3 d4"],
      ["<=bb", "<e", "b2 c3"],
      [">=a+1", "<=e-1", "b2 c3"],
      ["<=b", "e", "b2 c3", { limit: 2 }],
      ["a", ">=b+2", "c3 b2", { limit: 2, reverse }],
      [">d", "<c", ""]
    ]
    for (const reads of [tx, tx.snapshot]) {
      for (const [begin, end, expected, options] of ranges) {
        assert.strictEqual(yield* readRange(space, reads, begin, end, options), expected)
      }
    }
    yield* tx.commit
  })

  test("a range of many pages is complete and in order, forwards and backwards", function*(space) {
    const count = 3000
    const name = (index: number) => String(index).padStart(5, "0")
    const expected = Array.from({ length: count }, (_, index) => name(index))
    yield* write(space, Object.fromEntries(expected.map((each) => [each, "x".repeat(100)])))
    const tx = yield* begin()
    // Some pages contain the transaction's own writes.
    yield* steps(space, `clear ${name(100)}..${name(900)}; clear ${name(2000)}; set ${name(2500)}a own`)(tx)
    const merged = [...expected.slice(0, 100), ...expected.slice(900)].filter((each) => each !== name(2000))
    merged.splice(merged.indexOf(name(2500)) + 1, 0, `${name(2500)}a`)
    const plain = yield* begin()
    for (const [session, all] of [[plain, expected], [tx, merged]] as const) {
      for (const reverse of [false, true]) {
        const wanted = reverse ? all.toReversed() : all
        const stream = (limit: number) => session.streamRange(space.range, { reverse, limit })
        const reads: ReadonlyArray<readonly [number, Effect.Effect<ReadonlyArray<KeyValue>, FdbError>]> = [
          [wanted.length, session.getRange(space.range, { reverse })],
          [wanted.length, Stream.runCollect(stream(0))],
          [1234, session.getRange(space.range, { reverse, limit: 1234 })],
          [1234, Stream.runCollect(stream(1234))],
          [3, Stream.runCollect(Stream.take(stream(0), 3))]
        ]
        for (const [count, read] of reads) {
          assert.deepStrictEqual((yield* read).map(({ key }) => space.nameOf(key)), wanted.slice(0, count))
        }
      }
    }
    yield* tx.abandon
    yield* plain.commit
  })

  test("key selectors find keys by order and offset", function*(space) {
    yield* write(space, { b: "", d: "", f: "", h: "" })
    const tx = yield* begin()
    yield* finds(
      space,
      tx,
      ">=d:d >=c:d >d:f >c:d <=f:f <=g:f <f:d <e:d >=b+2:f >=f-1:d >b-1:b <h-2:b <=b+3:h >h:> <b:<"
    )
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
    yield* steps(space, "clear c..g; set e")(tx)
    yield* finds(space, tx, ">b:e >e:h <h:e >=b+2:h <=h-2:b")
    yield* tx.abandon
  })

  test("reads see the transaction's own writes, snapshot reads too", function*(space) {
    yield* write(space, letters)
    const tx = yield* begin()
    yield* steps(space, "set bb own; set a own; clear c; clear d..e; Add e \x01; Add f 9")(tx)
    for (const reads of [tx, tx.snapshot]) {
      const values: Array<string | undefined> = []
      for (const name of ["a", "c", "d", "e", "f"]) values.push(text(yield* reads.get(space.key(name))))
      assert.deepStrictEqual(values, ["own", undefined, undefined, "6", "9"])
      assert.strictEqual(yield* readRange(space, reads, "", "z"), "aown b2 bbown e6 f9")
      assert.strictEqual(yield* readRange(space, reads, "", "z", { reverse: true, limit: 3 }), "f9 e6 bbown")
    }
    assert.strictEqual(yield* steps(space, "set c again; get c")(tx), "again")
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
    yield* steps(space, "set absent own; clear a")(tx)
    for (const reads of [tx, tx.snapshot]) {
      assert.deepStrictEqual((yield* reads.getAll(keys)).map(text), ["3", "own", undefined, "3", "2"])
    }
    yield* tx.abandon
  })

  test("writes are applied in the order in which they were made", function*(space) {
    yield* write(space, letters)
    yield* run(steps(space, "set a x; clear a..c; set b y; AppendIfFits b z; AppendIfFits a w"))
    yield* run(steps(space, "AppendIfFits c 1; AppendIfFits c 2; set d gone; clear d"))
    assert.deepStrictEqual(yield* contents(space), { a: "w", b: "yz", c: "312", e: "5" })
  })

  test("a read sees the writes before its start, and no writes between its start and its result", function*(space) {
    const start = Effect.forkChild({ startImmediately: true })
    yield* write(space, { a: "old", b: "old" })
    const tx = yield* begin()
    for (const reads of [tx, tx.snapshot]) {
      const value = yield* start(reads.get(space.key("a")))
      const values = yield* start(reads.getAll([space.key("b"), space.key("a")]))
      const pairs = yield* start(reads.getRange(space.range))
      yield* steps(space, "set a new; clear b")(tx)
      assert.strictEqual(text(yield* Fiber.join(value)), "old")
      assert.deepStrictEqual((yield* Fiber.join(values)).map(text), ["old", "old"])
      assert.deepStrictEqual((yield* Fiber.join(pairs)).map(({ value }) => text(value)), ["old", "old"])
      assert.strictEqual(text(yield* reads.get(space.key("a"))), "new")
      yield* steps(space, "set a old; set b old")(tx)
    }
    yield* tx.commit
  })

  test("a limit that is negative or not whole is refused: 2012", function*(space) {
    yield* refused(2012, (tx) => tx.getRange(space.range, { limit: -1 }))
    yield* refused(2012, (tx) => tx.getRange(space.range, { limit: 1.5 }))
    yield* refused(2012, (tx) => Stream.runDrain(tx.streamRange(space.range, { limit: -1 })))
  })
}
