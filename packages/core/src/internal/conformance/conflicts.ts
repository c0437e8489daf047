/** Which transactions conflict, and which do not. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Bytes from "../../Bytes.ts"
import type { FdbError } from "../../FdbError.ts"
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
  steps,
  type Tests,
  write
} from "./harness.ts"

/** What a transaction does: a script for {@link steps}, or a function. */
type Use = string | ((tx: TransactionService, space: Space) => Effect.Effect<unknown, FdbError>)

/** What other transactions do: one, or several in turn. */
type Others = Use | ReadonlyArray<Use>

const letters = { a: "1", b: "2", c: "3", d: "4", e: "5" }

const perform = (use: Use, tx: TransactionService, space: Space): Effect.Effect<unknown, FdbError> =>
  typeof use === "string" ? steps(space, use)(tx) : use(tx, space)

/** A transaction reads its read version, does `mine`, and writes `z`. The others commit before it. */
const race = Effect.fnUntraced(function*(mine: Use, others: Others) {
  const space = yield* makeSpace
  yield* write(space, letters)
  const tx = yield* begin()
  yield* tx.readVersion
  yield* perform(mine, tx, space)
  for (const other of [others].flat()) yield* run((tx) => perform(other, tx, space))
  yield* tx.set(space.key("z"), bytes("mine"))
  return { tx, space }
})

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

export const conflicts: Tests = (test) => {
  test("a key that was read conflicts with every write to it: 1020", function*() {
    yield* collide("get a", "set a other", "clear a", "Add a 1")
    yield* collide("get b", "clear a..c")
    yield* collide("get absent", "set absent other")
    // A write that leaves the value as it is conflicts too.
    yield* collide("get a", "set a 1")
    yield* collide("get absent", "clear absent")
  })

  test("a key that was read does not conflict with writes beside it", function*() {
    yield* pass("get b", "set a other; set c other", "set b\0 other", "clear a..b; clear b\0..z")
  })

  test("each of several keys that were read at once conflicts, and no key between them", function*() {
    const readAll: Use = (tx, space) => tx.getAll([space.key("c"), space.key("absent"), space.key("a")])
    yield* collide(readAll, "set a other", "clear c", "set absent other")
    yield* pass(readAll, "set b other; set d other")
  })

  test("of two transactions that read and write the same key only the first to commit is committed", function*(space) {
    yield* write(space, { a: "0" })
    const first = yield* begin()
    const second = yield* begin()
    for (const tx of [first, second]) assert.strictEqual(yield* steps(space, "get a")(tx), "0")
    yield* steps(space, "set a second")(second)
    yield* steps(space, "set a first")(first)
    yield* second.commit
    yield* conflicting(first)
    assert.strictEqual(yield* read(space, "a"), "second")
  })

  test("write skew is refused after reads, and committed after snapshot reads", function*() {
    for (const kind of ["", "snapshot "]) {
      const space = yield* makeSpace
      yield* write(space, { x: "1", y: "1" })
      const first = yield* begin()
      const second = yield* begin()
      for (const tx of [first, second]) yield* steps(space, `${kind}get x; ${kind}get y`)(tx)
      yield* steps(space, "set x 0")(first)
      yield* steps(space, "set y 0")(second)
      yield* first.commit
      if (kind === "") yield* conflicting(second)
      else yield* second.commit
      assert.deepStrictEqual(yield* contents(space), { x: "0", y: kind === "" ? "1" : "0" })
    }
  })

  test("a range that was read conflicts with changes, insertions and removals within it", function*() {
    yield* collide("range b..e", "set c", "set cc", "set b", "clear d", "clear a..b\0", "clear dd..z")
    yield* collide("range x..y", "set x")
    yield* pass("range b..e", "set a", "set e", "set az", "clear e..f")
  })

  test("a range that was cut by its limit conflicts only as far as it was returned", function*() {
    yield* collide("range a..f 2", "set b", "set aa")
    yield* pass("range a..f 2", "set bb", "set c; clear e")
    yield* collide("range a..f 2 reverse", "set d", "set ee")
    yield* pass("range a..f 2 reverse", "set cc", "set c; clear a")
  })

  test("a range that was cut by its limit does not conflict where its far end was not looked up", function*() {
    yield* collide("range b..>=b+1000 2", "set bb")
    yield* pass("range b..>=b+1000 2", "set cc; set y")
    yield* collide("range <d-1000..e 2 reverse", "set cc")
    yield* pass("range <d-1000..e 2 reverse", "set bb; set \0")
  })

  test("a range whose ends are in the wrong order conflicts with nothing", function*() {
    for (const order of ["", " reverse"]) {
      const everything = "clear \0..z; set b"
      yield* pass(`range d..a 0${order}`, everything)
      yield* pass(`range c..c 2${order}`, everything)
      yield* pass(`range >d+1..<b 0${order}`, everything)
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

  test("a key selector conflicts with all keys between its own key and the key that it found", function*() {
    yield* collide("find >b", "clear c", "set bb")
    yield* pass("find >b", "set b", "set cc")
    yield* collide("find <d", "clear c", "set cc")
    yield* pass("find <d", "set d", "set bb")
    yield* collide("find >=a+2", "clear b", "set aa")
    yield* pass("find >=a+2", "set d")
  })

  test("snapshot reads do not conflict", function*() {
    yield* pass("snapshot get a", "set a")
    yield* pass((tx, space) => tx.snapshot.getAll([space.key("a"), space.key("b")]), "set a; set b")
    yield* pass("snapshot range ..z", "set a; set f")
    yield* pass((tx, space) => Stream.runDrain(tx.snapshot.streamRange(space.range)), "set a")
    yield* pass("snapshot find >a", "clear b")
  })

  test("an explicit conflict makes a snapshot read serializable", function*() {
    yield* collide("snapshot get a; readConflict a", "set a")
    yield* pass("snapshot get a; readConflict a", "set b")
  })

  test("explicit read conflicts count as reads", function*() {
    yield* collide("readConflict a", "set a", "clear a..b")
    yield* pass("readConflict a", "set a\0")
    yield* collide("readConflict b..d", "set b", "set cz")
    yield* pass("readConflict b..d", "set d")
    yield* pass("readConflict b..b", "set b")
  })

  test("explicit write conflicts count as writes, but write nothing", function*() {
    yield* collide("get a", "writeConflict a")
    yield* collide("range b..d", "writeConflict c..f")
    yield* pass("get a", "writeConflict b", "writeConflict a..a")
    const space = yield* makeSpace
    yield* write(space, letters)
    yield* run((tx) => tx.addWriteConflictRange(space.range))
    assert.deepStrictEqual(yield* contents(space), letters)
  })

  test("a transaction with only explicit write conflicts is validated like one that writes", function*(space) {
    const tx = yield* begin()
    yield* steps(space, "get a; writeConflict b")(tx)
    yield* write(space, { a: "other" })
    yield* conflicting(tx)
  })

  test("a read of a key that this transaction has set or cleared does not conflict", function*() {
    yield* pass("set a mine; get a", "set a")
    yield* pass("clear a; get a", "set a")
    yield* pass("clear a..c; range a..c", "set a; set b")
    yield* collide("clear a..c; range a..d", "set c")
    yield* collide("set b mine; range a..d", "set c")
    yield* pass("set b mine; range a..d", "set b")
    yield* collide("get a; set a mine", "set a")
  })

  test("a read of a key that this transaction has changed atomically conflicts", function*() {
    yield* collide("Add a 1; get a", "set a")
    yield* collide("Add a 1; range a..b", "set a")
    yield* pass("clear a; Add a 1; get a", "set a")
    yield* pass("set a mine; Add a 1; get a", "set a")
    yield* pass("Add a 1", "set a")
  })

  test("an explicit read conflict has no effect on keys written before it", function*() {
    yield* pass("set a mine; readConflict a", "set a")
    yield* pass("clear a; readConflict a", "set a")
    yield* collide("readConflict a; set a mine", "set a")
    yield* pass("set b mine; readConflict a..c", "set b")
    yield* collide("set b mine; readConflict a..c", "set a")
    yield* collide("Add a 1; readConflict a", "set a")
  })

  test("blind writes never conflict; the last to commit wins", function*(space) {
    const first = yield* begin()
    const second = yield* begin()
    yield* steps(space, "set a first; Add c \x01")(first)
    yield* steps(space, "set a second; clear b; Add c \x02")(second)
    yield* write(space, { b: "other" })
    yield* second.commit
    yield* first.commit
    assert.deepStrictEqual(yield* contents(space), { a: "first", c: "\x03" })
    yield* pass("set a mine", "set a")
    yield* pass("clear a", "clear a..z")
  })

  test("read-only transactions never conflict", function*(space) {
    yield* write(space, letters)
    const tx = yield* begin()
    yield* steps(space, "get a; range ..z; readConflict a..z")(tx)
    yield* run(steps(space, "clear a..z"))
    assert.strictEqual(yield* steps(space, "get b")(tx), "2")
    yield* tx.commit
  })

  test("a transaction that was not committed causes no conflict", function*(space) {
    yield* write(space, letters)
    const tx = yield* begin()
    yield* steps(space, "get a")(tx)
    const rolledBack = yield* begin()
    yield* steps(space, "set a no")(rolledBack)
    yield* rolledBack.abandon
    const refused = yield* begin()
    yield* steps(space, "get b; set a no")(refused)
    yield* write(space, { b: "other" })
    yield* conflicting(refused)
    yield* steps(space, "set c mine")(tx)
    yield* tx.commit
    assert.deepStrictEqual(yield* contents(space), { ...letters, b: "other", c: "mine" })
  })

  test("a commit that was acknowledged before the first read does not conflict", function*(space) {
    const tx = yield* begin()
    yield* write(space, { a: "other" })
    assert.strictEqual(yield* steps(space, "get a")(tx), "other")
    yield* steps(space, "set b mine")(tx)
    yield* tx.commit
  })

  test("a later write does not hide an earlier one to the keys around it", function*() {
    for (const name of ["b", "c", "cc", "d"]) {
      yield* collide(`get ${name}`, ["clear a..e", "set c"], ["writeConflict a..e", "clear bb..cc"])
    }
    yield* pass("get e", ["clear a..e", "set c", "clear d..e"])
  })

  test("a write of a versionstamped key or value conflicts like any other", function*() {
    const stampedKey: Use = (tx, space) => {
      const prefix = space.key("s")
      const key = { bytes: Bytes.concat(prefix, new Uint8Array(10).fill(0xff)), offset: prefix.length }
      return tx.setVersionstampedKey(key, bytes(""))
    }
    yield* collide("range s..t", stampedKey)
    yield* pass("range a..s", stampedKey)
    yield* collide(
      "get a",
      (tx, space) => tx.setVersionstampedValue(space.key("a"), { bytes: new Uint8Array(10), offset: 0 })
    )
  })

  test("concurrent increments are all counted", function*(space) {
    const increment = run(function*(tx) {
      const before = Number((yield* steps(space, "get n")(tx)) ?? "0")
      yield* tx.set(space.key("n"), bytes(String(before + 1)))
    }, { idempotent: false, timeout: "30 seconds", maxRetryDelay: "50 millis" })
    yield* Effect.all(Array.from({ length: 8 }, () => Effect.repeat(increment, { times: 4 })), {
      concurrency: "unbounded"
    })
    assert.strictEqual(yield* read(space, "n"), "40")
  })
}
