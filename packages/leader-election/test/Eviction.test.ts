/** The leader evicts those who have been dead for long, and nobody else. */
import { type Engine, MemoryDatabase, Transaction } from "@effect-fdb/core"
import * as FdbError from "@effect-fdb/core/FdbError"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Option, Result } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig, type LeaderElection } from "../src/index.ts"
import { election, eventsOf, lead, leaderId, onHosts, start, transact } from "./support/candidates.ts"
import { type Host, makeHosts } from "./support/host.ts"
import { leadAll, longestGaps, manyOf, subspaceOf } from "./support/many.ts"

const forever = () => Effect.never

const register = (host: Host, ids: ReadonlyArray<string>) =>
  host.run(transact(Effect.forEach(ids, (id) => election.registerCandidate(id), { discard: true })))

const candidates = election.subspace.subspace(["candidates"])

/** Whose records stand, alive or not. */
const registered = (host: Host) =>
  host.run(transact(Effect.gen(function*() {
    const tx = yield* Transaction
    const pairs = yield* tx.getRange(candidates.range())
    return pairs.flatMap(({ key }) => Result.getOrElse(candidates.unpack(key), () => []))
  })))

const evicted = (host: Host) => eventsOf(host, "Evicted").flatMap(({ candidates }) => candidates)

describe("a leader", () => {
  onHosts("evicts who has been dead for ten candidate timeouts, and neither itself nor who lives", function*(a, b, c) {
    yield* register(c, ["x", "y"])
    yield* start(a, { id: "a" }, forever)
    yield* start(b, { id: "b" }, forever)
    yield* TestClock.adjust("149 seconds")
    assert.deepStrictEqual(yield* registered(c), ["a", "b", "x", "y"])
    yield* TestClock.adjust("30 seconds")
    assert.deepStrictEqual(yield* registered(c), ["a", "b"])
    assert.deepStrictEqual(evicted(a), ["x", "y"])
    yield* register(c, ["z"])
    yield* TestClock.adjust("6 minutes")
    assert.deepStrictEqual(yield* registered(c), ["a", "b"])
    assert.deepStrictEqual([eventsOf(a, "Lost").length, eventsOf(b, "Registered").length], [0, 1])
  })

  onHosts(
    "compares no wall clocks: neither evicts who lives and is years behind, nor keeps who died years ahead",
    function*(a, b, c) {
      b.wallOffset = -3600_000
      c.wallOffset = 10 * 365 * 24 * 3600_000
      yield* TestClock.adjust("2 hours")
      yield* register(c, ["ahead"])
      yield* lead(a, { id: "a" }, forever)
      yield* start(b, { id: "behind" }, forever)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* registered(a), ["a", "behind"])
      assert.deepStrictEqual([evicted(a), eventsOf(b, "Registered").length], [["ahead"], 1])
    }
  )

  onHosts("spares who has come back in time", function*(a, b) {
    yield* register(b, ["x"])
    yield* start(a, { id: "a" }, forever)
    for (let i = 0; i < 20; i++) {
      yield* TestClock.adjust("140 seconds")
      yield* b.run(transact(election.heartbeatCandidate("x")))
    }
    assert.deepStrictEqual(evicted(a), [])
    yield* TestClock.adjust("6 minutes")
    assert.deepStrictEqual(evicted(a), ["x"])
  })

  onHosts("evicts thousands, some at a time, whoever of them cannot be read", function*(a, b) {
    const ids = Array.from({ length: 2500 }, (_, i) => `dead-${i}`)
    for (let i = 0; i < ids.length; i += 500) yield* register(b, ids.slice(i, i + 500))
    // They fill the first page.
    const broken = Array.from({ length: 100 }, (_, i) => `broken-${100 + i}`)
    yield* b.run(
      transact(
        Effect.flatMap(
          Transaction,
          (tx) =>
            Effect.forEach(broken, (id) => tx.set(candidates.pack([id]), Uint8Array.of(1, 2, 3)), { discard: true })
        )
      )
    )
    yield* start(a, { id: "a" }, forever)
    yield* TestClock.adjust("20 minutes")
    assert.deepStrictEqual(yield* registered(b), ["a", ...broken])
    assert.strictEqual(new Set(evicted(a)).size, ids.length)
    assert.isTrue(eventsOf(a, "Evicted").every(({ candidates }) => candidates.length <= 100))
    assert.strictEqual(eventsOf(a, "RenewalFailed").length, 0)
  })

  onHosts(
    "evicts nobody while the election is disabled, nor who could not show itself until it was enabled",
    function*(a, b, c) {
      yield* lead(a, { id: "a" }, forever, { again: true })
      yield* start(b, { id: "b" }, forever, { again: true })
      yield* TestClock.adjust("20 seconds")
      for (let i = 0; i < 5; i++) {
        yield* c.run(transact(election.writeConfig(new ElectionConfig({ electionEnabled: false }))))
        yield* TestClock.adjust("10 minutes")
        yield* c.run(transact(election.writeConfig(new ElectionConfig({}))))
        yield* TestClock.adjust("20 seconds")
      }
      assert.deepStrictEqual([...evicted(a), ...evicted(b)], [])
      assert.deepStrictEqual([a, b].map((host) => eventsOf(host, "Registered").length), [1, 1])
      assert.deepStrictEqual(yield* registered(c), ["a", "b"])
    }
  )

  // Its tenure goes on for longer than ten candidate timeouts, and it looks two seconds after it was elected.
  const short = new ElectionConfig({
    leaseDuration: Duration.minutes(1),
    heartbeatInterval: Duration.seconds(2),
    candidateTimeout: Duration.seconds(3)
  })
  const enable = (host: Host, electionEnabled: boolean) =>
    host.run(transact(election.writeConfig(new ElectionConfig({ ...short, electionEnabled }))))

  onHosts("evicts nobody in an election that was disabled since it looked", function*(a, b, c) {
    yield* lead(a, { id: "a" }, forever)
    yield* start(b, { id: "b" }, forever)
    // It does not beat between the look and the end of the election.
    b.connection = "hangs"
    yield* TestClock.adjust("3 seconds")
    yield* enable(c, false)
    b.connection = "up"
    yield* TestClock.adjust("40 seconds")
    assert.isUndefined(eventsOf(a, "Lost")[0])
    assert.deepStrictEqual(yield* registered(c), ["a", "b"])
  }, short)

  onHosts("does not count the time for which the election was disabled when it looked", function*(a, b, c) {
    yield* lead(a, { id: "a" }, forever)
    yield* start(b, { id: "b" }, forever)
    yield* enable(c, false)
    yield* TestClock.adjust("25 seconds")
    // It is not heard of for a while when it may show itself again.
    b.connection = "hangs"
    yield* enable(c, true)
    yield* TestClock.adjust("12 seconds")
    assert.isUndefined(eventsOf(a, "Lost")[0])
    assert.deepStrictEqual(yield* registered(c), ["a", "b"])
  }, short)

  onHosts(
    "gives those time to show themselves whom it saw in an earlier tenure, before the election was disabled",
    function*(a, _, c) {
      yield* register(c, ["x"])
      const candidacy = yield* a.run(election.candidacy({ id: "a" }))
      yield* Effect.forkChild(a.run(candidacy.withLeadership(() => Effect.sleep("5 seconds"))))
      yield* TestClock.adjust("6 seconds")
      yield* enable(c, false)
      yield* TestClock.adjust("40 seconds")
      yield* enable(c, true)
      yield* Effect.forkChild(a.run(candidacy.withLeadership(forever)))
      yield* TestClock.adjust("3 seconds")
      yield* c.run(transact(election.heartbeatCandidate("x")))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(eventsOf(a, "Elected").length, 2)
      assert.deepStrictEqual(yield* registered(c), ["a", "x"])
    },
    short
  )

  onHosts("waits for ten of the candidate timeouts that are in force when it looks again", function*(a, _, c) {
    yield* register(c, ["x"])
    yield* lead(a, { id: "a" }, forever)
    yield* TestClock.adjust("100 seconds")
    yield* c.run(transact(election.writeConfig(new ElectionConfig({ candidateTimeout: Duration.seconds(30) }))))
    yield* TestClock.adjust("150 seconds")
    assert.deepStrictEqual(yield* registered(c), ["a", "x"])
    yield* TestClock.adjust("10 minutes")
    assert.deepStrictEqual(yield* registered(c), ["a"])
  })

  onHosts("evicts the dead, too, where no tenure is as long as ten candidate timeouts", function*(a, b, c) {
    yield* register(c, ["x"])
    for (const [host, id] of [[a, "a"], [b, "b"]] as const) {
      yield* Effect.forkDetach(host.run(Effect.scoped(Effect.gen(function*() {
        const candidacy = yield* election.candidacy({ id })
        while (true) yield* Effect.ignore(candidacy.withLeadership(() => Effect.sleep("50 seconds")))
      }))))
    }
    yield* TestClock.adjust("20 minutes")
    assert.isUndefined(yield* c.run(transact(election.getCandidate("x"))).pipe(Effect.map(Option.getOrUndefined)))
  })

  it.effect("spares who shows itself while it evicts", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      let beat: Effect.Effect<unknown, unknown> = Effect.void
      const late = (engine: Engine.Engine): Engine.Engine => ({
        ...engine,
        begin: (options) => {
          const transaction = engine.begin(options)
          if (options.priority !== "batch") return transaction
          let evicts = false
          return {
            ...transaction,
            mutate: (mutation) => {
              evicts = true
              transaction.mutate(mutation)
            },
            commit: Effect.andThen(Effect.ignore(Effect.suspend(() => evicts ? beat : Effect.void)), transaction.commit)
          }
        }
      })
      const make = yield* makeHosts({}, Effect.map(MemoryDatabase.makeEngine, late))
      const [a, b] = [make(), make()]
      yield* b.run(transact(election.initialize()))
      yield* register(b, ["x"])
      yield* lead(a, { id: "a" }, forever)
      yield* TestClock.adjust("140 seconds")
      let beats = 0
      beat = Effect.suspend(() => {
        beats++
        return b.run(transact(election.heartbeatCandidate("x")))
      })
      yield* TestClock.adjust("1 minute")
      assert.isAtLeast(beats, 1)
      assert.deepStrictEqual(yield* registered(b), ["a", "x"])
    }))

  it.effect("renews in time while eviction hangs", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const hanging = (engine: Engine.Engine): Engine.Engine => ({
        ...engine,
        begin: (options) => {
          const transaction = engine.begin(options)
          if (options.priority !== "batch") return transaction
          return { ...transaction, getAll: () => Effect.never, getPage: () => Effect.never, commit: Effect.never }
        }
      })
      const make = yield* makeHosts({}, Effect.map(MemoryDatabase.makeEngine, hanging))
      const [a, b] = [make(), make()]
      yield* b.run(transact(election.initialize()))
      yield* register(b, ["x"])
      yield* start(a, { id: "a" }, forever)
      yield* TestClock.adjust("30 minutes")
      const renewals = eventsOf(a, "Renewed")
      assert.deepStrictEqual([eventsOf(a, "Lost").length, yield* leaderId(b)], [0, "a"])
      assert.isTrue(renewals.length > 500 && renewals.every(({ headroom }) => Duration.toMillis(headroom) > 5000))
    }))
})

/** A host that leads many elections, and when its patrols have begun transactions, in seconds. */
const patrolled = Effect.gen(function*() {
  yield* TestClock.adjust(0)
  const clock = yield* Clock.Clock
  const start = clock.monotonicTimeNanosUnsafe()
  const now = () => Number(clock.monotonicTimeNanosUnsafe() - start) / 1e9
  const state = { fails: false, looks: [] as Array<number> }
  const make = yield* makeHosts(
    {},
    Effect.map(MemoryDatabase.makeEngine, (engine) => ({
      ...engine,
      begin: (options) => {
        const transaction = engine.begin(options)
        if (options.priority !== "batch") return transaction
        state.looks.push(now())
        return state.fails ? { ...transaction, getAll: () => Effect.fail(FdbError.make(1031, "read")) } : transaction
      }
    }))
  )
  return { host: make(), state }
})

const candidatesOf = (i: number) => subspaceOf(i).subspace(["candidates"])

const registerDead = (host: Host, election: LeaderElection.LeaderElection) =>
  host.run(transact(Effect.asVoid(election.registerCandidate("dead"))))

/** The elections of which somebody was evicted. */
const evictedFrom = (host: Host) => eventsOf(host, "Evicted").map(({ election }) => election).toSorted()

describe("elections that one process leads", () => {
  it.effect("are patrolled together: few transactions for 300 of them, one more to evict the dead of one", () =>
    Effect.gen(function*() {
      const { host, state } = yield* patrolled
      const config = { leaseDuration: Duration.seconds(30), heartbeatInterval: Duration.seconds(9) }
      const elections = manyOf(300, new ElectionConfig(config))
      yield* leadAll(host, elections)
      yield* TestClock.adjust("2 seconds")
      yield* registerDead(host, elections[7]!)
      yield* TestClock.adjust("58 seconds")
      assert.strictEqual(state.looks.length, 2)
      yield* TestClock.adjust("119 seconds")
      assert.deepStrictEqual(eventsOf(host, "Evicted").map(({ candidates }) => candidates), [["dead"]])
      assert.deepStrictEqual(evictedFrom(host), ["app/7"])
      // The second joint looks, the eviction, and the first look of that tenure after it.
      assert.isAtMost(state.looks.length, 6)
      yield* TestClock.adjust("165 seconds")
      assert.isAtMost(state.looks.length, 9)
      assert.strictEqual(eventsOf(host, "Lost").length, 0)
      for (const gap of longestGaps(host).values()) assert.isBelow(gap, 1.2 * 9 + 0.1)
    }))

  it.effect("are patrolled together after a while, whenever they began", () =>
    Effect.gen(function*() {
      const { host, state } = yield* patrolled
      for (const election of manyOf(40)) {
        yield* leadAll(host, [election])
        yield* TestClock.adjust("4 seconds")
      }
      yield* TestClock.adjust("4 minutes")
      state.looks.length = 0
      yield* TestClock.adjust("165 seconds")
      assert.isAtMost(state.looks.length, 11)
    }))

  it.effect("do not look all at once behind a mass start", () =>
    Effect.gen(function*() {
      const { host, state } = yield* patrolled
      yield* leadAll(host, manyOf(700))
      yield* TestClock.adjust("15 seconds")
      const [first, second, third, ...others] = state.looks
      assert.deepStrictEqual(others, [])
      assert.isTrue(first! > 2 && second! > first! + 0.5 && third! > second! + 0.5)
    }))

  it.effect("whose candidates or configuration cannot be read do not keep the others from evicting", () =>
    Effect.gen(function*() {
      const { host } = yield* patrolled
      const elections = manyOf(12)
      yield* leadAll(host, elections)
      yield* TestClock.adjust("1 second")
      const garbage = (key: Uint8Array) =>
        host.run(transact(Transaction.use((tx) => tx.set(key, Uint8Array.of(255, 1)))))
      yield* garbage(candidatesOf(3).pack(["broken"]))
      for (const i of [3, 7, 11]) yield* registerDead(host, elections[i]!)
      yield* TestClock.adjust("145 seconds")
      yield* garbage(subspaceOf(7).pack(["config"]))
      yield* TestClock.adjust("35 seconds")
      assert.deepStrictEqual(evictedFrom(host), ["app/11", "app/3"])
      assert.deepStrictEqual([...new Set(eventsOf(host, "Lost").map(({ election }) => election))], ["app/7"])
    }))

  it.effect("with other candidate timeouts wait for ten of their own", () =>
    Effect.gen(function*() {
      const { host } = yield* patrolled
      const config = new ElectionConfig({ candidateTimeout: Duration.seconds(6) })
      const elections = [...manyOf(2), ...manyOf(4, config).slice(2)]
      yield* leadAll(host, elections)
      yield* TestClock.adjust("1 second")
      for (const election of elections) yield* registerDead(host, election)
      yield* TestClock.adjust("58 seconds")
      assert.deepStrictEqual(evictedFrom(host), [])
      yield* TestClock.adjust("15 seconds")
      assert.deepStrictEqual(evictedFrom(host), ["app/2", "app/3"])
      yield* TestClock.adjust("105 seconds")
      assert.deepStrictEqual(evictedFrom(host), ["app/0", "app/1", "app/2", "app/3"])
    }))

  it.effect("look again, together, where a look has failed", () =>
    Effect.gen(function*() {
      const { host, state } = yield* patrolled
      const elections = manyOf(20)
      yield* leadAll(host, elections)
      yield* TestClock.adjust("1 second")
      for (const election of elections) yield* registerDead(host, election)
      yield* TestClock.adjust("1 minute")
      state.fails = true
      yield* TestClock.adjust("4 minutes")
      assert.deepStrictEqual(evictedFrom(host), [])
      state.fails = false
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(evictedFrom(host).length, 20)
      assert.strictEqual(eventsOf(host, "Lost").length, 0)
    }))

  it.effect("of which one ends while they look go on", () =>
    Effect.gen(function*() {
      const { host, state } = yield* patrolled
      const elections = manyOf(20)
      const led = yield* leadAll(host, elections)
      yield* TestClock.adjust("1 second")
      for (const election of elections) yield* registerDead(host, election)
      state.fails = true
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.interrupt(led[0]!)
      state.fails = false
      yield* TestClock.adjust("175 seconds")
      assert.strictEqual(evictedFrom(host).length, 19)
    }))
})

describe("a candidate whose record was removed", () => {
  onHosts("registers again by itself while it follows", function*(a, b) {
    yield* lead(a, { id: "a" })
    yield* lead(b, { id: "b" })
    yield* a.run(transact(election.unregisterCandidate("b")))
    yield* TestClock.adjust("4 seconds")
    assert.deepStrictEqual(eventsOf(b, "Registered").map(({ again }) => again), [false, true])
    assert.deepStrictEqual(
      (yield* a.run(transact(election.listCandidates))).map(({ processId }) => processId),
      ["a", "b"]
    )
  })

  onHosts("stops while it leads", function*(a, b) {
    const led = yield* lead(a, { id: "a" })
    const key = election.subspace.pack(["candidates", "a"])
    yield* b.run(transact(Effect.flatMap(Transaction, (tx) => tx.clear(key))))
    yield* TestClock.adjust("4 seconds")
    assert.deepInclude(yield* Effect.flip(Fiber.join(led)), { _tag: "LeadershipLost", reason: "evicted" })
  })
})
