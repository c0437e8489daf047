/** Read versions: their order, and reads at a version that was set. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { FdbError } from "../../FdbError.ts"
import type { TransactionService } from "../../Transaction.ts"
import { begin, bytes, conflicting, failsWith, read, refused, run, type Tests, text, write } from "./tests.ts"

const commitVersion = (effect: ReturnType<typeof write>) => Effect.flatMap(effect, () => run((tx) => tx.readVersion))

export const versions: Tests = (test) => {
  test("read versions never go back, and include what was committed before", function*(space) {
    let last = 0n
    for (let round = 0; round < 10; round++) {
      const committed = yield* Effect.flatten(
        run((tx) => Effect.andThen(tx.set(space.key("a"), bytes(String(round))), tx.committedVersion))
      )
      assert.isTrue(committed > last)
      const readVersion = yield* run((tx) => tx.readVersion)
      assert.isTrue(readVersion >= committed)
      last = readVersion
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
    const key = space.key
    const reads: ReadonlyArray<(tx: TransactionService) => Effect.Effect<unknown, FdbError>> = [
      (tx) => tx.getRange({ begin: key("c"), end: key("a") }),
      (tx) => tx.getRange({ begin: key("c"), end: key("c") }, { reverse: true }),
      (tx) => Stream.runDrain(tx.streamRange({ begin: key("c"), end: key("a") })),
      (tx) => Effect.andThen(tx.set(key("own"), bytes("1")), tx.get(key("own"))),
      (tx) => Effect.andThen(tx.clear(key("own")), tx.getAll([key("own"), key("own")])),
      (tx) =>
        Effect.andThen(
          tx.clearRange({ begin: key("m"), end: key("p") }),
          tx.getRange({ begin: key("n"), end: key("o") })
        )
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
    yield* tx.set(space.key("a"), bytes("1"))
    yield* tx.commit
    assert.isTrue((yield* committed) > readVersion)
  })

  test("a read version that was set shows the database as it was", function*(space) {
    const before = yield* commitVersion(write(space, { a: "1", b: "1" }))
    const between = yield* commitVersion(write(space, { a: "2" }))
    yield* run((tx) => tx.clearRange(space.range))
    for (const [version, a] of [[before, "1"], [between, "2"]] as const) {
      const tx = yield* begin()
      yield* tx.setReadVersion(version)
      assert.strictEqual(text(yield* tx.get(space.key("a"))), a)
      assert.strictEqual(text(yield* tx.snapshot.get(space.key("b"))), "1")
      assert.strictEqual((yield* tx.getRange(space.range)).length, 2)
      assert.strictEqual(yield* tx.readVersion, version)
      yield* tx.commit
    }
    assert.isUndefined(yield* read(space, "a"))
  })

  test("a read at a commit's version shows that commit", function*(space) {
    const version = yield* Effect.flatten(
      run((tx) => Effect.andThen(tx.set(space.key("a"), bytes("1")), tx.committedVersion))
    )
    const value = yield* run((tx) => Effect.andThen(tx.setReadVersion(version), tx.get(space.key("a"))))
    assert.strictEqual(text(value), "1")
  })

  test("a blind write at the version of the last commit is validated by its explicit conflicts", function*(space) {
    const renew = (version: bigint, value: string) =>
      Effect.flatten(run(function*(tx) {
        yield* tx.setReadVersion(version)
        yield* tx.addReadConflictKey(space.key("lease"))
        yield* tx.addReadConflictKey(space.key("leader"))
        yield* tx.set(space.key("lease"), bytes(value))
        return yield* tx.committedVersion
      }, { retryLimit: 0 }))
    yield* write(space, { lease: "0", leader: "me" })
    let version = yield* run((tx) => tx.readVersion)
    for (let round = 1; round <= 3; round++) version = yield* renew(version, String(round))
    assert.strictEqual(yield* read(space, "lease"), "3")
    yield* write(space, { leader: "other" })
    yield* failsWith(renew(version, "4"), 1020)
    assert.strictEqual(yield* read(space, "lease"), "3")
  })

  test("a transaction at an old version conflicts with what was committed since", function*(space) {
    const version = yield* commitVersion(write(space, { a: "1", b: "1" }))
    yield* write(space, { a: "2" })
    const tx = yield* begin()
    yield* tx.setReadVersion(version)
    yield* tx.get(space.key("a"))
    yield* tx.set(space.key("c"), bytes(""))
    yield* conflicting(tx)
    const beside = yield* begin()
    yield* beside.setReadVersion(version)
    yield* beside.get(space.key("b"))
    yield* beside.set(space.key("c"), bytes(""))
    yield* beside.commit
  })

  test("a read version is set once and before the first read: 2010", function*(space) {
    const version = yield* run((tx) => tx.readVersion)
    yield* refused(2010, (tx) => Effect.andThen(tx.setReadVersion(version), tx.setReadVersion(version)))
    yield* refused(2010, (tx) => Effect.andThen(tx.get(space.key("a")), tx.setReadVersion(version)))
    yield* refused(2010, (tx) => Effect.andThen(tx.readVersion, tx.setReadVersion(version)))
  })

  test("a read version below one is refused: 2011", function*() {
    yield* refused(2011, (tx) => tx.setReadVersion(0n))
    yield* refused(2011, (tx) => tx.setReadVersion(-1n))
  })

  test("a read version that is too old is refused by the first read, or by the commit: 1007", function*(space) {
    const once = { retryLimit: 0 }
    const error = yield* refused(1007, (tx) => Effect.andThen(tx.setReadVersion(1n), tx.get(space.key("a"))), once)
    assert.isTrue(error.retryable)
    assert.isFalse(error.maybeCommitted)
    yield* refused(1007, (tx) => Effect.andThen(tx.setReadVersion(1n), tx.getRange(space.range)), once)
    yield* refused(1007, function*(tx) {
      yield* tx.setReadVersion(1n)
      yield* tx.addReadConflictKey(space.key("a"))
      yield* tx.set(space.key("a"), bytes("1"))
    }, once)
    assert.isUndefined(yield* read(space, "a"))
  })

  test("a transaction that only writes ignores a read version from the future", function*(space) {
    const future = (yield* run((tx) => tx.readVersion)) + 1_000_000_000_000n
    yield* run((tx) => Effect.andThen(tx.setReadVersion(future), tx.set(space.key("a"), bytes("1"))))
    const version = yield* Effect.flatten(run(function*(tx) {
      yield* tx.setReadVersion(future)
      yield* tx.addReadConflictKey(space.key("a"))
      yield* tx.atomic("AppendIfFits", space.key("a"), bytes("2"))
      yield* tx.addWriteConflictKey(space.key("b"))
      return yield* tx.committedVersion
    }))
    assert.isTrue(version > 0n && version < future)
    assert.strictEqual(yield* read(space, "a"), "12")
  })

  test("a read version from the future is refused by the first read: 1009", function*(space) {
    const future = (yield* run((tx) => tx.readVersion)) + 1_000_000_000_000n
    yield* refused(1009, (tx) => Effect.andThen(tx.setReadVersion(future), tx.get(space.key("a"))), { retryLimit: 0 })
  })
}
