import { assert, describe } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { LeaderElection } from "../src/index.ts"
import { election, onHosts } from "./support/candidates.ts"

describe("the health of a candidacy", () => {
  onHosts("tells its role, its failures and whether it has reached the database", function*(a) {
    const candidacy = yield* a.run(election.candidacy({ id: "a" }))
    assert.deepInclude(yield* candidacy.health, { role: "Idle", healthy: true })
    const led = yield* Effect.forkDetach(a.run(candidacy.withLeadership(() => Effect.never, { again: true })))
    yield* TestClock.adjust("5 seconds")
    assert.deepInclude(yield* candidacy.health, { role: "Leading", healthy: true, failures: 0 })
    a.connection = { failsWith: 1037 }
    yield* TestClock.adjust("1 minute")
    const away = yield* candidacy.health
    assert.deepInclude(away, { role: "Following", healthy: false })
    assert.isTrue(away.failures > 0)
    a.connection = "up"
    yield* TestClock.adjust("15 seconds")
    assert.deepInclude(yield* candidacy.health, { role: "Leading", healthy: true })
    yield* Fiber.interrupt(led)
    assert.deepInclude(yield* candidacy.health, { role: "Idle" })
  })
})

describe("the leadership that a candidacy has", () => {
  onHosts("is that of its tenure, for as long as it believes in it, and that of its next one then", function*(a) {
    const candidacy = yield* a.run(election.candidacy({ id: "a" }))
    const termOf = Effect.map(candidacy.leadership, Option.map(({ term }) => term))
    assert.deepStrictEqual(yield* termOf, Option.none())
    yield* Effect.forkDetach(a.run(candidacy.withLeadership(() => Effect.never, { again: true })))
    yield* TestClock.adjust("5 seconds")
    const first = yield* termOf
    assert.isTrue(Option.isSome(first))
    a.connection = { failsWith: 1037 }
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(yield* termOf, Option.none())
    a.connection = "up"
    yield* TestClock.adjust("15 seconds")
    const second = yield* termOf
    assert.isTrue(Option.getOrThrow(second) > Option.getOrThrow(first))
    yield* Effect.flatMap(candidacy.leadership, (leadership) => Option.getOrThrow(leadership).resign)
    assert.deepStrictEqual(yield* termOf, Option.none())
  })

  onHosts("ends the very moment its clocks say so, whatever has been noticed", function*(a) {
    const candidacy = yield* a.run(election.candidacy({ id: "a" }))
    yield* Effect.forkDetach(a.run(candidacy.withLeadership(() => Effect.never)))
    yield* TestClock.adjust("5 seconds")
    assert.isTrue(Option.isSome(yield* candidacy.leadership))
    // The wall clock jumps: no fiber has run since.
    a.wallOffset = 3_600_000
    assert.isTrue(Option.isNone(yield* candidacy.leadership))
  })

  onHosts("of slots is that of the slot that it holds", function*(a) {
    const slots = LeaderElection.slots(election.subspace.subspace(["slots"]), 2)
    const candidacy = yield* a.run(slots.candidacy({ id: "a" }))
    assert.isTrue(Option.isNone(yield* candidacy.leadership))
    yield* Effect.forkDetach(a.run(candidacy.withLeadership(() => Effect.never)))
    yield* TestClock.adjust("5 seconds")
    assert.include([0, 1], Option.getOrThrow(yield* candidacy.leadership).slot)
  })
})
