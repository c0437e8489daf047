import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { LeaderElection } from "../src/index.ts"
import {
  counter,
  distantHosts,
  election,
  eventsOf,
  lead,
  leaderId,
  onHosts,
  reasonOf,
  start,
  transact
} from "./support/candidates.ts"

describe("a resignation", () => {
  onHosts("follows a work that fails or dies, whose failure is told as it is", function*(a) {
    const failed = yield* a.run(election.withLeadership({ id: "a" }, () => Effect.fail("own" as const))).pipe(
      Effect.flip
    )
    assert.strictEqual(failed, "own")
    assert.isUndefined(
      yield* a.run(election.withLeadership({ id: "a" }, () => Effect.fail(undefined))).pipe(Effect.flip)
    )
    const died = yield* a.run(election.withLeadership({ id: "a" }, () => Effect.die("defect"))).pipe(Effect.exit)
    assert.isTrue(Exit.hasDies(died))
    assert.isUndefined(yield* leaderId(a))
  })

  onHosts("comes after the loss and the work's finalizers, and before the next campaign", function*(a, b) {
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
    yield* lead(b, { id: "b" }, ({ term }) => Effect.andThen(note(`successor ${term}`), Effect.never))
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
  })

  onHosts(
    "follows a work that fails with the loss of another election's leadership: that is its own failure",
    function*(a) {
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
      assert.deepInclude(yield* Effect.flip(Fiber.join(led)), { _tag: "LeadershipLost", reason: "resigned" })
    }
  )

  onHosts("interrupts the work first under withLeadership, and is written at once under campaign", function*(a, b) {
    const lost = yield* a.run(
      election.withLeadership({ id: "a" }, ({ resign }) => Effect.andThen(resign, Effect.never))
    ).pipe(Effect.flip)
    assert.deepInclude(lost, { _tag: "LeadershipLost", reason: "resigned" })
    yield* Effect.scoped(Effect.gen(function*() {
      const leadership = yield* a.run(election.campaign({ id: "a" }))
      assert.strictEqual(yield* leaderId(b), "a")
      yield* leadership.resign
      assert.isUndefined(yield* leaderId(b))
      assert.isFalse(yield* leadership.isHeld)
      assert.strictEqual((yield* leadership.lost).reason, "resigned")
    }))
  })

  onHosts("is written though the lease has run out, so that nobody has to wait", function*(a, b) {
    yield* lead(a, { id: "a" })
    a.connection = { failsWith: 1007 }
    yield* TestClock.adjust("7500 millis")
    yield* start(b, { id: "b" })
    yield* TestClock.adjust("600 millis")
    assert.strictEqual(reasonOf(a), "expired")
    a.connection = "up"
    yield* TestClock.adjust("100 millis")
    assert.lengthOf(eventsOf(a, "Resigned"), 1)
    assert.strictEqual(yield* leaderId(b), "b")
  })

  onHosts(
    "is one commit, for which no version is asked, where nothing has changed, and reads what has",
    function*(a, b) {
      for (const hasChanged of [false, true]) {
        yield* Effect.scoped(Effect.gen(function*() {
          const leadership = yield* a.run(election.campaign({ id: "a" }))
          yield* TestClock.adjust("1 minute")
          // What no watch tells of.
          if (hasChanged) yield* Effect.orDie(b.run(transact(election.heartbeatCandidate("a", 1))))
          yield* a.resetCounts
          yield* leadership.resign
          const { commits, conflicts, readVersions } = yield* a.counts
          assert.deepStrictEqual({ commits, conflicts, readVersions }, {
            commits: 1,
            conflicts: hasChanged ? 1 : 0,
            readVersions: hasChanged ? 1 : 0
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
    }
  )

  onHosts("removes the candidate in the same commit where the leadership is led once", function*(a, b) {
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
  })

  it.effect("is written under campaign though whoever asks for it is interrupted", () =>
    Effect.gen(function*() {
      const make = yield* distantHosts({ read: "100 millis" })
      const [a, b] = [make(), make()]
      const scope = yield* Scope.make()
      const campaign = yield* Effect.forkChild(Scope.provide(a.run(election.campaign({ id: "a" })), scope))
      yield* TestClock.adjust("2 seconds")
      const leadership = yield* Fiber.join(campaign)
      // So that it has to read.
      a.wallOffset = 60_000
      assert.isFalse(yield* leadership.isHeld)
      const resigning = yield* Effect.forkChild(leadership.resign, { startImmediately: true })
      yield* Effect.forkChild(Fiber.interrupt(resigning), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      const leader = yield* Effect.forkChild(leaderId(b))
      yield* Effect.forkDetach(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 second")
      assert.isUndefined(yield* Fiber.join(leader))
    }))

  onHosts("does not remove the record of another process that has registered the id meanwhile", function*(a, b) {
    const led = yield* lead(a, { id: "same" })
    yield* Effect.flatten(b.run(transact(election.registerCandidate("same"))))
    yield* Fiber.interrupt(led)
    assert.isUndefined(yield* leaderId(b))
    assert.isTrue(Option.isSome(yield* b.run(transact(election.getCandidate("same")))))
  })

  onHosts("that is asked for when the work has just ended does not change how it has ended", function*(a) {
    const done = yield* a.run(election.withLeadership({ id: "a" }, ({ resign }) =>
      Effect.withFiber((fiber) => {
        fiber.addObserver(() => void Effect.runFork(resign))
        return Effect.succeed("done")
      })))
    assert.strictEqual(done, "done")
  })
})

describe("the finalizers of a work", () => {
  onHosts("come to their end, though they set themselves a timeout or wait for a fiber of the work", function*(a) {
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
  })

  onHosts("tell what they die of, whatever has ended the work", function*(a) {
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
  })
})

describe("a work that goes on past its lease", () => {
  onHosts("is reported, and its guarded transactions fail", function*(a, b) {
    let guarded: string | undefined
    const led = yield* lead(a, { id: "a" }, (leadership) =>
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
    yield* lead(b, { id: "b" })
    a.connection = "hangs"
    yield* TestClock.adjust("15 seconds")
    a.connection = "up"
    yield* TestClock.adjust("1 minute")
    const lost = yield* Effect.flip(Fiber.join(led))
    assert.strictEqual(guarded, "LeadershipLost")
    assert.lengthOf(eventsOf(a, "Overrun"), 1)
    // Another leads by then.
    assert.lengthOf(eventsOf(a, "Resigned"), 0)
    assert.strictEqual(lost._tag, "LeadershipLost")
    assert.isTrue("overran" in lost && Duration.isGreaterThan(lost.overran!, Duration.seconds(20)))
    assert.strictEqual(yield* leaderId(b), "b")
  })
})

describe("a work that ends in time", () => {
  onHosts("is not reported, however long its resignation takes", function*(a) {
    yield* lead(a, { id: "a" })
    a.connection = "hangs"
    yield* TestClock.adjust("30 seconds")
    assert.strictEqual(reasonOf(a), "expired")
    assert.lengthOf(eventsOf(a, "Overrun"), 0)
  })
})
