import { Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig } from "../src/index.ts"
import { distantHosts, election, lead, leaderId, onHosts, start, transact } from "./support/candidates.ts"

describe("a campaign", () => {
  onHosts("is refused a safety margin that is not below the lease, whatever a function says", function*(a) {
    for (const margin of [Duration.seconds(10), Duration.infinity, Duration.negate(Duration.seconds(1))]) {
      const error = yield* Effect.flip(
        a.run(election.withLeadership({ id: "a", safetyMargin: () => margin }, () => Effect.void))
      )
      assert.include(error, { _tag: "InvalidCandidate", field: "safetyMargin" })
    }
    assert.isUndefined(yield* leaderId(a))
  })

  onHosts("fails on a record that does not decode, and names the key", function*(a) {
    const key = election.subspace.pack(["leader"])
    yield* a.run(transact(Effect.flatMap(Transaction, (tx) => tx.set(key, Uint8Array.of(0xff)))))
    const error = yield* a.run(Effect.scoped(election.campaign({ id: "a" }))).pipe(Effect.flip)
    assert.strictEqual(error._tag, "InvalidState")
    assert.include(error.message, "leader")
  })

  onHosts("is refused an id or priority that cannot be stored, before anything is written", function*(a) {
    for (
      const candidate of [
        { id: "" },
        { id: "x".repeat(513) },
        { id: "\ud800" },
        { id: "a", priority: 2 ** 31 },
        { id: "a", priority: Number.NaN },
        { id: "a", safetyMargin: "-1 seconds" as const },
        { id: "a", safetyMargin: "10 seconds" as const },
        { id: "a", safetyMargin: Duration.infinity }
      ]
    ) {
      const error = yield* a.run(Effect.scoped(election.campaign(candidate))).pipe(Effect.flip)
      assert.strictEqual(error._tag, "InvalidCandidate")
    }
    assert.isUndefined(yield* leaderId(a))
  })
})

describe("an interrupted campaign", () => {
  onHosts("leaves no tenure behind, though the outcome of its claim was not told", function*(a, b) {
    const candidacy = yield* a.run(election.candidacy({ id: "a" }))
    yield* Effect.scoped(a.run(candidacy.campaign))
    a.connection = { commitsBut: 1031 }
    const campaign = yield* Effect.forkDetach(a.run(candidacy.withLeadership(() => Effect.never)))
    yield* TestClock.adjust("1 second")
    assert.strictEqual(yield* leaderId(b), "a")
    a.connection = "up"
    yield* Fiber.interrupt(campaign)
    assert.isUndefined(yield* leaderId(b))
  })

  it.effect("leaves no candidate behind, though its registration is being committed", () =>
    Effect.gen(function*() {
      const a = (yield* distantHosts({ commit: "100 millis" }))()
      const campaign = yield* start(a, { id: "a" })
      yield* TestClock.adjust("60 millis")
      const interrupted = yield* Effect.forkChild(Fiber.interrupt(campaign), { startImmediately: true })
      yield* TestClock.adjust("20 millis")
      assert.lengthOf(yield* a.run(transact(election.listCandidates)), 1)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(interrupted)
      assert.lengthOf(yield* a.run(transact(election.listCandidates)), 0)
    }))

  for (const at of Array.from({ length: 30 }, (_, i) => 20 * i)) {
    // Thirty instants from before the registration to after the claim.
    it.effect(`leaves neither candidate nor tenure behind after ${at} ms`, () =>
      Effect.gen(function*() {
        const a = (yield* distantHosts({ readVersion: "20 millis", read: "20 millis", commit: "100 millis" }))()
        const campaigns = yield* Effect.forEach([
          a.run(election.withLeadership({ id: "a" }, () => Effect.never)),
          Effect.scoped(Effect.andThen(a.run(election.campaign({ id: "b" })), Effect.never))
        ], (campaign) => Effect.forkDetach(campaign, { startImmediately: true }))
        for (let t = 0; t < at; t += 20) yield* TestClock.adjust("20 millis")
        const interrupted = yield* Effect.forkDetach(Fiber.interruptAll(campaigns), { startImmediately: true })
        for (let t = 0; t < 1000; t += 20) yield* TestClock.adjust("20 millis")
        assert.isDefined(interrupted.pollUnsafe())
        assert.isFalse(campaigns.some((campaign) => Exit.hasDies(campaign.pollUnsafe()!)))
        const left = yield* Effect.forkChild(
          a.run(transact(Effect.all([election.getLeaderRaw, election.listCandidates])))
        )
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(left), [Option.none(), []])
      }))
  }

  onHosts("ends though the database hangs, leader or follower, however long the heartbeat", function*(a, b) {
    const fibers = [yield* start(a, { id: "a" })]
    yield* TestClock.adjust("1 second")
    fibers.push(yield* lead(b, { id: "b" }))
    a.connection = b.connection = "hangs"
    // Both are waiting for the database by then.
    yield* TestClock.adjust("40 minutes")
    const ending = yield* Effect.forkChild(Fiber.interruptAll(fibers), { startImmediately: true })
    // What is under way, the resignation, and the unregistration.
    for (let i = 0; i < 4; i++) yield* TestClock.adjust("10 seconds")
    assert.isDefined(ending.pollUnsafe())
  }, ElectionConfig.withLeaseDuration("1 hour"))
})
