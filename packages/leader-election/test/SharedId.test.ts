import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Logger, Scope } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig } from "../src/index.ts"
import {
  distantHosts,
  election,
  eventsOf,
  hosts,
  lead,
  leaderId,
  onHosts,
  start,
  transact
} from "./support/candidates.ts"
import type { Host } from "./support/host.ts"

const forever = (log: Array<string>, name: string) =>
  Effect.andThen(
    Effect.sync(() => void log.push(`${name} begins`)),
    Effect.ensuring(Effect.never, Effect.sync(() => void log.push(`${name} ends`)))
  )

/** A process with a singleton under the id that all of them share. */
const application = Effect.fnUntraced(function*(host: Host, log: Array<string>, name: string) {
  const scope = yield* Scope.make()
  yield* host.run(Layer.buildWithScope(election.singleton({ id: "same" }, forever(log, name)), scope))
  return { shutDown: Effect.forkDetach(Scope.close(scope, Exit.void), { startImmediately: true }) }
})

const registrations = (host: Host) => eventsOf(host, "Registered").length

describe("singletons that share one id", () => {
  onHosts(
    "do not depose each other for ever; when the one that leads is shut down, the other leads at once",
    function*(a, b) {
      const log: Array<string> = []
      const first = yield* application(a, log, "a")
      yield* TestClock.adjust("1 second")
      const second = yield* application(b, log, "b")
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(log, ["a begins", "a ends", "b begins"])
      assert.deepStrictEqual([registrations(a), registrations(b)], [1, 1])
      yield* second.shutDown
      yield* TestClock.adjust("20 millis")
      assert.deepStrictEqual(log.slice(3), ["b ends", "a begins"])
      // And so on, as often as they are started.
      yield* application(b, log, "b")
      yield* TestClock.adjust("1 minute")
      yield* first.shutDown
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log.slice(5), ["a ends", "b begins"])
    }
  )

  onHosts("come back when the other is dead, after the candidate timeout", function*(a, b) {
    const log: Array<string> = []
    yield* application(a, log, "a")
    yield* TestClock.adjust("1 second")
    yield* application(b, log, "b")
    yield* TestClock.adjust("1 minute")
    // As of a process that is killed, or cut off for good.
    b.connection = "hangs"
    yield* TestClock.adjust("11 seconds")
    assert.notInclude(log.slice(3), "a begins")
    yield* TestClock.adjust("9 seconds")
    assert.include(log.slice(3), "a begins")
    // One that comes back then waits in its turn.
    b.connection = "up"
    yield* TestClock.adjust("10 minutes")
    assert.deepStrictEqual(log, ["a begins", "a ends", "b begins", "b ends", "a begins"])
    assert.deepStrictEqual([registrations(a), registrations(b)], [2, 1])
    // Nobody has evicted it.
    assert.isFalse(eventsOf(a, "Registered").some(({ again }) => again))
  })

  it.effect("of which several wait come back one by one, and the first is not deposed by the others", () =>
    Effect.gen(function*() {
      // Those who wait are called at the same time, and register at the same time.
      const make = yield* distantHosts({ read: "5 millis", commit: "5 millis" })
      const [a, b, c] = [make(), make(), make()]
      const log: Array<string> = []
      const names = [[a, "a"], [b, "b"], [c, "c"]] as const
      const running = new Map<string, Effect.Effect<unknown>>()
      for (const [host, name] of names) {
        running.set(name, (yield* application(host, log, name)).shutDown)
        yield* TestClock.adjust("1 minute")
      }
      const led: Array<string> = []
      while (running.size > 0) {
        const leader = log.at(-1)!.split(" ")[0]!
        assert.strictEqual(log.at(-1), `${leader} begins`)
        led.push(leader)
        const shutDown = running.get(leader)!
        running.delete(leader)
        const before = names.map(([host]) => registrations(host)).reduce((sum, n) => sum + n)
        yield* shutDown
        yield* TestClock.adjust("1 minute")
        const after = names.map(([host]) => registrations(host)).reduce((sum, n) => sum + n)
        assert.strictEqual(after - before, running.size > 0 ? 1 : 0)
      }
      assert.sameMembers(led, ["a", "b", "c"])
    }))

  onHosts("leave a disabled election to the one that has the id, who cannot show that it lives", function*(a, b, c) {
    const log: Array<string> = []
    yield* application(a, log, "a")
    yield* TestClock.adjust("1 second")
    yield* application(b, log, "b")
    yield* TestClock.adjust("1 minute")
    yield* c.run(transact(election.writeConfig(new ElectionConfig({ electionEnabled: false }))))
    yield* TestClock.adjust("10 minutes")
    yield* c.run(transact(election.writeConfig(new ElectionConfig({}))))
    yield* TestClock.adjust("10 minutes")
    assert.deepStrictEqual(log, ["a begins", "a ends", "b begins", "b ends", "b begins"])
    assert.deepStrictEqual([registrations(a), registrations(b)], [1, 1])
  })

  onHosts("tell once that they wait, as an event and as a warning, and end while they do", function*(a, b) {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel} ${String(message)}`))
    const log: Array<string> = []
    const waiting = yield* application(a, log, "a").pipe(Effect.provide(Logger.layer([logger])))
    yield* TestClock.adjust("1 second")
    yield* application(b, log, "b")
    yield* TestClock.adjust("10 minutes")
    assert.lengthOf(eventsOf(a, "Superseded"), 1)
    assert.deepStrictEqual(lines.filter((line) => /^(Warn|Error)/.test(line)), [
      "Warn \"same\" has lost the leadership of term 1: superseded",
      "Warn another process registered as \"same\": give each process its own id, or omit it"
    ])
    const closed = yield* waiting.shutDown
    yield* TestClock.adjust(0)
    assert.deepStrictEqual(closed.pollUnsafe(), Exit.void)
    assert.strictEqual(yield* leaderId(b), "same")
  })
})

describe("a candidacy whose id was taken", () => {
  onHosts("is told so once by its campaign; the next one waits", function*(a, b) {
    const candidacy = yield* a.run(election.candidacy({ id: "same" }))
    const campaign = (log: Array<string>) =>
      Effect.forkDetach(Effect.exit(a.run(candidacy.withLeadership(() => Effect.sync(() => void log.push("led"))))), {
        startImmediately: true
      })
    const log: Array<string> = []
    yield* campaign(log)
    yield* TestClock.adjust("1 second")
    const other = yield* lead(b, { id: "same" }, () => Effect.never)
    const refused = yield* Effect.flip(a.run(candidacy.withLeadership(() => Effect.void)))
    assert.strictEqual(refused._tag, "CandidateSuperseded")
    const waiting = yield* campaign(log)
    yield* TestClock.adjust("10 minutes")
    assert.isUndefined(waiting.pollUnsafe())
    yield* Effect.forkDetach(Fiber.interrupt(other))
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(log, ["led", "led"])
  })

  it.effect("waits at once under withLeadership that campaigns again, whether it led or followed", () =>
    Effect.gen(function*() {
      for (const leads of [true, false]) {
        const [a, b, c] = yield* hosts()
        const log: Array<string> = []
        const leader = leads ? undefined : yield* lead(c, { id: "leader" }, () => Effect.never)
        yield* start(a, { id: "same" }, () => forever(log, "a"), { again: true })
        yield* TestClock.adjust("5 seconds")
        const other = yield* start(b, { id: "same" }, () => forever(log, "b"), { again: true })
        yield* TestClock.adjust("1 minute")
        yield* Effect.forkDetach(Fiber.interrupt(other))
        if (leader !== undefined) yield* Effect.forkDetach(Fiber.interrupt(leader))
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(log, leads ? ["a begins", "a ends", "b begins", "b ends", "a begins"] : ["a begins"])
      }
    }))

  onHosts("does not write over the other's record while it waits", function*(a, b) {
    yield* lead(a, { id: "same" }, () => Effect.never, { again: true })
    yield* start(b, { id: "same" }, () => Effect.never, { again: true })
    yield* TestClock.adjust("5 seconds")
    const before = yield* a.counts
    yield* TestClock.adjust("10 minutes")
    const after = yield* a.counts
    // It looks about as often as the other beats, every three seconds.
    assert.isBelow(after.readVersions - before.readVersions, 300)
    assert.strictEqual(after.commits, before.commits)
    assert.lengthOf(eventsOf(b, "Lost"), 0)
  })

  onHosts("comes back though the outcome of its registration was not told", function*(a, b) {
    const log: Array<string> = []
    yield* lead(a, { id: "same" }, () => forever(log, "a"), { again: true })
    const other = yield* start(b, { id: "same" }, () => Effect.never)
    yield* TestClock.adjust("1 minute")
    a.connection = { commitsBut: 1021 }
    yield* Effect.forkDetach(Fiber.interrupt(other))
    yield* TestClock.adjust("5 seconds")
    a.connection = "up"
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(log, ["a begins", "a ends", "a begins"])
  })
})

describe("an id that a second process registers", () => {
  onHosts("is found out by the first, whether that leads or follows", function*(a, b, c) {
    const led = yield* lead(a, { id: "same" })
    yield* start(b, { id: "same" })
    yield* TestClock.adjust("4 seconds")
    assert.deepInclude(yield* Effect.flip(Fiber.join(led)), { _tag: "LeadershipLost", reason: "superseded" })
    const following = yield* lead(c, { id: "other" })
    yield* start(a, { id: "other" })
    yield* TestClock.adjust("4 seconds")
    assert.deepInclude(yield* Effect.flip(Fiber.join(following)), { _tag: "CandidateSuperseded", processId: "other" })
  })
})
