/** A leader whose process was witnessed to have ended (4). */
import { Database, MemoryDatabase, Subspace, Testimony, Transaction, Witness } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Metric, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig, LeaderElection } from "../src/index.ts"
import * as TestWitness from "../src/testing/TestWitness.ts"
import { election, eventsOf, lead, leaderId, transact } from "./support/candidates.ts"
import { manyOf } from "./support/many.ts"
import { makeProcesses, type Process } from "./support/witnesses.ts"

const history = (process: Process) => Effect.orDie(process.run(transact(election.readHistory())))

/** Leader and reason of each tenure, the newest first. */
const tenures = (process: Process) =>
  Effect.map(history(process), (entries) => entries.map(({ leaderId, reason }) => `${leaderId} ${reason}`))

const causes = (process: Process) => eventsOf(process, "Elected").map(({ cause }) => cause)

/** A process that leads as "a", one that follows as "b", and one that looks on. */
const ledAndFollowed = Effect.fnUntraced(function*(options: Parameters<typeof makeProcesses>[0] = {}) {
  const witnesses = yield* makeProcesses(options)
  const [a, b, onlooker] = [yield* witnesses.make, yield* witnesses.make, yield* witnesses.make]
  const leading = yield* lead(a, { id: "a" })
  const following = yield* lead(b, { id: "b" })
  yield* TestClock.adjust("20 seconds")
  return { ...witnesses, a, b, following, leading, onlooker }
})

describe("a leader whose process has ended by witness", () => {
  it.effect("is succeeded at once, and the history says that it has died", () =>
    Effect.gen(function*() {
      const { a, b, onlooker } = yield* ledAndFollowed()
      yield* a.kill
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* leaderId(onlooker), "b")
      assert.deepStrictEqual(causes(b), ["died"])
      assert.strictEqual(Duration.toMillis(eventsOf(b, "Elected")[0]!.leaderless), 0)
      assert.deepStrictEqual(yield* tenures(onlooker), ["b undefined", "a died"])
    }))

  it.effect("is waited for by the lease where nobody is told", () =>
    Effect.gen(function*() {
      const { a, b, hold, onlooker } = yield* ledAndFollowed()
      yield* hold
      yield* a.kill
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(yield* leaderId(onlooker), "a")
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(yield* leaderId(onlooker), "b")
      assert.deepStrictEqual(causes(b), ["lapsed"])
    }))

  it.effect("is succeeded when it is told, however late within the lease", () =>
    Effect.gen(function*() {
      const { a, b, hold, onlooker, release } = yield* ledAndFollowed()
      yield* hold
      yield* a.kill
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(yield* leaderId(onlooker), "a")
      yield* release
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(causes(b), ["died"])
    }))

  it.effect("that is told to have died when another leads costs that one nothing", () =>
    Effect.gen(function*() {
      const { a, b, hold, make, onlooker, release } = yield* ledAndFollowed()
      const c = yield* make
      yield* lead(c, { id: "c" })
      yield* hold
      yield* a.kill
      yield* TestClock.adjust("15 seconds")
      const successor = yield* leaderId(onlooker)
      assert.include(["b", "c"], successor)
      const before = eventsOf(b, "Elected").length + eventsOf(c, "Elected").length
      yield* release
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(eventsOf(b, "Elected").length + eventsOf(c, "Elected").length, before)
      assert.deepStrictEqual(yield* tenures(onlooker), [`${successor} undefined`, "a expired"])
    }))

  it.effect("is not taken for dead while its process is frozen, or has closed its witness, however long it says nothing", () =>
    Effect.gen(function*() {
      const { a, b, onlooker } = yield* ledAndFollowed()
      yield* a.witness.close
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* leaderId(onlooker), "a")
      a.connection = "hangs"
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(yield* leaderId(onlooker), "a")
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(causes(b), ["lapsed"])
    }))

  it.effect("is succeeded at once by a candidate that had read nothing yet when it was told", () =>
    Effect.gen(function*() {
      const { make } = yield* makeProcesses()
      const [a, late, later] = [yield* make, yield* make, yield* make]
      yield* lead(a, { id: "a" })
      yield* a.kill
      yield* lead(late, { id: "late" })
      assert.strictEqual(yield* leaderId(later), "late")
      assert.deepStrictEqual(causes(late), ["died"])
    }))

  it.effect("is waited for by a process that started when it had ended already", () =>
    Effect.gen(function*() {
      const { make } = yield* makeProcesses()
      const a = yield* make
      yield* lead(a, { id: "a" })
      yield* a.kill
      const late = yield* make
      yield* lead(late, { id: "late" })
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual(yield* leaderId(late), "a")
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(causes(late), ["lapsed"])
    }))

  it.effect("leaves a later process of its id alone: the death is that of its own registration", () =>
    Effect.gen(function*() {
      const { a, b, hold, make, onlooker, release } = yield* ledAndFollowed()
      yield* hold
      b.connection = "hangs"
      yield* a.kill
      const again = yield* make
      yield* lead(again, { id: "a" })
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(yield* leaderId(onlooker), "a")
      assert.deepStrictEqual(causes(again), ["lapsed"])
      b.connection = "up"
      yield* TestClock.adjust("15 seconds")
      yield* release
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(causes(b), [])
      assert.deepStrictEqual(yield* tenures(onlooker), ["a undefined", "a expired"])
    }))

  it.effect("is succeeded at once by a later process of its id, which ends the tenure of the earlier registration", () =>
    Effect.gen(function*() {
      const { make } = yield* makeProcesses()
      const [a, again] = [yield* make, yield* make]
      yield* lead(a, { id: "a" })
      yield* a.kill
      yield* lead(again, { id: "a" })
      assert.deepStrictEqual(causes(again), ["died"])
      assert.deepStrictEqual(yield* tenures(again), ["a undefined", "a died"])
    }))

  it.effect("leaves a vacancy where it had ended its tenure before, told in either order", () =>
    Effect.gen(function*() {
      for (const isTold of [true, false]) {
        const { a, hold, leading, onlooker } = yield* ledAndFollowed()
        if (!isTold) yield* hold
        const resigning = yield* Effect.forkChild(Fiber.interrupt(leading))
        yield* TestClock.adjust(0)
        yield* a.kill
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(resigning)
        assert.strictEqual(yield* leaderId(onlooker), "b")
        assert.deepStrictEqual((yield* tenures(onlooker))[1], "a resigned")
      }
    }))

  it.effect("is succeeded though it had only been given the leadership, and never acted as the leader", () =>
    Effect.gen(function*() {
      const { a, b, make, onlooker } = yield* ledAndFollowed()
      const c = yield* make
      yield* lead(c, { id: "c" })
      yield* TestClock.adjust("20 seconds")
      yield* b.kill
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* leaderId(onlooker), "a")
      // Of the two, the other is not in line: it is told at the same time that it is not called any more.
      a.connection = "hangs"
      yield* onlooker.run(transact(Effect.andThen(
        Transaction.use((tx) => tx.clear(election.subspace.pack(["calls", "c"]))),
        Effect.flatMap(Effect.map(election.getLeaderRaw, Option.getOrThrow), election.resignLeadership)
      )))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual((yield* tenures(onlooker)).slice(0, 2), ["c undefined", "b died"])
      assert.deepStrictEqual(causes(c), ["died"])
    }))

  it.effect("is passed over by a leader that resigns, where it is next in line: the first that lives is appointed", () =>
    Effect.gen(function*() {
      const { a, b, leading, make, onlooker } = yield* ledAndFollowed()
      const [c, d] = [yield* make, yield* make]
      yield* lead(c, { id: "c" })
      yield* lead(d, { id: "d" })
      yield* b.kill
      yield* c.kill
      yield* TestClock.adjust("1 second")
      yield* Effect.forkChild(Fiber.interrupt(leading))
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* leaderId(onlooker), "d")
      assert.deepStrictEqual(causes(d), ["appointed"])
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* leaderId(onlooker), "d")
      assert.deepStrictEqual(yield* tenures(a), ["d undefined", "a resigned"])
    }))

  it.effect("is succeeded at once where it was appointed before its death was told", () =>
    Effect.gen(function*() {
      const { b, hold, leading, make, onlooker, release } = yield* ledAndFollowed()
      const others = [yield* make, yield* make, yield* make]
      for (const [i, process] of others.entries()) yield* lead(process, { id: `c${i}`, priority: -1 })
      yield* hold
      yield* b.kill
      yield* Effect.forkChild(Fiber.interrupt(leading))
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(yield* leaderId(onlooker), "b")
      yield* release
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(others.flatMap(causes), ["died"])
      assert.deepStrictEqual((yield* tenures(onlooker)).slice(1), ["b died", "a resigned"])
    }))

  it.effect("is not claimed while the election is disabled, and at once when it is enabled", () =>
    Effect.gen(function*() {
      const { a, b, onlooker } = yield* ledAndFollowed()
      const write = (electionEnabled: boolean) =>
        onlooker.run(transact(election.writeConfig(new ElectionConfig({ electionEnabled }))))
      yield* write(false)
      yield* a.kill
      yield* TestClock.adjust("8 seconds")
      assert.deepStrictEqual(causes(b), [])
      yield* write(true)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(causes(b), ["died"])
    }))

  it.effect("is ended on what stands: where that changes before the commit, the claim is refused and made anew", () =>
    Effect.gen(function*() {
      const { a, b, onlooker } = yield* ledAndFollowed({
        latencies: { readVersion: "10 millis", read: "10 millis", commit: "100 millis" }
      })
      const transacted = <A, E, R>(body: Effect.Effect<A, E, R>) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(onlooker.run(transact(body as never)))
          yield* TestClock.adjust("300 millis")
          return (yield* Fiber.join(fiber)) as A
        })
      const standing = Option.getOrThrow(yield* transacted(election.getLeaderRaw))
      // Its lease is renewed once more, by a commit that arrives late: before that of the claim, and after its reads.
      const late = yield* Effect.forkChild(onlooker.run(transact(election.refreshLease(standing))))
      yield* TestClock.adjust("10 millis")
      yield* a.kill
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(late)
      assert.strictEqual((yield* b.counts).conflicts, 1)
      assert.deepStrictEqual(causes(b), ["died"])
      const entries = yield* transacted(election.readHistory())
      assert.deepStrictEqual(entries.map(({ leaderId, reason }) => `${leaderId} ${reason}`), ["b undefined", "a died"])
      assert.isAbove(Number(entries[0]!.term), Number(standing.ballot + 1n))
    }))
})

describe("the death of a leader of many followers", () => {
  const far = { readVersion: "4 millis", read: "4 millis", commit: "12 millis" } as const

  const many = Effect.fnUntraced(function*(count: number) {
    const { make } = yield* makeProcesses({ latencies: far })
    const processes: Array<Process> = []
    for (let i = 0; i < count; i++) {
      const process = yield* make
      yield* lead(process, { id: `${i}` })
      processes.push(process)
    }
    yield* TestClock.adjust("30 seconds")
    yield* Effect.forEach(processes, ({ resetCounts }) => resetCounts)
    return processes
  })

  const conflicts = (processes: ReadonlyArray<Process>) =>
    Effect.map(
      Effect.forEach(processes, ({ counts }) => counts),
      (all) => all.reduce((sum, { conflicts }) => sum + conflicts, 0)
    )

  it.effect("makes one claim of them, that of the first to have registered, without a wait", () =>
    Effect.gen(function*() {
      const [leader, ...followers] = yield* many(26)
      yield* leader!.kill
      yield* TestClock.adjust("40 millis")
      assert.deepStrictEqual(causes(followers[0]!), ["died"])
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(followers.slice(1).flatMap(causes), [])
      assert.strictEqual(yield* conflicts(followers), 0)
    }))

  it.effect("is answered by the next where the first says nothing, and by the third where that has died, too", () =>
    Effect.gen(function*() {
      const [leader, first, second, third, ...others] = yield* many(6)
      first!.connection = "hangs"
      yield* leader!.kill
      yield* TestClock.adjust("10 millis")
      yield* second!.kill
      // Not before the first has had its turn.
      yield* TestClock.adjust("25 millis")
      assert.deepStrictEqual(causes(third!), [])
      yield* TestClock.adjust("35 millis")
      assert.deepStrictEqual(causes(third!), ["died"])
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(others.flatMap(causes), [])
      assert.strictEqual(yield* conflicts([third!, ...others]), 0)
    }))

  it.effect("that of a follower makes them look, and no more", () =>
    Effect.gen(function*() {
      const processes = yield* many(5)
      yield* processes[4]!.kill
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(processes.map(causes), [["vacant"], [], [], [], []])
      assert.strictEqual(yield* conflicts(processes), 0)
    }))

  it.effect("does not keep one of them from closing", () =>
    Effect.gen(function*() {
      const { make } = yield* makeProcesses()
      const [a, b, c] = [yield* make, yield* make, yield* make]
      yield* lead(a, { id: "a" })
      yield* lead(b, { id: "b" })
      const closing = yield* lead(c, { id: "c" })
      b.connection = "hangs"
      yield* a.kill
      const closed = yield* Effect.forkChild(Fiber.interrupt(closing))
      yield* TestClock.adjust(0)
      assert.isDefined(closed.pollUnsafe())
    }))
})

describe("a process that takes part in many elections and has ended by witness", () => {
  it.effect("is succeeded in all that it has led, while the others look and beat together", () =>
    Effect.gen(function*() {
      const { make } = yield* makeProcesses({
        latencies: { readVersion: "1 millis", read: "1 millis", commit: "5 millis" }
      })
      const [a, b, onlooker] = [yield* make, yield* make, yield* make]
      const elections = manyOf(50)
      const campaignInAll = (process: Process, name: string) =>
        Effect.forEach(
          elections,
          (election, i) =>
            Effect.forkDetach(process.run(election.withLeadership({ id: `${name}${i}` }, () => Effect.never)))
        )
      yield* campaignInAll(a, "a")
      yield* TestClock.adjust("10 seconds")
      yield* campaignInAll(b, "b")
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(causes(b), [])
      yield* a.kill
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(causes(b).filter((cause) => cause === "died").length, 50)
      const led = yield* Effect.forkChild(onlooker.run(transact(elections[49]!.readHistory(1))))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(led))[0]?.leaderId, "b49")
    }))

  it.effect("is succeeded in the slot that it held by the one that waits, which holds one slot then", () =>
    Effect.gen(function*() {
      const { make } = yield* makeProcesses()
      const slots = LeaderElection.slots(Subspace.fromTuple(["app", "slots"]), 3)
      const processes: Array<Process> = []
      for (const id of ["a", "b", "c", "d", "e"]) {
        const process = yield* make
        yield* Effect.forkDetach(process.run(slots.withLeadership({ id }, () => Effect.never)), {
          startImmediately: true
        })
        yield* TestClock.adjust("1 second")
        processes.push(process)
      }
      const holders = () => processes.map((process) => eventsOf(process, "Elected").length)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(holders(), [1, 1, 1, 0, 0])
      yield* processes[1]!.kill
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(holders(), [1, 1, 1, 1, 0])
      assert.deepStrictEqual(causes(processes[3]!), ["died"])
      // Two at once, of which the one that waits takes one.
      yield* processes[0]!.kill
      yield* processes[2]!.kill
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(holders(), [1, 1, 1, 1, 1])
      assert.deepStrictEqual(causes(processes[4]!), ["died"])
    }))
})

describe("what a candidate tells", () => {
  const own = (process: Process) => process.witness.witness.living(Testimony.ofSubspace(election.subspace))

  it.effect("is its registration, from when that is known to be its own until it has left", () =>
    Effect.gen(function*() {
      const { make } = yield* makeProcesses()
      const [a, b] = [yield* make, yield* make]
      const scope = yield* Scope.make()
      const candidacy = yield* a.run(Scope.provide(election.candidacy({ id: "a" }), scope))
      assert.deepStrictEqual(own(b), [])
      const registered = Effect.map(
        Effect.map(a.run(transact(election.getCandidate("a"))), Option.getOrThrow),
        ({ registration }) => Testimony.make(Testimony.ofSubspace(election.subspace), "a", registration)
      )
      yield* a.run(Effect.scoped(candidacy.campaign))
      assert.deepStrictEqual(own(b), [yield* registered])
      // Evicted, it registers anew, and tells that.
      yield* a.run(transact(election.unregisterCandidate("a")))
      const following = yield* lead(b, { id: "b" })
      const campaigning = yield* Effect.forkChild(a.run(Effect.scoped(candidacy.campaign)))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(own(a).length, 2)
      assert.include(own(b), yield* registered)
      yield* Fiber.interrupt(campaigning)
      yield* Fiber.interrupt(following)
      yield* Effect.forkChild(Scope.close(scope, yield* Effect.exit(Effect.void)))
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(own(b), [])
    }))

  it.effect("is taken back where another process has registered its id", () =>
    Effect.gen(function*() {
      const { make } = yield* makeProcesses()
      const [a, b, again] = [yield* make, yield* make, yield* make]
      yield* lead(b, { id: "b" })
      yield* lead(a, { id: "a" })
      assert.strictEqual(own(b).length, 2)
      yield* lead(again, { id: "a" })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(eventsOf(a, "Superseded").length, 1)
      assert.strictEqual(own(b).length, 2)
      yield* a.kill
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(own(b).length, 2)
    }))

  it.effect("and to how many, is told by its health, its events and its metrics", () =>
    Effect.gen(function*() {
      const { make } = yield* makeProcesses()
      const [a, b] = [yield* make, yield* make]
      const scope = yield* Scope.make()
      const candidacy = yield* a.run(Scope.provide(election.candidacy({ id: "a" }), scope))
      assert.strictEqual((yield* candidacy.health).witnesses, 0)
      yield* Scope.provide(a.run(candidacy.campaign), scope)
      assert.strictEqual((yield* candidacy.health).witnesses, 1)
      assert.deepStrictEqual(eventsOf(a, "Elected").map(({ witnesses }) => witnesses), [1])
      const metric = Effect.map(
        Metric.snapshot,
        (all) => all.find(({ id, attributes }) => id === "fdb_election_witnesses" && attributes?.["candidate"] === "a")
      )
      assert.deepInclude(yield* metric, { state: { value: 1 } })
      yield* b.kill
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(eventsOf(a, "Renewed").at(-1)?.witnesses, 0)
      assert.deepInclude(yield* metric, { state: { value: 0 } })
      assert.strictEqual((yield* candidacy.health).witnesses, 0)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("is nothing without a witness, and waits for none", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const led = election.withLeadership({ id: "a" }, ({ term }) => Effect.succeed(term))
      assert.strictEqual(yield* Effect.provide(led, MemoryDatabase.layer), 1n)
    }))

  it.effect("is told by an election as a service, whose layer was given the witness with its database", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      class Mailer
        extends LeaderElection.Service<Mailer>()("test/Mailer", { subspace: Subspace.fromTuple(["mailer"]) })
      {}
      const { start } = TestWitness.make()
      const [process, other] = [yield* start, yield* start]
      const engine = Layer.merge(MemoryDatabase.layer, Layer.succeed(Witness, process.witness))
      const led = Effect.scoped(
        Mailer.use((mailer) => mailer.campaign({ id: "a" })).pipe(
          Effect.map(() => other.witness.living(Testimony.ofSubspace(Subspace.fromTuple(["mailer"]))))
        )
      )
      const living = yield* Effect.provide(led, Layer.provide(Mailer.layer, engine))
      assert.deepStrictEqual(living.map((one) => Option.getOrThrow(Testimony.parse(one)).id), ["a"])
    }))
})

describe("ending the tenure of a dead candidate in the store", () => {
  const registrationOf = (process: Process, id: string) =>
    Effect.map(process.run(transact(election.getCandidate(id))), (found) => Option.getOrThrow(found).registration)

  it.effect("gives the leadership to a follower that knows of no death, and the history says died", () =>
    Effect.gen(function*() {
      const { a, b, hold, onlooker } = yield* ledAndFollowed()
      yield* hold
      const registration = yield* registrationOf(onlooker, "a")
      yield* a.kill
      assert.isTrue(yield* onlooker.run(transact(election.endTenureOfDead("a", registration))))
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* leaderId(onlooker), "b")
      assert.deepStrictEqual(yield* tenures(onlooker), ["b undefined", "a died"])
      assert.isFalse(yield* onlooker.run(transact(election.endTenureOfDead("a", registration))))
      assert.strictEqual(yield* leaderId(onlooker), "b")
      assert.deepStrictEqual(causes(b), ["appointed"])
    }))

  it.effect("does nothing to another registration of the id, to a follower, or by an id that nobody can have", () =>
    Effect.gen(function*() {
      const { onlooker } = yield* ledAndFollowed()
      const end = (id: string, registration: Parameters<typeof election.endTenureOfDead>[1]) =>
        onlooker.run(transact(election.endTenureOfDead(id, registration)))
      const [a, b] = [yield* registrationOf(onlooker, "a"), yield* registrationOf(onlooker, "b")]
      assert.deepStrictEqual(
        [
          yield* end("a", b),
          yield* end("b", a),
          yield* end("b", b),
          yield* end("", a),
          yield* end("x".repeat(9999), a)
        ],
        [false, false, false, false, false]
      )
      assert.strictEqual(yield* leaderId(onlooker), "a")
    }))

  it.effect("is refused where the tenure changes before the commit, and tried again on what stands then", () =>
    Effect.gen(function*() {
      const { a, hold, onlooker } = yield* ledAndFollowed()
      yield* hold
      const registration = yield* registrationOf(onlooker, "a")
      let attempts = 0
      const body = Effect.tap(election.endTenureOfDead("a", registration), () =>
        Effect.suspend(() => {
          if (attempts++ > 0) return Effect.void
          const renewed = Effect.flatMap(Effect.map(election.getLeaderRaw, Option.getOrThrow), election.refreshLease)
          return Effect.provideService(transact(renewed), Database, a.database)
        }))
      yield* a.kill
      const ending = yield* Effect.forkChild(onlooker.run(transact(body)))
      yield* TestClock.adjust("1 second")
      assert.isTrue(yield* Fiber.join(ending))
      assert.strictEqual(attempts, 2)
    }))
})
