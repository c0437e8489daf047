/** How transactions end. */
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { TransactionService } from "../../Transaction.ts"
import {
  begin,
  bytes,
  contents,
  failsWith,
  read,
  refused,
  run,
  soon,
  steps,
  type Tests,
  text,
  write
} from "./harness.ts"

export const lifecycle: Tests = (test) => {
  test("a failure of the body discards all writes", function*(space) {
    yield* write(space, { a: "1", b: "1" })
    const failing = run((tx) => Effect.andThen(steps(space, "set a 2; clear b")(tx), Effect.fail("no")))
    assert.strictEqual(yield* Effect.flip(failing), "no")
    assert.deepStrictEqual(yield* contents(space), { a: "1", b: "1" })
  })

  test("a defect of the body rolls back and passes through", function*(space) {
    const exit = yield* Effect.exit(
      run((tx) => Effect.andThen(tx.set(space.key("a"), bytes("1")), Effect.die("defect")))
    )
    assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) === "defect")
    assert.isUndefined(yield* read(space, "a"))
  })

  test("an interruption of the body discards all writes", function*(space) {
    const written = yield* Deferred.make<void>()
    const fiber = yield* Effect.forkChild(run(function*(tx) {
      yield* steps(space, "get a; set a 1")(tx)
      yield* Deferred.succeed(written, undefined)
      return yield* Effect.never
    }))
    yield* Deferred.await(written)
    yield* soon(Fiber.interrupt(fiber))
    assert.isUndefined(yield* read(space, "a"))
    yield* write(space, { a: "2" })
    assert.strictEqual(yield* read(space, "a"), "2")
  })

  test("a transaction returns the result of its body", function*(space) {
    yield* write(space, { a: "1" })
    const result = yield* run((tx) => Effect.map(tx.get(space.key("a")), (value) => ({ value: text(value) })))
    assert.deepStrictEqual(result, { value: "1" })
  })

  test("use after the commit is refused: 2017", function*(space) {
    const key = space.key("a")
    const uses: ReadonlyArray<(tx: TransactionService) => Effect.Effect<unknown, unknown>> = [
      (tx) => tx.get(key),
      (tx) => tx.snapshot.get(key),
      (tx) => tx.getRange(space.range),
      (tx) => tx.readVersion,
      (tx) => tx.set(key, key),
      (tx) => tx.clear(key),
      (tx) => tx.clearRange(space.range),
      (tx) => tx.addReadConflictKey(key),
      (tx) => tx.addWriteConflictKey(key),
      (tx) => Effect.scoped(tx.watch(key))
    ]
    const committed = yield* run((tx) => Effect.as(tx.set(key, bytes("1")), tx))
    const abandoned = yield* begin()
    yield* abandoned.abandon
    for (const tx of [committed, abandoned]) {
      for (const use of uses) {
        const error = yield* Effect.flip(use(tx))
        assert.include(error, { _tag: "FdbError", code: 2017 })
      }
    }
    assert.strictEqual(yield* read(space, "a"), "1")
  })

  test("a failed read fails the commit, even if the body has caught the error", function*(space) {
    yield* refused(1036, function*(tx) {
      yield* tx.setVersionstampedValue(space.key("a"), { bytes: new Uint8Array(10), offset: 0 })
      yield* Effect.ignore(tx.get(space.key("a")))
      yield* tx.set(space.key("b"), bytes("1"))
    })
    assert.isUndefined(yield* read(space, "b"))
  })

  test("a transaction within another is independent of it", function*(space) {
    const error = yield* Effect.flip(run(function*(tx) {
      yield* tx.set(space.key("outer"), bytes("1"))
      assert.isUndefined(yield* run(steps(space, "set inner 1; get outer")))
      return yield* Effect.fail("no")
    }))
    assert.strictEqual(error, "no")
    assert.deepStrictEqual(yield* contents(space), { inner: "1" })
  })

  test("after a conflict the body runs again from its start, at a new version", function*(space) {
    yield* write(space, { a: "1" })
    const seen: Array<string | undefined> = []
    yield* run(function*(tx) {
      seen.push(text(yield* tx.get(space.key("a"))))
      if (seen.length === 1) {
        yield* tx.set(space.key("first"), bytes("attempt"))
        yield* write(space, { a: "2" })
      }
      yield* tx.set(space.key("b"), bytes("mine"))
    })
    assert.deepStrictEqual(seen, ["1", "2"])
    assert.deepStrictEqual(yield* contents(space), { a: "2", b: "mine" })
  })

  test("`retryLimit` ends the retries with the last error", function*(space) {
    let attempts = 0
    const error = yield* refused(1020, function*(tx) {
      yield* tx.get(space.key("a"))
      yield* write(space, { a: String(attempts++) })
      yield* tx.set(space.key("b"), bytes("mine"))
    }, { retryLimit: 2 })
    assert.strictEqual(error.phase, "commit")
    assert.strictEqual(attempts, 3)
    assert.deepStrictEqual(yield* contents(space), { a: "2" })
  })

  test("reads run in parallel, in one transaction and in many", function*(space) {
    const names = Array.from({ length: 50 }, (_, index) => `k${index}`)
    yield* write(space, Object.fromEntries(names.map((name) => [name, name])))
    const readAll = run((tx) =>
      Effect.forEach(names, (name) => Effect.map(tx.get(space.key(name)), text), { concurrency: "unbounded" })
    )
    const all = yield* Effect.all(Array.from({ length: 10 }, () => readAll), { concurrency: "unbounded" })
    for (const values of all) assert.deepStrictEqual(values, names)
  })

  test("reads and commits after the timeout fail with 1031, and nothing is written", function*(space) {
    const late = (use: (tx: TransactionService) => Effect.Effect<unknown, unknown>) =>
      run(function*(tx) {
        yield* tx.set(space.key("a"), bytes("1"))
        yield* Effect.sleep("120 millis")
        yield* use(tx)
      }, { timeout: "100 millis" })
    for (const use of [(tx: TransactionService) => tx.get(space.key("b")), () => Effect.void]) {
      const error = yield* Effect.flip(late(use))
      assert.include(error, { _tag: "FdbError", code: 1031 })
    }
    yield* Effect.sleep("100 millis")
    assert.isUndefined(yield* read(space, "a"))
  })

  test("repeated conflicts end at the timeout: 1031", function*(space) {
    yield* failsWith(
      soon(run(function*(tx) {
        yield* tx.get(space.key("a"))
        yield* write(space, { a: "other" })
        yield* tx.set(space.key("b"), bytes("mine"))
      }, { timeout: "300 millis" })),
      1031
    )
    assert.isUndefined(yield* read(space, "b"))
  })

  test("every engine accepts the options that have an effect only on a cluster", function*(space) {
    for (const priority of ["batch", "default", "system-immediate"] as const) {
      yield* run((tx) => tx.set(space.key("a"), bytes(priority)), { priority, causalReadRisky: true, tag: "test" })
    }
    assert.strictEqual(yield* read(space, "a"), "system-immediate")
  })
}
