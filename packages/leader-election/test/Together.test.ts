/** The elections of one process, whose renewals are made together. */
import { Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig, LeaderElection } from "../src/index.ts"
import { eventsOf, transact } from "./support/candidates.ts"
import { makeHosts } from "./support/host.ts"
import { leadAll, longestGaps, manyOf, subspaceOf } from "./support/many.ts"

/** A heartbeat of the default configuration with its jitter. */
const aHeartbeat = 3.7

describe("elections that one process leads", () => {
  for (const count of [1, 2, 60, 300]) {
    it.effect(`are renewed together: ${count} of them`, () =>
      Effect.gen(function*() {
        const host = (yield* makeHosts())()
        yield* leadAll(host, manyOf(count))
        yield* TestClock.adjust("10 seconds")
        yield* host.resetCounts
        yield* TestClock.adjust("60 seconds")
        const { commits, conflicts } = yield* host.counts
        const groups = Math.ceil(count / 256)
        // One more transaction where one group is divided.
        assert.isAtMost(commits, 26 * (groups + 1))
        assert.strictEqual(conflicts, 0)
        assert.strictEqual(eventsOf(host, "Lost").length, 0)
        const gaps = longestGaps(host)
        assert.strictEqual(gaps.size, count)
        for (const gap of gaps.values()) assert.isBelow(gap, aHeartbeat)
      }))
  }

  it.effect("that began at different times are renewed together after a while", () =>
    Effect.gen(function*() {
      const host = (yield* makeHosts())()
      for (const election of manyOf(50)) {
        yield* Effect.forkDetach(host.run(election.withLeadership({}, () => Effect.never)), { startImmediately: true })
        yield* TestClock.adjust("130 millis")
      }
      yield* TestClock.adjust("30 seconds")
      yield* host.resetCounts
      yield* TestClock.adjust("60 seconds")
      assert.isAtMost((yield* host.counts).commits, 52)
      for (const gap of longestGaps(host).values()) assert.isBelow(gap, aHeartbeat)
    }))

  it.effect("that were last written at different versions are read before they are renewed together", () =>
    // The second one of a pair is due first in some of them, by chance.
    Effect.forEach(Array.from({ length: 20 }), () =>
      Effect.gen(function*() {
        const makeHost = yield* makeHosts()
        const [host, other] = [makeHost(), makeHost()]
        host.watches = false
        const [first, second] = manyOf(2)
        yield* leadAll(host, [first!])
        yield* TestClock.adjust("100 millis")
        // Between the versions of the two claims.
        yield* other.run(transact(first!.requestStepDown))
        yield* TestClock.adjust("100 millis")
        yield* leadAll(host, [second!])
        yield* TestClock.adjust("3700 millis")
        const lost = eventsOf(host, "Lost").map(({ election, reason }) => [election, reason])
        assert.deepStrictEqual(lost, [["app/0", "stepped-down"]])
        assert.isTrue(eventsOf(host, "Renewed").every(({ election }) => election !== "app/0"))
      }), { discard: true }))

  it.effect("with other heartbeats are renewed as often as each needs", () =>
    Effect.gen(function*() {
      const host = (yield* makeHosts())()
      const slow = manyOf(10)
      const fast = new ElectionConfig({
        leaseDuration: Duration.seconds(2),
        heartbeatInterval: Duration.millis(500),
        candidateTimeout: Duration.seconds(4)
      })
      const elections = slow.map((election, i) =>
        i < 5 ? election : LeaderElection.make(subspaceOf(i), { config: fast })
      )
      yield* leadAll(host, elections)
      yield* TestClock.adjust("10 seconds")
      host.events.length = 0
      yield* TestClock.adjust("60 seconds")
      const renewals = (i: number) => eventsOf(host, "Renewed").filter(({ candidate }) => candidate === `${i}`).length
      for (let i = 0; i < 10; i++) assert.closeTo(renewals(i), i < 5 ? 20 : 120, i < 5 ? 5 : 20)
    }))

  const disturbances: Readonly<
    Record<
      string,
      (
        election: LeaderElection.LeaderElection,
        i: number
      ) => ReadonlyArray<Effect.Effect<unknown, unknown, Transaction>>
    >
  > = {
    "is asked to step down": (election) => [election.requestStepDown],
    "is replaced": (election) => [election.registerCandidate("other", 9), election.tryClaimLeadership("other", 9)],
    "is evicted": (_, i) => [
      Transaction.use((tx) => tx.clear(subspaceOf(i).subspace(["candidates"]).pack([`${i}`])))
    ],
    "is superseded": (election, i) => [election.registerCandidate(`${i}`, 0)],
    "is disabled": (election) => [
      Effect.flatMap(
        election.readConfig,
        (config) => election.writeConfig(new ElectionConfig({ ...config, electionEnabled: false }))
      )
    ],
    "has a corrupt lease": (_, i) => [
      Transaction.use((tx) => tx.set(subspaceOf(i).pack(["lease"]), Uint8Array.of(255, 1)))
    ],
    "has no configuration": (_, i) => [Transaction.use((tx) => tx.clear(subspaceOf(i).pack(["config"])))]
  }

  for (const [what, disturb] of Object.entries(disturbances)) {
    for (const watches of [true, false]) {
      it.effect(`are renewed in time when one ${what}, ${watches ? "which a watch tells" : "unnoticed by a watch"}`, () =>
        Effect.gen(function*() {
          const makeHost = yield* makeHosts()
          const [host, other] = [makeHost(), makeHost()]
          host.watches = watches
          const elections = manyOf(24)
          const led = yield* leadAll(host, elections)
          yield* TestClock.adjust("10 seconds")
          yield* Effect.forEach(disturb(elections[17]!, 17), (body) => other.run(transact(body)))
          yield* host.resetCounts
          yield* TestClock.adjust("5 seconds")
          // The beat that fails, and the joint read; what the one does alone after it.
          assert.isAtMost((yield* host.counts).conflicts, 2)
          yield* TestClock.adjust("25 seconds")
          assert.isTrue(eventsOf(host, "Lost").every(({ candidate }) => candidate === "17"))
          assert.isDefined(led[17]!.pollUnsafe())
          const gaps = longestGaps(host)
          assert.strictEqual(gaps.size, 24)
          gaps.delete("app/17")
          for (const gap of gaps.values()) assert.isBelow(gap, aHeartbeat)
        }))
    }
  }

  it.effect("are renewed in time beside one whose records are written without end", () =>
    Effect.gen(function*() {
      const makeHost = yield* makeHosts({
        commit: Duration.millis(5),
        read: Duration.millis(5),
        readVersion: Duration.millis(5)
      })
      const [host, other] = [makeHost(), makeHost()]
      const elections = manyOf(64)
      yield* leadAll(host, elections)
      yield* TestClock.adjust("10 seconds")
      const lease = subspaceOf(7).pack(["lease"])
      const rewritten = transact(
        Transaction.use((tx) => Effect.flatMap(tx.get(lease), (bytes) => tx.set(lease, bytes!)))
      )
      const writer = yield* Effect.forkDetach(other.run(Effect.forever(Effect.ignore(rewritten))))
      yield* TestClock.adjust("60 seconds")
      // Not waited for: a commit of its own may need the clock.
      yield* Effect.forkDetach(Fiber.interrupt(writer))
      assert.isTrue(eventsOf(host, "Lost").every(({ candidate }) => candidate === "7"))
      const gaps = longestGaps(host)
      gaps.delete("app/7")
      for (const gap of gaps.values()) assert.isBelow(gap, aHeartbeat + 0.3)
    }))

  for (
    const connection of ["hangs", { failsWith: 1031 }, { failsWith: 1037 }, { failsWith: 1020 }, {
      commitsBut: 1021
    }] as const
  ) {
    it.effect(`survive a database that is away for less than a belief: ${JSON.stringify(connection)}`, () =>
      Effect.gen(function*() {
        const host = (yield* makeHosts())()
        yield* leadAll(host, manyOf(40))
        yield* TestClock.adjust("10 seconds")
        host.connection = connection
        yield* TestClock.adjust("4 seconds")
        host.connection = "up"
        yield* host.resetCounts
        yield* TestClock.adjust("60 seconds")
        assert.strictEqual(eventsOf(host, "Lost").length, 0)
        // Where each attempt is refused as in conflict, everyone tries alone in the end.
        assert.isAtMost(
          (yield* host.counts).commits,
          connection !== "hangs" && "failsWith" in connection && connection.failsWith === 1020 ? 160 : 60
        )
      }))
  }

  it.effect("are all lost when the belief is over, each once", () =>
    Effect.gen(function*() {
      const host = (yield* makeHosts())()
      const led = yield* leadAll(host, manyOf(40))
      yield* TestClock.adjust("10 seconds")
      host.connection = "hangs"
      yield* TestClock.adjust("9100 millis")
      assert.deepStrictEqual(eventsOf(host, "Lost").map(({ reason }) => reason), Array(40).fill("expired"))
      host.connection = "up"
      yield* TestClock.adjust("1 minute")
      assert.isTrue(led.every((fiber) => fiber.pollUnsafe() !== undefined))
    }))

  it.effect("go on when others resign, and the last one leaves no timer behind", () =>
    Effect.gen(function*() {
      const host = (yield* makeHosts())()
      const led = yield* leadAll(host, manyOf(20))
      yield* TestClock.adjust("10 seconds")
      for (const fiber of led.slice(0, 19)) {
        yield* Fiber.interrupt(fiber)
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual(eventsOf(host, "Resigned").length, 19)
      assert.isBelow(longestGaps(host).get("app/19")!, aHeartbeat)
      yield* Fiber.interrupt(led[19]!)
      yield* host.resetCounts
      host.looks = 0
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* host.counts, { commits: 0, reads: 0 })
      assert.strictEqual(host.looks, 0)
    }))
})
