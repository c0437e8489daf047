/** Read versions: their order, and reads at a version that was set. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { FdbError } from "../../FdbError.ts"
import type { TransactionService } from "../../Transaction.ts"
import {
  begin,
  commitVersion,
  conflicting,
  failsWith,
  read,
  refused,
  run,
  steps,
  type Tests,
  text,
  write
} from "./harness.ts"

type Use = (tx: TransactionService) => Effect.Effect<unknown, FdbError>

/** Sets the read version before `use`. */
const at = (version: bigint, use: Use): Use => (tx) => Effect.andThen(tx.setReadVersion(version), use(tx))

export const versions: Tests = (test) => {
  test("read versions never decrease, and include every earlier commit", function*(space) {
    let last = 0n
    for (let round = 0; round < 10; round++) {
      const committed = yield* commitVersion(steps(space, `set a ${round}`))
      assert.isTrue(committed > last)
      last = yield* run((tx) => tx.readVersion)
      assert.isTrue(last >= committed)
    }
  })

  test("a transaction keeps its read version", function*(space) {
    const tx = yield* begin()
    yield* tx.get(space.key("a"))
    const version = yield* tx.readVersion
    yield* write(space, { a: "other" })
    assert.strictEqual(yield* tx.readVersion, version)
    assert.isUndefined(yield* tx.get(space.key("b")))
    assert.strictEqual(yield* tx.readVersion, version)
    yield* tx.commit
  })

  test("a read that needs nothing of the database takes no read version", function*(space) {
    const { key } = space
    const reads: ReadonlyArray<Use> = [
      steps(space, "range c..a"),
      steps(space, "range c..c 0 reverse"),
      (tx) => Stream.runDrain(tx.streamRange({ begin: key("c"), end: key("a") })),
      steps(space, "set own 1; get own"),
      (tx) => Effect.andThen(tx.clear(key("own")), tx.getAll([key("own"), key("own")])),
      steps(space, "clear m..p; range n..o")
    ]
    for (const read of reads) {
      yield* write(space, { a: "before" })
      const tx = yield* begin()
      yield* read(tx)
      yield* write(space, { a: "after" })
      assert.strictEqual(text(yield* tx.get(key("a"))), "after")
      yield* tx.abandon
    }
  })

  test("a commit's version is above its read version", function*(space) {
    const tx = yield* begin()
    const readVersion = yield* tx.readVersion
    const committed = yield* tx.committedVersion
    yield* steps(space, "set a 1")(tx)
    yield* tx.commit
    assert.isTrue((yield* committed) > readVersion)
  })

  test("a read version that was set shows the database as it was", function*(space) {
    const before = yield* commitVersion(steps(space, "set a 1; set b 1"))
    const between = yield* commitVersion(steps(space, "set a 2"))
    yield* run((tx) => tx.clearRange(space.range))
    for (const [version, a] of [[before, "1"], [between, "2"]] as const) {
      const tx = yield* begin()
      yield* tx.setReadVersion(version)
      assert.strictEqual(yield* steps(space, "get a")(tx), a)
      assert.strictEqual(yield* steps(space, "snapshot get b")(tx), "1")
      assert.strictEqual(yield* steps(space, "range ..z")(tx), `a${a} b1`)
      assert.strictEqual(yield* tx.readVersion, version)
      yield* tx.commit
    }
    assert.isUndefined(yield* read(space, "a"))
  })

  test("a read at a commit's version shows that commit", function*(space) {
    const version = yield* commitVersion(steps(space, "set a 1"))
    assert.strictEqual(yield* run(at(version, steps(space, "get a"))), "1")
  })

  test("a blind write at the version of the last commit is validated by its explicit conflicts", function*(space) {
    const renew = (version: bigint, value: string) =>
      commitVersion(
        at(version, steps(space, `readConflict lease; readConflict leader; set lease ${value}`)),
        { retryLimit: 0 }
      )
    yield* write(space, { lease: "0", leader: "me" })
    let version = yield* run((tx) => tx.readVersion)
    for (let round = 1; round <= 3; round++) version = yield* renew(version, String(round))
    assert.strictEqual(yield* read(space, "lease"), "3")
    yield* write(space, { leader: "other" })
    yield* failsWith(renew(version, "4"), 1020)
    assert.strictEqual(yield* read(space, "lease"), "3")
  })

  test("a transaction at an old version conflicts with what was committed since", function*(space) {
    const version = yield* commitVersion(steps(space, "set a 1; set b 1"))
    yield* write(space, { a: "2" })
    const stale = yield* begin()
    yield* at(version, steps(space, "get a; set c"))(stale)
    yield* conflicting(stale)
    const current = yield* begin()
    yield* at(version, steps(space, "get b; set c"))(current)
    yield* current.commit
  })

  test("a read version is set once and before the first read: 2010", function*(space) {
    const version = yield* run((tx) => tx.readVersion)
    const set = at(version, () => Effect.void)
    yield* refused(2010, at(version, set))
    yield* refused(2010, (tx) => Effect.andThen(tx.get(space.key("a")), set(tx)))
    yield* refused(2010, (tx) => Effect.andThen(tx.readVersion, set(tx)))
  })

  test("a read version below one is refused: 2011", function*() {
    yield* refused(2011, (tx) => tx.setReadVersion(0n))
    yield* refused(2011, (tx) => tx.setReadVersion(-1n))
  })

  test("a read version that is too old is refused by the first read, or by the commit: 1007", function*(space) {
    const once = { retryLimit: 0 }
    const error = yield* refused(1007, at(1n, steps(space, "get a")), once)
    assert.isTrue(error.retryable)
    assert.isFalse(error.maybeCommitted)
    yield* refused(1007, at(1n, steps(space, "range ..z")), once)
    yield* refused(1007, at(1n, steps(space, "readConflict a; set a 1")), once)
    assert.isUndefined(yield* read(space, "a"))
  })

  test("a transaction that only writes ignores a read version from the future", function*(space) {
    const future = (yield* run((tx) => tx.readVersion)) + 1_000_000_000_000n
    yield* run(at(future, steps(space, "set a 1")))
    const version = yield* commitVersion(
      at(future, steps(space, "readConflict a; AppendIfFits a 2; writeConflict b"))
    )
    assert.isTrue(version > 0n && version < future)
    assert.strictEqual(yield* read(space, "a"), "12")
  })

  test("a read version from the future is refused by the first read: 1009", function*(space) {
    const future = (yield* run((tx) => tx.readVersion)) + 1_000_000_000_000n
    yield* refused(1009, at(future, steps(space, "get a")), { retryLimit: 0 })
  })
}
