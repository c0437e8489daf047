import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { assert, describe, expectTypeOf, it as plain } from "@effect/vitest"
import { Context, Effect, Exit, Option, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig, Leadership } from "../../src/index.ts"
import { it } from "../../src/testing/ElectionTest.ts"
import * as TestCluster from "../../src/testing/TestCluster.ts"
import * as TestWitness from "../../src/testing/TestWitness.ts"

const idle = () => Effect.never

const config = ElectionConfig.withLeaseDuration("6 seconds")

describe("a cluster of candidates", () => {
  it.election("has one leader as soon as it is made, the first", (cluster) =>
    Effect.gen(function*() {
      const { candidates, leader, terms, working } = yield* cluster(3, idle)
      assert.deepStrictEqual(candidates.map(({ id }) => id), ["candidate-1", "candidate-2", "candidate-3"])
      assert.deepStrictEqual(yield* working, ["candidate-1"])
      assert.strictEqual((yield* leader)?.id, "candidate-1")
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* terms, [{ id: "candidate-1", term: 1n }])
    }))

  it.election("hands over at once when the leader is stopped: it runs its finalizers and resigns", (cluster) =>
    Effect.gen(function*() {
      const finalized: Array<string> = []
      const { candidates: [first], election, terms, transact, working } = yield* cluster(
        3,
        (_, { id }) => Effect.ensuring(Effect.never, Effect.sync(() => void finalized.push(id)))
      )
      yield* first!.stop
      assert.deepStrictEqual(finalized, ["candidate-1"])
      assert.isFalse(yield* first!.isWorking)
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(yield* working, ["candidate-2"])
      assert.isTrue((yield* terms)[1]!.term > 1n)
      assert.deepStrictEqual(yield* transact(election.getCandidate("candidate-1")), Option.none())
    }))

  it.election("hands over at once when the leader has crashed by witness, and when the test says so", (cluster) =>
    Effect.gen(function*() {
      const witness = TestWitness.make()
      const { candidates, working } = yield* cluster(3, idle, { witness })
      yield* candidates[0]!.crash
      assert.deepStrictEqual(yield* working, ["candidate-2"])
      yield* candidates[0]!.start
      yield* witness.hold
      yield* candidates[1]!.crash
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* working, [])
      yield* witness.release
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(yield* working, ["candidate-3"])
      // One that was stopped in order has taken all back before it starts again.
      yield* witness.hold
      yield* candidates[2]!.stop
      yield* candidates[2]!.start
      yield* witness.release
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* working, 1)
    }))

  it.election("waits for the lease when the leader has crashed, which runs no finalizers and writes nothing", (cluster) =>
    Effect.gen(function*() {
      const finalized: Array<string> = []
      const steps: Array<string> = []
      const { candidates: [first], election, transact, working } = yield* cluster(
        3,
        (_, { id }) =>
          Effect.sync(() => void steps.push(id)).pipe(
            Effect.andThen(Effect.sleep("1 second")),
            Effect.forever,
            Effect.ensuring(Effect.sync(() => void finalized.push(id)))
          ),
        { config }
      )
      yield* TestClock.adjust("3500 millis")
      assert.deepStrictEqual(yield* working, ["candidate-1"])
      yield* first!.crash
      const before = steps.length
      yield* TestClock.adjust("3500 millis")
      assert.deepStrictEqual(yield* working, [])
      assert.strictEqual(Option.getOrThrow(yield* transact(election.getLeaderRaw)).leaderId, "candidate-1")
      yield* TestClock.adjust("6 seconds")
      const [next] = yield* working
      assert.include(["candidate-2", "candidate-3"], next)
      assert.deepStrictEqual(finalized, [])
      assert.isFalse(steps.slice(before).includes("candidate-1"))
    }))

  it.election("ends the work of a leader that is cut off before another works, and takes it back when it is healed", (cluster) =>
    Effect.gen(function*() {
      const { candidates: [first, second], terms, working } = yield* cluster(2, idle, { config })
      yield* TestClock.adjust("1 second")
      yield* first!.cut
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(yield* working, ["candidate-1"])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* working, ["candidate-2"])
      yield* first!.heal
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* working, ["candidate-2"])
      yield* second!.stop
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* working, ["candidate-1"])
      assert.lengthOf(yield* terms, 3)
    }))

  it.election("starts a candidate again that was stopped or has crashed, and no other", (cluster) =>
    Effect.gen(function*() {
      const { candidates: [only], terms, working } = yield* cluster(1, idle, { config })
      yield* only!.start
      yield* only!.crash
      yield* only!.start
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* working, ["candidate-1"])
      yield* only!.stop
      yield* only!.start
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* working, ["candidate-1"])
      assert.lengthOf(yield* terms, 3)
    }))

  it.election("lets the highest priority lead", (cluster) =>
    Effect.gen(function*() {
      const { working } = yield* cluster(3, idle, { priority: (index) => index === 2 ? 1 : 0 })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* working, ["candidate-3"])
    }))

  it.election("gives the work its leadership, a scope, and a database that is cut off with its candidate", (cluster) =>
    Effect.gen(function*() {
      const key = Bytes.fromString("count")
      const write = Transaction.use((tx) => tx.set(key, key))
      const codes: Array<number> = []
      const { candidates: [first], transact } = yield* cluster(1, () =>
        Effect.gen(function*() {
          const { guard } = yield* Leadership
          yield* Effect.scope
          yield* guard(write)
          yield* Effect.sleep("1 second")
          yield* Database.transact(write, { timeout: "1 second" }).pipe(
            Effect.catchTag("FdbError", ({ code }) => Effect.sync(() => void codes.push(code)))
          )
          return yield* Effect.never
        }))
      assert.deepStrictEqual(yield* transact(Transaction.use((tx) => tx.get(key))), key)
      yield* first!.cut
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(codes, [1031])
    }))

  it.election("tells how a candidate has ended: its work was done, has failed, or was stopped", (cluster) =>
    Effect.gen(function*() {
      const { candidates: [first, second, third], working } = yield* cluster(3, (_, { id }) => {
        if (id === "candidate-1") return Effect.succeed("done")
        return id === "candidate-2" ? Effect.fail("failed") : Effect.never
      })
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* first!.exit, Exit.succeed("done"))
      assert.deepStrictEqual(yield* second!.exit, Exit.fail("failed"))
      assert.isUndefined(yield* third!.exit)
      assert.deepStrictEqual(yield* working, ["candidate-3"])
      yield* third!.stop
      assert.isTrue(Exit.hasInterrupts((yield* third!.exit)!))
    }))

  it.election("takes a follower that is stopped, crashes or is cut off as what it is: the leader works on", (cluster) =>
    Effect.gen(function*() {
      const { candidates: [, second, third, fourth], election, terms, transact } = yield* cluster(4, idle, { config })
      yield* TestClock.adjust("1 second")
      yield* Effect.all([second!.stop, second!.stop, third!.crash, third!.crash, third!.stop, fourth!.cut])
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* terms, 1)
      const alive = yield* transact(election.listCandidates)
      assert.deepStrictEqual(alive.map(({ processId }) => processId), ["candidate-1"])
      yield* Effect.all([second!.start, third!.start, fourth!.heal])
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* transact(election.listCandidates), 4)
      assert.lengthOf(yield* terms, 1)
    }))

  it.election.fails("fails a test in which works overlap, though the test itself does not look", (cluster) =>
    Effect.gen(function*() {
      const { candidates: [first] } = yield* cluster(2, () => Effect.uninterruptible(Effect.sleep("1 hour")), {
        config
      })
      yield* first!.cut
      yield* TestClock.adjust("30 seconds")
    }))

  it.effect("tells when works overlap, as of one that takes no interruption", () =>
    Effect.gen(function*() {
      const { candidates: [first], overlaps } = yield* TestCluster.make(
        2,
        () => Effect.uninterruptible(Effect.sleep("1 hour")),
        { config }
      )
      yield* first!.cut
      assert.deepStrictEqual(yield* overlaps, [])
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(yield* overlaps, [
        "\"candidate-2\" began to work in term 2 while \"candidate-1\" worked in term 1"
      ])
    }))

  it.election("lets the work set the test clock", (cluster) =>
    Effect.gen(function*() {
      const told: Array<[bigint, boolean]> = []
      yield* cluster(1, ({ isHeld, term }) =>
        Effect.andThen(
          TestClock.adjust("1 minute"),
          Effect.map(isHeld, (held) => void told.push([term, held]))
        ))
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(told, [[1n, true]])
    }))

  it("keeps what else the work requires", () => {
    class Mail extends Context.Service<Mail, {}>()("test/Mail") {}
    expectTypeOf(TestCluster.make(1, () => Effect.all([Mail, Leadership, Database, Effect.scope]))).toEqualTypeOf<
      Effect.Effect<TestCluster.TestCluster, never, Mail | Scope.Scope>
    >()
  })

  it("leaves `it` of @effect/vitest as it is", () => {
    assert.isFalse("election" in plain)
  })
})
