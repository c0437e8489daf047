import { Subspace } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, Option, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { LeaderElection } from "../../src/index.ts"
import { makeHosts } from "../support/host.ts"

const election = LeaderElection.make(Subspace.fromTuple(["telemetry"]))

const initialised = Effect.gen(function*() {
  yield* TestClock.adjust(0)
  const host = (yield* makeHosts())()
  yield* host.run(Effect.flatMap(host.database.transact(election.initialize()), () => Effect.void))
  return host
})

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
      assert.deepInclude(found, ["fdb_election_transitions_total", "Vacant", 0])
      assert.deepInclude(found, ["fdb_election_transitions_total", "Lapsed", 0])
      assert.deepInclude(found, ["fdb_election_losses_total", "Resigned", 0])
      assert.deepInclude(found, ["fdb_election_leaderless_millis", undefined, 0])
    }))
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
