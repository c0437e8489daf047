import { Database, MemoryDatabase, Subspace } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Operations from "../../src/baseline/operations.ts"
import * as Records from "../../src/baseline/records.ts"

const keys = Records.makeKeys(Subspace.fromTuple(["baseline"]))
const seconds = 1_000_000_000n
const config: Records.Config = {
  leaseDuration: 10n * seconds,
  heartbeatInterval: 3n * seconds,
  candidateTimeout: 15n * seconds,
  electionEnabled: true,
  allowPreemption: true
}

const cycle = (id: string, priority = 0n) => Database.transact(Operations.runElectionCycle(keys, id, priority))
const setUp = Effect.gen(function*() {
  yield* Database.transact(Operations.initialize(keys, config))
  for (const id of ["a", "b"]) yield* Database.transact(Operations.registerCandidate(keys, id, 0n))
})

const test = <E>(name: string, body: () => Effect.Effect<void, E, Database>) =>
  it.effect(name, () => Effect.andThen(setUp, body()).pipe(Effect.provide(MemoryDatabase.layer)))

describe("the baseline is what it is said to be", () => {
  test("the first to ask leads, renews by asking again, and the other follows", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual([yield* cycle("a"), yield* cycle("b"), yield* cycle("a")], [true, false, true])
    }))

  test("a lease that has ended by the wall clock is taken over, and not before", () =>
    Effect.gen(function*() {
      yield* cycle("a")
      yield* TestClock.adjust("9999 millis")
      assert.isFalse(yield* cycle("b"))
      yield* TestClock.adjust("1 millis")
      assert.isTrue(yield* cycle("b"))
    }))

  test("a higher priority takes over at once", () =>
    Effect.gen(function*() {
      yield* cycle("a")
      assert.isTrue(yield* cycle("b", 1n))
    }))

  test("a resignation leaves nothing behind, and the next claims at its next cycle", () =>
    Effect.gen(function*() {
      yield* cycle("a")
      yield* Database.transact(Operations.resignLeadership(keys, "b"))
      assert.isFalse(yield* cycle("b"))
      yield* Database.transact(Operations.resignLeadership(keys, "a"))
      assert.isFalse(yield* Database.transact(Operations.isLeader(keys, "a")))
      assert.isTrue(yield* cycle("b"))
    }))

  test("who is not registered gets an error", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(cycle("c"))
      assert.strictEqual(error._tag === "BaselineError" ? error.reason : error._tag, "ProcessNotFound")
    }))
})
