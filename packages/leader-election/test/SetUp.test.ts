import { type Database, Subspace, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Logger, Option, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { differences } from "../src/ElectionConfig.ts"
import { ElectionConfig, LeaderElection } from "../src/index.ts"
import { eventsOf, transact } from "./support/candidates.ts"
import { type Host, makeHosts } from "./support/host.ts"

const subspace = Subspace.fromTuple(["app", "election"])
const config = ElectionConfig.withLeaseDuration("6 seconds")
const other = new ElectionConfig({ leaseDuration: Duration.seconds(20), allowPreemption: false })
const election = LeaderElection.make(subspace, { config })

/** Hosts on a database in which there is no election. */
const hosts = Effect.gen(function*() {
  yield* TestClock.adjust(0)
  const make = yield* makeHosts()
  return [make(), make(), make()] as const
})

const inForce = (host: Host) => host.run(transact(election.readConfig))

const assertSame = (actual: ElectionConfig, expected: ElectionConfig) =>
  assert.deepStrictEqual(differences(expected, actual), [])

const clear = (host: Host) => host.run(transact(Effect.flatMap(Transaction, (tx) => tx.clearRange(subspace.range()))))

describe("an election that nobody has set up", () => {
  const ways: Record<string, Effect.Effect<unknown, unknown, Database | Scope.Scope>> = {
    withLeadership: election.withLeadership({ id: "a" }, () => Effect.void),
    campaign: election.campaign({ id: "a" }),
    candidacy: Effect.flatMap(election.candidacy({ id: "a" }), ({ campaign }) => campaign),
    singleton: Layer.build(election.singleton({ id: "a" }, Effect.never))
  }
  for (const [way, run] of Object.entries(ways)) {
    it.effect(`is set up by ${way}, as it was given`, () =>
      Effect.gen(function*() {
        const [a] = yield* hosts
        yield* a.run(run)
        yield* TestClock.adjust(0)
        assert.lengthOf(eventsOf(a, "Elected"), 1)
        assertSame(yield* inForce(a), config)
        assert.lengthOf(eventsOf(a, "ConfigDiffers"), 0)
      }))
  }

  it.effect("is set up with the default where it was given none, and by initialize as it was given", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts
      const plain = LeaderElection.make(Subspace.fromTuple(["plain"]))
      yield* a.run(plain.withLeadership({ id: "a" }, () => Effect.void))
      assertSame(yield* a.run(transact(plain.readConfig)), new ElectionConfig({}))
      assertSame(yield* a.run(transact(election.initialize())), config)
      assert.lengthOf(eventsOf(a, "ConfigDiffers"), 0)
    }))

  it.effect("is set up once by many at the same time, and one of them leads", () =>
    Effect.gen(function*() {
      const all = yield* hosts
      const leading: Array<string> = []
      for (const [i, host] of all.entries()) {
        const own = LeaderElection.make(subspace, { config: i === 1 ? other : config })
        yield* host.run(
          own.withLeadership(
            { id: `${i}` },
            () => Effect.andThen(Effect.sync(() => leading.push(`${i}`)), Effect.never)
          )
        )
          .pipe(Effect.forkDetach({ startImmediately: true }))
      }
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(leading, 1)
      const differing = all.map((host) => eventsOf(host, "ConfigDiffers").length)
      assert.include([[0, 1, 0], [1, 0, 1]].map(String), String(differing))
    }))

  it.effect("is set up after a database that was away, and where the outcome was not told", () =>
    Effect.gen(function*() {
      for (const connection of [{ failsWith: 1007 }, "hangs", { commitsBut: 1021 }] as const) {
        const [a] = yield* hosts
        a.connection = connection
        const led = yield* Effect.forkDetach(a.run(election.withLeadership({ id: "a" }, () => Effect.void)), {
          startImmediately: true
        })
        yield* TestClock.adjust("5 seconds")
        a.connection = "up"
        yield* TestClock.adjust("30 seconds")
        assert.deepStrictEqual(led.pollUnsafe(), Exit.void)
      }
    }))

  it.effect("is not set up by the operations in a transaction, nor by looking on", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts
      const refused = [
        a.run(transact(Effect.asVoid(election.readConfig))),
        a.run(transact(Effect.asVoid(election.getLeader))),
        a.run(transact(Effect.asVoid(election.registerCandidate("a"))))
      ]
      for (const operation of refused) {
        assert.strictEqual((yield* Effect.flip(operation))._tag, "NotInitialized")
      }
      const seen: Array<string | undefined> = []
      yield* election.changes.pipe(
        Stream.runForEach((leader) => Effect.sync(() => void seen.push(Option.getOrUndefined(leader)?.leaderId))),
        a.run,
        Effect.forkChild
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(seen, [undefined])
      assert.strictEqual((yield* Effect.flip(inForce(a)))._tag, "NotInitialized")
    }))

  it.effect("is watched until it is: changes tells its first leader at once", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts
      const seen: Array<string | undefined> = []
      yield* election.changes.pipe(
        Stream.runForEach((leader) => Effect.sync(() => void seen.push(Option.getOrUndefined(leader)?.leaderId))),
        b.run,
        Effect.forkChild
      )
      yield* TestClock.adjust("1 second")
      yield* Effect.forkChild(a.run(election.withLeadership({ id: "a" }, () => Effect.never)))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(seen, [undefined, "a"])
    }))
})

describe("a configuration with which no election can be run", () => {
  it.effect("is refused by every way to take part, before anything is written", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts
      const invalid = LeaderElection.make(subspace, {
        config: new ElectionConfig({ leaseDuration: Duration.seconds(1) })
      })
      const ways = [
        invalid.withLeadership({ id: "a" }, () => Effect.void),
        invalid.campaign({ id: "a" }),
        invalid.candidacy({ id: "a" }),
        Layer.build(invalid.singleton({ id: "a" }, Effect.void))
      ]
      for (const way of ways) {
        const error = yield* Effect.flip(a.run(Effect.asVoid(way)))
        assert.deepInclude(error, { _tag: "InvalidConfig", field: "heartbeatInterval" })
      }
      assert.strictEqual((yield* Effect.flip(inForce(a)))._tag, "NotInitialized")
    }))
})

describe("a configuration in force that is another than was given", () => {
  it.effect("is obeyed, and told once a candidacy, as an event and as a warning", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts
      yield* b.run(transact(election.initialize(other)))
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel} ${String(message)}`))
      const scope = yield* Scope.make()
      yield* a.run(Layer.buildWithScope(election.singleton({ id: "a" }, Effect.sleep("1 second")), scope)).pipe(
        Effect.provide(Logger.layer([logger]))
      )
      yield* TestClock.adjust("1 minute")
      yield* b.run(transact(election.requestStepDown))
      yield* TestClock.adjust("1 minute")
      const [differs, ...others] = eventsOf(a, "ConfigDiffers")
      assertSame(differs!.given, config)
      assertSame(differs!.inForce, other)
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual(
        lines.filter((line) => line.startsWith("Warn")),
        [
          `Warn "a" was given a configuration that differs from the one in force: leaseDuration is 20s, not 6s, ` +
          "heartbeatInterval is 3s, not 2s, candidateTimeout is 15s, not 9s, allowPreemption is false, not true; " +
          "writeConfig changes it"
        ]
      )
      assertSame(yield* inForce(a), other)
      assert.strictEqual(Duration.toSeconds(eventsOf(a, "Elected")[0]!.leaseDuration), 20)
      yield* Scope.close(scope, Exit.void)
    }))

  it.effect("is not told where none was given, nor where an operator changes it later", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts
      yield* a.run(transact(election.initialize(other)))
      const plain = LeaderElection.make(subspace)
      yield* a.run(plain.withLeadership({ id: "a" }, () => Effect.void))
      assert.lengthOf(eventsOf(a, "ConfigDiffers"), 0)
      yield* a.run(transact(election.writeConfig(config)))
      yield* Effect.forkChild(b.run(election.withLeadership({ id: "b" }, () => Effect.never)))
      yield* TestClock.adjust("1 minute")
      yield* a.run(transact(election.writeConfig(other)))
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(eventsOf(b, "ConfigDiffers"), 0)
    }))
})

describe("an election whose records were cleared", () => {
  it.effect("is not set up anew by who has seen it: it says so, until somebody does", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts
      const leading = yield* Effect.forkDetach(a.run(election.withLeadership({ id: "a" }, () => Effect.never)), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      const following = yield* Effect.forkDetach(b.run(election.withLeadership({ id: "b" }, () => Effect.never)), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      yield* clear(a)
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* Effect.flip(Fiber.join(leading)), { _tag: "LeadershipLost", reason: "broken" })
      assert.strictEqual((yield* Effect.flip(Fiber.join(following)))._tag, "NotInitialized")
      assert.lengthOf(eventsOf(b, "Elected"), 0)
      assert.strictEqual((yield* Effect.flip(inForce(a)))._tag, "NotInitialized")
    }))

  it.effect("but for a lost configuration is set up beside the leader that stands, who is waited for", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts
      yield* Effect.forkDetach(a.run(election.withLeadership({ id: "a" }, () => Effect.never)), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      a.connection = "hangs"
      yield* b.run(transact(Effect.flatMap(Transaction, (tx) => tx.clear(subspace.pack(["config"])))))
      yield* Effect.forkDetach(b.run(election.withLeadership({ id: "b" }, () => Effect.never)), {
        startImmediately: true
      })
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(eventsOf(b, "Elected"), 0)
      yield* TestClock.adjust("2 seconds")
      assert.isTrue(eventsOf(b, "Elected")[0]!.term > eventsOf(a, "Elected")[0]!.term)
    }))

  it.effect("but for a lost configuration keeps its ballots when it is set up", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts
      yield* Effect.forkDetach(a.run(election.withLeadership({ id: "a" }, () => Effect.never)), {
        startImmediately: true
      })
      yield* TestClock.adjust("10 seconds")
      const before = yield* b.run(transact(election.getLeaderRaw))
      yield* b.run(transact(Effect.flatMap(Transaction, (tx) => tx.clear(subspace.pack(["config"])))))
      yield* b.run(transact(election.initialize()))
      const after = yield* b.run(transact(election.getLeaderRaw))
      assert.isTrue(Option.getOrThrow(before).ballot > Option.getOrThrow(before).term)
      assert.strictEqual(Option.getOrThrow(after).ballot, Option.getOrThrow(before).ballot)
    }))

  it.effect("is not set up over a claim that was committed since it was found missing", () =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts
      let attempts = 0
      const claim = Effect.gen(function*() {
        yield* transact(election.initialize())
        yield* transact(Effect.asVoid(election.registerCandidate("a")))
        yield* transact(election.tryClaimLeadership("a"))
      })
      const settingUp = yield* Effect.forkDetach(
        b.run(transact(Effect.andThen(
          election.initialize(),
          Effect.suspend(() => ++attempts === 1 ? Effect.orDie(a.run(claim)) : Effect.void)
        ))),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(settingUp)
      assert.strictEqual(attempts, 2)
      assert.strictEqual(Option.getOrThrow(yield* b.run(transact(election.getLeaderRaw))).leaderId, "a")
    }))
})
