import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig } from "../src/index.ts"
import { election, eventsOf, hosts, lead, leaderId, onHosts, reasonOf, start, transact } from "./support/candidates.ts"

describe("a lease that is made shorter", () => {
  onHosts("shortens the belief before the renewal is confirmed", function*(a, b) {
    yield* lead(a, { id: "a" })
    a.watches = false
    // The renewal that brings the shorter lease is committed, and its confirmation is lost.
    yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("2 seconds"))))
    yield* TestClock.adjust(0)
    const renewed = eventsOf(a, "Renewed").at(-1)
    assert.deepInclude(renewed, { path: "full" })
    assert.strictEqual(renewed?.believesUntil, 1_000_000_000n + 1_800_000_000n)
  })

  onHosts("shortens the belief though its renewal is committed without being told", function*(a, b) {
    yield* lead(a, { id: "a" })
    a.connection = { commitsBut: 1031 }
    yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("2 seconds"))))
    yield* TestClock.adjust("1700 millis")
    assert.isUndefined(reasonOf(a))
    const shortened = eventsOf(a, "Shortened")
    assert.isAbove(shortened.length, 0)
    assert.strictEqual(Duration.toSeconds(shortened[0]!.leaseDuration), 2)
    assert.isAtMost(Number(shortened[0]!.believesUntil - (yield* Clock.monotonicTimeNanos)), 100_000_000)
    yield* TestClock.adjust("200 millis")
    assert.strictEqual(reasonOf(a), "expired")
  })

  for (const lease of ["20 millis", "100 millis", "500 millis"] as const) {
    onHosts(`to ${lease}, over before the watchdog would look again, ends the work in time`, function*(a, b) {
      yield* lead(a, { id: "a" })
      a.connection = { commitsBut: 1031 }
      yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration(lease))))
      yield* TestClock.adjust(lease)
      assert.strictEqual(reasonOf(a), "expired")
    })
  }
})

describe("a safety margin", () => {
  onHosts("may be a function of the lease in force, which operators may change", function*(a, b) {
    const safetyMargin = (lease: Duration.Duration) => Duration.divideUnsafe(lease, 2)
    yield* lead(a, { id: "a", safetyMargin })
    yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("4 seconds"))))
    yield* TestClock.adjust("10 seconds")
    assert.isUndefined(reasonOf(a))
    const now = yield* Clock.monotonicTimeNanos
    a.connection = "hangs"
    const { believesUntil, leaseDuration } = eventsOf(a, "Renewed").at(-1)!
    assert.strictEqual(Duration.toSeconds(leaseDuration), 4)
    assert.isAtMost(Number(believesUntil - now), 2e9)
    yield* TestClock.adjust(Duration.nanos(believesUntil - now))
    assert.strictEqual(reasonOf(a), "expired")
  })

  it.effect("that is none for a shorter lease ends the tenure, and lets nobody believe past that lease", () =>
    Effect.gen(function*() {
      for (const margin of [Duration.seconds(-3), Duration.infinity]) {
        const [a, b] = yield* hosts()
        const acts: Array<string> = []
        const act = (name: string) => () =>
          Effect.forever(Effect.andThen(Effect.sleep("100 millis"), Effect.sync(() => void acts.push(name))))
        const safetyMargin = (lease: Duration.Duration) => Duration.toSeconds(lease) < 5 ? margin : Duration.seconds(1)
        yield* lead(a, { id: "a", safetyMargin }, act("a"))
        yield* start(b, { id: "b" }, act("b"))
        yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("2 seconds"))))
        yield* TestClock.adjust("1 second")
        a.connection = "hangs"
        yield* TestClock.adjust("10 seconds")
        assert.match(acts.join(""), /^a+b+$/)
      }
    }))
})

describe("an election that is disabled", () => {
  onHosts("ends the work with the lease; enabling wakes everyone", function*(a, b) {
    const led = yield* lead(a, { id: "a" })
    yield* b.run(transact(election.writeConfig(new ElectionConfig({ electionEnabled: false }))))
    yield* TestClock.adjust("7 seconds")
    assert.isUndefined(led.pollUnsafe())
    yield* start(b, { id: "b" })
    yield* TestClock.adjust("10 seconds")
    assert.deepInclude(yield* Effect.flip(Fiber.join(led)), { _tag: "LeadershipLost", reason: "disabled" })
    yield* TestClock.adjust("1 hour")
    assert.isUndefined(yield* leaderId(b))
    assert.lengthOf(eventsOf(b, "Registered"), 0)
    yield* b.run(transact(election.writeConfig(new ElectionConfig({}))))
    yield* TestClock.adjust(0)
    assert.strictEqual(yield* leaderId(b), "b")
  })

  onHosts("costs nothing when it is enabled again in time", function*(a, b) {
    const led = yield* lead(a, { id: "a" })
    yield* b.run(transact(election.writeConfig(new ElectionConfig({ electionEnabled: false }))))
    yield* TestClock.adjust("5 seconds")
    yield* b.run(transact(election.writeConfig(new ElectionConfig({}))))
    yield* TestClock.adjust("1 minute")
    assert.isUndefined(led.pollUnsafe())
    assert.isUndefined(reasonOf(a))
  })
})
