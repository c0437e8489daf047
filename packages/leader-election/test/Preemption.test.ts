/** Whoever challenges can lead; and whoever could not, of late, is waited for ever longer. */
import { Bytes, MemoryDatabase } from "@effect-fdb/core"
import * as FdbError from "@effect-fdb/core/FdbError"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Duration, Effect, Exit, Fiber, Layer, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { type Candidacy, ElectionConfig, type ElectionEvent } from "../src/index.ts"
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
import { type Host, makeHosts } from "./support/host.ts"

/** Leads on a host, again and again. */
const leadAgain = (host: Host, candidate: Candidacy.CandidateOptions) =>
  start(host, candidate, undefined, { again: true })

const count = (host: Host, tag: ElectionEvent["_tag"]) => host.events.filter((event) => event._tag === tag).length

const preempted = (host: Host) =>
  host.events.filter((event) => event._tag === "Lost" && event.reason === "preempted").length

const errorOf = <E>(fiber: Fiber.Fiber<unknown, E>) => {
  const exit = fiber.pollUnsafe()
  return exit !== undefined && Exit.isFailure(exit)
    ? Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    : undefined
}

describe("a challenge", () => {
  onHosts("ends the leader's work and tenure, and its challenger is preferred", function*(a, b, c) {
    const log: Array<string> = []
    yield* lead(a, { id: "a", priority: 1 }, logged(log, "a"), { again: true })
    yield* lead(c, { id: "c", priority: 1 }, logged(log, "c"))
    yield* start(b, { id: "b", priority: 2 }, logged(log, "b"))
    yield* TestClock.adjust(0)
    assert.deepStrictEqual(log, ["a begins 1", "a ends", "b begins 2"])
    assert.strictEqual(reasonOf(a), "preempted")
    // What it has read is what it resigns upon.
    assert.strictEqual((yield* a.counts).conflicts, 0)
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* leaderId(a), "b")
    assert.lengthOf(log, 3)
  })

  onHosts(
    "that the leader does not answer lets it renew no more; the challenger leads after its lease",
    function*(a, b) {
      a.watches = false
      yield* lead(a, { id: "a" }, () => Effect.onInterrupt(Effect.never, () => Effect.sleep("1 hour")))
      yield* start(b, { id: "b", priority: 1 })
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(yield* leaderId(b), "b")
      assert.strictEqual(reasonOf(a), "preempted")
      assert.lengthOf(eventsOf(a, "Overrun"), 1)
    }
  )

  onHosts("is answered by its appointment; if it has died, another leads within a heartbeat", function*(a, b, c) {
    yield* lead(a, { id: "a" }, () => Effect.ensuring(Effect.never, Effect.sleep("1 second")))
    yield* lead(c, { id: "c" })
    yield* start(b, { id: "b", priority: 2 })
    yield* TestClock.adjust("100 millis")
    b.connection = "hangs"
    yield* TestClock.adjust("3 seconds")
    assert.strictEqual(yield* leaderId(c), "b")
    yield* TestClock.adjust("1 second")
    assert.strictEqual(yield* leaderId(c), "c")
  })

  onHosts("is not made where preemption is not allowed, nor among equals", function*(a, b, c) {
    yield* lead(a, { id: "a" })
    yield* start(b, { id: "b", priority: 5 })
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* leaderId(c), "a")
    yield* c.run(transact(election.writeConfig(new ElectionConfig({}))))
    yield* TestClock.adjust("1 second")
    assert.strictEqual(yield* leaderId(c), "b")
  }, new ElectionConfig({ allowPreemption: false }))
})

describe("a priority", () => {
  it.effect("that is set while a heartbeat is being committed is shown at once", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ commit: "100 millis" })
      const [a, b] = [make(), make()]
      yield* lead(a, { id: "a", priority: 9 })
      const candidacy = yield* b.run(election.candidacy({ id: "b" }))
      yield* Effect.forkDetach(b.run(candidacy.withLeadership(() => Effect.never)))
      yield* TestClock.adjust("2 seconds")
      const beats = Effect.map(b.counts, ({ commits }) => commits)
      const before = yield* beats
      while ((yield* beats) === before) yield* TestClock.adjust("10 millis")
      yield* candidacy.setPriority(5)
      yield* TestClock.adjust("500 millis")
      const read = yield* Effect.forkChild(b.run(transact(election.getCandidate("b"))))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(Option.getOrThrow(yield* Fiber.join(read)).priority, 5)
    }))

  it.effect("that is set during the registration, or while the tenure begins, is shown at once", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ commit: "100 millis", read: "20 millis" })
      const [a, b] = [make(), make()]
      const priorityOf = Effect.fnUntraced(function*(id: string) {
        const asked = yield* Effect.forkChild(make().run(transact(election.getCandidate(id))))
        yield* TestClock.adjust("200 millis")
        return Option.getOrThrow(yield* Fiber.join(asked)).priority
      })
      const leading = yield* a.run(election.candidacy({ id: "a", priority: 8 }))
      const led = leading.withLeadership(() => Effect.andThen(leading.setPriority(9), Effect.never))
      yield* Effect.forkDetach(a.run(led), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* priorityOf("a"), 9)
      const following = yield* b.run(election.candidacy({ id: "b" }))
      yield* Effect.forkDetach(b.run(following.withLeadership(() => Effect.never)), { startImmediately: true })
      yield* TestClock.adjust("40 millis")
      yield* following.setPriority(5)
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(yield* priorityOf("b"), 5)
    }))

  onHosts("that is set costs a leader one renewal, and a follower no watch", function*(a, b) {
    const leading = yield* a.run(election.candidacy({ id: "a", priority: 9 }))
    const led = yield* Effect.forkDetach(a.run(leading.withLeadership(() => Effect.never)))
    yield* TestClock.adjust("5 seconds")
    yield* a.resetCounts
    yield* leading.setPriority(10)
    yield* TestClock.adjust(0)
    assert.include(yield* a.counts, { commits: 1 })
    const following = yield* b.run(election.candidacy({ id: "b" }))
    yield* Effect.forkDetach(b.run(following.withLeadership(() => Effect.never)))
    yield* TestClock.adjust("1 second")
    yield* following.setPriority(5)
    yield* TestClock.adjust(0)
    yield* Fiber.interrupt(led)
    yield* TestClock.adjust("20 millis")
    assert.strictEqual(yield* leaderId(b), "b")
  })

  onHosts("that is raised preempts, without waiting", function*(a, b) {
    yield* lead(a, { id: "a", priority: 3 })
    const candidacy = yield* b.run(election.candidacy({ id: "b" }))
    yield* Effect.forkDetach(b.run(candidacy.withLeadership(() => Effect.never)))
    yield* TestClock.adjust("1 second")
    assert.strictEqual((yield* Effect.flip(candidacy.setPriority(0.5)))._tag, "InvalidCandidate")
    yield* candidacy.setPriority(4)
    yield* TestClock.adjust(0)
    assert.strictEqual(yield* leaderId(a), "b")
    yield* candidacy.setPriority(5)
    yield* b.resetCounts
    yield* TestClock.adjust("1 minute")
    const { commits } = yield* b.counts
    assert.isTrue(commits > 15 && commits < 30, `${commits} renewals in a minute`)
    const info = Option.getOrThrow(yield* b.run(transact(election.getCandidate("b"))))
    assert.strictEqual(info.priority, 5)
  })

  onHosts("of minus zero is zero", function*(a, b) {
    yield* start(a, { id: "a", priority: -0 })
    yield* TestClock.adjust("10 seconds")
    const candidacy = yield* b.run(election.candidacy({ id: "b", priority: 1 }))
    yield* Effect.forkDetach(b.run(candidacy.withLeadership(() => Effect.never)), { startImmediately: true })
    yield* TestClock.adjust("1 second")
    yield* candidacy.setPriority(-0)
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual(yield* leaderId(b), "b")
    assert.isUndefined(reasonOf(b))
    const info = Option.getOrThrow(yield* b.run(transact(election.getCandidate("b"))))
    assert.isTrue(Object.is(info.priority, 0))
  })
})

describe("a candidate of higher priority that cannot lead", () => {
  const shorter = new ElectionConfig({
    leaseDuration: Duration.seconds(2),
    heartbeatInterval: Duration.millis(500),
    candidateTimeout: Duration.seconds(4)
  })

  it.effect("for its margin does not fit a shortened lease, does not depose who leads", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({})
      const [a, b] = [make(), make()]
      yield* leadAgain(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      const candidacy = yield* b.run(election.candidacy({ id: "b", priority: -1, safetyMargin: "3 seconds" }))
      const campaign = yield* Effect.forkDetach(b.run(Effect.scoped(candidacy.campaign)))
      yield* TestClock.adjust("5 seconds")
      yield* a.run(transact(election.writeConfig(shorter)))
      yield* TestClock.adjust("5 seconds")
      yield* b.run(candidacy.setPriority(5))
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(errorOf(campaign), { _tag: "InvalidCandidate", field: "safetyMargin" })
      assert.strictEqual(count(a, "Lost") + count(b, "Challenged"), 0)
    }))

  for (
    const [what, safetyMargin] of [
      ["is as long as the lease", () => Duration.seconds(10)],
      ["is not a span of time", () => Duration.infinity],
      ["is negative", () => Duration.seconds(-1)],
      ["cannot be computed", (): Duration.Duration => {
        throw new Error("no margin")
      }]
    ] as const
  ) {
    it.effect(`for its margin ${what}, neither registers nor challenges, however often it tries`, () =>
      Effect.gen(function*() {
        const make = yield* distantHosts({})
        const [a, b] = [make(), make()]
        yield* leadAgain(a, { id: "a" })
        yield* TestClock.adjust("1 second")
        const scope = yield* Scope.make()
        const singleton = election.singleton({ id: "b", priority: 5, safetyMargin }, Effect.never)
        yield* b.run(Layer.buildWithScope(singleton, scope))
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual([count(a, "Lost"), count(b, "Challenged"), count(b, "Registered")], [0, 0, 0])
        yield* Scope.close(scope, Exit.void)
      }))
  }
})

describe("a candidate of higher priority whose clock no record can hold", () => {
  for (
    const [when, millis] of [
      ["before 1970", -1],
      ["so late that only the end of a lease cannot be recorded", 9_223_372_036_854 - 5_000],
      ["after 2262", 9_250_000_000_000]
    ] as const
  ) {
    it.effect(`for it is ${when}, does not challenge`, () =>
      Effect.gen(function*() {
        const make = yield* distantHosts({})
        const [a, b] = [make(), make()]
        yield* leadAgain(a, { id: "a" })
        yield* TestClock.adjust("1 second")
        const candidacy = yield* b.run(election.candidacy({ id: "b", priority: -1 }))
        const campaign = yield* Effect.forkDetach(b.run(Effect.scoped(candidacy.campaign)))
        yield* TestClock.adjust("5 seconds")
        b.wallOffset = millis - (yield* Clock.currentTimeMillis)
        yield* b.run(candidacy.setPriority(5))
        yield* TestClock.adjust("2 seconds")
        assert.deepInclude(errorOf(campaign), { _tag: "ClockOutOfRange" })
        assert.strictEqual(count(a, "Lost") + count(b, "Challenged"), 0)
      }))
  }
})

describe("a release of higher priority that fails at once", () => {
  /** How often it has preempted "old" within an hour. */
  const preemptionsInAnHour = (crash: (make: () => Host) => Effect.Effect<void>) =>
    Effect.gen(function*() {
      const make = yield* distantHosts({})
      const old = make()
      yield* leadAgain(old, { id: "old" })
      yield* TestClock.adjust("1 second")
      yield* Effect.forkDetach(crash(make))
      yield* TestClock.adjust("1 hour")
      return preempted(old)
    })

  /** A process that is killed some time after it was elected, and what becomes of its connection. */
  const killed = (host: Host, id: string) =>
    Effect.gen(function*() {
      const elected = Effect.gen(function*() {
        while (count(host, "Elected") === 0) yield* Effect.sleep("1 second")
      })
      const process = yield* leadAgain(host, { id, priority: 5 })
      yield* elected
      host.connection = { failsWith: 1025 }
      yield* Effect.forkDetach(Fiber.interrupt(process))
      yield* Effect.sleep("2 seconds")
    })

  it.effect("deposes the old one ever more seldom, where its work fails", () =>
    Effect.gen(function*() {
      const times = yield* preemptionsInAnHour((make) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          const work = Effect.andThen(Effect.sleep("1 second"), Effect.fail("crash"))
          yield* make().run(Layer.buildWithScope(election.singleton({ id: "new", priority: 5 }, work), scope)).pipe(
            Effect.orDie
          )
        })
      )
      assert.isAtLeast(times, 5)
      assert.isAtMost(times, 15)
    }))

  it.effect("deposes the old one ever more seldom, where its margin leaves it next to nothing of the lease", () =>
    Effect.gen(function*() {
      const times = yield* preemptionsInAnHour((make) =>
        Effect.asVoid(
          leadAgain(make(), {
            id: "new",
            priority: 5,
            safetyMargin: (lease) => Duration.subtract(lease, Duration.millis(1))
          })
        )
      )
      assert.isAtLeast(times, 5)
      assert.isAtMost(times, 15)
    }))

  for (
    const [what, idOf] of [
      ["under its id", () => "new"],
      ["under another id each time", (n: number) => `new-${n}`]
    ] as const
  ) {
    it.effect(`deposes the old one ever more seldom, where its process is killed and comes back ${what}`, () =>
      Effect.gen(function*() {
        const times = yield* preemptionsInAnHour((make) =>
          Effect.gen(function*() {
            for (let n = 0;; n++) yield* killed(make(), idOf(n))
          })
        )
        assert.isAtLeast(times, 4)
        assert.isAtMost(times, 15)
      }))
  }

  it.effect("has a successor that is waited for as long, and then leads; what comes after that does not wait", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({})
      const [old, good, later] = [make(), make(), make()]
      yield* leadAgain(old, { id: "old" })
      yield* TestClock.adjust("1 second")
      const crashing = yield* Effect.forkDetach(Effect.gen(function*() {
        // The old one takes over each time: the next one comes after that.
        for (let n = 0; n < 3; n++) yield* Effect.andThen(killed(make(), "bad"), Effect.sleep("15 seconds"))
      }))
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.join(crashing)
      assert.strictEqual(yield* leaderId(old), "old")
      yield* leadAgain(good, { id: "good", priority: 6 })
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* leaderId(old), "old")
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* leaderId(old), "good")
      yield* TestClock.adjust("1 minute")
      yield* leadAgain(later, { id: "later", priority: 7 })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* leaderId(old), "later")
    }))

  it.effect("takes a vacancy all the same, at once", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({})
      const [old, again] = [make(), make()]
      const fiber = yield* leadAgain(old, { id: "old" })
      yield* TestClock.adjust("1 second")
      const crashing = yield* Effect.forkDetach(Effect.gen(function*() {
        // The old one takes over each time: the next one comes after that.
        for (let n = 0; n < 3; n++) yield* Effect.andThen(killed(make(), "bad"), Effect.sleep("15 seconds"))
      }))
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.join(crashing)
      yield* leadAgain(again, { id: "bad", priority: 5 })
      yield* TestClock.adjust("1 second")
      yield* Effect.forkDetach(Fiber.interrupt(fiber))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* leaderId(old), "bad")
    }))
})

describe("a challenge that conflicts with renewals", () => {
  it.effect("does not read the history again: it would be in the way of ever more of them", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      let readings = 0
      let refusals = 0
      const make = yield* makeHosts(
        {},
        Effect.map(MemoryDatabase.makeEngine, (engine) => ({
          ...engine,
          begin: (options) => {
            const transaction = engine.begin(options)
            return {
              ...transaction,
              getPage: (begin, end, page) => {
                if (Bytes.toPrintable(begin.key).includes("history")) readings++
                return transaction.getPage(begin, end, page)
              },
              commit: Effect.suspend(() =>
                readings > 0 && refusals < 4
                  ? Effect.andThen(Effect.sync(() => void refusals++), Effect.fail(FdbError.make(1020, "commit")))
                  : transaction.commit
              )
            }
          }
        }))
      )
      const [a, b] = [make(), make()]
      yield* leadAgain(a, { id: "a" })
      yield* TestClock.adjust("1 minute")
      yield* leadAgain(b, { id: "b", priority: 5 })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* leaderId(b), "b")
      assert.deepStrictEqual([readings, refusals], [1, 4])
    }))
})
