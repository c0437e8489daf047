import { Subspace } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Metric, Option, Scope, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { ElectionMetrics, LeaderElection } from "../../../src/index.ts"
import { makeHosts } from "../../support/host.ts"

const election = LeaderElection.make(Subspace.fromTuple(["telemetry"]))

const initialised = Effect.gen(function*() {
  yield* TestClock.adjust(0)
  const host = (yield* makeHosts())()
  yield* host.run(Effect.flatMap(host.database.transact(election.initialize()), () => Effect.void))
  return host
})

/** Metrics of its own, which no other test has a part in. */
const isolated = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Metric.MetricRegistry, new Map())

describe("metrics", () => {
  it.effect("tell of a candidate from its registration on, and what a change of leaders will tell begins at zero", () =>
    Effect.gen(function*() {
      const host = yield* initialised
      const other = yield* host.run(election.candidacy({ id: "other" }))
      yield* host.run(other.campaign)
      const candidacy = yield* host.run(election.candidacy({ id: "waits" }))
      yield* Effect.forkChild(host.run(Effect.scoped(candidacy.campaign)))
      yield* TestClock.adjust("1 second")
      const about = (yield* Metric.snapshot).filter(({ attributes }) => attributes?.["candidate"] === "waits")
      const found = about.map(({ attributes, id, state }) => [
        id,
        attributes?.["cause"] ?? attributes?.["reason"],
        "value" in state ? state.value : "count" in state ? state.count : undefined
      ])
      assert.deepInclude(found, ["fdb_election_leading", undefined, 0])
      assert.deepInclude(found, ["fdb_election_transitions_total", "vacant", 0])
      assert.deepInclude(found, ["fdb_election_transitions_total", "lapsed", 0])
      assert.deepInclude(found, ["fdb_election_transitions_total", "died", 0])
      assert.deepInclude(found, ["fdb_election_witnesses", undefined, 0])
      for (const reason of ["resigned", "expired", "stepped-down", "preempted"]) {
        assert.deepInclude(found, ["fdb_election_losses_total", reason, 0])
      }
      assert.deepInclude(found, ["fdb_election_leaderless_seconds", undefined, 0])
    }))
})

describe("the headroom of renewals", () => {
  it.effect("leaves out the first one of an appointed tenure, whose lease is short", () =>
    Effect.gen(function*() {
      const host = yield* initialised
      const first = yield* Effect.forkChild(host.run(election.withLeadership({ id: "first" }, () => Effect.never)))
      yield* TestClock.adjust("1 second")
      const second = yield* Effect.forkChild(host.run(election.withLeadership({ id: "second" }, () => Effect.never)))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("10 seconds")
      const headrooms = (yield* Metric.snapshot).flatMap(({ attributes, id, state }) =>
        id === "fdb_election_renewal_headroom_seconds" && attributes?.["candidate"] === "second" && "min" in state
          ? [state]
          : []
      )
      const appointed = (yield* Metric.snapshot).some(({ attributes, id, state }) =>
        id === "fdb_election_transitions_total" && attributes?.["candidate"] === "second" &&
        attributes["cause"] === "appointed" && "count" in state && Number(state.count) === 1
      )
      assert.isTrue(appointed)
      assert.lengthOf(headrooms, 1)
      assert.isAbove(headrooms[0]!.count, 1)
      assert.isAbove(headrooms[0]!.min, 4)
      yield* Fiber.interrupt(second)
    }).pipe(isolated))
})

/** Of which candidates there are series. */
const measured = Effect.map(
  Metric.snapshot,
  (series) => new Set(series.flatMap(({ attributes }) => attributes?.["candidate"] ?? []))
)

describe("the metrics of candidates that are gone", () => {
  it.effect("are given up, however they have gone", () =>
    Effect.gen(function*() {
      const host = yield* initialised
      yield* host.run(election.withLeadership({ id: "led" }, () => Effect.void))
      yield* Effect.ignore(host.run(election.withLeadership({ id: "failed" }, () => Effect.fail("work"))))
      yield* host.run(Effect.scoped(election.campaign({ id: "campaigned" })))
      const leader = yield* Effect.forkChild(
        host.run(election.withLeadership({ id: "interrupted" }, () => Effect.never))
      )
      yield* TestClock.adjust("10 seconds")
      const follower = yield* Effect.forkChild(host.run(Effect.scoped(election.campaign({ id: "followed" }))))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* measured, new Set(["interrupted", "followed"]))
      yield* Fiber.interrupt(follower)
      host.connection = { failsWith: 1031 }
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.interrupt(leader)
      assert.deepStrictEqual(
        yield* Metric.snapshot.pipe(Effect.map((all) => all.filter(({ id }) => id.startsWith("fdb_election")))),
        []
      )
    }).pipe(isolated))

  it.effect("do not grow with the ids that a process has had", () =>
    Effect.gen(function*() {
      const host = yield* initialised
      for (let i = 0; i < 50; i++) yield* host.run(election.withLeadership({ id: `id-${i}` }, () => Effect.void))
      assert.strictEqual((yield* measured).size, 0)
    }).pipe(isolated))

  it.effect("go without a look at those of all other candidates, of whom there may be thousands", () => {
    let searches = 0
    const registry: Metric.MetricRegistry = new class extends Map {
      override [Symbol.iterator]() {
        searches++
        return super[Symbol.iterator]()
      }
    }()
    return Effect.gen(function*() {
      const host = yield* initialised
      for (let i = 0; i < 3; i++) yield* host.run(election.withLeadership({ id: `id-${i}` }, () => Effect.void))
      assert.deepStrictEqual([registry.size, searches], [0, 0])
    }).pipe(Effect.provideService(Metric.MetricRegistry, registry))
  })

  it.effect("go whatever attributes their candidates were given where they have campaigned", () =>
    Effect.gen(function*() {
      const host = yield* initialised
      const scope = yield* Scope.make()
      const { withLeadership } = yield* host.run(election.candidacy({ id: "a" })).pipe(Scope.provide(scope))
      for (const pool of ["first", "second"]) {
        yield* host.run(withLeadership(() => Effect.void)).pipe(
          Effect.provideService(Metric.CurrentMetricAttributes, { pool })
        )
      }
      assert.strictEqual((yield* measured).size, 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* measured).size, 0)
    }).pipe(isolated))

  it.effect("stay while another candidate of that id is there, or one of another election", () =>
    Effect.gen(function*() {
      const host = yield* initialised
      const elsewhere = LeaderElection.make(Subspace.fromTuple(["elsewhere"]))
      yield* host.run(host.database.transact(elsewhere.initialize()))
      const scope = yield* Scope.make()
      const other = yield* host.run(elsewhere.candidacy({ id: "a" })).pipe(Scope.provide(scope))
      yield* host.run(other.campaign).pipe(Scope.provide(scope))
      const first = yield* Effect.forkChild(host.run(election.withLeadership({ id: "a" }, () => Effect.never)))
      yield* TestClock.adjust("1 second")
      const second = yield* Effect.forkChild(host.run(election.withLeadership({ id: "a" }, () => Effect.never)))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.interrupt(first)
      const elections = Effect.map(
        Metric.snapshot,
        (series) => new Set(series.flatMap(({ attributes }) => attributes?.["election"] ?? []))
      )
      assert.deepStrictEqual(yield* elections, new Set(["elsewhere", "telemetry"]))
      yield* Fiber.interrupt(second)
      assert.deepStrictEqual(yield* elections, new Set(["elsewhere"]))
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* elections, new Set())
    }).pipe(isolated))
})

describe("metrics without the label of the candidate", () => {
  const valueOf = (id: string) =>
    Effect.map(
      Metric.snapshot,
      (series) =>
        series.filter((series) => series.id === id).map(({ attributes, state }) => {
          assert.notProperty(attributes, "candidate")
          return "value" in state ? state.value : "count" in state ? state.count : undefined
        })
    )

  it.effect("are those of all candidates of an election, and count on when they are gone", () =>
    Effect.gen(function*() {
      const host = yield* initialised
      const leader = yield* Effect.forkChild(host.run(election.withLeadership({}, () => Effect.never)))
      yield* TestClock.adjust("1 second")
      const follower = yield* Effect.forkChild(host.run(Effect.scoped(election.campaign({}))))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* valueOf("fdb_election_leading"), [1])
      yield* Fiber.interrupt(follower)
      assert.deepStrictEqual(yield* valueOf("fdb_election_leading"), [1])
      yield* Fiber.interrupt(leader)
      assert.deepStrictEqual(yield* valueOf("fdb_election_leading"), [0])
      for (let i = 0; i < 3; i++) yield* host.run(election.withLeadership({}, () => Effect.void))
      assert.deepStrictEqual(yield* valueOf("fdb_election_leaderless_seconds"), [4])
      const { length } = yield* Metric.snapshot
      for (let i = 0; i < 10; i++) yield* host.run(election.withLeadership({}, () => Effect.void))
      assert.strictEqual((yield* Metric.snapshot).length, length)
    }).pipe(Effect.provideService(ElectionMetrics, { candidateLabel: false }), isolated))

  it.effect("are those of each election", () =>
    Effect.gen(function*() {
      const host = yield* initialised
      const elsewhere = LeaderElection.make(Subspace.fromTuple(["elsewhere"]))
      yield* host.run(elsewhere.withLeadership({}, () => host.run(election.withLeadership({}, () => Effect.void))))
      assert.deepStrictEqual((yield* valueOf("fdb_election_leading")).length, 2)
    }).pipe(Effect.provideService(ElectionMetrics, { candidateLabel: false }), isolated))
})

describe("spans", () => {
  const tracer = Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })
  const spanOfWork = Effect.gen(function*() {
    const host = yield* initialised
    return yield* host.run(election.withLeadership({ id: "a" }, () => Effect.option(Effect.currentSpan)))
  })

  it.effect("are there for the work of a tenure where a tracer is installed", () =>
    Effect.gen(function*() {
      const span = Option.getOrThrow(yield* Effect.provideService(spanOfWork, Tracer.Tracer, tracer))
      assert.strictEqual(span.name, "LeaderElection.lead")
      assert.deepStrictEqual(Object.fromEntries(span.attributes), {
        election: "telemetry",
        candidate: "a",
        term: "1"
      })
    }))

  it.effect("and not where nobody would see them", () =>
    Effect.gen(function*() {
      assert.isTrue(Option.isNone(yield* spanOfWork))
    }))
})
