import { assert, describe } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig } from "../src/index.ts"
import { election, lead, leaderId, logged, onHosts, reasonOf, transact } from "./support/candidates.ts"
import type { Host } from "./support/host.ts"

describe("a request to step down", () => {
  onHosts(
    "ends a work that is led from where nothing can be interrupted, also as the acquisition of a resource",
    function*(a, b) {
      const led = election.withLeadership({ id: "a" }, () => Effect.never)
      const fiber = yield* Effect.forkDetach(a.run(Effect.scoped(Effect.acquireRelease(led, () => Effect.void))), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      yield* b.run(transact(election.requestStepDown))
      yield* TestClock.adjust("1 second")
      assert.include(yield* Effect.flip(Fiber.join(fiber)), { _tag: "LeadershipLost", reason: "stepped-down" })
    }
  )

  onHosts("is answered at once in a disabled election, too", function*(a) {
    yield* lead(a, { id: "a" })
    yield* a.run(transact(election.writeConfig(new ElectionConfig({ electionEnabled: false }))))
    yield* TestClock.adjust("1 second")
    assert.isUndefined(reasonOf(a))
    yield* a.run(transact(election.requestStepDown))
    yield* TestClock.adjust(0)
    assert.strictEqual(reasonOf(a), "stepped-down")
    assert.isUndefined(yield* leaderId(a))
  })
})

describe("a leader that has stepped down", () => {
  onHosts("leaves the vacancy to others for a heartbeat", function*(a) {
    const log: Array<string> = []
    yield* lead(a, { id: "a" }, logged(log, "a"), { again: true })
    assert.strictEqual(Option.getOrThrow(yield* a.run(transact(election.requestStepDown))).leaderId, "a")
    yield* TestClock.adjust("2900 millis")
    assert.deepStrictEqual(log, ["a begins 1", "a ends"])
    yield* TestClock.adjust("200 millis")
    assert.deepStrictEqual(log, ["a begins 1", "a ends", "a begins 2"])
    const [second, first] = yield* a.run(transact(election.readHistory()))
    assert.deepInclude(first, { term: 1n, leaderId: "a", reason: "stepped-down" })
    assert.deepInclude(second, { term: 2n, leaderId: "a", end: undefined })
  })

  for (
    const [how, lose] of [
      ["its clock jumps before it hears of the request", (a: Host) => Effect.sync(() => void (a.wallOffset = 60_000))],
      ["its resignation is committed at an attempt of unknown outcome", (a: Host) =>
        Effect.gen(function*() {
          a.wallOffset = 60_000
          a.connection = { commitsBut: 1021 }
          yield* TestClock.adjust("50 millis")
          a.connection = "up"
        })]
    ] as const
  ) {
    onHosts(`leaves the vacancy to others also where ${how}`, function*(a, b) {
      const log: Array<string> = []
      a.watches = false
      yield* lead(a, { id: "a" }, logged(log, "a"), { again: true })
      yield* b.run(transact(election.requestStepDown))
      yield* lose(a)
      let vacantFor = 0
      while (log.length < 3 && vacantFor < 200) {
        yield* TestClock.adjust("100 millis")
        if (log.length === 2 && (yield* leaderId(b)) === undefined) vacantFor++
      }
      assert.notStrictEqual(reasonOf(a), "stepped-down")
      const [, first] = yield* b.run(transact(election.readHistory()))
      assert.deepInclude(first, { leaderId: "a", reason: "stepped-down" })
      assert.isAtLeast(vacantFor, 29)
    })
  }

  onHosts("leaves whoever leads next unchallenged for a heartbeat, though it has the higher priority", function*(a, b) {
    const log: Array<string> = []
    yield* lead(a, { id: "a", priority: 5 }, logged(log, "a"), { again: true })
    yield* Effect.forkDetach(b.run(election.withLeadership({ id: "b" }, logged(log, "b"))))
    yield* TestClock.adjust("5 seconds")
    yield* b.run(transact(election.requestStepDown))
    yield* TestClock.adjust("2900 millis")
    assert.deepStrictEqual(log, ["a begins 1", "a ends", log[2]])
    assert.strictEqual(yield* leaderId(b), "b")
    yield* TestClock.adjust("2 seconds")
    assert.strictEqual(yield* leaderId(b), "a")
  })

  onHosts("leaves it to others also under campaign, and where it resigned by itself", function*(a) {
    const candidacy = yield* a.run(election.candidacy({ id: "a" }))
    const terms: Array<bigint> = []
    yield* Effect.forkDetach(a.run(Effect.forever(Effect.scoped(Effect.gen(function*() {
      const leadership = yield* candidacy.campaign
      terms.push(leadership.term)
      if (terms.length === 2) yield* leadership.resign
      yield* leadership.lost
    })))))
    yield* TestClock.adjust("1 second")
    yield* a.run(transact(election.requestStepDown))
    yield* TestClock.adjust("2900 millis")
    assert.lengthOf(terms, 1)
    yield* TestClock.adjust("2900 millis")
    assert.lengthOf(terms, 2)
    yield* TestClock.adjust("1 second")
    assert.lengthOf(terms, 3)
  })
})
