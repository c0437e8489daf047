import { MemoryDatabase, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig } from "../src/index.ts"
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
import { type Host, makeHosts } from "./support/host.ts"

const electedOf = (host: Host) => eventsOf(host, "Elected").map(({ cause }) => cause)

const history = (host: Host) =>
  Effect.map(
    Effect.orDie(host.run(transact(election.readHistory()))),
    (tenures) => tenures.map(({ leaderId, reason }) => `${leaderId} ${reason ?? "leads"}`)
  )

/** A leader, and followers that have registered in this order. */
const followed = Effect.fnUntraced(function*(followers: number, latencies: Parameters<typeof distantHosts>[0] = {}) {
  const make = yield* distantHosts(latencies)
  const leader = make()
  const led = yield* lead(leader, { id: "leader" })
  const hosts: Array<Host> = []
  for (let i = 0; i < followers; i++) {
    const host = make()
    yield* start(host, { id: `follower-${String(i).padStart(2, "0")}` })
    yield* TestClock.adjust("100 millis")
    hosts.push(host)
  }
  return { make, leader, led, followers: hosts, onlooker: make() }
})

/** As a host sees that is some way from the database. */
const leaderFrom = (host: Host) =>
  Effect.gen(function*() {
    const asking = yield* Effect.forkChild(leaderId(host))
    yield* TestClock.adjust("5 millis")
    return yield* Fiber.join(asking)
  })

/** Waits until the leader has renewed, and the followers have looked after that. */
const untilSeen = (leader: Host) =>
  Effect.gen(function*() {
    while (eventsOf(leader, "Renewed").length === 0) yield* TestClock.adjust("100 millis")
    yield* TestClock.adjust("1800 millis")
  })

/** Those that have led, with the cause. */
const elected = (hosts: ReadonlyArray<Host>) =>
  hosts.flatMap((host, i) => electedOf(host).map((cause) => `${i} ${cause}`))

describe("a handover", () => {
  it.effect("is one commit of the leader that resigns, and one read of its successor, whose work has begun then", () =>
    Effect.gen(function*() {
      const { followers, leader, led } = yield* followed(3, {
        readVersion: "2 millis",
        read: "1 millis",
        commit: "10 millis"
      })
      yield* untilSeen(leader)
      yield* Effect.forEach([leader, ...followers], (host) => host.resetCounts)
      yield* Effect.forkChild(Fiber.interrupt(led))
      // The line, in one wave, and the commit; a read version, and one wave.
      yield* TestClock.adjust("14 millis")
      const { commits, readVersions } = yield* leader.counts
      assert.deepStrictEqual({ commits, readVersions }, { commits: 1, readVersions: 0 })
      const [successor] = followers.filter((host) => electedOf(host).length > 0)
      assert.deepStrictEqual(electedOf(successor!), ["appointed"])
      assert.strictEqual((yield* successor!.counts).commits, 0)
      // It renews at once, for the lease.
      yield* TestClock.adjust("20 millis")
      const [renewed] = eventsOf(successor!, "Renewed")
      assert.strictEqual(renewed?.path, "full")
      assert.isTrue(renewed!.believesUntil > eventsOf(successor!, "Elected")[0]!.believesUntil)
    }))

  it.effect("wakes the next three of many, and nobody else", () =>
    Effect.gen(function*() {
      const { followers, leader, led, onlooker } = yield* followed(24, {
        readVersion: "1 millis",
        read: "1 millis",
        commit: "3 millis"
      })
      yield* untilSeen(leader)
      const before = yield* Effect.forEach(followers, (host) => host.counts)
      yield* Effect.forkChild(Fiber.interrupt(led))
      yield* TestClock.adjust("20 millis")
      const looks = yield* Effect.forEach(followers, (host, i) =>
        Effect.map(host.counts, ({ readVersions }) => readVersions - before[i]!.readVersions))
      assert.isTrue(
        looks.slice(0, 3).every((count) =>
          count >= 1
        ),
        String(looks)
      )
      // One may just look by itself.
      assert.isAtMost(looks.slice(3).reduce((a, b) => a + b), 2, String(looks))
      assert.lengthOf(elected(followers.slice(0, 3)), 1)
      assert.lengthOf(elected(followers), 1)
      const conflicts = yield* Effect.forEach(
        followers,
        (host) => Effect.map(host.counts, ({ conflicts }) => conflicts)
      )
      assert.strictEqual(conflicts.reduce((a, b) => a + b), 0)
      // All learn of it when they look next, and nobody deposes it.
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(elected(followers), 1)
      const successor = yield* leaderFrom(onlooker)
      for (const host of followers.filter((host) => electedOf(host).length === 0)) {
        assert.strictEqual(eventsOf(host, "Following").at(-1)?.leader, successor)
      }
    }))

  it.effect("prefers the highest priority, and of equals in line the one that has looked last", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({})
      yield* make().run(transact(election.writeConfig(new ElectionConfig({ allowPreemption: false }))))
      const led = yield* lead(make(), { id: "leader" })
      const [low, high] = [make(), make()]
      yield* lead(high, { id: "high", priority: 2 })
      yield* lead(low, { id: "low", priority: 1 })
      yield* Fiber.interrupt(led)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(electedOf(high), ["appointed"])
      assert.strictEqual(eventsOf(low, "Elected").length, 0)
    }))

  for (const [dead, what] of [[1, "the appointed one"], [2, "the next two"]] as const) {
    it.effect(`takes less than a heartbeat where ${what} in line are dead`, () =>
      Effect.gen(function*() {
        const { followers, led, onlooker } = yield* followed(8, {
          readVersion: "1 millis",
          read: "1 millis",
          commit: "3 millis"
        })
        // The appointed one will be the third, whose heartbeat is the youngest.
        for (const host of followers.slice(3 - dead, 3)) host.connection = "hangs"
        yield* Effect.forkChild(Fiber.interrupt(led))
        yield* TestClock.adjust("2690 millis")
        assert.strictEqual(yield* leaderFrom(onlooker), "follower-02")
        yield* TestClock.adjust("305 millis")
        assert.deepStrictEqual(elected(followers), ["0 lapsed"])
      }))
  }

  it.effect("is found at the next look by an appointed one whose watch is lost, which accepts it by a commit", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({})
      const led = yield* lead(make(), { id: "leader" })
      const deaf = make()
      deaf.watches = false
      yield* lead(deaf, { id: "deaf" })
      yield* Fiber.interrupt(led)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(electedOf(deaf), [])
      // Its next look comes when its belief would be over.
      const before = yield* deaf.counts
      deaf.connection = "hangs"
      yield* TestClock.adjust("1600 millis")
      deaf.connection = "up"
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(electedOf(deaf), ["appointed"])
      const { ballot, term } = eventsOf(deaf, "Elected")[0]!
      assert.strictEqual(ballot, term + 1n)
      assert.isAbove((yield* deaf.counts).commits, before.commits)
    }))

  onHosts("begins a belief that counts from the last look that did not show it, until the renewal", function*(a, b, c) {
    const led = yield* lead(a, { id: "a" })
    yield* lead(b, { id: "b" })
    yield* start(c, { id: "c" })
    yield* TestClock.adjust("100 millis")
    yield* Fiber.interrupt(led)
    yield* TestClock.adjust(0)
    const successor = [b, c].find((host) => electedOf(host).length > 0)!
    const [first] = eventsOf(successor, "Elected")
    // Not later than nine tenths of it after the last look that did not show it; the renewal has gone on from there.
    const lookedAt = first!.believesUntil - 2_430_000_000n
    assert.isBelow(Number(lookedAt) / 1e9, 2.2)
    assert.isAtLeast(eventsOf(successor, "Renewed").length, 1)
  })

  it.effect("begins a belief that counts from before the heartbeat at whose version the last look was", () =>
    Effect.gen(function*() {
      const { followers: [follower], led } = yield* followed(1, { commit: "200 millis" })
      yield* TestClock.adjust("10 seconds")
      const { commits } = yield* follower!.counts
      let waited = 0
      while ((yield* follower!.counts).commits === commits && waited++ < 1000) yield* TestClock.adjust("10 millis")
      // Its heartbeat, which was sent a hundred milliseconds ago or more.
      const committedAt = yield* Clock.monotonicTimeNanos
      yield* TestClock.adjust("300 millis")
      yield* Effect.forkChild(Fiber.interrupt(led))
      yield* TestClock.adjust("500 millis")
      const [elected] = eventsOf(follower!, "Elected")
      assert.strictEqual(elected?.ballot, elected?.term)
      assert.isBelow(Number(elected!.believesUntil - 2_430_000_000n - committedAt), -80e6)
    }))

  onHosts("to one that is cut off with it ends its work before another may lead", function*(a, b, c) {
    const led = yield* lead(a, { id: "a" })
    yield* lead(b, { id: "b" })
    yield* lead(c, { id: "c" }, () =>
      Effect.suspend(() => {
        c.connection = "hangs"
        return Effect.never
      }))
    yield* Fiber.interrupt(led)
    yield* TestClock.adjust(0)
    assert.deepStrictEqual(electedOf(c), ["appointed"])
    yield* TestClock.adjust("20 seconds")
    assert.strictEqual(reasonOf(c), "expired")
    assert.deepStrictEqual(electedOf(b), ["lapsed"])
    assert.deepStrictEqual(yield* history(a), ["b leads", "c expired", "a resigned"])
  })

  for (const [what, offset] of [["back", -60_000], ["forward", 1_000]] as const) {
    onHosts(`is accepted by a commit where the wall clock was set ${what} since the last look`, function*(a, b) {
      const led = yield* lead(a, { id: "a" })
      b.wallOffset = 100_000
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("100 millis")
      // What it tells is as young as the others.
      a.wallOffset = 100_000
      b.wallOffset += offset
      yield* Effect.forkDetach(Fiber.interrupt(led))
      yield* TestClock.adjust("4500 millis")
      const [{ ballot, term } = { ballot: 0n, term: 0n }] = eventsOf(b, "Elected")
      assert.strictEqual(ballot, term + 1n)
    })
  }

  onHosts("is passed on by an appointed one that leaves", function*(a, b, c) {
    const led = yield* lead(a, { id: "a" })
    yield* lead(b, { id: "b" })
    c.watches = false
    const leaving = yield* lead(c, { id: "c" })
    yield* Fiber.interrupt(led)
    yield* TestClock.adjust("10 millis")
    assert.strictEqual(yield* leaderId(a), "c")
    yield* Fiber.interrupt(leaving)
    yield* TestClock.adjust(0)
    assert.deepStrictEqual([electedOf(b), electedOf(c)], [["appointed"], []])
  })

  onHosts("is passed on by one whose campaign has ended, though its candidacy is open", function*(a, b, c) {
    const led = yield* lead(a, { id: "a" })
    yield* lead(b, { id: "b" })
    c.watches = false
    const candidacy = yield* c.run(election.candidacy({ id: "c" }))
    const campaign = yield* Effect.forkDetach(c.run(Effect.scoped(Effect.andThen(candidacy.campaign, Effect.never))))
    yield* TestClock.adjust("1 second")
    yield* Fiber.interrupt(led)
    yield* TestClock.adjust("10 millis")
    assert.strictEqual(yield* leaderId(a), "c")
    yield* Fiber.interrupt(campaign)
    yield* TestClock.adjust(0)
    assert.deepStrictEqual([electedOf(b), electedOf(c)], [["appointed"], []])
  })

  onHosts("never goes to one that has resigned and does not campaign", function*(a, b) {
    const candidacy = yield* a.run(election.candidacy({ id: "a" }))
    yield* Effect.scoped(a.run(candidacy.campaign))
    const led = yield* lead(b, { id: "b" })
    yield* TestClock.adjust("3 seconds")
    assert.strictEqual(yield* leaderId(a), "b")
    yield* Fiber.interrupt(led)
    assert.isUndefined(yield* leaderId(a))
  })

  onHosts("goes to a former leader again when it has followed for a heartbeat", function*(a, b) {
    const candidacy = yield* a.run(election.candidacy({ id: "a" }))
    yield* Effect.scoped(a.run(candidacy.campaign))
    const led = yield* lead(b, { id: "b" })
    yield* TestClock.adjust("3 seconds")
    yield* Effect.forkDetach(a.run(Effect.scoped(Effect.andThen(candidacy.campaign, Effect.never))))
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.interrupt(led)
    yield* TestClock.adjust(0)
    assert.deepStrictEqual(electedOf(a), ["vacant", "appointed"])
  })

  const inBetween: Readonly<Record<string, Effect.Effect<unknown, unknown, Transaction>>> = {
    "was superseded": election.registerCandidate("c"),
    "was unregistered": election.unregisterCandidate("c"),
    "cannot lead, for the election was disabled,": election.writeConfig(new ElectionConfig({ electionEnabled: false }))
  }
  for (const [what, between] of Object.entries(inBetween)) {
    onHosts(`to one that ${what} in between is led by nobody else before its lease has lapsed`, function*(a, b, c) {
      const led = yield* lead(a, { id: "a" })
      yield* lead(b, { id: "b" })
      c.watches = false
      yield* lead(c, { id: "c" })
      yield* Fiber.interrupt(led)
      yield* TestClock.adjust("10 millis")
      assert.strictEqual(yield* leaderId(a), "c")
      yield* Effect.ignore(a.run(transact(between)))
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(electedOf(c), [])
      yield* Effect.ignore(a.run(transact(election.writeConfig(new ElectionConfig({})))))
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* leaderId(a), "b")
    })
  }

  onHosts("answers an operator who asks the leader to step down", function*(a, b) {
    yield* lead(a, { id: "a" })
    yield* lead(b, { id: "b" })
    yield* b.run(transact(election.requestStepDown))
    yield* TestClock.adjust(0)
    assert.deepStrictEqual(electedOf(b), ["appointed"])
    assert.deepStrictEqual(yield* history(b), ["b leads", "a stepped-down"])
  })

  onHosts("answers a challenge: the challenger is appointed, though others are first in line", function*(a, b, c) {
    yield* lead(a, { id: "a" })
    yield* lead(b, { id: "b" })
    yield* start(c, { id: "c", priority: 1 })
    yield* TestClock.adjust("100 millis")
    assert.deepStrictEqual([electedOf(b), electedOf(c)], [[], ["appointed"]])
    assert.deepStrictEqual(yield* history(b), ["c leads", "a preempted"])
  })

  onHosts("to one against which a request to step down stands already is resigned from by it", function*(a, _, c) {
    const led = yield* lead(a, { id: "a" })
    c.watches = false
    yield* lead(c, { id: "c" })
    yield* Fiber.interrupt(led)
    yield* TestClock.adjust("10 millis")
    assert.strictEqual(yield* leaderId(a), "c")
    yield* a.run(transact(election.requestStepDown))
    yield* TestClock.adjust("4 seconds")
    assert.deepStrictEqual(yield* history(a), ["c stepped-down", "a resigned"])
    assert.deepStrictEqual(electedOf(c), [])
    // It leaves the leadership to others for a heartbeat, and finds then that there are none.
    yield* TestClock.adjust("5 seconds")
    assert.deepStrictEqual(electedOf(c), ["vacant"])
  })

  onHosts("from which a resignation of unknown outcome was sent is accepted by a commit", function*(a, _, c) {
    const led = yield* lead(a, { id: "a" })
    c.watches = false
    const candidacy = yield* c.run(election.candidacy({ id: "c" }))
    const campaign = Effect.forkDetach(c.run(Effect.scoped(Effect.andThen(candidacy.campaign, Effect.never))))
    const first = yield* campaign
    yield* TestClock.adjust("1 second")
    yield* Fiber.interrupt(led)
    yield* TestClock.adjust("10 millis")
    c.connection = { failsWith: 2990 }
    yield* Fiber.interrupt(first)
    c.connection = "up"
    assert.strictEqual(yield* leaderId(a), "c")
    yield* campaign
    yield* TestClock.adjust("10 millis")
    const [elected] = eventsOf(c, "Elected")
    assert.deepInclude(elected, { cause: "appointed", term: 2n, ballot: 3n })
  })

  onHosts(
    "is led once: a tenure that was lost is ended and claimed anew, though its record is that of an appointment",
    function*(a, b) {
      const led = yield* lead(a, { id: "a" })
      const candidacy = yield* b.run(election.candidacy({ id: "b" }))
      const campaign = yield* Effect.forkDetach(b.run(candidacy.withLeadership(() =>
        Effect.suspend(() => {
          b.connection = "hangs"
          return Effect.never
        })
      )))
      yield* TestClock.adjust("100 millis")
      yield* Fiber.interrupt(led)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(electedOf(b), ["appointed"])
      yield* Effect.forkDetach(Fiber.interrupt(campaign))
      yield* TestClock.adjust("30 seconds")
      b.connection = "up"
      yield* Effect.forkDetach(b.run(candidacy.withLeadership(() => Effect.never)))
      yield* TestClock.adjust("5 seconds")
      assert.include(["own", "lapsed"], electedOf(b).at(-1))
      const [first, second] = eventsOf(b, "Elected")
      assert.isTrue(second!.term > first!.term)
    }
  )

  onHosts(
    "is led once, though its lease goes on: one that could not resign ends what it has led, and claims anew",
    function*(a, b) {
      const led = yield* lead(a, { id: "a" })
      const candidacy = yield* b.run(election.candidacy({ id: "b" }))
      const leadOnce = (work: Effect.Effect<void>) => Effect.forkDetach(b.run(candidacy.withLeadership(() => work)))
      yield* leadOnce(Effect.suspend(() => {
        b.connection = { failsWith: 1031 }
        return Effect.sleep("10 millis")
      }))
      yield* TestClock.adjust("100 millis")
      yield* Fiber.interrupt(led)
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(electedOf(b), ["appointed"])
      b.connection = "up"
      yield* leadOnce(Effect.never)
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(electedOf(b), ["appointed", "own"])
      const [first, second] = eventsOf(b, "Elected")
      assert.isAbove(Number(second!.term), Number(first!.term))
    }
  )

  for (const code of [1021, 1031]) {
    onHosts(`whose commit ends with ${code} is not repeated`, function*(a, b, c) {
      const led = yield* lead(a, { id: "a" })
      yield* lead(b, { id: "b" })
      yield* lead(c, { id: "c" })
      a.connection = { commitsBut: code }
      yield* Effect.forkDetach(Fiber.interrupt(led))
      yield* TestClock.adjust("10 millis")
      a.connection = "up"
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf([...electedOf(b), ...electedOf(c)], 1)
      assert.lengthOf(yield* history(a), 2)
    })
  }

  onHosts("is a vacancy where nobody is in line, to which all that come are called", function*(a, b, c) {
    for (const host of [b, c]) host.wallOffset = 3_600_000
    const led = yield* lead(a, { id: "a" })
    yield* lead(b, { id: "b" })
    yield* lead(c, { id: "c" })
    yield* Fiber.interrupt(led)
    yield* TestClock.adjust("5 millis")
    assert.deepStrictEqual([electedOf(b), electedOf(c)], [["vacant"], []])
  })

  it.effect("goes to those alone that may be appointed: a candidate of an older version is told by S(\"leader\"), and claims a vacancy", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const make = yield* makeHosts({}, MemoryDatabase.makeEngine)
      const [a, old] = [make(), make()]
      yield* a.run(transact(election.initialize()))
      const led = yield* lead(a, { id: "a" })
      yield* Effect.asVoid(old.run(transact(election.registerCandidate("old"))))
      yield* Fiber.interrupt(led)
      const claimed = yield* old.run(transact(election.tryClaimLeadership("old")))
      assert.strictEqual(claimed._tag, "Some")
      assert.deepStrictEqual(yield* history(a), ["old leads", "a resigned"])
    }))

  onHosts("leaves nothing behind of who has left", function*(a, b, c) {
    const led = yield* lead(a, { id: "a" })
    const others = [yield* lead(b, { id: "b" }), yield* lead(c, { id: "c" })]
    yield* Fiber.interrupt(led)
    yield* TestClock.adjust("5 seconds")
    for (const fiber of others) yield* Fiber.interrupt(fiber)
    yield* TestClock.adjust("5 seconds")
    const calls = yield* a.run(
      transact(Transaction.use((tx) => tx.getRange(election.subspace.subspace(["calls"]).range())))
    )
    assert.deepStrictEqual(calls, [])
  })
})
