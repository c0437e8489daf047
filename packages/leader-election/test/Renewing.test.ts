import { databaseReplaced } from "@effect-fdb/core/FdbError"
import { assert, describe } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { it } from "../src/testing/ElectionTest.ts"
import { election, eventsOf, lead, leaderId, logged, onHosts, reasonOf, start, transact } from "./support/candidates.ts"

describe("a renewal", () => {
  onHosts("raises the ballot and keeps the term", function*(a) {
    const states = yield* a.run(
      election.withLeadership(
        { id: "a", priority: 7 },
        (leadership) => Effect.forEach([0, 1, 2], () => Effect.andThen(Effect.sleep("4 seconds"), leadership.state))
      )
    ).pipe(Effect.forkChild)
    yield* TestClock.adjust("30 seconds")
    const [first, second, third] = yield* Fiber.join(states)
    assert.isTrue(first!.ballot < second!.ballot && second!.ballot < third!.ballot)
    assert.deepStrictEqual([first!.term, third!.term, first!.priority], [1n, 1n, 7])
  })

  it.election("keeps the leadership for as long as it succeeds", (cluster) =>
    Effect.gen(function*() {
      const { terms, working } = yield* cluster(2, () => Effect.never)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual([yield* working, (yield* terms).length], [["candidate-1"], 1])
    }))

  onHosts("is refused once another tenure stands, and the leader stops", function*(a, b) {
    const log: Array<string> = []
    const led = yield* lead(a, { id: "a" }, logged(log, "a"))
    yield* Effect.flatten(b.run(transact(election.registerCandidate("b", 9))))
    const taken = Option.getOrThrow(yield* b.run(transact(election.tryClaimLeadership("b", 9))))
    yield* TestClock.adjust(0)
    const lost = yield* Effect.flip(Fiber.join(led))
    assert.deepInclude(lost, { _tag: "LeadershipLost", reason: "replaced", term: 1n })
    assert.deepStrictEqual(log, ["a begins 1", "a ends"])
    assert.deepStrictEqual(Option.getOrThrow(yield* b.run(transact(election.getLeaderRaw))), taken)
  })

  for (const code of [1007, 1009, 1020, 1021, 1031, 1037, 4100]) {
    onHosts(`that fails with ${code} is tried again until the belief is over, and no longer`, function*(a) {
      const led = yield* lead(a, { id: "a" })
      a.connection = { failsWith: code }
      yield* TestClock.adjust("6 seconds")
      assert.isTrue(eventsOf(a, "RenewalFailed").length > 1)
      a.connection = "up"
      yield* TestClock.adjust("6 seconds")
      assert.isUndefined(led.pollUnsafe())
      a.connection = { failsWith: code }
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* Effect.flip(Fiber.join(led)))._tag, "LeadershipLost")
      assert.strictEqual(reasonOf(a), "expired")
    })
  }

  for (const code of [databaseReplaced, 2102]) {
    onHosts(`that fails with ${code}, for good, ends the tenure at once, and the next campaign`, function*(a) {
      const led = yield* lead(a, { id: "a" }, undefined, { again: true })
      a.connection = { failsWith: code }
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(reasonOf(a), "broken")
      const error = yield* Effect.flip(Fiber.join(led))
      assert.isTrue(error._tag === "FdbError" && error.code === code)
    })
  }

  onHosts(
    "is not tried any more once the tenure was given up, though the database comes back only then",
    function*(a, b) {
      const go = yield* Deferred.make<void>()
      const ballot = Effect.map(
        Effect.orDie(b.run(transact(election.getLeaderRaw))),
        (leader) => Option.getOrThrow(leader).ballot
      )
      yield* lead(a, { id: "a" }, ({ resign }) => {
        a.connection = "hangs"
        return Effect.onInterrupt(
          Effect.andThen(Deferred.await(go), Effect.andThen(resign, Effect.never)),
          () => Effect.sleep("30 seconds")
        )
      })
      yield* Deferred.succeed(go, undefined)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(reasonOf(a), "resigned")
      const before = yield* ballot
      a.connection = "up"
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* ballot, before)
    }
  )

  onHosts("is made for as long as the finalizers of a work that ended by itself run", function*(a, b) {
    yield* lead(a, { id: "a" }, () => Effect.ensuring(Effect.void, Effect.sleep("1 minute")))
    yield* start(b, { id: "b" })
    yield* TestClock.adjust("50 seconds")
    assert.strictEqual(yield* leaderId(b), "a")
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual(yield* leaderId(b), "b")
  })

  onHosts("is one commit and nothing else", function*(a) {
    yield* start(a, { id: "a" })
    yield* TestClock.adjust("5 seconds")
    yield* a.resetCounts
    const before = eventsOf(a, "Renewed").length
    yield* TestClock.adjust("1 hour")
    const renewals = eventsOf(a, "Renewed").length - before
    assert.isTrue(renewals > 1000)
    // Every ten candidate timeouts it looks at the candidates, and looks again: two transactions that only read.
    const looks = Math.floor(3600 / 150)
    const { commits, conflicts, readOnlyCommits, reads, readVersions } = yield* a.counts
    assert.deepStrictEqual({ commits, conflicts }, { commits: renewals, conflicts: 0 })
    assert.isAtMost(readOnlyCommits, 2 * looks)
    assert.isAtMost(readVersions, 2 * looks)
    assert.isAtMost(reads, 5 * looks)
  })

  onHosts("that is committed without being told does not prolong the belief", function*(a) {
    yield* lead(a, { id: "a" })
    a.connection = { commitsBut: 1031 }
    yield* TestClock.adjust("20 seconds")
    assert.strictEqual(reasonOf(a), "expired")
  })
})
