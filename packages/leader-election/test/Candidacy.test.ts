import { assert, describe } from "@effect/vitest"
import { Effect, Exit, Fiber, Scheduler, Scope } from "effect"
import { TestClock } from "effect/testing"
import { election, eventsOf, lead, leaderId, logged, onHosts, start, transact } from "./support/candidates.ts"
import type { Host } from "./support/host.ts"

describe("a candidacy that is closed", () => {
  const candidacyIn = Effect.fnUntraced(function*(host: Host) {
    const scope = yield* Scope.make()
    const candidacy = yield* Scope.provide(host.run(election.candidacy({ id: "a" })), scope)
    return { candidacy, close: Scope.close(scope, Exit.void) }
  })

  onHosts("ends its belief at once, and resigns when the scope of its campaign is closed", function*(a, b) {
    a.watches = false
    const { candidacy, close } = yield* candidacyIn(a)
    const campaigning = yield* Scope.make()
    const leadership = yield* Scope.provide(a.run(candidacy.campaign), campaigning)
    yield* lead(b, { id: "b" })
    yield* close
    assert.isFalse(yield* leadership.isHeld)
    yield* TestClock.adjust(0)
    // Whoever works under the campaign may not have stopped yet.
    assert.strictEqual(yield* leaderId(b), "a")
    yield* Scope.close(campaigning, Exit.void)
    yield* TestClock.adjust(0)
    assert.strictEqual(yield* leaderId(b), "b")
    assert.deepStrictEqual(Array.from(yield* a.run(transact(election.listCandidates)), (info) => info.processId), [
      "b"
    ])
  })

  onHosts("resigns after its work's finalizers, and leaves then", function*(a, b) {
    const { candidacy, close } = yield* candidacyIn(a)
    const led = yield* Effect.forkDetach(
      a.run(candidacy.withLeadership(() => Effect.ensuring(Effect.never, Effect.sleep("1 second")), { again: true })),
      { startImmediately: true }
    )
    yield* lead(b, { id: "b" })
    yield* close
    yield* TestClock.adjust("900 millis")
    assert.strictEqual(yield* leaderId(b), "a")
    yield* TestClock.adjust("200 millis")
    assert.strictEqual(yield* leaderId(b), "b")
    assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(led)))
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(Array.from(yield* a.run(transact(election.listCandidates)), (info) => info.processId), [
      "b"
    ])
  })

  onHosts("does not register or claim again", function*(a, b) {
    const first = yield* start(b, { id: "b" })
    const { candidacy, close } = yield* candidacyIn(a)
    const campaign = yield* Effect.forkDetach(a.run(candidacy.withLeadership(() => Effect.never)), {
      startImmediately: true
    })
    yield* TestClock.adjust("1 second")
    yield* close
    yield* TestClock.adjust(0)
    assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(campaign)))
    yield* Fiber.interrupt(first)
    yield* TestClock.adjust("1 minute")
    assert.isUndefined(yield* leaderId(a))
    assert.deepStrictEqual(yield* a.run(transact(election.listCandidates)), [])
  })

  onHosts("ends what goes on, at whatever step between its claim and its work it is closed", function*(a, b) {
    const works: Array<string> = []
    const begin = Effect.fnUntraced(function*() {
      const { candidacy, close } = yield* candidacyIn(a)
      const led = yield* Effect.forkDetach(
        Effect.provideService(a.run(candidacy.withLeadership(logged(works, "a"))), Scheduler.MaxOpsBeforeYield, 3)
      )
      const ended = Effect.sync(() => led.pollUnsafe() !== undefined)
      const closed = Effect.andThen(
        close,
        Effect.repeat(Effect.andThen(Effect.yieldNow, ended), { until: (hasEnded) => hasEnded, times: 10_000 })
      )
      return { closed, ended }
    })
    const first = yield* begin()
    let steps = -10
    for (; eventsOf(a, "Elected").length === 0; steps++) yield* Effect.yieldNow
    yield* first.closed
    while (works.length === 0) {
      const { closed, ended } = yield* begin()
      for (let i = 0; i < steps; i++) yield* Effect.yieldNow
      steps++
      yield* closed
      assert.isTrue(yield* ended, `closed after ${steps} steps`)
      assert.isUndefined(yield* leaderId(b))
      assert.deepStrictEqual(yield* b.run(transact(election.listCandidates)), [])
    }
  })
})

describe("a candidacy", () => {
  onHosts(
    "campaigns once at a time, also after a leadership that was resigned and whose scope was closed",
    function*(a, b) {
      const candidacy = yield* a.run(election.candidacy({ id: "a" }))
      yield* Effect.scoped(Effect.flatMap(a.run(candidacy.campaign), ({ resign }) => Effect.andThen(resign, resign)))
      assert.lengthOf(eventsOf(a, "Resigned"), 1)
      yield* lead(b, { id: "b" })
      const works: Array<string> = []
      for (const name of ["first", "second"]) {
        yield* Effect.forkDetach(a.run(candidacy.withLeadership(logged(works, name))), { startImmediately: true })
      }
      yield* b.run(transact(election.requestStepDown))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(works, ["first begins 3"])
    }
  )
})
