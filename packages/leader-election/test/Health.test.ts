import { assert, describe } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
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
