import { Database, type InstrumentedEngine, MemoryDatabase, Subspace, Transaction } from "@effect-fdb/core"
import { databaseReplaced } from "@effect-fdb/core/FdbError"
import { assert, describe, it } from "@effect/vitest"
import {
  Clock,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Metric,
  Option,
  Scheduler,
  Scope,
  Stream
} from "effect"
import { TestClock } from "effect/testing"
import {
  type Candidacy,
  CandidateSuperseded,
  ElectionConfig,
  type ElectionEvent,
  ElectionObserver,
  LeaderElection,
  type Leadership,
  type LossReason
} from "../src/index.ts"
import { type Host, makeHosts } from "./support/host.ts"
import { LastFirst } from "./support/LastFirst.ts"

const election = LeaderElection.make(Subspace.fromTuple(["app", "election"]))
const counter = Subspace.fromTuple(["app", "counter"]).prefix

const seconds = (n: number) => Duration.seconds(n)
const transact = <A, E>(body: Effect.Effect<A, E, Transaction>) => Database.transact(body)

/** Two hosts or more, on an election with the default configuration. */
const hosts = Effect.fnUntraced(function*(count: number, config = new ElectionConfig({})) {
  yield* TestClock.adjust(0)
  const make = yield* makeHosts()
  const made: Array<Host> = []
  for (let i = 0; i < count; i++) made.push(make())
  yield* made[0]!.run(transact(election.initialize(config)))
  return made as [Host, Host, Host]
})

/** As many hosts as wanted that are some way from their database, on an election with the default configuration. */
const distantHosts = Effect.fnUntraced(function*(latencies: InstrumentedEngine.Latencies) {
  yield* TestClock.adjust(0)
  const make = yield* makeHosts(latencies)
  const initialized = yield* Effect.forkChild(make().run(transact(election.initialize())))
  yield* TestClock.adjust("1 second")
  yield* Fiber.join(initialized)
  return make
})

const eventsOf = <Tag extends ElectionEvent["_tag"]>(host: Host, tag: Tag) =>
  host.events.filter((event): event is Extract<ElectionEvent, { _tag: Tag }> => event._tag === tag)

const reasonOf = (host: Host): LossReason | undefined => eventsOf(host, "Lost")[0]?.reason

/** Leads until it is interrupted, and tells when it begins and ends. */
const reign = (log: Array<string>, name: string) => (leadership: Leadership) =>
  Effect.andThen(
    Effect.sync(() => void log.push(`${name} begins ${leadership.term}`)),
    Effect.ensuring(Effect.never, Effect.sync(() => void log.push(`${name} ends`)))
  )

const start = <E = never>(
  host: Host,
  candidate: Candidacy.CandidateOptions,
  work: (leadership: Leadership) => Effect.Effect<void, E> = () => Effect.never,
  options?: Candidacy.LeadOptions
) => Effect.forkDetach(host.run(election.withLeadership(candidate, work, options)), { startImmediately: true })

const leaderId = (host: Host) =>
  Effect.map(Effect.orDie(host.run(transact(election.getLeaderRaw))), (state) => Option.getOrUndefined(state)?.leaderId)

describe("a leadership", () => {
  it.effect("begins at once where the leadership is vacant, and is resigned when the work ends", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const result = yield* a.run(election.withLeadership({ id: "a" }, ({ term }) => Effect.succeed(term)))
      assert.strictEqual(result, 1n)
      assert.isUndefined(yield* leaderId(b))
      assert.deepStrictEqual(yield* b.run(transact(election.listCandidates)), [])
    }))

  it.effect("is resigned when its fiber is interrupted, and a follower leads without any time passing", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const first = yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* leaderId(b), "a")
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* leaderId(b), "b")
      assert.strictEqual(eventsOf(b, "Elected")[0]?.cause, "Vacant")
    }))

  it.effect("gives its state, ballots growing, its term constant", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const states = yield* a.run(election.withLeadership({ id: "a", priority: 7 }, (leadership) =>
        Effect.forEach([0, 1, 2], () =>
          Effect.andThen(Effect.sleep("4 seconds"), leadership.state)))).pipe(Effect.forkChild)
      yield* TestClock.adjust("30 seconds")
      const [first, second, third] = yield* Fiber.join(states)
      assert.isTrue(first!.ballot < second!.ballot && second!.ballot < third!.ballot)
      assert.deepStrictEqual([first!.term, third!.term, first!.priority], [1n, 1n, 7])
    }))

  it.effect("outlives many leases while it is renewed", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* leaderId(b), "a")
      assert.lengthOf(eventsOf(b, "Elected"), 0)
    }))

  it.effect("lets its work set the test clock", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      yield* transact(election.initialize())
      const [term, held] = yield* election.withLeadership({ id: "a" }, ({ isHeld, term }) =>
        Effect.andThen(
          TestClock.adjust("1 minute"),
          Effect.map(isHeld, (held) => [term, held] as const)
        ))
      assert.deepStrictEqual([term, held], [1n, true])
    }).pipe(Effect.provide(MemoryDatabase.layer)))

  it.effect("fails the work's own way, and is resigned then too", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const failed = yield* a.run(election.withLeadership({ id: "a" }, () => Effect.fail("own" as const))).pipe(
        Effect.flip
      )
      assert.strictEqual(failed, "own")
      const died = yield* a.run(election.withLeadership({ id: "a" }, () => Effect.die("defect"))).pipe(Effect.exit)
      assert.isTrue(Exit.hasDies(died))
      assert.isUndefined(yield* leaderId(a))
    }))
})

describe("rule 2: a renewal is of one very tenure", () => {
  it.effect("a leader whose tenure was replaced stops, and does not renew the other's", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const log: Array<string> = []
      const led = yield* start(a, { id: "a" }, reign(log, "a"))
      yield* TestClock.adjust("1 second")
      yield* Effect.flatten(b.run(transact(election.registerCandidate("b", 9))))
      const taken = Option.getOrThrow(yield* b.run(transact(election.tryClaimLeadership("b", 9))))
      yield* TestClock.adjust(0)
      const lost = yield* Effect.flip(Fiber.join(led))
      assert.deepInclude(lost, { _tag: "LeadershipLost", reason: "Replaced", term: 1n })
      assert.deepStrictEqual(log, ["a begins 1", "a ends"])
      assert.deepStrictEqual(Option.getOrThrow(yield* b.run(transact(election.getLeaderRaw))), taken)
    }))
})

describe("rule 3: a leader believes until the start of its last confirmed attempt, plus lease, less margin", () => {
  it.effect("its work is interrupted at that instant, while a call hangs", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      let endedAt: bigint | undefined
      yield* start(a, { id: "a" }, () =>
        Effect.ensuring(
          Effect.never,
          Effect.clockWith((clock) => Effect.sync(() => void (endedAt = clock.monotonicTimeNanosUnsafe())))
        ))
      yield* TestClock.adjust("5 seconds")
      a.connection = "hangs"
      yield* TestClock.adjust("1 minute")
      // The wall clock is read in whole milliseconds, and the more pessimistic of the two wins.
      const late = endedAt! - eventsOf(a, "Renewed").at(-1)!.believesUntil
      assert.isTrue(late > -1_100_000n && late < 1000n, `${late} ns late`)
      assert.strictEqual(reasonOf(a), "Expired")
    }))

  for (const code of [1007, 1009, 1020, 1021, 1031, 1037]) {
    it.effect(`renewals that fail with ${code} are tried again until then, and no longer`, () =>
      Effect.gen(function*() {
        const [a] = yield* hosts(1)
        const led = yield* start(a, { id: "a" })
        yield* TestClock.adjust("1 second")
        a.connection = { failsWith: code }
        yield* TestClock.adjust("6 seconds")
        assert.isTrue(eventsOf(a, "RenewalFailed").length > 1)
        a.connection = "up"
        yield* TestClock.adjust("6 seconds")
        assert.isUndefined(led.pollUnsafe())
        a.connection = { failsWith: code }
        yield* TestClock.adjust("20 seconds")
        assert.strictEqual((yield* Effect.flip(Fiber.join(led)))._tag, "LeadershipLost")
        assert.strictEqual(reasonOf(a), "Expired")
      }))
  }

  for (const code of [databaseReplaced, 2102]) {
    it.effect(`a renewal that fails with ${code}, for good, ends it at once; and the next campaign`, () =>
      Effect.gen(function*() {
        const [a] = yield* hosts(1)
        const led = yield* start(a, { id: "a" }, undefined, { again: true })
        yield* TestClock.adjust("1 second")
        a.connection = { failsWith: code }
        yield* TestClock.adjust("4 seconds")
        assert.strictEqual(reasonOf(a), "Broken")
        const error = yield* Effect.flip(Fiber.join(led))
        assert.isTrue(error._tag === "FdbError" && error.code === code)
      }))
  }

  it.effect("a wall clock that jumps past that span ends it, though the monotonic clock stands still", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("500 millis")
      a.wallOffset = 60_000
      yield* TestClock.adjust("1 second")
      assert.strictEqual(reasonOf(a), "ClockJumped")
    }))

  for (const safetyMargin of [0, 1]) {
    it.effect(`a margin of ${safetyMargin} ms does not make it look at its clocks without a pause`, () =>
      Effect.gen(function*() {
        const [a] = yield* hosts(1)
        yield* start(a, { id: "a", safetyMargin })
        yield* TestClock.adjust("2 seconds")
        a.looks = 0
        yield* TestClock.adjust("1 minute")
        assert.isTrue(a.looks > 100 && a.looks < 10_000, `${a.looks} looks`)
        a.wallOffset = 60_000
        yield* TestClock.adjust("150 millis")
        assert.strictEqual(reasonOf(a), "ClockJumped")
      }))
  }

  it.effect("a wall clock that is set back costs nothing", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      // A time before 1970 is another matter.
      yield* TestClock.adjust("1 day")
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("10 seconds")
      a.wallOffset = -3_600_000
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(reasonOf(a))
    }))

  it.effect("its work does not go on after a sleep through which it has ended", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const steps: Array<bigint> = []
      yield* start(a, { id: "a" }, () =>
        Effect.gen(function*() {
          while (true) {
            yield* Effect.sleep("10 millis")
            steps.push((yield* Effect.clockWith((clock) => clock.monotonicTimeNanos)) / 1_000_000n)
          }
        }))
      yield* TestClock.adjust("100 millis")
      const before = steps.length
      // Frozen: both clocks go on, and every timer that is due goes off at once.
      a.wallOffset = 3_600_000
      yield* TestClock.adjust("10 millis")
      assert.strictEqual(steps.length, before)
      assert.strictEqual(reasonOf(a), "ClockJumped")
    }))

  it.effect("nor does it where the scheduler lets whoever waits for the loss go on last", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      let steps = 0
      const step = Effect.andThen(Effect.sleep("10 millis"), Effect.sync(() => void steps++))
      yield* Effect.provideService(
        start(a, { id: "a" }, () => Effect.forever(step)),
        Scheduler.Scheduler,
        new LastFirst()
      )
      yield* Effect.repeat(TestClock.adjust("10 millis"), { until: () => steps > 5 })
      const before = steps
      a.wallOffset = 3_600_000
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(steps, before)
      assert.strictEqual(reasonOf(a), "ClockJumped")
    }))

  it.effect("nor does that of a fiber that the work has forked", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      let steps = 0
      const step = Effect.andThen(Effect.sleep("10 millis"), Effect.sync(() => void steps++))
      yield* start(a, { id: "a" }, () => Effect.andThen(Effect.forkChild(Effect.forever(step)), Effect.never))
      yield* TestClock.adjust("100 millis")
      const before = steps
      assert.isTrue(before > 5)
      a.wallOffset = 60_000
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(steps, before)
    }))

  it.effect("a lease that is made shorter shortens the belief before the renewal is confirmed", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      a.watches = false
      // The renewal that brings the shorter lease is committed, and its confirmation is lost.
      yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("2 seconds"))))
      yield* TestClock.adjust(0)
      const renewed = eventsOf(a, "Renewed").at(-1)
      assert.deepInclude(renewed, { path: "full" })
      assert.strictEqual(renewed?.believesUntil, 1_000_000_000n + 1_800_000_000n)
    }))

  it.effect("the loss is told, measured and logged before what follows from it", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const lines: Array<string> = []
      const logger = Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])
      let leadership: Leadership | undefined
      const led = a.run(election.withLeadership({ id: "gauged" }, (given) => {
        leadership = given
        return Effect.never
      }, { again: true }))
      yield* Effect.forkDetach(Effect.provide(led, logger), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      a.wallOffset = 60_000
      assert.isFalse(yield* Effect.provide(leadership!.isHeld, logger))
      yield* TestClock.adjust("1 second")
      assert.isTrue(yield* leadership!.isHeld)
      const isLeading = (yield* Metric.snapshot).find(({ attributes, id }) =>
        id === "fdb_election_leading" && attributes?.["candidate"] === "gauged"
      )
      assert.deepInclude(isLeading?.state, { value: 1 })
      const [lost, resigned] = ["lost", "resigned"].map((what) => lines.findIndex((line) => line.includes(what)))
      assert.isAtLeast(lost!, 0)
      assert.isBelow(lost!, resigned!)
    }))

  it.effect("an observer that interrupts it at once is told of its end as well", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const tags: Array<string> = []
      let fiber: Fiber.Fiber<unknown, unknown> | undefined
      const campaign = Effect.scoped(Effect.andThen(election.campaign({ id: "a" }), Effect.never))
      fiber = yield* Effect.forkDetach(a.run(Effect.provideService(campaign, ElectionObserver, ({ _tag }) => {
        tags.push(_tag)
        if (_tag === "Elected") fiber?.interruptUnsafe()
      })))
      yield* TestClock.adjust("1 second")
      yield* Fiber.await(fiber)
      assert.deepStrictEqual(tags, ["Registered", "Elected", "Lost", "Resigned"])
    }))

  it.effect("is not renewed any more once it was given up, though the database comes back only then", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const go = yield* Deferred.make<void>()
      const ballot = Effect.map(
        Effect.orDie(b.run(transact(election.getLeaderRaw))),
        (leader) => Option.getOrThrow(leader).ballot
      )
      yield* start(a, { id: "a" }, ({ resign }) => {
        a.connection = "hangs"
        return Effect.onInterrupt(
          Effect.andThen(Deferred.await(go), Effect.andThen(resign, Effect.never)),
          () => Effect.sleep("30 seconds")
        )
      })
      yield* TestClock.adjust("1 second")
      yield* Deferred.succeed(go, undefined)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(reasonOf(a), "Resigned")
      const before = yield* ballot
      a.connection = "up"
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* ballot, before)
    }))

  it.effect("an observer that throws neither ends it nor keeps its work going", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const log: Array<string> = []
      const boom = () => {
        throw new Error("an observer's own")
      }
      yield* Effect.forkDetach(
        a.run(Effect.provideService(election.withLeadership({ id: "a" }, reign(log, "a")), ElectionObserver, boom)),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["a begins 1"])
      a.connection = "hangs"
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(log, ["a begins 1", "a ends"])
    }))
})

describe("a safety margin", () => {
  it.effect("may be a function of the lease in force, which operators may change", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const safetyMargin = (lease: Duration.Duration) => Duration.divideUnsafe(lease, 2)
      yield* start(a, { id: "a", safetyMargin })
      yield* TestClock.adjust("1 second")
      yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("4 seconds"))))
      yield* TestClock.adjust("10 seconds")
      assert.isUndefined(reasonOf(a))
      const now = yield* Clock.monotonicTimeNanos
      a.connection = "hangs"
      const { believesUntil, leaseDuration } = eventsOf(a, "Renewed").at(-1)!
      assert.strictEqual(Duration.toSeconds(leaseDuration), 4)
      assert.isAtMost(Number(believesUntil - now), 2e9)
      yield* TestClock.adjust(Duration.nanos(believesUntil - now))
      assert.strictEqual(reasonOf(a), "Expired")
    }))

  it.effect("that is none for a lease which is made shorter ends the tenure, and lets nobody believe past that lease", () =>
    Effect.gen(function*() {
      for (const margin of [Duration.seconds(-3), Duration.infinity]) {
        const [a, b] = yield* hosts(2)
        const acts: Array<string> = []
        const act = (name: string) => () =>
          Effect.forever(Effect.andThen(Effect.sleep("100 millis"), Effect.sync(() => void acts.push(name))))
        const safetyMargin = (lease: Duration.Duration) => Duration.toSeconds(lease) < 5 ? margin : seconds(1)
        yield* start(a, { id: "a", safetyMargin }, act("a"))
        yield* TestClock.adjust("1 second")
        yield* start(b, { id: "b" }, act("b"))
        yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("2 seconds"))))
        yield* TestClock.adjust("1 second")
        a.connection = "hangs"
        yield* TestClock.adjust("10 seconds")
        assert.match(acts.join(""), /^a+b+$/)
      }
    }))

  it.effect("has to be below the lease, whatever a function says", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      for (const margin of [seconds(10), Duration.infinity, Duration.negate(seconds(1))]) {
        const error = yield* Effect.flip(
          a.run(election.withLeadership({ id: "a", safetyMargin: () => margin }, () => Effect.void))
        )
        assert.include(error, { _tag: "InvalidCandidate", field: "safetyMargin" })
      }
      assert.isUndefined(yield* leaderId(a))
    }))
})

describe("rule 3, at the beginning", () => {
  it.effect("a claim whose commit took longer than its lease is no leadership; it campaigns again", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const make = yield* makeHosts({ commit: "2 seconds" })
      const a = make()
      const initialized = yield* Effect.forkChild(a.run(transact(election.initialize())))
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(initialized)
      const log: Array<string> = []
      yield* start(a, { id: "a" }, reign(log, "a"))
      yield* TestClock.adjust("2500 millis")
      // The host was suspended while the claim was under way.
      a.wallOffset = 60_000
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(log, [])
      assert.strictEqual(reasonOf(a), "ClockJumped")
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(log, ["a begins 2"])
    }))
})

describe("rule 4: a follower takes over what it has seen unchanged for a lease", () => {
  it.effect("not before, whatever its wall clock says, and then at once", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      b.wallOffset = 3_600_000
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("20 seconds")
      a.connection = "hangs"
      const lastRenewal = eventsOf(a, "Renewed").at(-1)!
      yield* TestClock.adjust("1 minute")
      const elected = eventsOf(b, "Elected")[0]!
      assert.strictEqual(elected.cause, "Lapsed")
      const electedAt = elected.believesUntil - 9_000_000_000n
      const attempt = lastRenewal.believesUntil - 9_000_000_000n
      assert.isTrue(electedAt >= attempt + 10_000_000_000n, "not before the lease had lapsed")
      assert.isTrue(electedAt <= attempt + 13_500_000_000n, "soon after")
      assert.isTrue(electedAt > lastRenewal.believesUntil, "no overlap")
    }))

  it.effect("a leader that comes back in time is not deposed", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" })
      for (let i = 0; i < 20; i++) {
        yield* TestClock.adjust("10 seconds")
        a.connection = "hangs"
        yield* TestClock.adjust("4 seconds")
        a.connection = "up"
      }
      assert.strictEqual(yield* leaderId(b), "a")
      assert.lengthOf(eventsOf(b, "Elected"), 0)
    }))
})

describe("rule 5: what is not a vacancy", () => {
  it.effect("a record that does not decode fails the campaign, and names the key", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const key = election.subspace.pack(["leader"])
      yield* a.run(transact(Effect.flatMap(Transaction, (tx) => tx.set(key, Uint8Array.of(0xff)))))
      const error = yield* a.run(Effect.scoped(election.campaign({ id: "a" }))).pipe(Effect.flip)
      assert.strictEqual(error._tag, "InvalidState")
      assert.include(error.message, "leader")
    }))

  it.effect("a leader whose records are damaged stops at its deadline, and says why", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      const key = election.subspace.pack(["lease"])
      yield* a.run(transact(Effect.flatMap(Transaction, (tx) => tx.set(key, Uint8Array.of(0xff)))))
      yield* TestClock.adjust("7 seconds")
      assert.isUndefined(reasonOf(a))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(reasonOf(a), "Broken")
    }))
})

describe("a work that is led from where nothing can be interrupted", () => {
  it.effect("is interrupted all the same when its lease cannot be renewed", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const acts: Array<string> = []
      const act = (name: string) => () =>
        Effect.forever(Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => void acts.push(name))))
      const led = a.run(election.withLeadership({ id: "a" }, act("a")))
      yield* Effect.forkDetach(Effect.uninterruptible(led), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" }, act("b"))
      a.connection = "hangs"
      yield* TestClock.adjust("1 minute")
      assert.match(acts.join(""), /^a+b+$/)
    }))

  it.effect("ends when it is asked to step down, also as the acquisition of a resource", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const led = election.withLeadership({ id: "a" }, () => Effect.never)
      const fiber = yield* Effect.forkDetach(a.run(Effect.scoped(Effect.acquireRelease(led, () => Effect.void))), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      yield* b.run(transact(election.requestStepDown))
      yield* TestClock.adjust("1 second")
      assert.include(yield* Effect.flip(Fiber.join(fiber)), { _tag: "LeadershipLost", reason: "StepDownRequested" })
    }))
})

describe("rule 6: the order at the end of a tenure", () => {
  it.effect("loss, then the work's finalizers, then the resignation, then the next campaign", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const order: Array<string> = []
      const note = (what: string) => Effect.sync(() => void order.push(what))
      yield* start(
        a,
        { id: "a" },
        ({ term }) =>
          Effect.ensuring(
            Effect.andThen(note(`work ${term}`), Effect.never),
            Effect.gen(function*() {
              yield* note(`stored leader while finalizing: ${yield* leaderId(b)}`)
              yield* Effect.sleep("500 millis")
              yield* note(`stored leader when finalized: ${yield* leaderId(b)}`)
            })
          ),
        { again: true }
      )
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" }, ({ term }) => Effect.andThen(note(`successor ${term}`), Effect.never))
      yield* TestClock.adjust("1 second")
      yield* b.run(transact(election.requestStepDown))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(order, [
        "work 1",
        "stored leader while finalizing: a",
        "stored leader when finalized: a",
        "successor 2"
      ])
      assert.deepStrictEqual(a.events.map((event) => event._tag), [
        "Registered",
        "Elected",
        "Lost",
        "Resigned",
        "Following"
      ])
    }))

  it.effect("renewals go on while the finalizers of a work that ended by itself run", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      yield* start(a, { id: "a" }, () => Effect.ensuring(Effect.void, Effect.sleep("1 minute")))
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual(yield* leaderId(b), "a")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* leaderId(b), "b")
    }))

  it.effect("the loss of another election's leadership within the work is the work's own failure", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const inner = LeaderElection.make(Subspace.fromTuple(["app", "inner"]))
      yield* a.run(transact(inner.initialize()))
      const led = yield* start(
        a,
        { id: "a" },
        // Of the same id and term.
        () =>
          Effect.provideService(
            inner.withLeadership({ id: "a" }, ({ resign }) => Effect.andThen(resign, Effect.never)),
            Database,
            a.database
          ),
        { again: true }
      )
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* Effect.flip(Fiber.join(led)), { _tag: "LeadershipLost", reason: "Resigned" })
    }))

  it.effect("finalizers that set themselves a timeout, or wait for a fiber of the work, come to their end", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const order: Array<string> = []
      const led = yield* start(a, { id: "a" }, () =>
        Effect.gen(function*() {
          const stopping = yield* Deferred.make<void>()
          const poller = yield* Effect.forkChild(
            Effect.repeat(Effect.sleep("1 second"), { until: () => Deferred.isDone(stopping) })
          )
          return yield* Effect.ensuring(
            Effect.never,
            Effect.gen(function*() {
              yield* Deferred.succeed(stopping, undefined)
              yield* Fiber.await(poller)
              order.push("poller has ended")
              yield* Effect.timeoutOption(Effect.never, "200 millis")
              order.push("given up")
              yield* Effect.timeoutOption(Effect.sleep("100 millis"), "1 second")
              order.push("drained")
            })
          )
        }))
      yield* TestClock.adjust("1500 millis")
      yield* a.run(transact(election.requestStepDown))
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(order, ["poller has ended", "given up", "drained"])
      assert.strictEqual((yield* Effect.flip(Fiber.join(led)))._tag, "LeadershipLost")
      assert.isUndefined(yield* leaderId(a))
    }))

  it.effect("what a finalizer of the work dies of is told, whatever has ended the work", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      for (const again of [false, true]) {
        const broken = () => Effect.onInterrupt(Effect.never, () => Effect.die("a broken finalizer"))
        const lost = yield* start(a, { id: "a" }, broken, { again })
        yield* TestClock.adjust("10 seconds")
        yield* a.run(transact(election.requestStepDown))
        yield* TestClock.adjust("1 second")
        assert.isTrue(Exit.hasDies(yield* Fiber.await(lost)))
        const interrupted = yield* start(a, { id: "b" }, broken, { again })
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.interrupt(interrupted)
        assert.isTrue(Exit.hasDies(yield* Fiber.await(interrupted)))
      }
    }))

  it.effect("a work that goes on past its lease is reported, and fenced", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      let guarded: string | undefined
      const led = yield* start(a, { id: "a" }, (leadership) =>
        Effect.never.pipe(
          Effect.onInterrupt(() => Effect.sleep("30 seconds")),
          Effect.onInterrupt(() =>
            leadership.guard(Effect.flatMap(Transaction, (tx) => tx.set(counter, Uint8Array.of(1)))).pipe(
              Effect.match({
                onFailure: (error) => void (guarded = error._tag),
                onSuccess: () => void (guarded = "committed")
              })
            )
          )
        ))
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("1 second")
      a.connection = "hangs"
      yield* TestClock.adjust("15 seconds")
      a.connection = "up"
      yield* TestClock.adjust("1 minute")
      const lost = yield* Effect.flip(Fiber.join(led))
      assert.strictEqual(guarded, "LeadershipLost")
      assert.lengthOf(eventsOf(a, "Overrun"), 1)
      assert.strictEqual(lost._tag, "LeadershipLost")
      assert.isTrue("overran" in lost && Duration.isGreaterThan(lost.overran!, seconds(20)))
      assert.strictEqual(yield* leaderId(b), "b")
    }))

  it.effect("a work that ends in time is not reported, however long its resignation takes", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      a.connection = "hangs"
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(reasonOf(a), "Expired")
      assert.lengthOf(eventsOf(a, "Overrun"), 0)
    }))

  it.effect("resigning under withLeadership interrupts the work first; under campaign it is written at once", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const lost = yield* a.run(
        election.withLeadership({ id: "a" }, ({ resign }) => Effect.andThen(resign, Effect.never))
      ).pipe(Effect.flip)
      assert.deepInclude(lost, { _tag: "LeadershipLost", reason: "Resigned" })
      yield* Effect.scoped(Effect.gen(function*() {
        const leadership = yield* a.run(election.campaign({ id: "a" }))
        assert.strictEqual(yield* leaderId(b), "a")
        yield* leadership.resign
        assert.isUndefined(yield* leaderId(b))
        assert.isFalse(yield* leadership.isHeld)
        assert.strictEqual((yield* leadership.lost).reason, "Resigned")
      }))
    }))

  it.effect("a leader whose lease has run out still resigns, so that nobody has to wait", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      a.connection = { failsWith: 1007 }
      yield* TestClock.adjust("7500 millis")
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("600 millis")
      assert.strictEqual(reasonOf(a), "Expired")
      a.connection = "up"
      yield* TestClock.adjust("100 millis")
      assert.lengthOf(eventsOf(a, "Resigned"), 1)
      assert.strictEqual(yield* leaderId(b), "b")
    }))
})

describe("rule 7: preemption", () => {
  it.effect("is graceful: the leader stops, resigns, and the challenger is preferred", () =>
    Effect.gen(function*() {
      const [a, b, c] = yield* hosts(3)
      const log: Array<string> = []
      yield* start(a, { id: "a", priority: 1 }, reign(log, "a"), { again: true })
      yield* TestClock.adjust("1 second")
      yield* start(c, { id: "c", priority: 1 }, reign(log, "c"))
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b", priority: 2 }, reign(log, "b"))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(log, ["a begins 1", "a ends", "b begins 2"])
      assert.strictEqual(reasonOf(a), "Preempted")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* leaderId(a), "b")
      assert.lengthOf(log, 3)
    }))

  it.effect("a leader that does not answer cannot renew; the challenger leads after its lease", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      a.watches = false
      yield* start(a, { id: "a" }, () => Effect.onInterrupt(Effect.never, () => Effect.sleep("1 hour")))
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b", priority: 1 })
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(yield* leaderId(b), "b")
      assert.strictEqual(reasonOf(a), "Preempted")
      assert.lengthOf(eventsOf(a, "Overrun"), 1)
    }))

  it.effect("a follower whose watch was lost sets it again once it has found that leadership moved", () =>
    Effect.gen(function*() {
      const [a, b, c] = yield* hosts(3)
      const first = yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      c.watches = false
      yield* start(c, { id: "c" })
      const second = yield* start(b, { id: "b" })
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("10 millis")
      assert.strictEqual(yield* leaderId(b), "b")
      c.watches = true
      yield* TestClock.adjust("9 seconds")
      yield* Fiber.interrupt(second)
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* leaderId(c), "c")
    }))

  it.effect("with the very look that has found it", () =>
    Effect.gen(function*() {
      const [a, b, c] = yield* hosts(3)
      const first = yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      c.watches = false
      yield* start(c, { id: "c" })
      yield* TestClock.adjust("10 millis")
      c.watches = true
      const second = yield* start(b, { id: "b" })
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("20 millis")
      assert.strictEqual(yield* leaderId(b), "b")
      const { readOnlyCommits } = yield* c.counts
      while ((yield* c.counts).readOnlyCommits === readOnlyCommits) yield* TestClock.adjust("10 millis")
      yield* Fiber.interrupt(second)
      yield* TestClock.adjust("50 millis")
      assert.strictEqual(yield* leaderId(c), "c")
    }))

  it.effect("a challenger that dies is waited for one heartbeat", () =>
    Effect.gen(function*() {
      const [a, b, c] = yield* hosts(3)
      yield* start(a, { id: "a" }, () => Effect.ensuring(Effect.never, Effect.sleep("1 second")))
      yield* TestClock.adjust("1 second")
      yield* start(c, { id: "c" })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b", priority: 2 })
      yield* TestClock.adjust("100 millis")
      b.connection = "hangs"
      yield* TestClock.adjust("3 seconds")
      assert.isUndefined(yield* leaderId(c))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* leaderId(c), "c")
    }))

  it.effect("does not happen where it is not allowed, or among equals", () =>
    Effect.gen(function*() {
      const [a, b, c] = yield* hosts(3, new ElectionConfig({ allowPreemption: false }))
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b", priority: 5 })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* leaderId(c), "a")
      yield* c.run(transact(election.writeConfig(new ElectionConfig({}))))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* leaderId(c), "b")
    }))

  it.effect("a priority that is set while a heartbeat is being committed is shown at once all the same", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ commit: "100 millis" })
      const [a, b] = [make(), make()]
      yield* start(a, { id: "a", priority: 9 })
      yield* TestClock.adjust("1 second")
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

  it.effect("a priority that is set during the registration, or while the tenure begins, is shown at once", () =>
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

  it.effect("a priority that is set costs a leader one renewal, and a follower no watch", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
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
    }))

  it.effect("a priority that is raised preempts, without waiting", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      yield* start(a, { id: "a", priority: 3 })
      yield* TestClock.adjust("1 second")
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
    }))

  it.effect("a leader that is asked to step down leaves the vacancy to others for a heartbeat", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const log: Array<string> = []
      yield* start(a, { id: "a" }, reign(log, "a"), { again: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(Option.getOrThrow(yield* a.run(transact(election.requestStepDown))).leaderId, "a")
      yield* TestClock.adjust("2900 millis")
      assert.deepStrictEqual(log, ["a begins 1", "a ends"])
      yield* TestClock.adjust("200 millis")
      assert.deepStrictEqual(log, ["a begins 1", "a ends", "a begins 2"])
      const [second, first] = yield* a.run(transact(election.readHistory()))
      assert.deepInclude(first, { term: 1n, leaderId: "a", reason: "stepped-down" })
      assert.deepInclude(second, { term: 2n, leaderId: "a", end: undefined })
    }))

  it.effect("so does one that campaigns itself, and one that resigns", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
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
    }))
})

describe("a candidacy that ends before its campaign or tenure does", () => {
  const candidacyIn = Effect.fnUntraced(function*(host: Host) {
    const scope = yield* Scope.make()
    const candidacy = yield* Scope.provide(host.run(election.candidacy({ id: "a" })), scope)
    return { candidacy, close: Scope.close(scope, Exit.void) }
  })

  it.effect("does not believe in its tenure any more, and resigns when the scope of its campaign is closed", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      a.watches = false
      const { candidacy, close } = yield* candidacyIn(a)
      const campaigning = yield* Scope.make()
      const leadership = yield* Scope.provide(a.run(candidacy.campaign), campaigning)
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("1 second")
      yield* close
      assert.isFalse(yield* leadership.isHeld)
      yield* TestClock.adjust(0)
      // Whoever works under the campaign may not have stopped yet.
      assert.strictEqual(yield* leaderId(b), "a")
      yield* Scope.close(campaigning, Exit.void)
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* leaderId(b), "b")
      assert.deepStrictEqual(Array.from(yield* a.run(transact(election.listCandidates)), (info) => info.processId), [
        "b"
      ])
    }))

  it.effect("resigns after its work's finalizers, and leaves then", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const { candidacy, close } = yield* candidacyIn(a)
      const led = yield* Effect.forkDetach(
        a.run(candidacy.withLeadership(() => Effect.ensuring(Effect.never, Effect.sleep("1 second")), { again: true })),
        { startImmediately: true }
      )
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("1 second")
      yield* close
      yield* TestClock.adjust("900 millis")
      assert.strictEqual(yield* leaderId(b), "a")
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(yield* leaderId(b), "b")
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(led)))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(Array.from(yield* a.run(transact(election.listCandidates)), (info) => info.processId), [
        "b"
      ])
    }))

  it.effect("does not register or claim again", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const first = yield* start(b, { id: "b" })
      const { candidacy, close } = yield* candidacyIn(a)
      const campaign = yield* Effect.forkDetach(a.run(candidacy.withLeadership(() => Effect.never)), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      yield* close
      yield* TestClock.adjust(0)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(campaign)))
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(yield* leaderId(a))
      assert.deepStrictEqual(yield* a.run(transact(election.listCandidates)), [])
    }))
})

describe("rule 8: identity", () => {
  it.effect("a second process with the same id is found out, whether the first leads or follows", () =>
    Effect.gen(function*() {
      const [a, b, c] = yield* hosts(3)
      const led = yield* start(a, { id: "same" })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "same" })
      yield* TestClock.adjust("4 seconds")
      assert.deepInclude(yield* Effect.flip(Fiber.join(led)), { _tag: "LeadershipLost", reason: "Superseded" })
      const following = yield* start(c, { id: "other" })
      yield* TestClock.adjust("1 second")
      yield* start(a, { id: "other" })
      yield* TestClock.adjust("4 seconds")
      assert.deepInclude(yield* Effect.flip(Fiber.join(following)), { _tag: "CandidateSuperseded", processId: "other" })
    }))

  it.effect("a live candidate that was evicted registers again by itself", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("1 second")
      yield* a.run(transact(election.unregisterCandidate("b")))
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(eventsOf(b, "Registered").map(({ again }) => again), [false, true])
      assert.deepStrictEqual(
        (yield* a.run(transact(election.listCandidates))).map(({ processId }) => processId),
        ["a", "b"]
      )
    }))

  it.effect("a leader whose registration was removed stops", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const led = yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      const key = election.subspace.pack(["candidates", "a"])
      yield* b.run(transact(Effect.flatMap(Transaction, (tx) => tx.clear(key))))
      yield* TestClock.adjust("4 seconds")
      assert.deepInclude(yield* Effect.flip(Fiber.join(led)), { _tag: "LeadershipLost", reason: "Evicted" })
    }))

  it.effect("a priority of minus zero is zero", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
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
    }))

  it.effect("an id or priority that cannot be stored is refused before anything is written", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      for (
        const candidate of [
          { id: "" },
          { id: "x".repeat(513) },
          { id: "\ud800" },
          { id: "a", priority: 2 ** 31 },
          { id: "a", priority: Number.NaN },
          { id: "a", safetyMargin: "-1 seconds" as const },
          { id: "a", safetyMargin: "10 seconds" as const },
          { id: "a", safetyMargin: Duration.infinity }
        ]
      ) {
        const error = yield* a.run(Effect.scoped(election.campaign(candidate))).pipe(Effect.flip)
        assert.strictEqual(error._tag, "InvalidCandidate")
      }
      assert.isUndefined(yield* leaderId(a))
    }))
})

describe("rule 9: a disabled election", () => {
  it.effect("ends the work with the lease; enabling wakes everyone", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const led = yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      yield* b.run(transact(election.writeConfig(new ElectionConfig({ electionEnabled: false }))))
      yield* TestClock.adjust("7 seconds")
      assert.isUndefined(led.pollUnsafe())
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude(yield* Effect.flip(Fiber.join(led)), { _tag: "LeadershipLost", reason: "Disabled" })
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(yield* leaderId(b))
      assert.lengthOf(eventsOf(b, "Registered"), 0)
      yield* b.run(transact(election.writeConfig(new ElectionConfig({}))))
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* leaderId(b), "b")
    }))

  it.effect("does not keep a leader from stepping down at once when it is asked to", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      yield* a.run(transact(election.writeConfig(new ElectionConfig({ electionEnabled: false }))))
      yield* TestClock.adjust("1 second")
      assert.isUndefined(reasonOf(a))
      yield* a.run(transact(election.requestStepDown))
      yield* TestClock.adjust(0)
      assert.strictEqual(reasonOf(a), "StepDownRequested")
      assert.isUndefined(yield* leaderId(a))
    }))

  it.effect("costs nothing when it is enabled again in time", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const led = yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      yield* b.run(transact(election.writeConfig(new ElectionConfig({ electionEnabled: false }))))
      yield* TestClock.adjust("5 seconds")
      yield* b.run(transact(election.writeConfig(new ElectionConfig({}))))
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(led.pollUnsafe())
      assert.isUndefined(reasonOf(a))
    }))
})

describe("rule 10: guarded transactions", () => {
  const increment = Effect.gen(function*() {
    const tx = yield* Transaction
    const value = yield* tx.get(counter)
    yield* tx.set(counter, Uint8Array.of((value?.[0] ?? 0) + 1))
  })

  it.effect("commit while the tenure stands, and never conflict with renewals", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const led = yield* start(a, { id: "a" }, ({ guard }) => {
        const guarded = Effect.andThen(Effect.sleep("100 millis"), guard(increment))
        return Effect.orDie(Effect.repeat(guarded, { times: 99 }))
      })
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(led)
      assert.isTrue(eventsOf(a, "Renewed").length > 1)
      const value = yield* a.run(transact(Effect.flatMap(Transaction, (tx) => tx.get(counter))))
      assert.deepStrictEqual(value, Uint8Array.of(100))
      assert.strictEqual((yield* a.counts).conflicts, 0)
    }))

  it.effect("fail with LeadershipLost once the leadership was taken, without any clock", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      yield* Effect.scoped(Effect.gen(function*() {
        const leadership = yield* a.run(election.campaign({ id: "a" }))
        a.watches = false
        yield* Effect.flatten(b.run(transact(election.registerCandidate("b", 9))))
        yield* b.run(transact(election.tryClaimLeadership("b", 9)))
        const error = yield* Effect.flip(leadership.guard(increment))
        assert.deepInclude(error, { _tag: "LeadershipLost", reason: "Replaced" })
        assert.isUndefined(yield* b.run(transact(Effect.flatMap(Transaction, (tx) => tx.get(counter)))))
      }))
    }))

  it.effect("fail if the leadership is taken between their reads and their commit", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      yield* Effect.scoped(Effect.gen(function*() {
        const leadership = yield* a.run(election.campaign({ id: "a" }))
        const reached = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        const guarded = yield* Effect.forkChild(leadership.guard(
          Effect.gen(function*() {
            yield* increment
            yield* Deferred.succeed(reached, undefined)
            yield* Deferred.await(go)
          })
        ))
        yield* Deferred.await(reached)
        yield* Effect.flatten(b.run(transact(election.registerCandidate("b", 9))))
        yield* b.run(transact(election.tryClaimLeadership("b", 9)))
        yield* Deferred.succeed(go, undefined)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Effect.flip(Fiber.join(guarded)))._tag, "LeadershipLost")
        assert.isUndefined(yield* b.run(transact(Effect.flatMap(Transaction, (tx) => tx.get(counter)))))
      }))
    }))
})

describe("rule 11: the cost", () => {
  it.effect("a renewal is one commit and nothing else", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("5 seconds")
      yield* a.resetCounts
      const before = eventsOf(a, "Renewed").length
      yield* TestClock.adjust("1 hour")
      const renewals = eventsOf(a, "Renewed").length - before
      assert.isTrue(renewals > 1000)
      // Every ten candidate timeouts it looks at the candidates, and looks again: two transactions that only read.
      const looks = Math.floor(3600 / 150)
      const { commits, conflicts, readOnlyCommits, reads, readVersions } = yield* a.counts
      assert.deepStrictEqual({ commits, conflicts }, { commits: renewals, conflicts: 0 })
      assert.isAtMost(readOnlyCommits, 2 * looks)
      assert.isAtMost(readVersions, 2 * looks)
      assert.isAtMost(reads, 5 * looks)
    }))

  it.effect("a resignation is one commit and nothing else where nothing has changed, and reads what has", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      for (const hasChanged of [false, true]) {
        yield* Effect.scoped(Effect.gen(function*() {
          const leadership = yield* a.run(election.campaign({ id: "a" }))
          yield* TestClock.adjust("1 minute")
          // What no watch tells of.
          if (hasChanged) yield* Effect.orDie(b.run(transact(election.heartbeatCandidate("a", 1))))
          yield* a.resetCounts
          yield* leadership.resign
          const { commits, conflicts, reads } = yield* a.counts
          assert.deepStrictEqual({ commits, conflicts, reads: reads > 0 }, {
            commits: 1,
            conflicts: hasChanged ? 1 : 0,
            reads: hasChanged
          })
          assert.isUndefined(yield* leaderId(b))
          const [ended] = yield* Effect.orDie(b.run(transact(election.readHistory(1))))
          assert.deepInclude(ended, {
            term: leadership.term,
            leaderId: "a",
            reason: "resigned"
          })
          assert.strictEqual(ended!.end! - ended!.start, 60_000_000_000n)
        }))
        yield* TestClock.adjust("1 minute")
      }
    }))

  it.effect("a follower's cycle is one commit and, at its version, one wave of reads", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ readVersion: "10 millis", read: "10 millis", commit: "20 millis" })
      const [a, b] = [make(), make()]
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
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

  it.effect("a follower beats once a cycle, though a commit takes as long as that of a disk may", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ readVersion: "5 millis", read: "5 millis", commit: "60 millis" })
      const [a, b] = [make(), make()]
      yield* Effect.forkDetach(a.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("1 second")))))
      yield* TestClock.adjust("1 second")
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("2 seconds")
      yield* b.resetCounts
      yield* TestClock.adjust("1 minute")
      const { commits, readOnlyCommits } = yield* b.counts
      assert.isAtMost(commits, readOnlyCommits + 1)
    }))

  it.effect("a leadership that is led once leaves the election with its resignation, in one commit", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      for (const hasChanged of [false, true]) {
        const led = yield* start(a, { id: "a" })
        yield* TestClock.adjust("1 minute")
        if (hasChanged) yield* Effect.orDie(b.run(transact(election.heartbeatCandidate("a", 1))))
        yield* a.resetCounts
        yield* Fiber.interrupt(led)
        assert.strictEqual((yield* a.counts).commits, 1)
        assert.isTrue(Option.isNone(yield* b.run(transact(election.getCandidate("a")))))
        assert.isUndefined(yield* leaderId(b))
      }
    }))

  it.effect("a hundred candidates beat for ten minutes without one conflict", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const make = yield* makeHosts()
      const first = make()
      yield* first.run(transact(election.initialize()))
      yield* start(first, { id: "first" })
      yield* TestClock.adjust("1 second")
      const others = Array.from({ length: 99 }, () => make())
      yield* Effect.forEach(others, (host, i) => start(host, { id: `follower ${i}` }))
      yield* TestClock.adjust("10 seconds")
      const all = [first, ...others]
      yield* Effect.forEach(all, (host) => host.resetCounts)
      yield* TestClock.adjust("10 minutes")
      const conflicts = yield* Effect.forEach(all, (host) => Effect.map(host.counts, (counts) => counts.conflicts))
      assert.strictEqual(conflicts.reduce((a, b) => a + b), 0)
      assert.strictEqual(yield* leaderId(first), "first")
    }), 60_000)
})

describe("a vacancy", () => {
  it.effect("is claimed by its followers in the order in which they registered, so that none claims in vain", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ readVersion: "1 millis", read: "1 millis", commit: "3 millis" })
      const leader = make()
      const led = yield* start(leader, { id: "leader" })
      yield* TestClock.adjust("1 second")
      const followers = Array.from({ length: 12 }, () => make())
      // Their ids are in another order.
      for (const [i, host] of followers.entries()) {
        yield* start(host, { id: `follower ${99 - i}` })
        yield* TestClock.adjust("100 millis")
      }
      const [first, second, third] = followers
      yield* Effect.forEach(followers, (host) => host.resetCounts)
      yield* Effect.forkChild(Fiber.interrupt(led))
      yield* TestClock.adjust("200 millis")
      const conflicts = yield* Effect.forEach(
        followers,
        (host) => Effect.map(host.counts, (counts) => counts.conflicts)
      )
      assert.strictEqual(conflicts.reduce((a, b) => a + b), 0)
      assert.lengthOf(eventsOf(first!, "Elected"), 1)
      // One that does not answer keeps nobody waiting for long.
      second!.connection = "hangs"
      yield* Effect.forkChild(first!.run(transact(election.requestStepDown)))
      yield* TestClock.adjust("50 millis")
      assert.lengthOf(eventsOf(third!, "Elected"), 1)
    }))
})

describe("the beginning of a tenure", () => {
  it.effect("keeps a hundred tenures in the history", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const candidacy = yield* a.run(election.candidacy({ id: "a" }))
      for (let i = 0; i < 103; i++) {
        yield* Effect.scoped(Effect.andThen(a.run(candidacy.campaign), TestClock.adjust(0)))
        // It yields after its resignation.
        yield* TestClock.adjust("3 seconds")
      }
      const history = yield* a.run(transact(election.readHistory(1000)))
      assert.strictEqual(history.length, 100)
    }))

  it.effect("keeps no more than that where the work always ends before there was time for it", () =>
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

  it.effect("hears with its next renewal what has called it before its watches were set", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
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
      assert.deepStrictEqual(eventsOf(a, "Lost").map(({ reason }) => reason), ["Resigned", "StepDownRequested"])
    }))

  it.effect("hears at once what has called it between its claim and its watches", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ read: "50 millis", commit: "20 millis" })
      const [a, b] = [make(), make()]
      yield* start(a, { id: "a" }, () =>
        Effect.andThen(Effect.forkDetach(b.run(transact(election.requestStepDown))), Effect.never))
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(reasonOf(a), "StepDownRequested")
    }))
})

describe("commits whose outcome is not told", () => {
  for (const code of [1021, 1031, 1039]) {
    it.effect(`a claim that ended with ${code} is made anew, in a term of its own, and nobody else leads`, () =>
      Effect.gen(function*() {
        const [a, b] = yield* hosts(2)
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
        assert.strictEqual(elected.cause, "Own")
        assert.strictEqual(yield* leaderId(b), "a")
        assert.lengthOf(eventsOf(b, "Elected"), 0)
        const history = yield* b.run(transact(election.readHistory()))
        assert.strictEqual(history[0]?.term, elected.term)
      }))
  }

  it.effect("a campaign that is interrupted then leaves no tenure behind", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const candidacy = yield* a.run(election.candidacy({ id: "a" }))
      yield* Effect.scoped(a.run(candidacy.campaign))
      a.connection = { commitsBut: 1031 }
      const campaign = yield* Effect.forkDetach(a.run(candidacy.withLeadership(() => Effect.never)))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* leaderId(b), "a")
      a.connection = "up"
      yield* Fiber.interrupt(campaign)
      assert.isUndefined(yield* leaderId(b))
    }))

  it.effect("a campaign that is interrupted while its registration is being committed leaves no candidate behind", () =>
    Effect.gen(function*() {
      const a = (yield* distantHosts({ commit: "100 millis" }))()
      const campaign = yield* start(a, { id: "a" })
      yield* TestClock.adjust("60 millis")
      const interrupted = yield* Effect.forkChild(Fiber.interrupt(campaign), { startImmediately: true })
      yield* TestClock.adjust("20 millis")
      assert.lengthOf(yield* a.run(transact(election.listCandidates)), 1)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(interrupted)
      assert.lengthOf(yield* a.run(transact(election.listCandidates)), 0)
    }))

  for (const at of Array.from({ length: 30 }, (_, i) => 20 * i)) {
    // Thirty instants from before the registration to after the claim.
    it.effect(`a campaign that is interrupted after ${at} ms leaves neither candidate nor tenure behind`, () =>
      Effect.gen(function*() {
        const a = (yield* distantHosts({ readVersion: "20 millis", read: "20 millis", commit: "100 millis" }))()
        const campaigns = yield* Effect.forEach([
          a.run(election.withLeadership({ id: "a" }, () => Effect.never)),
          Effect.scoped(Effect.andThen(a.run(election.campaign({ id: "b" })), Effect.never))
        ], (campaign) => Effect.forkDetach(campaign, { startImmediately: true }))
        for (let t = 0; t < at; t += 20) yield* TestClock.adjust("20 millis")
        const interrupted = yield* Effect.forkDetach(Fiber.interruptAll(campaigns), { startImmediately: true })
        for (let t = 0; t < 1000; t += 20) yield* TestClock.adjust("20 millis")
        assert.isDefined(interrupted.pollUnsafe())
        const left = yield* Effect.forkChild(
          a.run(transact(Effect.all([election.getLeaderRaw, election.listCandidates])))
        )
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(left), [Option.none(), []])
      }))
  }

  it.effect("a leader whose renewals are committed without being told stops at its deadline all the same", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      a.connection = { commitsBut: 1031 }
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(reasonOf(a), "Expired")
    }))

  it.effect("a shorter lease that is committed without being told shortens the belief", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      a.connection = { commitsBut: 1031 }
      yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("2 seconds"))))
      yield* TestClock.adjust("1700 millis")
      assert.isUndefined(reasonOf(a))
      const shortened = eventsOf(a, "Shortened")
      assert.isAbove(shortened.length, 0)
      assert.strictEqual(Duration.toSeconds(shortened[0]!.leaseDuration), 2)
      assert.isAtMost(Number(shortened[0]!.believesUntil - (yield* Clock.monotonicTimeNanos)), 100_000_000)
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(reasonOf(a), "Expired")
    }))

  for (const lease of ["20 millis", "100 millis", "500 millis"] as const) {
    it.effect(`${lease}, which are over before the watchdog would look again, end the work in time`, () =>
      Effect.gen(function*() {
        const [a, b] = yield* hosts(2)
        yield* start(a, { id: "a" })
        yield* TestClock.adjust("1 second")
        a.connection = { commitsBut: 1031 }
        yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration(lease))))
        yield* TestClock.adjust(lease)
        assert.strictEqual(reasonOf(a), "Expired")
      }))
  }
})

describe("a singleton", () => {
  it.effect("runs in one process at a time, moves on when its process ends, and is built at once", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const log: Array<string> = []
      const service = (name: string) => election.singleton({ id: name }, reign(log, name))
      const scope = yield* Scope.make()
      yield* a.run(Layer.buildWithScope(service("a"), scope))
      yield* b.run(Layer.build(service("b")))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["a begins 1"])
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(log.slice(1, 2), ["a ends"])
      assert.match(log[2]!, /^b begins/)
    }))

  it.effect("is run again after a failure, ever more slowly", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      let runs = 0
      const service = Effect.suspend(() => ++runs % 2 === 0 ? Effect.die("defect") : Effect.fail("failure"))
      yield* a.run(Layer.build(election.singleton({ id: "a" }, service)))
      yield* TestClock.adjust("1 hour")
      assert.isTrue(runs > 100 && runs < 1000, `${runs} runs`)
    }))

  it.effect("is run again soon after a failure where it had run well for long", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      const begun: Array<bigint> = []
      const service = Effect.gen(function*() {
        if (begun.push(yield* Clock.monotonicTimeNanos) > 10) yield* Effect.sleep("1 day")
        return yield* Effect.fail("failure")
      })
      yield* a.run(Layer.build(election.singleton({ id: "a" }, service)))
      yield* TestClock.adjust("25 hours")
      assert.strictEqual(begun.length, 12)
      assert.isBelow(Number(begun[11]! - begun[10]!) / 1e9, 86_401)
    }))

  it.effect("goes on where the lease was not longer than its margin for a while", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      const log: Array<string> = []
      yield* a.run(Layer.build(election.singleton({ id: "a", safetyMargin: "2 seconds" }, reign(log, "a"))))
      yield* TestClock.adjust("10 seconds")
      yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("2 seconds"))))
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(log, ["a begins 1", "a ends"])
      yield* b.run(transact(election.writeConfig(new ElectionConfig({}))))
      yield* TestClock.adjust("1 minute")
      assert.match(log[2] ?? "", /^a begins/)
    }))

  it.effect("does not take what another election has told its service for its own", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
      let runs = 0
      const service = Effect.suspend(() => {
        runs++
        return Effect.fail(new CandidateSuperseded({ processId: "of another election" }))
      })
      yield* a.run(Layer.build(election.singleton({ id: "a" }, service)))
      yield* TestClock.adjust("1 minute")
      assert.isAbove(runs, 2)
    }))
})

describe("a database that is away", () => {
  it.effect("followers keep trying, ever more slowly, and lead when it is back", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
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
    }))

  it.effect("does not keep a leader or a follower from ending, however long the heartbeat", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2, ElectionConfig.withLeaseDuration("1 hour"))
      const fibers = [yield* start(a, { id: "a" })]
      yield* TestClock.adjust("1 second")
      fibers.push(yield* start(b, { id: "b" }))
      yield* TestClock.adjust("1 second")
      a.connection = b.connection = "hangs"
      // Both are waiting for the database by then.
      yield* TestClock.adjust("40 minutes")
      const ending = yield* Effect.forkChild(Fiber.interruptAll(fibers), { startImmediately: true })
      // What is under way, the resignation, and the unregistration.
      for (let i = 0; i < 4; i++) yield* TestClock.adjust("10 seconds")
      assert.isDefined(ending.pollUnsafe())
    }))

  it.effect("watches that are lost are made up for by polling", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      b.watches = false
      const led = yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(led)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* leaderId(a), "b")
    }))

  it.effect("watches that are refused, for there are too many, cost nothing but the wait", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts(2)
      a.watches = b.watches = "refused"
      const first = yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(reasonOf(a))
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* leaderId(b), "b")
    }))

  it.effect("a candidacy tells how it fares", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts(1)
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
    }))
})

describe("changes", () => {
  it.effect("tells who leads, first and whenever it changes, and when nobody has been heard of for a lease", () =>
    Effect.gen(function*() {
      const [a, b, c] = yield* hosts(3)
      const seen: Array<string | undefined> = []
      yield* Effect.forkChild(
        c.run(
          Stream.runForEach(
            election.changes,
            (leader) => Effect.sync(() => void seen.push(Option.getOrUndefined(leader)?.leaderId))
          )
        )
      )
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(seen, [undefined])
      const led = yield* start(a, { id: "a" })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(seen, [undefined, "a"])
      yield* Fiber.interrupt(led)
      yield* start(b, { id: "b" })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(seen, [undefined, "a", undefined, "b"])
      b.connection = "hangs"
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(seen, [undefined, "a", undefined, "b", undefined])
    }))
})
