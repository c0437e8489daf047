import { Database, MemoryDatabase, Subspace, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig, ElectionExport, LeaderElection } from "../src/index.ts"
import * as Keys from "../src/internal/storage/keys.ts"
import * as Reads from "../src/internal/storage/reads.ts"
import { counter, election, eventsOf, lead, onHosts, reasonOf, transact } from "./support/candidates.ts"

const keys = Keys.make(election.subspace)

const leaderBytes = transact(Effect.flatMap(Transaction, (tx) => tx.get(keys.leader)))
const ballot = transact(
  Effect.flatMap(Transaction, (tx) => Effect.map(Reads.read(tx, Reads.lease(keys)), ({ ballot }) => ballot))
)
const clear = (key: Uint8Array) => transact(Effect.flatMap(Transaction, (tx) => tx.clear(key)))
const clearAll = (of: LeaderElection.LeaderElection) =>
  transact(Effect.flatMap(Transaction, (tx) => tx.clearRange(of.subspace.range())))

/** The term of the next leader, which resigns at once. */
const nextTerm = (of: LeaderElection.LeaderElection) =>
  Effect.gen(function*() {
    yield* Effect.flatten(transact(of.registerCandidate("next")))
    const state = Option.getOrThrow(yield* transact(of.tryClaimLeadership("next")))
    yield* transact(of.resignLeadership(state))
    return state.term
  })

const onDatabase = <A, E>(effect: Effect.Effect<A, E, Database>) =>
  Effect.flatMap(MemoryDatabase.make, (database) => Effect.provideService(effect, Database, database))

describe("terms that are raised", () => {
  onHosts("leave the leader in office its tenure, and its successor has a greater one", function*(a, b) {
    yield* lead(a, { id: "a" }, ({ guard, term }) =>
      Effect.forever(Effect.andThen(
        guard(Effect.flatMap(Transaction, (tx) => tx.set(counter, new TextEncoder().encode(String(term))))),
        Effect.sleep("1 second")
      )))
    const before = yield* b.run(leaderBytes)
    assert.strictEqual(yield* b.run(transact(election.raiseTerms(1000n))), 1000n)
    assert.deepStrictEqual(yield* b.run(leaderBytes), before)
    yield* TestClock.adjust("2 minutes")
    assert.deepStrictEqual(eventsOf(a, "Lost"), [])
    assert.deepStrictEqual(yield* b.run(leaderBytes), before)
    assert.isTrue((yield* b.run(ballot)) > 1000n)
    yield* lead(b, { id: "b" })
    yield* b.run(transact(election.requestStepDown))
    yield* TestClock.adjust("1 second")
    assert.strictEqual(reasonOf(a), "stepped-down")
    assert.isTrue(eventsOf(b, "Elected")[0]!.term > 1000n)
  })

  onHosts("again and again, between any two renewals, leave the leader its tenure", function*(a, b) {
    yield* lead(a, { id: "a" })
    for (let above = 10n; above < 1000n; above += 10n) {
      yield* b.run(transact(election.raiseTerms(above)))
      yield* TestClock.adjust("700 millis")
    }
    assert.deepStrictEqual(eventsOf(a, "Lost"), [])
    assert.deepStrictEqual(eventsOf(a, "RenewalFailed").filter(({ path }) => path === "full"), [])
  })

  onHosts("are kept by a leader that resigns at the version of its last renewal", function*(a, b) {
    const led = yield* lead(a, { id: "a" }, () => Effect.sleep("10 seconds"))
    yield* TestClock.adjust("8900 millis")
    yield* b.run(transact(election.raiseTerms(1000n)))
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.join(led)
    // It may have renewed before.
    assert.include([1001n, 1002n], yield* b.run(nextTerm(election)))
  })

  onHosts("do not prolong the belief of a leader that is cut off, and its follower takes over", function*(a, b) {
    yield* lead(a, { id: "a" })
    yield* lead(b, { id: "b" })
    a.connection = "hangs"
    yield* TestClock.adjust("5 seconds")
    yield* b.run(transact(election.raiseTerms(1000n)))
    yield* TestClock.adjust("20 seconds")
    assert.strictEqual(reasonOf(a), "expired")
    assert.deepStrictEqual(eventsOf(b, "Elected").map(({ term }) => term), [1001n])
  })

  onHosts("are above every tenure that many operators have asked for", function*(a, b) {
    yield* Effect.forEach([5n, 900n, 30n, 1n], (above) => b.run(transact(election.raiseTerms(above))), {
      concurrency: "unbounded"
    })
    assert.strictEqual(yield* a.run(nextTerm(election)), 901n)
    assert.strictEqual(yield* b.run(transact(election.raiseTerms(0n))), 901n)
  })

  onHosts("have room for all later ones, and are refused elsewhere before anything is written", function*(a) {
    for (const above of [-1n, 2n ** 62n + 1n, 2n ** 63n - 1n, 2n ** 70n]) {
      const error = yield* Effect.flip(a.run(transact(election.raiseTerms(above))))
      assert.strictEqual(error._tag, "InvalidTerm", String(above))
      const termsFrom = above < 0n ? above : above + 1n
      const refused = yield* Effect.flip(a.run(transact(election.initialize({ termsFrom }))))
      assert.deepInclude(refused, { _tag: "InvalidConfig", field: "termsFrom" }, String(termsFrom))
    }
    assert.strictEqual(yield* a.run(ballot), 0n)
    yield* a.run(transact(election.raiseTerms(2n ** 62n)))
    assert.strictEqual(yield* a.run(nextTerm(election)), 2n ** 62n + 1n)
    assert.strictEqual(yield* a.run(nextTerm(election)), 2n ** 62n + 2n)
  })

  it.effect("need an election", () =>
    onDatabase(Effect.gen(function*() {
      assert.strictEqual((yield* Effect.flip(transact(election.raiseTerms(1n))))._tag, "NotInitialized")
      assert.strictEqual((yield* Effect.flip(transact(election.export)))._tag, "NotInitialized")
    })))
})

describe("an election that is initialised", () => {
  it.effect("begins its terms where it was told to, whether it existed or not", () =>
    onDatabase(Effect.gen(function*() {
      const config = yield* transact(election.initialize({ leaseDuration: Duration.seconds(4), termsFrom: 500n }))
      assert.strictEqual(Duration.toSeconds(config.leaseDuration), 4)
      assert.strictEqual(yield* nextTerm(election), 500n)
      yield* transact(election.initialize({ termsFrom: 20n }))
      assert.strictEqual(yield* nextTerm(election), 501n)
      const inForce = yield* transact(election.initialize({ termsFrom: 700n }))
      assert.strictEqual(Duration.toSeconds(inForce.leaseDuration), 4)
      assert.strictEqual(yield* nextTerm(election), 700n)
    })))

  it.effect("takes what it was not told from the configuration of make", () =>
    onDatabase(Effect.gen(function*() {
      const own = LeaderElection.make(election.subspace, { config: ElectionConfig.withLeaseDuration("6 seconds") })
      const config = yield* transact(own.initialize({ termsFrom: 9n, allowPreemption: false }))
      assert.deepStrictEqual([Duration.toSeconds(config.leaseDuration), config.allowPreemption], [6, false])
    })))

  for (
    const [lost, damaged] of [
      ["its lease", [keys.config, keys.lease]],
      ["its leader and its lease", [keys.config, keys.leader, keys.lease]]
    ] as const
  ) {
    it.effect(`keeps its terms where ${lost} was lost`, () =>
      onDatabase(Effect.gen(function*() {
        yield* transact(election.initialize({ termsFrom: 50n }))
        for (let i = 0; i < 3; i++) yield* nextTerm(election)
        yield* Effect.forEach(damaged, clear)
        yield* transact(election.initialize())
        assert.strictEqual(yield* nextTerm(election), 53n)
      })))
  }
})

const codec = Schema.toCodecJson(ElectionExport)
const other = LeaderElection.make(Subspace.fromTuple(["app", "other"]))

describe("an election that is exported", () => {
  it.effect("goes on elsewhere, through JSON, with its configuration, its terms and its history", () =>
    onDatabase(Effect.gen(function*() {
      yield* transact(election.initialize({ leaseDuration: Duration.seconds(4), termsFrom: 500n }))
      for (let i = 0; i < 3; i++) yield* nextTerm(election)
      yield* transact(Effect.asVoid(election.tryClaimLeadership("next")))
      const exported = yield* transact(election.export)
      const json = JSON.stringify(yield* Effect.fromResult(Schema.encodeResult(codec)(exported)))
      const read = yield* Effect.fromResult(Schema.decodeUnknownResult(codec)(JSON.parse(json)))
      assert.deepStrictEqual(read, exported)
      const config = yield* transact(other.import(read))
      assert.strictEqual(Duration.toSeconds(config.leaseDuration), 4)
      assert.deepStrictEqual(
        (yield* transact(other.readHistory())).map(({ end, leaderId, reason, term }) => [
          term,
          leaderId,
          end === undefined,
          reason
        ]),
        [[503n, "next", false, undefined], ...[502n, 501n, 500n].map((term) => [term, "next", false, "resigned"])]
      )
      assert.isTrue(Option.isNone(yield* transact(other.getLeaderRaw)))
      assert.strictEqual(yield* nextTerm(other), 504n)
    })))

  it.effect("raises the terms of one that is there, and changes neither its configuration, its history nor its leader", () =>
    onDatabase(Effect.gen(function*() {
      yield* transact(election.initialize({ termsFrom: 500n }))
      yield* nextTerm(election)
      const exported = yield* transact(election.export)
      yield* transact(other.initialize({ leaseDuration: Duration.seconds(4) }))
      yield* nextTerm(other)
      yield* Effect.flatten(transact(other.registerCandidate("leader")))
      const leader = Option.getOrThrow(yield* transact(other.tryClaimLeadership("leader")))
      for (let i = 0; i < 2; i++) {
        assert.strictEqual(Duration.toSeconds((yield* transact(other.import(exported))).leaseDuration), 4)
      }
      const after = Option.getOrThrow(yield* transact(other.getLeaderRaw))
      assert.deepStrictEqual([after.leaderId, after.term, after.ballot], ["leader", leader.term, 500n])
      assert.deepStrictEqual((yield* transact(other.readHistory())).map(({ term }) => term), [2n, 1n])
      yield* transact(other.resignLeadership(after))
      assert.strictEqual(yield* nextTerm(other), 501n)
    })))

  it.effect("is refused as a whole where a term of its history is greater than its ballot", () =>
    onDatabase(Effect.gen(function*() {
      yield* transact(election.initialize())
      for (let i = 0; i < 3; i++) yield* nextTerm(election)
      const exported = yield* transact(election.export)
      const damaged = new ElectionExport({ ...exported, ballot: 2n })
      assert.strictEqual((yield* Effect.flip(transact(other.import(damaged))))._tag, "InvalidTerm")
      assert.strictEqual((yield* Effect.flip(transact(other.readConfig)))._tag, "NotInitialized")
    })))

  it.effect("can be taken back into its own subspace after that was cleared", () =>
    onDatabase(Effect.gen(function*() {
      yield* transact(election.initialize({ termsFrom: 500n }))
      yield* nextTerm(election)
      const exported = yield* transact(election.export)
      yield* clearAll(election)
      yield* transact(election.import(exported))
      assert.strictEqual(yield* nextTerm(election), 501n)
    })))
})

const Act = Schema.Struct({
  act: Schema.Literals([
    "raise",
    "initialize",
    "import",
    "claim",
    "renew",
    "resign",
    "step-down",
    "reconfigure",
    "lose the configuration",
    "lose the lease",
    "lose all but the history"
  ]),
  by: Schema.Literals(["a", "b"]),
  number: Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 60n }))
})

describe("whatever operators and candidates do", () => {
  it.effect.prop(
    "terms only go up",
    { acts: Schema.Array(Act) },
    ({ acts }) =>
      onDatabase(Effect.gen(function*() {
        yield* TestClock.adjust(0)
        yield* transact(election.initialize())
        for (const id of ["a", "b"]) yield* Effect.flatten(transact(election.registerCandidate(id)))
        const exported = yield* transact(election.export)
        /** The greatest term ever. */
        let greatest = 0n
        for (const { act, by, number } of acts) {
          const before = { ballot: yield* ballot, leader: yield* leaderBytes }
          const state = yield* transact(election.getLeaderRaw)
          const change: { readonly [act in typeof act]: Effect.Effect<unknown, { readonly _tag: string }, Database> } =
            {
              raise: transact(election.raiseTerms(number)),
              initialize: transact(election.initialize({ termsFrom: number })),
              import: transact(election.import(new ElectionExport({ ...exported, ballot: number }))),
              claim: transact(election.tryClaimLeadership(by, Number(number))),
              renew: Effect.forEach(Option.toArray(state), (state) => transact(election.refreshLease(state))),
              resign: Effect.forEach(Option.toArray(state), (state) => transact(election.resignLeadership(state))),
              "step-down": transact(election.requestStepDown),
              reconfigure: transact(election.writeConfig(new ElectionConfig({ allowPreemption: number > 30n }))),
              "lose the configuration": clear(keys.config),
              "lose the lease": Effect.andThen(clear(keys.config), clear(keys.lease)),
              "lose all but the history": Effect.forEach([keys.config, keys.leader, keys.lease], clear)
            }
          yield* change[act]
          // As a campaign does where it finds no configuration.
          yield* transact(election.initialize())
          const term = Option.getOrUndefined(yield* transact(election.getLeaderRaw))?.term
          if (!act.startsWith("lose")) assert.isTrue((yield* ballot) >= before.ballot, act)
          if (["raise", "initialize", "import"].includes(act)) {
            assert.deepStrictEqual(yield* leaderBytes, before.leader, act)
            assert.isTrue((yield* ballot) >= (act === "initialize" ? number - 1n : number), act)
          }
          if (act === "claim" && term !== undefined && !Option.exists(state, (state) => state.term === term)) {
            assert.isTrue(term > greatest, `term ${term} follows ${greatest}`)
            greatest = term
          }
          yield* TestClock.adjust("1 second")
        }
      }))
  )
})
