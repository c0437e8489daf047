import { assert, describe } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig } from "../src/index.ts"
import { it } from "../src/testing/ElectionTest.ts"
import {
  distantHosts,
  election,
  eventsOf,
  lead,
  leaderId,
  onHosts,
  reasonOf,
  start,
  transact
} from "./support/candidates.ts"
import { makeHosts } from "./support/host.ts"

describe("a follower", () => {
  onHosts("leads without any time passing when the leader is interrupted", function*(a, b) {
    const first = yield* lead(a, { id: "a" })
    yield* lead(b, { id: "b" })
    assert.strictEqual(yield* leaderId(b), "a")
    yield* Fiber.interrupt(first)
    yield* TestClock.adjust(0)
    assert.strictEqual(yield* leaderId(b), "b")
    assert.strictEqual(eventsOf(b, "Elected")[0]?.cause, "appointed")
  })

  onHosts(
    "takes over when it has seen the lease unchanged for its duration, not before, whatever its wall clock says",
    function*(a, b) {
      b.wallOffset = 3_600_000
      yield* lead(a, { id: "a" })
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("20 seconds")
      a.connection = "hangs"
      const lastRenewal = eventsOf(a, "Renewed").at(-1)!
      yield* TestClock.adjust("1 minute")
      const elected = eventsOf(b, "Elected")[0]!
      assert.strictEqual(elected.cause, "lapsed")
      const electedAt = elected.believesUntil - 9_000_000_000n
      const attempt = lastRenewal.believesUntil - 9_000_000_000n
      assert.isTrue(electedAt >= attempt + 10_000_000_000n, "not before the lease had lapsed")
      assert.isTrue(electedAt <= attempt + 13_500_000_000n, "soon after")
      assert.isTrue(electedAt > lastRenewal.believesUntil, "no overlap")
    }
  )

  it.election("does not depose a leader that comes back in time", (cluster) =>
    Effect.gen(function*() {
      const { candidates: [leader], terms } = yield* cluster(2, () => Effect.never)
      for (let i = 0; i < 20; i++) {
        yield* TestClock.adjust("10 seconds")
        yield* leader!.cut
        yield* TestClock.adjust("4 seconds")
        yield* leader!.heal
      }
      assert.lengthOf(yield* terms, 1)
    }))

  onHosts("sets a lost watch again once it has found that leadership moved", function*(a, b, c) {
    const first = yield* lead(a, { id: "a", priority: 1 })
    c.watches = false
    yield* start(c, { id: "c" })
    const second = yield* lead(b, { id: "b", priority: 1 })
    yield* Fiber.interrupt(first)
    yield* TestClock.adjust("10 millis")
    assert.strictEqual(yield* leaderId(b), "b")
    c.watches = true
    yield* TestClock.adjust("9 seconds")
    yield* Fiber.interrupt(second)
    yield* TestClock.adjust(0)
    assert.strictEqual(yield* leaderId(c), "c")
  })

  onHosts("sets a lost watch again in the transaction that finds that leadership moved", function*(a, b, c) {
    const first = yield* lead(a, { id: "a" })
    c.watches = false
    yield* start(c, { id: "c" })
    yield* TestClock.adjust("10 millis")
    c.watches = true
    const second = yield* lead(b, { id: "b" })
    yield* Fiber.interrupt(first)
    yield* TestClock.adjust("20 millis")
    assert.strictEqual(yield* leaderId(b), "b")
    const { readOnlyCommits } = yield* c.counts
    while ((yield* c.counts).readOnlyCommits === readOnlyCommits) yield* TestClock.adjust("10 millis")
    yield* Fiber.interrupt(second)
    yield* TestClock.adjust("50 millis")
    assert.strictEqual(yield* leaderId(c), "c")
  })

  it.effect("needs one commit and, at its version, one wave of reads for a cycle", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ readVersion: "10 millis", read: "10 millis", commit: "20 millis" })
      const [a, b] = [make(), make()]
      yield* lead(a, { id: "a" })
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("10 seconds")
      yield* b.resetCounts
      yield* TestClock.adjust("1 hour")
      const counts = yield* b.counts
      const cycles = counts.readOnlyCommits
      assert.isTrue(cycles > 900 && cycles < 1800, `${cycles} cycles`)
      // The last may have read and not ended.
      assert.include([5 * cycles, 5 * cycles + 5], counts.reads)
      assert.strictEqual(counts.conflicts, 0)
      assert.isTrue(counts.commits <= cycles + 1 && counts.commits > 900, `${counts.commits} heartbeats`)
      // Some cycles come too soon or too late to have one from a heartbeat.
      assert.isBelow(counts.readVersions, cycles / 10)
    }))

  it.effect("sends one heartbeat a cycle, though a commit takes as long as that of a disk may", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ readVersion: "5 millis", read: "5 millis", commit: "60 millis" })
      const [a, b] = [make(), make()]
      yield* Effect.forkDetach(a.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("1 second")))))
      yield* TestClock.adjust("1 second")
      yield* lead(a, { id: "a" })
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("2 seconds")
      yield* b.resetCounts
      yield* TestClock.adjust("1 minute")
      const { commits, readOnlyCommits } = yield* b.counts
      assert.isAtMost(commits, readOnlyCommits + 1)
    }))

  it.effect("is one of a hundred candidates that do not conflict once in ten minutes", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const make = yield* makeHosts()
      const first = make()
      yield* first.run(transact(election.initialize()))
      yield* lead(first, { id: "first" })
      const others = Array.from({ length: 99 }, () => make())
      yield* Effect.forEach(others, (host, i) => start(host, { id: `follower ${i}` }))
      yield* TestClock.adjust("10 seconds")
      const all = [first, ...others]
      yield* Effect.forEach(all, (host) => host.resetCounts)
      yield* TestClock.adjust("10 minutes")
      const conflicts = yield* Effect.forEach(all, (host) => Effect.map(host.counts, (counts) => counts.conflicts))
      assert.strictEqual(conflicts.reduce((a, b) => a + b), 0)
      assert.strictEqual(yield* leaderId(first), "first")
    }))

  onHosts("keeps trying while the database is away, ever more slowly, and leads when it is back", function*(a, b) {
    b.connection = { failsWith: 1037 }
    yield* start(b, { id: "b" })
    yield* TestClock.adjust("10 minutes")
    const retries = eventsOf(b, "Retried").length
    assert.isTrue(retries > 60 && retries < 700, `${retries} retries`)
    b.connection = "hangs"
    yield* TestClock.adjust("10 minutes")
    b.connection = "up"
    // What a transaction may take that still hangs, and the pause after it.
    yield* TestClock.adjust("15 seconds")
    assert.strictEqual(yield* leaderId(a), "b")
  })

  onHosts("finds a vacancy by polling where its watch is lost", function*(a, b) {
    b.watches = false
    const led = yield* lead(a, { id: "a" })
    yield* lead(b, { id: "b" })
    yield* Fiber.interrupt(led)
    yield* TestClock.adjust("5 seconds")
    assert.strictEqual(yield* leaderId(a), "b")
  })

  onHosts("polls, as a leader does, where the database refuses watches", function*(a, b) {
    a.watches = b.watches = "refused"
    const first = yield* lead(a, { id: "a" })
    yield* start(b, { id: "b" })
    yield* TestClock.adjust("1 minute")
    assert.isUndefined(reasonOf(a))
    yield* Fiber.interrupt(first)
    yield* TestClock.adjust("5 seconds")
    assert.strictEqual(yield* leaderId(b), "b")
  })
})
