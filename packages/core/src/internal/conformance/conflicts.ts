/** Which transactions are in each other's way, and which are not. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Bytes from "../../Bytes.ts"
import type { FdbError } from "../../FdbError.ts"
import * as KeySelector from "../../KeySelector.ts"
import type { TransactionService } from "../../Transaction.ts"
import {
  begin,
  bytes,
  conflicting,
  contents,
  makeSpace,
  read,
  run,
  type Space,
  type Tests,
  text,
  write
} from "./tests.ts"

type Use = (tx: TransactionService, space: Space) => Effect.Effect<unknown, FdbError>

const letters = { a: "1", b: "2", c: "3", d: "4", e: "5" }

/** One transaction does something and then writes elsewhere; before it commits, others commit. */
const race = Effect.fnUntraced(function*(mine: Use, others: Others) {
  const space = yield* makeSpace
  yield* write(space, letters)
  const tx = yield* begin()
  // The read version is settled even where `mine` reads nothing.
  yield* tx.readVersion
  yield* mine(tx, space)
  for (const other of [others].flat()) yield* run((tx) => other(tx, space))
  yield* tx.set(space.key("z"), bytes("mine"))
  return { tx, space }
})

/** What others do: one transaction, or several one after another. */
type Others = Use | ReadonlyArray<Use>

/** A transaction conflicts with each of these. */
const collide = Effect.fnUntraced(function*(mine: Use, ...alternatives: ReadonlyArray<Others>) {
  for (const others of alternatives) {
    const { space, tx } = yield* race(mine, others)
    const error = yield* conflicting(tx)
    assert.isTrue(error.retryable)
    assert.isFalse(error.maybeCommitted)
    assert.isUndefined(yield* read(space, "z"))
  }
})

/** A transaction conflicts with none of these. */
const pass = Effect.fnUntraced(function*(mine: Use, ...alternatives: ReadonlyArray<Others>) {
  for (const others of alternatives) {
    const { space, tx } = yield* race(mine, others)
    yield* tx.commit
    assert.strictEqual(yield* read(space, "z"), "mine")
  }
})

const get = (name: string): Use => (tx, space) => tx.get(space.key(name))
const set = (name: string, value = "other"): Use => (tx, space) => tx.set(space.key(name), bytes(value))
const clear = (name: string): Use => (tx, space) => tx.clear(space.key(name))
const clearRange = (from: string, to: string): Use => (tx, space) =>
  tx.clearRange({ begin: space.key(from), end: space.key(to) })
const getRange = (from: string, to: string, limit = 0, reverse = false): Use => (tx, space) =>
  tx.getRange({ begin: space.key(from), end: space.key(to) }, { limit, reverse })
const readConflict = (from: string, to: string): Use => (tx, space) =>
  tx.addReadConflictRange({ begin: space.key(from), end: space.key(to) })
const writeConflict = (from: string, to: string): Use => (tx, space) =>
  tx.addWriteConflictRange({ begin: space.key(from), end: space.key(to) })
const readConflictKey = (name: string): Use => (tx, space) => tx.addReadConflictKey(space.key(name))
const writeConflictKey = (name: string): Use => (tx, space) => tx.addWriteConflictKey(space.key(name))
const both = (first: Use, second: Use): Use => (tx, space) => Effect.andThen(first(tx, space), second(tx, space))
const getKey = (selector: (space: Space) => KeySelector.KeySelector): Use => (tx, space) => tx.getKey(selector(space))

export const conflicts: Tests = (test) => {
  test("a key that was read conflicts with every write to it: 1020", function*() {
    yield* collide(get("a"), set("a"), clear("a"))
    yield* collide(get("b"), clearRange("a", "c"))
    yield* collide(get("a"), (tx, space) => tx.atomic("Add", space.key("a"), Uint8Array.of(1)))
    yield* collide(get("absent"), set("absent"))
    // That the value stays the same makes no difference.
    yield* collide(get("a"), set("a", "1"))
    yield* collide(get("absent"), clear("absent"))
  })

  test("a key that was read does not conflict with writes beside it", function*() {
    yield* pass(get("b"), both(set("a"), set("c")), set("b\0"), both(clearRange("a", "b"), clearRange("b\0", "z")))
  })

  test("each of the keys that were read at once conflicts, and nothing between them", function*() {
    const readAll: Use = (tx, space) => tx.getAll([space.key("c"), space.key("absent"), space.key("a")])
    yield* collide(readAll, set("a"), clear("c"), set("absent"))
    yield* pass(readAll, both(set("b"), set("d")))
  })

  test("of two transactions that read and write the same key only the first to commit is committed", function*(space) {
    yield* write(space, { a: "0" })
    const first = yield* begin()
    const second = yield* begin()
    for (const tx of [first, second]) assert.strictEqual(text(yield* tx.get(space.key("a"))), "0")
    yield* second.set(space.key("a"), bytes("second"))
    yield* first.set(space.key("a"), bytes("first"))
    yield* second.commit
    yield* conflicting(first)
    assert.strictEqual(yield* read(space, "a"), "second")
  })

  test("write skew is refused, and committed where the reads were snapshot reads", function*() {
    for (const snapshot of [false, true]) {
      const space = yield* makeSpace
      yield* write(space, { x: "1", y: "1" })
      const first = yield* begin()
      const second = yield* begin()
      for (const tx of [first, second]) {
        const reads = snapshot ? tx.snapshot : tx
        yield* reads.get(space.key("x"))
        yield* reads.get(space.key("y"))
      }
      yield* first.set(space.key("x"), bytes("0"))
      yield* second.set(space.key("y"), bytes("0"))
      yield* first.commit
      if (snapshot) yield* second.commit
      else yield* conflicting(second)
      assert.deepStrictEqual(yield* contents(space), { x: "0", y: snapshot ? "0" : "1" })
    }
  })

  test("a range that was read conflicts with changes, insertions and removals within it", function*() {
    const range = getRange("b", "e")
    yield* collide(range, set("c"), set("cc"), set("b"), clear("d"), clearRange("a", "b\0"), clearRange("dd", "z"))
    yield* collide(getRange("x", "y"), set("x"))
    yield* pass(range, set("a"), set("e"), set("az"), clearRange("e", "f"))
  })

  test("a range that was cut by its limit conflicts only as far as it was returned", function*() {
    yield* collide(getRange("a", "f", 2), set("b"), set("aa"))
    yield* pass(getRange("a", "f", 2), set("bb"), both(set("c"), clear("e")))
    yield* collide(getRange("a", "f", 2, true), set("d"), set("ee"))
    yield* pass(getRange("a", "f", 2, true), set("cc"), both(set("c"), clear("a")))
  })

  test("a range that was cut by its limit does not conflict where its far end was not looked for", function*() {
    const forward: Use = (tx, space) =>
      tx.getRange({
        begin: space.key("b"),
        end: KeySelector.move(KeySelector.firstGreaterOrEqual(space.key("b")), 1000)
      }, { limit: 2 })
    yield* collide(forward, set("bb"))
    yield* pass(forward, both(set("cc"), set("y")))
    const backward: Use = (tx, space) =>
      tx.getRange({
        begin: KeySelector.move(KeySelector.lastLessThan(space.key("d")), -1000),
        end: space.key("e")
      }, { limit: 2, reverse: true })
    yield* collide(backward, set("cc"))
    yield* pass(backward, both(set("bb"), set("\0")))
  })

  test("a range whose ends are in the wrong order conflicts with nothing", function*() {
    const { firstGreaterThan, lastLessThan, move } = KeySelector
    for (const reverse of [false, true]) {
      const everything = both(clearRange("\0", "z"), set("b"))
      yield* pass(getRange("d", "a", 0, reverse), everything)
      yield* pass(getRange("c", "c", 2, reverse), everything)
      yield* pass(
        (tx, space) =>
          tx.getRange({
            begin: move(firstGreaterThan(space.key("d")), 1),
            end: lastLessThan(space.key("b"))
          }, { reverse }),
        everything
      )
    }
  })

  test("a stream conflicts only as far as it was pulled", function*(space) {
    const count = 3000
    const name = (index: number) => String(index).padStart(5, "0")
    yield* run(function*(tx) {
      for (let index = 0; index < count; index++) yield* tx.set(space.key(name(index)), new Uint8Array(100))
    })
    const front = yield* begin()
    const back = yield* begin()
    const whole = yield* begin()
    yield* Stream.runDrain(Stream.take(front.streamRange(space.range), 1))
    yield* Stream.runDrain(Stream.take(back.streamRange(space.range, { reverse: true }), 1))
    yield* Stream.runDrain(whole.streamRange(space.range))
    yield* write(space, { [name(count - 1)]: "other" })
    for (const tx of [front, back, whole]) yield* tx.set(space.key("z"), bytes("mine"))
    yield* front.commit
    yield* conflicting(back)
    yield* conflicting(whole)
  })

  test("a key selector conflicts with all between its key and what it found", function*() {
    const after = getKey((space) => KeySelector.firstGreaterThan(space.key("b")))
    yield* collide(after, clear("c"), set("bb"))
    yield* pass(after, set("b"), set("cc"))
    const before = getKey((space) => KeySelector.lastLessThan(space.key("d")))
    yield* collide(before, clear("c"), set("cc"))
    yield* pass(before, set("d"), set("bb"))
    const far = getKey((space) => KeySelector.move(KeySelector.firstGreaterOrEqual(space.key("a")), 2))
    yield* collide(far, clear("b"), set("aa"))
    yield* pass(far, set("d"))
  })

  test("snapshot reads do not conflict", function*() {
    yield* pass((tx, space) => tx.snapshot.get(space.key("a")), set("a"))
    yield* pass((tx, space) => tx.snapshot.getAll([space.key("a"), space.key("b")]), both(set("a"), set("b")))
    yield* pass((tx, space) => tx.snapshot.getRange(space.range), both(set("a"), set("f")))
    yield* pass((tx, space) => Stream.runDrain(tx.snapshot.streamRange(space.range)), set("a"))
    yield* pass((tx, space) => tx.snapshot.getKey(KeySelector.firstGreaterThan(space.key("a"))), clear("b"))
  })

  test("a snapshot read is made serializable by an explicit conflict", function*() {
    const mine = both((tx, space) => tx.snapshot.get(space.key("a")), readConflictKey("a"))
    yield* collide(mine, set("a"))
    yield* pass(mine, set("b"))
  })

  test("explicit read conflicts count as reads", function*() {
    yield* collide(readConflictKey("a"), set("a"), clearRange("a", "b"))
    yield* pass(readConflictKey("a"), set("a\0"))
    yield* collide(readConflict("b", "d"), set("b"), set("cz"))
    yield* pass(readConflict("b", "d"), set("d"))
    yield* pass(readConflict("b", "b"), set("b"))
  })

  test("explicit write conflicts count as writes, but write nothing", function*() {
    yield* collide(get("a"), writeConflictKey("a"))
    yield* collide(getRange("b", "d"), writeConflict("c", "f"))
    yield* pass(get("a"), writeConflictKey("b"), writeConflict("a", "a"))
    const space = yield* makeSpace
    yield* write(space, letters)
    yield* run((tx) => tx.addWriteConflictRange(space.range))
    assert.deepStrictEqual(yield* contents(space), letters)
  })

  test("a transaction with only explicit write conflicts is validated like one that writes", function*(space) {
    const tx = yield* begin()
    yield* tx.get(space.key("a"))
    yield* tx.addWriteConflictKey(space.key("b"))
    yield* write(space, { a: "other" })
    yield* conflicting(tx)
  })

  test("reading a key that this transaction has set or cleared is no conflict", function*() {
    yield* pass(both(set("a", "mine"), get("a")), set("a"))
    yield* pass(both(clear("a"), get("a")), set("a"))
    yield* pass(both(clearRange("a", "c"), getRange("a", "c")), both(set("a"), set("b")))
    yield* collide(both(clearRange("a", "c"), getRange("a", "d")), set("c"))
    yield* collide(both(set("b", "mine"), getRange("a", "d")), set("c"))
    yield* pass(both(set("b", "mine"), getRange("a", "d")), set("b"))
    yield* collide(both(get("a"), set("a", "mine")), set("a"))
  })

  test("reading a key that this transaction has changed atomically is a conflict", function*() {
    const add: Use = (tx, space) => tx.atomic("Add", space.key("a"), Uint8Array.of(1))
    yield* collide(both(add, get("a")), set("a"))
    yield* collide(both(add, getRange("a", "b")), set("a"))
    yield* pass(both(both(clear("a"), add), get("a")), set("a"))
    yield* pass(both(both(set("a", "mine"), add), get("a")), set("a"))
    yield* pass(add, set("a"))
  })

  test("an explicit read conflict has no effect on keys written before it", function*() {
    yield* pass(both(set("a", "mine"), readConflictKey("a")), set("a"))
    yield* pass(both(clear("a"), readConflictKey("a")), set("a"))
    yield* collide(both(readConflictKey("a"), set("a", "mine")), set("a"))
    yield* pass(both(set("b", "mine"), readConflict("a", "c")), set("b"))
    yield* collide(both(set("b", "mine"), readConflict("a", "c")), set("a"))
    yield* collide(
      both((tx, space) => tx.atomic("Add", space.key("a"), Uint8Array.of(1)), readConflictKey("a")),
      set("a")
    )
  })

  test("blind writes never conflict; the last to commit wins", function*(space) {
    const first = yield* begin()
    const second = yield* begin()
    yield* first.set(space.key("a"), bytes("first"))
    yield* second.set(space.key("a"), bytes("second"))
    yield* second.clear(space.key("b"))
    yield* first.atomic("Add", space.key("c"), Uint8Array.of(1))
    yield* second.atomic("Add", space.key("c"), Uint8Array.of(2))
    yield* write(space, { b: "other" })
    yield* second.commit
    yield* first.commit
    assert.deepStrictEqual(yield* contents(space), { a: "first", c: "\x03" })
    yield* pass(set("a", "mine"), set("a"))
    yield* pass(clear("a"), clearRange("a", "z"))
  })

  test("read-only transactions never conflict", function*(space) {
    yield* write(space, letters)
    const tx = yield* begin()
    yield* tx.get(space.key("a"))
    yield* tx.getRange(space.range)
    yield* tx.addReadConflictRange(space.range)
    yield* run((other) => other.clearRange(space.range))
    assert.strictEqual(text(yield* tx.get(space.key("b"))), "2")
    yield* tx.commit
  })

  test("a conflict with a transaction that was not committed is none", function*(space) {
    yield* write(space, letters)
    const tx = yield* begin()
    yield* tx.get(space.key("a"))
    const rolledBack = yield* begin()
    yield* rolledBack.set(space.key("a"), bytes("no"))
    yield* rolledBack.abandon
    const refused = yield* begin()
    yield* refused.get(space.key("b"))
    yield* refused.set(space.key("a"), bytes("no"))
    yield* write(space, { b: "other" })
    yield* conflicting(refused)
    yield* tx.set(space.key("c"), bytes("mine"))
    yield* tx.commit
    assert.deepStrictEqual(yield* contents(space), { ...letters, b: "other", c: "mine" })
  })

  test("a commit that was acknowledged before the first read does not conflict", function*(space) {
    const tx = yield* begin()
    yield* write(space, { a: "other" })
    assert.strictEqual(text(yield* tx.get(space.key("a"))), "other")
    yield* tx.set(space.key("b"), bytes("mine"))
    yield* tx.commit
  })

  test("a later write does not hide an earlier one to the keys around it", function*() {
    for (const name of ["b", "c", "cc", "d"]) {
      yield* collide(get(name), [clearRange("a", "e"), set("c")], [writeConflict("a", "e"), clearRange("bb", "cc")])
    }
    yield* pass(get("e"), [clearRange("a", "e"), set("c"), clearRange("d", "e")])
  })

  test("the keys of versionstamps are written like any other", function*() {
    const stamped = (name: string): Use => (tx, space) => {
      const prefix = space.key(name)
      return tx.setVersionstampedKey(
        { bytes: Bytes.concat(prefix, new Uint8Array(10).fill(0xff)), offset: prefix.length },
        bytes("")
      )
    }
    yield* collide(getRange("s", "t"), stamped("s"))
    yield* pass(getRange("a", "s"), stamped("s"))
    yield* collide(
      get("a"),
      (tx, space) => tx.setVersionstampedValue(space.key("a"), { bytes: new Uint8Array(10), offset: 0 })
    )
  })

  test("concurrent increments are all counted", function*(space) {
    const increment = run(function*(tx) {
      const before = Number(text(yield* tx.get(space.key("n"))) ?? "0")
      yield* tx.set(space.key("n"), bytes(String(before + 1)))
    }, { idempotent: false, timeout: "30 seconds", maxRetryDelay: "50 millis" })
    yield* Effect.all(Array.from({ length: 8 }, () => Effect.repeat(increment, { times: 4 })), {
      concurrency: "unbounded"
    })
    assert.strictEqual(yield* read(space, "n"), "40")
  })
}
