import { type Engine, MemoryDatabase } from "@effect-fdb/core"
import * as FdbErrors from "@effect-fdb/core/FdbError"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import {
  distantHosts,
  election,
  eventsOf,
  lead,
  leaderId,
  logged,
  onHosts,
  reasonOf,
  start,
  transact
} from "./support/candidates.ts"
import { makeHosts } from "./support/host.ts"

describe("a claim", () => {
  onHosts("of a vacancy succeeds at once, and its tenure is resigned when the work ends", function*(a, b) {
    const result = yield* a.run(election.withLeadership({ id: "a" }, ({ term }) => Effect.succeed(term)))
    assert.strictEqual(result, 1n)
    assert.isUndefined(yield* leaderId(b))
    assert.deepStrictEqual(yield* b.run(transact(election.listCandidates)), [])
  })

  it.effect("whose commit took longer than its lease is no leadership; the campaign goes on", () =>
    Effect.gen(function*() {
      const a = (yield* distantHosts({ commit: "2 seconds" }))()
      const log: Array<string> = []
      yield* start(a, { id: "a" }, logged(log, "a"))
      yield* TestClock.adjust("2500 millis")
      // The host was suspended while the claim was under way.
      a.wallOffset = 60_000
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(log, [])
      assert.strictEqual(reasonOf(a), "clock-jumped")
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(log, ["a begins 2"])
    }))

  it.effect("of a vacancy is made by those that are called in the order in which they registered, so that none is in vain", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ readVersion: "1 millis", read: "1 millis", commit: "3 millis" })
      const leader = make()
      const led = yield* lead(leader, { id: "leader" })
      const followers = Array.from({ length: 12 }, () => make())
      // Their ids are in another order. By their clocks they are dead, so that none of them is appointed.
      for (const [i, host] of followers.entries()) {
        host.wallOffset = 60_000
        yield* start(host, { id: `follower ${99 - i}` })
        yield* TestClock.adjust("100 millis")
      }
      // One that does not answer keeps nobody waiting for long.
      const [first, second] = followers
      first!.connection = "hangs"
      yield* Effect.forEach(followers, (host) => host.resetCounts)
      yield* Effect.forkChild(Fiber.interrupt(led))
      yield* TestClock.adjust("200 millis")
      const conflicts = yield* Effect.forEach(
        followers,
        (host) => Effect.map(host.counts, (counts) => counts.conflicts)
      )
      assert.strictEqual(conflicts.reduce((a, b) => a + b), 0)
      assert.lengthOf(eventsOf(second!, "Elected"), 1)
    }))

  for (const code of [1021, 1031, 1039]) {
    onHosts(`that ended with ${code} is made anew, in a term of its own, and nobody else leads`, function*(a, b) {
      const candidacy = yield* a.run(election.candidacy({ id: "a" }))
      yield* Effect.scoped(a.run(candidacy.campaign))
      a.connection = { commitsBut: code }
      yield* Effect.forkDetach(a.run(candidacy.withLeadership(() => Effect.never)))
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("2 seconds")
      assert.lengthOf(eventsOf(a, "Elected"), 1)
      a.connection = "up"
      yield* TestClock.adjust("8 seconds")
      const elected = eventsOf(a, "Elected").at(-1)!
      assert.strictEqual(elected.cause, "own")
      assert.strictEqual(yield* leaderId(b), "a")
      assert.lengthOf(eventsOf(b, "Elected"), 0)
      const history = yield* b.run(transact(election.readHistory()))
      assert.strictEqual(history[0]?.term, elected.term)
    })
  }
})

describe("a new tenure", () => {
  onHosts("leaves a hundred tenures in the history", function*(a) {
    const candidacy = yield* a.run(election.candidacy({ id: "a" }))
    for (let i = 0; i < 103; i++) {
      yield* Effect.scoped(Effect.andThen(a.run(candidacy.campaign), TestClock.adjust(0)))
      // It yields after its resignation.
      yield* TestClock.adjust("3 seconds")
    }
    const history = yield* a.run(transact(election.readHistory(1000)))
    assert.strictEqual(history.length, 100)
  })

  it.effect("leaves no more than that where the work always ends before there was time for it", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ readVersion: "2 millis", read: "2 millis", commit: "6 millis" })
      const a = make()
      const task = a.run(election.withLeadership({ id: "a" }, () => Effect.sleep("3 millis")))
      const tasks = yield* Effect.forkChild(Effect.repeat(task, { times: 109 }))
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.join(tasks)
      const history = yield* Effect.forkChild(a.run(transact(election.readHistory(1000))))
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* Fiber.join(history), 100)
    }))

  it.effect("is ended well though the history cannot be kept short", () =>
    Effect.gen(function*() {
      let refuses = false
      const refusing = (engine: Engine.Engine): Engine.Engine => ({
        ...engine,
        begin: (options) => {
          const begun = engine.begin(options)
          return refuses ? { ...begun, getKey: () => Effect.fail(FdbErrors.make(1037, "read")) } : begun
        }
      })
      const a = (yield* makeHosts({}, Effect.map(MemoryDatabase.makeEngine, refusing)))()
      yield* a.run(transact(election.initialize()))
      refuses = true
      const led = yield* lead(a, { id: "a" }, () => Effect.succeed("done"))
      assert.strictEqual(yield* Fiber.join(led), "done")
    }))

  onHosts("hears with its next renewal what has called it before its watches were set", function*(a, b) {
    const candidacy = yield* a.run(election.candidacy({ id: "a" }))
    yield* Effect.scoped(a.run(candidacy.campaign))
    yield* TestClock.adjust("3 seconds")
    yield* Effect.forkDetach(a.run(candidacy.withLeadership(() =>
      Effect.suspend(() => {
        a.connection = "hangs"
        return Effect.never
      })
    )))
    yield* TestClock.adjust("1 second")
    yield* b.run(transact(election.requestStepDown))
    a.connection = "up"
    yield* TestClock.adjust("1 second")
    assert.lengthOf(eventsOf(a, "Lost"), 1)
    yield* TestClock.adjust("3 seconds")
    assert.deepStrictEqual(eventsOf(a, "Lost").map(({ reason }) => reason), ["resigned", "stepped-down"])
  })

  it.effect("hears at once what has called it between its claim and its watches", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ read: "50 millis", commit: "20 millis" })
      const [a, b] = [make(), make()]
      yield* start(a, { id: "a" }, () =>
        Effect.andThen(Effect.forkDetach(b.run(transact(election.requestStepDown))), Effect.never))
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(reasonOf(a), "stepped-down")
    }))
})
