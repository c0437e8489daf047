import { Subspace, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Random, Scope } from "effect"
import { TestClock } from "effect/testing"
import { differences } from "../src/ElectionConfig.ts"
import { ElectionConfig, ElectionObserver, InvalidConfig, LeaderElection } from "../src/index.ts"
import { eventsOf, transact } from "./support/candidates.ts"
import type { Host } from "./support/host.ts"
import { makeSlots, near, subspace } from "./support/slots.ts"

const countsOf = (hosts: ReadonlyArray<Host>) =>
  Effect.map(Effect.forEach(hosts, (host) => host.counts), (all) => ({
    commits: all.reduce((sum, { commits }) => sum + commits, 0),
    conflicts: all.reduce((sum, { conflicts }) => sum + conflicts, 0)
  }))

describe("slots", () => {
  for (const [count, processes] of [[1, 3], [3, 2], [3, 3], [3, 10], [8, 8], [16, 5]] as const) {
    const held = Math.min(count, processes)
    it.effect(`${count} of them: ${held} of ${processes} processes that start at once lead, in a few round trips`, () =>
      Effect.gen(function*() {
        const { holders, registered, startMany, works } = yield* makeSlots(count, near)
        const started = yield* startMany(processes)
        // A read version, reads and a commit each for the registration and the claim, and reads before it.
        yield* TestClock.adjust("12 millis")
        assert.strictEqual(works.running.size, held)
        yield* TestClock.adjust("100 millis")
        if (count > 1) {
          // Each registers with one commit; who holds a slot has claimed it, and left the other elections.
          assert.deepStrictEqual(yield* countsOf(started.map(({ host }) => host)), {
            commits: processes + 2 * held,
            conflicts: 0
          })
        }
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(works.log.length, held)
        assert.deepStrictEqual(works.problems, [])
        assert.deepStrictEqual(
          yield* holders,
          [...works.running].toSorted(([a], [b]) => a - b).map(([slot, name]) => `${slot} ${name}`)
        )
        const waiting = started.map(({ name }) => name).filter((name) => works.slotOf(name) === undefined)
        for (const [slot, ids] of (yield* registered).entries()) {
          const holder = works.running.get(slot)
          assert.sameMembers(ids, holder === undefined ? waiting : [...waiting, holder])
        }
        for (const { end } of started) yield* end
        assert.strictEqual(works.running.size, 0)
        assert.deepStrictEqual((yield* registered).flat(), [])
        assert.deepStrictEqual(yield* holders, [])
      }))
  }

  it.effect("are set up by the first campaigns, with the configuration that is given", () =>
    Effect.gen(function*() {
      const { makeHost, works } = yield* makeSlots(1, near)
      const config = ElectionConfig.withLeaseDuration("6 seconds")
      const other = LeaderElection.slots(Subspace.fromTuple(["app", "other"]), 3, { config })
      const hosts = [makeHost(), makeHost(), makeHost(), makeHost()]
      for (const [i, host] of hosts.entries()) {
        yield* Effect.forkDetach(host.run(other.withLeadership({}, works.of(`${i}`))))
      }
      yield* TestClock.adjust("1 second")
      assert.strictEqual(works.running.size, 3)
      for (const { readConfig } of other.elections) {
        const read = yield* Effect.forkChild(hosts[0]!.run(transact(readConfig)))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(differences(yield* Fiber.join(read), config), [])
      }
    }))

  it.effect("of which one is left are taken by one of those that wait, at once, and without a claim in vain", () =>
    Effect.gen(function*() {
      const { startMany, works } = yield* makeSlots(3, near)
      const started = yield* startMany(8)
      yield* TestClock.adjust("10 seconds")
      const waiting = started.filter(({ name }) => works.slotOf(name) === undefined)
      yield* Effect.forEach(waiting, ({ host }) => host.resetCounts)
      const [holder] = started.filter(({ name }) => works.slotOf(name) !== undefined)
      const slot = works.slotOf(holder!.name)!
      yield* Effect.forkDetach(Fiber.interrupt(holder!.fiber))
      yield* TestClock.adjust("20 millis")
      assert.include(waiting.map(({ name }) => name), works.running.get(slot))
      assert.strictEqual((yield* countsOf(waiting.map(({ host }) => host))).conflicts, 0)
      assert.strictEqual(works.running.size, 3)
      assert.deepStrictEqual(works.problems, [])
    }))

  it.effect("of which several are left at once are all taken at once", () =>
    Effect.gen(function*() {
      const { operate, slots, startMany, works } = yield* makeSlots(4, near)
      const started = yield* startMany(9)
      yield* TestClock.adjust("10 seconds")
      const holders = started.filter(({ name }) => works.slotOf(name) !== undefined)
      for (const { fiber } of holders) yield* Effect.forkDetach(Fiber.interrupt(fiber))
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(works.running.size, 4)
      assert.isFalse(works.holders.some((name) => holders.some((holder) => holder.name === name)))
      // None of those that wait has claimed two, though all were told of all vacancies.
      for (const { readHistory } of slots.elections) assert.lengthOf(yield* operate(readHistory()), 2)
      assert.deepStrictEqual(works.problems, [])
    }))

  it.effect("whose holders die are taken when their leases have lapsed, not before", () =>
    Effect.gen(function*() {
      const { startMany, works } = yield* makeSlots(3, near)
      const started = yield* startMany(6)
      yield* TestClock.adjust("30 seconds")
      const holders = started.filter(({ name }) => works.slotOf(name) !== undefined)
      const [first, second] = holders
      yield* first!.cutOff
      yield* second!.cutOff
      // At most a heartbeat and a fifth has passed since they renewed.
      yield* TestClock.adjust("5 seconds")
      assert.sameMembers(works.holders, holders.map(({ name }) => name))
      // Those who wait may have seen that renewal one and a half heartbeats later.
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(works.running.size, 3)
      assert.notInclude(works.holders, first!.name)
      assert.notInclude(works.holders, second!.name)
      assert.deepStrictEqual(works.problems, [])
    }))

  it.effect("are held by one process after another, and nobody is starved", () =>
    Effect.gen(function*() {
      const { makeHost, slots, works } = yield* makeSlots(2, near)
      const names = Array.from({ length: 7 }, (_, i) => `p${i}`)
      for (const name of names) {
        const turns = Effect.flatMap(
          slots.candidacy({ id: name }),
          ({ withLeadership }) => Effect.forever(withLeadership(works.of(name, Effect.sleep("1 second"))))
        )
        yield* Effect.forkDetach(makeHost().run(Effect.scoped(turns)))
      }
      yield* TestClock.adjust("2 minutes")
      const turns = names.map((name) => works.log.filter((line) => line.startsWith(`${name} begins`)).length)
      const all = turns.reduce((a, b) => a + b)
      assert.isAbove(all, 200)
      assert.isAbove(Math.min(...turns), all / 7 - 10)
      assert.deepStrictEqual(works.problems, [])
      assert.strictEqual(works.most, 2)
    }))
})

describe("a process that campaigns for slots", () => {
  it.effect("leaves nothing behind, whenever it is interrupted", () =>
    Effect.gen(function*() {
      const { holders, registered, start, works } = yield* makeSlots(3, near)
      yield* start()
      yield* TestClock.adjust("1 second")
      for (let millis = 0; millis < 25; millis++) {
        const { fiber } = yield* start()
        yield* TestClock.adjust(millis)
        yield* Effect.forkDetach(Fiber.interrupt(fiber), { startImmediately: true })
        yield* TestClock.adjust("50 millis")
        assert.isDefined(fiber.pollUnsafe())
        assert.deepStrictEqual(works.holders, ["p0"])
        assert.lengthOf(yield* holders, 1)
        assert.deepStrictEqual((yield* registered).flat(), ["p0"])
      }
    }))

  it.effect("leaves nothing behind while it waits, or when it is elected at that moment", () =>
    Effect.gen(function*() {
      const { holders, operate, registered, slots, start, works } = yield* makeSlots(2, near)
      yield* start()
      yield* start()
      yield* TestClock.adjust("1 second")
      for (let millis = 0; millis < 20; millis++) {
        const { fiber, name } = yield* start()
        yield* TestClock.adjust("1 second")
        const [, election] = slots.elections
        yield* operate(election!.requestStepDown)
        yield* TestClock.adjust(millis)
        yield* Effect.forkDetach(Fiber.interrupt(fiber), { startImmediately: true })
        yield* TestClock.adjust("10 seconds")
        assert.isDefined(fiber.pollUnsafe())
        assert.notInclude(works.holders, name)
        assert.deepStrictEqual(works.holders.toSorted(), ["p0", "p1"])
        assert.lengthOf(yield* holders, 2)
        assert.sameMembers((yield* registered).flat(), ["p0", "p1"])
      }
      assert.deepStrictEqual(works.problems, [])
    }))

  it.effect("leaves nothing behind where it is interrupted at the instant of its election", () =>
    Effect.gen(function*() {
      const { holders, makeHost, registered, slots, works } = yield* makeSlots(1, near)
      const host = makeHost()
      let interrupt = () => {}
      const scope = yield* Scope.make()
      const candidacy = yield* slots.candidacy({ id: "a" }).pipe(
        Scope.provide(scope),
        Effect.provideService(ElectionObserver, (event) => {
          if (event._tag === "Elected") interrupt()
        }),
        host.run
      )
      const led = yield* Effect.forkDetach(host.run(candidacy.withLeadership(works.of("a"))), {
        startImmediately: true
      })
      interrupt = () => led.interruptUnsafe()
      yield* TestClock.adjust("1 second")
      assert.isDefined(led.pollUnsafe())
      assert.deepStrictEqual(works.log, [])
      assert.deepStrictEqual(yield* holders, [])
      assert.deepStrictEqual((yield* registered).flat(), [])
      // It can campaign again.
      interrupt = () => {}
      yield* Effect.forkDetach(host.run(candidacy.withLeadership(works.of("a"))))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(works.holders, ["a"])
    }))

  for (const code of [1021, 1031, 1039]) {
    it.effect(`holds one slot where the outcome of its claims is unknown (${code})`, () =>
      Effect.gen(function*() {
        const { holders, makeHost, slots, start, works } = yield* makeSlots(3)
        const a = makeHost()
        const candidacy = yield* a.run(slots.candidacy({ id: "a" }))
        // Registered and withdrawn, so that what is in doubt is its next claim.
        yield* a.run(Effect.scoped(candidacy.campaign))
        yield* TestClock.adjust("10 seconds")
        a.connection = { commitsBut: code }
        yield* Effect.forkDetach(a.run(candidacy.withLeadership(works.of("a"))))
        yield* TestClock.adjust("2 seconds")
        yield* start()
        yield* start()
        yield* TestClock.adjust("1 second")
        a.connection = "up"
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(works.running.size, 3)
        assert.lengthOf(yield* holders, 3)
        assert.isDefined(works.slotOf("a"))
        assert.deepStrictEqual(works.problems, [])
      }))
  }

  it.effect("gets another slot where it has lost its own, and not the one from which it was asked to step down", () =>
    Effect.gen(function*() {
      const { operate, slots, start, works } = yield* makeSlots(2)
      yield* start()
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(works.slotOf("p0"), 0)
      yield* operate(slots.elections[0]!.requestStepDown)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(works.slotOf("p0"), 1)
      assert.deepStrictEqual(works.problems, [])
    }))

  it.effect("fails with the loss of its slot without the option again", () =>
    Effect.gen(function*() {
      const { operate, registered, slots, start } = yield* makeSlots(2)
      const { fiber } = yield* start({ again: false })
      yield* TestClock.adjust("5 seconds")
      yield* operate(slots.elections[0]!.requestStepDown)
      yield* TestClock.adjust("1 second")
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.deepInclude(error, { _tag: "LeadershipLost", processId: "p0", reason: "stepped-down" })
      assert.deepStrictEqual((yield* registered).flat(), [])
    }))

  it.effect("waits for a database that is away, and has a slot soon after it is back", () =>
    Effect.gen(function*() {
      const { makeHost, slots, works } = yield* makeSlots(3)
      const a = makeHost()
      a.connection = "hangs"
      yield* Effect.forkDetach(a.run(slots.withLeadership({ id: "a" }, works.of("a"))))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(works.running.size, 0)
      a.connection = "up"
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(works.holders, ["a"])
    }))

  it.effect("leads in slots that work where another slot is disabled", () =>
    Effect.gen(function*() {
      const { operate, slots, startMany, works } = yield* makeSlots(3)
      yield* operate(slots.elections[0]!.writeConfig(new ElectionConfig({ electionEnabled: false })))
      yield* startMany(4)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual([...works.running.keys()].toSorted(), [1, 2])
      yield* operate(slots.elections[0]!.writeConfig(new ElectionConfig({})))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual([...works.running.keys()].toSorted(), [0, 1, 2])
    }))

  it.effect("fails with the damaged record of a slot where it gets no other", () =>
    Effect.gen(function*() {
      const { makeHost, operate, slots, startMany, works } = yield* makeSlots(3)
      yield* startMany(2)
      yield* TestClock.adjust("1 second")
      const vacant = [0, 1, 2].find((slot) => !works.running.has(slot))!
      const key = slots.elections[vacant]!.subspace.pack(["leader"])
      yield* operate(Transaction.use((tx) => tx.set(key, Uint8Array.of(255))))
      const host = makeHost()
      const led = yield* Effect.forkDetach(
        Effect.exit(host.run(slots.withLeadership({ id: "late" }, works.of("late"))))
      )
      yield* TestClock.adjust("1 minute")
      const error = yield* Effect.flip(Effect.flatten(Fiber.join(led)))
      assert.strictEqual(error._tag, "InvalidState")
      assert.include(error.message, "leader")
      // Who holds another slot goes on.
      assert.strictEqual(works.running.size, 2)
    }))

  it.effect("of whose id another process makes use is superseded once, and both come to hold a slot", () =>
    Effect.gen(function*() {
      const { start, works } = yield* makeSlots(3)
      yield* start({ id: "same" })
      yield* TestClock.adjust("5 seconds")
      yield* start({ id: "same" })
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(works.holders.toSorted(), ["p0", "p1"])
      assert.isAtMost(works.log.length, 4)
      yield* TestClock.adjust("30 minutes")
      assert.isAtMost(works.log.length, 4)
    }))
})

describe("a candidate of higher priority", () => {
  it.effect("replaces the holder of the lowest priority, and no other", () =>
    Effect.gen(function*() {
      const { start, works } = yield* makeSlots(3, near)
      for (const priority of [3, 1, 2]) {
        yield* start({ priority })
        yield* TestClock.adjust("1 second")
      }
      const slot = works.slotOf("p1")!
      yield* start({ priority: 5 })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(works.running.get(slot), "p3")
      assert.sameMembers(works.holders, ["p0", "p2", "p3"])
      yield* TestClock.adjust("5 minutes")
      assert.sameMembers(works.holders, ["p0", "p2", "p3"])
      // One challenge, and one loss.
      assert.strictEqual(works.log.filter((line) => line.includes("ends")).length, 1)
      assert.deepStrictEqual(works.problems, [])
    }))

  it.effect("takes a vacant slot, and leaves all holders alone", () =>
    Effect.gen(function*() {
      const { start, startMany, works } = yield* makeSlots(4, near)
      yield* startMany(3)
      yield* TestClock.adjust("1 second")
      yield* start({ priority: 5 })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(works.running.size, 4)
      assert.strictEqual(works.log.length, 4)
    }))

  it.effect("waits where preemption is not allowed, and among equals", () =>
    Effect.gen(function*() {
      const { start, startMany, works } = yield* makeSlots(2, near, {
        config: new ElectionConfig({ allowPreemption: false })
      })
      yield* startMany(2)
      yield* TestClock.adjust("1 second")
      const { host } = yield* start({ priority: 5 })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(works.log.length, 2)
      assert.lengthOf(eventsOf(host, "Challenged"), 0)
    }))

  it.effect("that is one of several replaces as many holders as there are of lower priority", () =>
    Effect.gen(function*() {
      const { start, startMany, works } = yield* makeSlots(3, near)
      yield* start({ priority: 9 })
      yield* startMany(2)
      yield* TestClock.adjust("1 second")
      yield* startMany(4, { priority: 5 })
      yield* TestClock.adjust("30 seconds")
      assert.include(works.holders, "p0")
      assert.notInclude(works.holders, "p1")
      assert.notInclude(works.holders, "p2")
      assert.strictEqual(works.running.size, 3)
      const settled = works.log.length
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(works.log.length, settled)
      assert.deepStrictEqual(works.problems, [])
    }))

  it.effect("replaces a holder that does not answer when its lease has lapsed", () =>
    Effect.gen(function*() {
      const { start, startMany, works } = yield* makeSlots(2, near)
      const [first] = yield* startMany(2)
      yield* TestClock.adjust("10 seconds")
      yield* first!.cutOff
      yield* start({ priority: 5 })
      yield* TestClock.adjust("11 seconds")
      assert.sameMembers(works.holders, ["p1", "p2"])
      assert.deepStrictEqual(works.problems, [])
    }))

  it.effect("is one whose priority is raised while it waits", () =>
    Effect.gen(function*() {
      const { makeHost, slots, startMany, works } = yield* makeSlots(2, near)
      yield* startMany(2)
      yield* TestClock.adjust("1 second")
      const host = makeHost()
      const candidacy = yield* host.run(slots.candidacy({ id: "late" }))
      yield* Effect.forkDetach(host.run(candidacy.withLeadership(works.of("late"))))
      yield* TestClock.adjust("10 seconds")
      assert.isUndefined(works.slotOf("late"))
      yield* candidacy.setPriority(1)
      yield* TestClock.adjust("1 second")
      assert.isDefined(works.slotOf("late"))
      assert.strictEqual(works.running.size, 2)
    }))
})

describe("another number of slots", () => {
  it.effect("that is greater gives the additional ones at once; one that is less waits for those below it", () =>
    Effect.gen(function*() {
      const { holders, start, startMany, works } = yield* makeSlots(2)
      yield* startMany(3)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(works.running.size, 2)
      const more = LeaderElection.slots(subspace, 4)
      const late = yield* start({ slots: more })
      const last = yield* start({ slots: more })
      yield* TestClock.adjust("1 second")
      assert.sameMembers([works.slotOf(late.name), works.slotOf(last.name)], [2, 3])
      // An operator with the smaller number sees all of them.
      assert.lengthOf(yield* holders, 4)
      // A program with fewer slots disturbs nobody above them, and waits for one below.
      yield* start({ slots: LeaderElection.slots(subspace, 1), priority: 0 })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(works.running.size, 4)
      assert.strictEqual(works.log.length, 4)
      yield* last.end
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(works.running.size, 3)
      assert.deepStrictEqual(works.problems, [])
    }))

  for (const count of [0, -1, 1.5, 101, Number.NaN, Number.POSITIVE_INFINITY]) {
    it.effect(`fails with InvalidConfig where it is ${count}`, () =>
      Effect.gen(function*() {
        const { makeHost } = yield* makeSlots(1)
        const host = makeHost()
        const slots = LeaderElection.slots(subspace, count)
        const attempts: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
          host.run(Effect.scoped(slots.campaign({}))),
          host.run(slots.withLeadership({}, () => Effect.void)),
          host.run(Effect.scoped(slots.candidacy({}))),
          host.run(Effect.scoped(Layer.build(slots.singleton({}, Effect.void)))),
          host.run(transact(slots.writeConfig(new ElectionConfig({}))))
        ]
        for (const attempt of attempts) {
          const error = yield* Effect.flip(attempt)
          assert.instanceOf(error, InvalidConfig)
          assert.include(error.message, "an integer from 1 to 100")
        }
        assert.deepStrictEqual(slots.elections, [])
      }))
  }
})

describe("the leadership of a slot", () => {
  it.effect("is resigned with the scope of its campaign, and by resign", () =>
    Effect.gen(function*() {
      const { holders, makeHost, registered, slots } = yield* makeSlots(2)
      const host = makeHost()
      const scope = yield* Scope.make()
      const leadership = yield* host.run(Scope.provide(slots.campaign({ id: "a" }), scope))
      assert.strictEqual(leadership.slot, 0)
      assert.strictEqual(leadership.term, 1n)
      assert.deepStrictEqual(yield* holders, ["0 a"])
      yield* leadership.resign
      assert.strictEqual((yield* leadership.lost).reason, "resigned")
      assert.deepStrictEqual(yield* holders, [])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual((yield* registered).flat(), [])
    }))

  it.effect("is one at a time in a candidacy, whose health tells of it", () =>
    Effect.gen(function*() {
      const { makeHost, slots, works } = yield* makeSlots(3)
      const host = makeHost()
      const scope = yield* Scope.make()
      const candidacy = yield* host.run(Scope.provide(slots.candidacy({ id: "a" }), scope))
      assert.deepInclude(yield* candidacy.health, { role: "Idle", healthy: true })
      const works1 = yield* Effect.forkDetach(
        host.run(candidacy.withLeadership(works.of("a", Effect.sleep("5 seconds"))))
      )
      const works2 = yield* Effect.forkDetach(host.run(candidacy.withLeadership(works.of("a"))))
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* candidacy.health, { role: "Leading", healthy: true })
      assert.strictEqual(works.running.size, 1)
      yield* TestClock.adjust("10 seconds")
      assert.isDefined(works1.pollUnsafe())
      assert.strictEqual(works.running.size, 1)
      assert.deepStrictEqual(works.problems, [])
      yield* Effect.forkDetach(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 second")
      assert.isDefined(works2.pollUnsafe())
      assert.strictEqual(works.running.size, 0)
    }))

  it.effect("guards transactions by the tenure of its slot", () =>
    Effect.gen(function*() {
      const { makeHost, operate, slots } = yield* makeSlots(2)
      const host = makeHost()
      const { guard, slot } = yield* host.run(slots.campaign({ id: "a" }))
      yield* host.run(guard(Effect.void))
      yield* operate(slots.elections[slot]!.unregisterCandidate("a"))
      const error = yield* Effect.flip(host.run(guard(Effect.void)))
      assert.strictEqual(error._tag, "LeadershipLost")
    }))

  it.effect("is that of a singleton, which runs in as many processes as there are slots", () =>
    Effect.gen(function*() {
      const { makeHost, slots, works } = yield* makeSlots(2)
      const scopes = yield* Effect.forEach(["a", "b", "c"], (name) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          yield* makeHost().run(Layer.buildWithScope(slots.singleton({ id: name }, works.of(name)), scope))
          yield* TestClock.adjust("1 second")
          return scope
        }))
      assert.deepStrictEqual(works.holders, ["a", "b"])
      yield* Effect.forkDetach(Scope.close(scopes[0]!, Exit.void))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(works.holders, ["c", "b"])
    }))
})

describe("slots whose processes come, go and are cut off", () => {
  for (const seed of [1, 2, 3]) {
    it.effect(`have no two works in a slot, nor two of a process, and are all held in the end (seed ${seed})`, () =>
      Effect.gen(function*() {
        const { start, works } = yield* makeSlots(3, near)
        const alive = [yield* start(), yield* start(), yield* start(), yield* start()]
        for (let i = 0; i < 40; i++) {
          const [action, who] = [yield* Random.next, Math.floor((yield* Random.next) * alive.length)]
          const process = alive[who]
          if (action < 0.3 || process === undefined) {
            alive.push(yield* start({ priority: Math.floor((yield* Random.next) * 3) }))
          } else if (action < 0.5) {
            alive.splice(who, 1)
            yield* process.end
          } else if (action < 0.6) {
            alive.splice(who, 1)
            yield* process.cutOff
          } else if (action < 0.8) {
            process.host.connection = "hangs"
          } else {
            for (const { host } of alive) host.connection = "up"
          }
          yield* TestClock.adjust(Math.floor((yield* Random.next) * 5000))
          assert.deepStrictEqual(works.problems, [])
        }
        for (const { host } of alive) host.connection = "up"
        while (alive.length < 3) alive.push(yield* start())
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(works.running.size, 3)
        assert.deepStrictEqual(works.problems, [])
      }).pipe(Random.withSeed(seed)))
  }
})
