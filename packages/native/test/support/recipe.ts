/** The scenarios of the Rust recipe, in real time, on whatever database. */
import { Database, type Transaction } from "@effect-fdb/core"
import { ElectionConfig, LeaderElection } from "@effect-fdb/leader-election"
import { assert, layer } from "@effect/vitest"
import { type Duration, Effect, type Layer, Option, References, type Scope } from "effect"
import { makeSpace } from "./space.ts"

const run = <A, E, R>(body: Effect.Effect<A, E, R | Transaction>) => Database.transact(body, { idempotent: true })

/** Declares the tests. */
export const recipe = <E>(name: string, database: Layer.Layer<Database, E>): void =>
  layer(database, { excludeTestServices: true, timeout: "30 seconds" })(`the recipe on ${name}`, (it) => {
    const scenario = <E>(
      title: string,
      lease: Duration.Input,
      body: (actions: Actions) => Effect.Effect<void, E, Database | Scope.Scope>
    ) =>
      it.effect(title, () =>
        Effect.gen(function*() {
          const election = LeaderElection.make(yield* makeSpace)
          yield* run(election.initialize(ElectionConfig.withLeaseDuration(lease)))
          yield* body(makeActions(election))
        }).pipe(Effect.provideService(References.MinimumLogLevel, "Error")), 60_000)

    scenario(
      "one candidate leads, refreshes its lease, and resigns",
      "5 seconds",
      ({ claim, election, leads, register }) =>
        Effect.gen(function*() {
          yield* register("one")
          const tenure = Option.getOrThrow(yield* claim("one"))
          assert.isTrue(yield* leads("one"))
          const renewed = Option.getOrThrow(yield* run(election.refreshLease(tenure)))
          assert.deepStrictEqual([renewed.term, renewed.ballot], [tenure.term, tenure.ballot + 1n])
          assert.isTrue(yield* run(election.resignLeadership(renewed)))
          assert.isFalse(yield* leads("one"))
          yield* register("two")
          assert.isAbove(Number(Option.getOrThrow(yield* claim("two")).term), Number(renewed.ballot))
        })
    )

    scenario(
      "of three that claim at the same time one leads",
      "5 seconds",
      ({ claim, leads, register }) =>
        Effect.gen(function*() {
          const ids = ["one", "two", "three"]
          yield* Effect.forEach(ids, (id) => register(id), { concurrency: "unbounded" })
          const claims = yield* Effect.forEach(ids, (id) => claim(id), { concurrency: "unbounded" })
          assert.strictEqual(claims.filter(Option.isSome).length, 1)
          assert.deepStrictEqual(yield* Effect.forEach(ids, leads), claims.map(Option.isSome))
        })
    )

    scenario(
      "leadership moves after the lease has expired, not before",
      "1 second",
      ({ claim, leads, register }) =>
        Effect.gen(function*() {
          yield* register("initial")
          yield* register("new")
          yield* claim("initial")
          assert.isTrue(Option.isNone(yield* claim("new")))
          yield* Effect.sleep("1200 millis")
          yield* register("new")
          assert.isTrue(Option.isSome(yield* claim("new")))
          assert.deepStrictEqual([yield* leads("initial"), yield* leads("new")], [false, true])
        })
    )

    scenario(
      "a higher priority preempts, where that is allowed",
      "5 seconds",
      ({ claim, election, leads, register }) =>
        Effect.gen(function*() {
          yield* register("low", 1)
          yield* register("high", 10)
          yield* claim("low", 1)
          yield* claim("high", 10)
          assert.isTrue(yield* leads("high"))
          yield* run(election.writeConfig(new ElectionConfig({ allowPreemption: false })))
          assert.isFalse((yield* run(election.readConfig)).allowPreemption)
          assert.isTrue(Option.isNone(yield* claim("low", 100)))
        })
    )

    it.effect(
      "work moves to another candidate without waiting for the lease, once it is resigned",
      () =>
        Effect.gen(function*() {
          const election = LeaderElection.make(yield* makeSpace)
          yield* run(election.initialize(ElectionConfig.withLeaseDuration("10 seconds")))
          const lead = (id: string) => election.withLeadership({ id }, ({ term }) => Effect.succeed({ id, term }))
          const results = yield* Effect.all([lead("a"), lead("b"), lead("c")], { concurrency: "unbounded" }).pipe(
            Effect.timeoutOrElse({ duration: "9 seconds", orElse: () => Effect.die("they waited for the lease") })
          )
          assert.strictEqual(new Set(results.map(({ term }) => term)).size, 3)
        }).pipe(Effect.provideService(References.MinimumLogLevel, "Error")),
      60_000
    )
  })

const makeActions = (election: LeaderElection.LeaderElection) => ({
  election,
  register: (id: string, priority = 0) => Effect.asVoid(run(election.registerCandidate(id, priority))),
  claim: (id: string, priority = 0) => run(election.tryClaimLeadership(id, priority)),
  leads: (id: string) => run(election.isLeader(id))
})

type Actions = ReturnType<typeof makeActions>
