import { Database, MemoryDatabase, Subspace, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig, ElectionResult, LeaderElection } from "../src/index.ts"

const election = LeaderElection.make(Subspace.fromTuple(["test", "election"]))

const tx = Effect.service(Transaction)
const run = <A, E, R>(body: Effect.Effect<A, E, R | Transaction>) => Database.transact(body)
const failure = <A, E, R>(body: Effect.Effect<A, E, R | Transaction>) => Effect.flip(Effect.asVoid(run(body)))
const tagOf = <A, E extends { readonly _tag: string }, R>(body: Effect.Effect<A, E, R | Transaction>) =>
  Effect.map(failure(body), (error) => error._tag as string)
const register = (id: string, priority = 0) => Effect.flatten(run(election.registerCandidate(id, priority)))
const claim = (id: string, priority = 0) => run(election.tryClaimLeadership(id, priority))
const leads = (id: string) => run(election.isLeader(id))
const won = (id: string, priority = 0) => Effect.map(claim(id, priority), Option.getOrThrow)

const it_ = <A, E>(name: string, body: Effect.Effect<A, E, Database>) =>
  it.effect(name, () => Effect.provide(body, MemoryDatabase.layer))

describe("the scenarios of the Rust recipe", () => {
  it_(
    "a single candidate becomes leader",
    Effect.gen(function*() {
      yield* run(election.initialize())
      yield* register("one")
      assert.isTrue(Option.isSome(yield* claim("one")))
      assert.isTrue(yield* leads("one"))
    })
  )

  it_(
    "of three candidates exactly the first to claim leads",
    Effect.gen(function*() {
      yield* run(election.initialize())
      const ids = ["one", "two", "three"]
      for (const id of ids) yield* register(id)
      const claims = yield* Effect.forEach(ids, (id) => claim(id))
      assert.deepStrictEqual(claims.map(Option.isSome), [true, false, false])
      assert.deepStrictEqual(yield* Effect.forEach(ids, leads), [true, false, false])
    })
  )

  it_(
    "a leader refreshes its lease",
    Effect.gen(function*() {
      yield* run(election.initialize(ElectionConfig.withLeaseDuration("5 seconds")))
      yield* register("leader")
      yield* register("follower")
      const first = yield* won("leader")
      const second = Option.getOrThrow(yield* run(election.refreshLease(first)))
      yield* TestClock.adjust("2 seconds")
      const third = Option.getOrThrow(yield* run(election.refreshLease(second)))
      assert.deepStrictEqual([first.ballot, second.ballot, third.ballot], [1n, 2n, 3n])
      assert.deepStrictEqual([first.term, second.term, third.term], [1n, 1n, 1n])
      assert.strictEqual(third.leaseExpiry, 7_000_000_000n)
    })
  )

  it_(
    "leadership is transferred after the lease has expired, not before",
    Effect.gen(function*() {
      yield* run(election.initialize(ElectionConfig.withLeaseDuration("3 seconds")))
      yield* register("initial")
      yield* register("new")
      yield* won("initial")
      assert.isTrue(Option.isNone(yield* claim("new")))
      yield* TestClock.adjust("4 seconds")
      yield* run(election.heartbeatCandidate("new"))
      assert.isTrue(Option.isSome(yield* claim("new")))
      assert.isTrue(yield* leads("new"))
      assert.isFalse(yield* leads("initial"))
    })
  )

  it_(
    "a changed configuration is read back",
    Effect.gen(function*() {
      assert.strictEqual(Duration.toSeconds((yield* run(election.initialize())).leaseDuration), 10)
      yield* run(
        election.writeConfig(new ElectionConfig({ leaseDuration: Duration.seconds(20), allowPreemption: false }))
      )
      const config = yield* run(election.readConfig)
      assert.strictEqual(Duration.toSeconds(config.leaseDuration), 20)
      assert.isFalse(config.allowPreemption)
    })
  )

  it_(
    "a resignation lets another lead at once",
    Effect.gen(function*() {
      yield* run(election.initialize())
      yield* register("one")
      yield* register("two")
      const tenure = yield* won("one")
      assert.isTrue(yield* run(election.resignLeadership(tenure)))
      assert.isFalse(yield* leads("one"))
      assert.isTrue(Option.isNone(yield* run(election.getLeaderRaw)))
      yield* won("two")
      assert.isTrue(yield* leads("two"))
    })
  )

  it_(
    "a higher priority preempts, where that is allowed",
    Effect.gen(function*() {
      yield* run(election.initialize())
      yield* register("low", 1)
      yield* register("high", 10)
      yield* won("low", 1)
      yield* won("high", 10)
      assert.isTrue(yield* leads("high"))
      assert.isTrue(Option.isNone(yield* claim("low", 1)))
      yield* run(election.writeConfig(new ElectionConfig({ allowPreemption: false })))
      assert.isTrue(Option.isNone(yield* claim("low", 100)))
    })
  )
})

describe("rule 1: ballots and terms", () => {
  it_(
    "keep growing across resignations and takeovers",
    Effect.gen(function*() {
      yield* run(election.initialize())
      yield* register("one")
      yield* register("two")
      const first = yield* won("one")
      const renewed = Option.getOrThrow(yield* run(election.refreshLease(first)))
      yield* run(election.resignLeadership(renewed))
      const second = yield* won("two")
      yield* TestClock.adjust("11 seconds")
      const third = yield* won("one")
      assert.deepStrictEqual([first.term, second.term, third.term], [1n, 3n, 4n])
    })
  )

  it_(
    "do not turn back where configuration and lease were lost and the election is initialised anew",
    Effect.gen(function*() {
      yield* run(election.initialize())
      yield* register("one")
      let tenure = yield* won("one")
      for (let i = 0; i < 3; i++) tenure = Option.getOrThrow(yield* run(election.refreshLease(tenure)))
      yield* run(election.resignLeadership(tenure))
      const last = yield* won("one")
      yield* run(election.resignLeadership(last))
      yield* run(
        Effect.flatMap(
          tx,
          (tx) => Effect.forEach(["config", "lease"], (key) => tx.clear(election.subspace.pack([key])))
        )
      )
      yield* run(election.initialize())
      assert.isTrue((yield* won("one")).term > last.term)
    })
  )
})

describe("rules 2, 6 and 8: only the very tenure", () => {
  it_(
    "a delayed resignation of an old tenure does nothing",
    Effect.gen(function*() {
      yield* run(election.initialize())
      yield* register("one")
      const first = yield* won("one")
      yield* run(election.resignLeadership(first))
      yield* won("one")
      assert.isFalse(yield* run(election.resignLeadership(first)))
      assert.isTrue(yield* leads("one"))
      assert.isTrue(Option.isNone(yield* run(election.refreshLease(first))))
    })
  )

  it_(
    "a second registration of an id is told apart, and inherits nothing",
    Effect.gen(function*() {
      yield* run(election.initialize())
      const older = yield* register("one")
      const tenure = yield* won("one")
      const newer = yield* register("one")
      assert.isBelow(Buffer.compare(older.bytes, newer.bytes), 0)
      assert.isTrue(Option.isNone(yield* run(election.refreshLease(tenure))))
      assert.isTrue(Option.isNone(yield* claim("one")))
      const error = yield* Effect.flip(run(election.heartbeatCandidate("one", 0, { registration: older })))
      assert.strictEqual(error._tag, "CandidateSuperseded")
      assert.isFalse(yield* run(election.isLeader("one", { registration: newer })))
    })
  )
})

describe("rule 5: vacancy, and what is none", () => {
  it_(
    "an election that was never initialised is an error",
    Effect.gen(function*() {
      const errors = [
        yield* tagOf(election.registerCandidate("one")),
        yield* tagOf(election.tryClaimLeadership("one")),
        yield* tagOf(election.getLeader),
        yield* tagOf(election.writeConfig(new ElectionConfig({})))
      ]
      assert.deepStrictEqual(errors, Array.from({ length: 4 }, () => "NotInitialized"))
    })
  )

  for (const key of ["leader", "lease", "config", "challenge"]) {
    it_(
      `a damaged ${key} record is InvalidState that names the key, never a vacancy`,
      Effect.gen(function*() {
        yield* run(election.initialize())
        yield* register("one")
        yield* run(Effect.flatMap(tx, (tx) => tx.set(election.subspace.pack([key]), Uint8Array.of(0x15, 0x07))))
        const error = yield* Effect.flip(claim("one"))
        assert.strictEqual(error._tag, "InvalidState")
        assert.include(error.message, key)
      })
    )
  }

  it_(
    "a missing leader record of an initialised election is no vacancy either",
    Effect.gen(function*() {
      yield* run(election.initialize())
      yield* register("one")
      yield* run(Effect.flatMap(tx, (tx) => tx.clear(election.subspace.pack(["leader"]))))
      assert.strictEqual((yield* Effect.flip(claim("one")))._tag, "InvalidState")
    })
  )
})

describe("rule 9: a disabled election", () => {
  it_(
    "neither registers, claims nor renews",
    Effect.gen(function*() {
      yield* run(election.initialize())
      yield* register("one")
      const tenure = yield* won("one")
      yield* run(election.writeConfig(new ElectionConfig({ electionEnabled: false })))
      const tags = [
        yield* tagOf(election.registerCandidate("two")),
        yield* tagOf(election.heartbeatCandidate("one")),
        yield* tagOf(election.tryClaimLeadership("one")),
        yield* tagOf(election.refreshLease(tenure)),
        yield* tagOf(election.runElectionCycle("one"))
      ]
      assert.deepStrictEqual(tags, Array.from({ length: 5 }, () => "ElectionDisabled"))
    })
  )
})

describe("candidates", () => {
  it_(
    "have to be registered to claim, and to beat",
    Effect.gen(function*() {
      yield* run(election.initialize())
      assert.strictEqual((yield* Effect.flip(claim("ghost")))._tag, "UnregisteredCandidate")
      assert.strictEqual((yield* Effect.flip(run(election.heartbeatCandidate("ghost"))))._tag, "ProcessNotFound")
      assert.strictEqual((yield* Effect.flip(run(election.runElectionCycle("ghost"))))._tag, "ProcessNotFound")
    })
  )

  it_(
    "are listed while alive and evicted when dead, but never the leader",
    Effect.gen(function*() {
      yield* run(election.initialize())
      for (const id of ["dead", "leader", "live"]) yield* register(id)
      yield* won("leader")
      yield* TestClock.adjust("16 seconds")
      yield* run(election.heartbeatCandidate("live", 3))
      assert.deepStrictEqual((yield* run(election.listCandidates)).map((candidate) => candidate.processId), ["live"])
      assert.strictEqual(yield* run(election.evictDeadCandidates), 1)
      assert.isTrue(Option.isNone(yield* run(election.getCandidate("dead"))))
      assert.isTrue(Option.isSome(yield* run(election.getCandidate("leader"))))
      assert.strictEqual(Option.getOrThrow(yield* run(election.getCandidate("live"))).priority, 3)
    })
  )

  it_(
    "that lead resign when they are removed",
    Effect.gen(function*() {
      yield* run(election.initialize())
      yield* register("one")
      yield* register("two")
      yield* won("one")
      yield* run(election.unregisterCandidate("one"))
      assert.strictEqual((yield* won("two")).term, 2n)
    })
  )

  it_(
    "with an id or a priority that cannot be stored are refused by name",
    Effect.gen(function*() {
      yield* run(election.initialize())
      const field = (id: string, priority: number) =>
        Effect.map(
          failure(election.registerCandidate(id, priority)),
          (error) => error._tag === "InvalidCandidate" ? error.field : error._tag
        )
      assert.strictEqual(yield* field("", 0), "id")
      assert.strictEqual(yield* field("\ud800", 0), "id")
      assert.strictEqual(yield* field("x".repeat(513), 0), "id")
      assert.strictEqual(yield* field("one", 2 ** 31), "priority")
      assert.strictEqual(yield* field("one", 0.5), "priority")
      assert.strictEqual(yield* field("one", Number.NaN), "priority")
    })
  )

  it_(
    "of a name that nobody can have are not there",
    Effect.gen(function*() {
      yield* run(election.initialize())
      for (const name of ["", "\ud800", "x".repeat(20_000)]) {
        assert.isTrue(Option.isNone(yield* run(election.getCandidate(name))))
        yield* run(election.unregisterCandidate(name))
        assert.isFalse(yield* run(election.isLeader(name)))
      }
    })
  )
})

describe("configurations", () => {
  const field = (config: ElectionConfig) =>
    Effect.map(
      Effect.flip(run(election.initialize(config))),
      (error) => error._tag === "InvalidConfig" ? error.field : error._tag
    )

  it_(
    "that no election can be run with are refused by name",
    Effect.gen(function*() {
      assert.strictEqual(yield* field(new ElectionConfig({ leaseDuration: Duration.zero })), "leaseDuration")
      assert.strictEqual(yield* field(ElectionConfig.withLeaseDuration("2 millis")), "heartbeatInterval")
      assert.strictEqual(yield* field(new ElectionConfig({ heartbeatInterval: Duration.zero })), "heartbeatInterval")
      assert.strictEqual(
        yield* field(new ElectionConfig({ heartbeatInterval: Duration.seconds(10) })),
        "heartbeatInterval"
      )
      assert.strictEqual(
        yield* field(new ElectionConfig({ candidateTimeout: Duration.seconds(3) })),
        "candidateTimeout"
      )
      assert.strictEqual(yield* field(new ElectionConfig({ leaseDuration: Duration.infinity })), "leaseDuration")
      // Its end, counted from now, could not be stored.
      const longest = Duration.nanos(2n ** 63n - 1n)
      assert.strictEqual(yield* field(new ElectionConfig({ leaseDuration: longest })), "leaseDuration")
    })
  )

  it_(
    "are set once: a second initialisation returns the one in force",
    Effect.gen(function*() {
      yield* run(election.initialize(ElectionConfig.withLeaseDuration("6 seconds")))
      const config = yield* run(election.initialize(ElectionConfig.withLeaseDuration("60 seconds")))
      assert.strictEqual(Duration.toSeconds(config.leaseDuration), 6)
    })
  )
})

describe("runElectionCycle", () => {
  it_(
    "beats, claims and renews in one transaction",
    Effect.gen(function*() {
      yield* run(election.initialize())
      yield* register("one")
      yield* register("two")
      const cycle = (id: string) => run(election.runElectionCycle(id))
      const first = yield* cycle("one")
      const second = yield* cycle("one")
      const other = yield* cycle("two")
      assert.isTrue(ElectionResult.isLeader(first))
      assert.strictEqual(Option.getOrThrow(ElectionResult.leaderState(second)).ballot, 2n)
      assert.isFalse(ElectionResult.isLeader(other))
      assert.strictEqual(Option.getOrThrow(ElectionResult.leaderState(other)).leaderId, "one")
    })
  )
})
