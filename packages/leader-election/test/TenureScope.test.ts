import { assert, describe } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { Leadership } from "../src/index.ts"
import { election, eventsOf, lead, leaderId, onHosts, start, transact } from "./support/candidates.ts"

/** A fiber that is forked in the scope and takes a step each second, for as long as it runs. */
const steps = (log: Array<string>, name: string) =>
  Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sync(() => void log.push(name)), Effect.sleep("1 second"))))

/** A resource of the scope that takes a while to be released. */
const resource = (log: Array<string>, name: string) =>
  Effect.acquireRelease(
    Effect.sync(() => void log.push(`${name} acquired`)),
    () => Effect.andThen(Effect.sleep("100 millis"), Effect.sync(() => void log.push(`${name} released`)))
  )

class Pool extends Context.Service<Pool, { readonly size: number }>()("test/Pool") {}

describe("the scope of a work", () => {
  onHosts("is closed before the resignation is written, whatever ends the tenure", function*(a, b) {
    for (const end of ["done", "failed", "resigned", "stepped down", "interrupted"]) {
      const log: Array<string> = []
      const work = ({ resign }: Leadership) =>
        Effect.gen(function*() {
          yield* steps(log, "step")
          yield* Effect.addFinalizer(() =>
            Effect.andThen(
              Effect.sleep("50 millis"),
              Effect.map(leaderId(b), (leader) => void log.push(`released while ${leader} leads`))
            )
          )
          yield* Effect.sleep("1500 millis")
          if (end === "failed") return yield* Effect.fail("failure")
          if (end === "resigned") yield* resign
          return end === "done" ? undefined : yield* Effect.never
        })
      const led = yield* lead(a, { id: "a" }, work)
      yield* start(b, { id: "b" }, () => Effect.sync(() => void log.push("successor")))
      yield* TestClock.adjust("2 seconds")
      if (end === "stepped down") yield* b.run(transact(election.requestStepDown))
      if (end === "interrupted") yield* Effect.forkDetach(Fiber.interrupt(led), { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      const [released, ...after] = log.slice(log.lastIndexOf("step") + 1)
      assert.deepStrictEqual([released, ...after], ["released while a leads", "successor"], end)
      assert.isDefined(led.pollUnsafe(), end)
    }
  })

  onHosts("is another for each tenure: what an earlier one has forked and acquired is gone", function*(a, b) {
    const log: Array<string> = []
    const led = yield* Effect.forkDetach(
      a.run(Effect.scoped(Effect.gen(function*() {
        const candidacy = yield* election.candidacy({ id: "a" })
        return yield* candidacy.withLeadership(
          ({ term }) =>
            Effect.andThen(resource(log, `pool ${term}`), Effect.andThen(steps(log, `${term}`), Effect.never)),
          { again: true }
        )
      }))),
      { startImmediately: true }
    )
    const terms: Array<bigint> = []
    for (let i = 0; i < 4; i++) {
      yield* TestClock.adjust("10 seconds")
      terms.push(eventsOf(a, "Elected").at(-1)!.term)
      yield* b.run(transact(election.requestStepDown))
    }
    yield* TestClock.adjust("1 second")
    yield* Fiber.interrupt(led).pipe(Effect.forkDetach({ startImmediately: true }))
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(
      log.filter((line) => line.startsWith("pool")),
      terms.flatMap((term) => [`pool ${term} acquired`, `pool ${term} released`])
    )
    for (const [i, term] of terms.slice(0, -1).entries()) {
      assert.isBelow(log.lastIndexOf(`${term}`), log.indexOf(`pool ${terms[i + 1]} acquired`))
    }
  })

  onHosts("holds the layers that a singleton builds in it, and not those of its application", function*(a, b) {
    const log: Array<string> = []
    const pool = Layer.effect(Pool, Effect.as(resource(log, "pool"), { size: 1 }))
    const shared = resource(log, "application")
    const service = Effect.gen(function*() {
      const { size } = Context.get(yield* Layer.build(Layer.fresh(pool)), Pool)
      log.push(`serves with ${size}`)
      yield* steps(log, "step")
      return yield* Effect.never
    })
    const scope = yield* Scope.make()
    const layer = Layer.provideMerge(election.singleton({ id: "a" }, service), Layer.effectDiscard(shared))
    yield* a.run(Layer.buildWithScope(layer, scope))
    yield* TestClock.adjust("1500 millis")
    yield* b.run(transact(election.requestStepDown))
    yield* start(
      b,
      { id: "b" },
      () => Effect.andThen(Effect.sync(() => void log.push("successor")), Effect.sleep("1 second"))
    )
    yield* TestClock.adjust("5 seconds")
    yield* Effect.forkDetach(Scope.close(scope, Exit.void), { startImmediately: true })
    yield* TestClock.adjust("5 seconds")
    const tenure = ["pool acquired", "serves with 1", "pool released"]
    assert.deepStrictEqual(
      log.filter((line) => line !== "step"),
      ["application acquired", ...tenure, "successor", ...tenure, "application released"]
    )
    assert.isBelow(log.slice(0, log.indexOf("successor")).lastIndexOf("step"), log.indexOf("pool released"))
    assert.strictEqual(log.lastIndexOf("step"), log.length - 3)
  })

  onHosts("may take long to close: the lease is renewed until it has", function*(a, b) {
    yield* lead(a, { id: "a" }, () => Effect.addFinalizer(() => Effect.sleep("1 minute")))
    yield* start(b, { id: "b" }, () => Effect.never)
    yield* TestClock.adjust("50 seconds")
    assert.strictEqual(yield* leaderId(b), "a")
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual(yield* leaderId(b), "b")
    assert.lengthOf(eventsOf(a, "Overrun"), 0)
  })

  for (
    const [what, finalizer] of [["takes", Effect.sleep("30 seconds")], [
      "never comes to its end,",
      Effect.never
    ]] as const
  ) {
    onHosts(`that ${what} too long to close is an overrun, and nothing is resigned meanwhile`, function*(a, b) {
      yield* lead(a, { id: "a" }, () => Effect.andThen(Effect.addFinalizer(() => finalizer), Effect.never))
      yield* lead(b, { id: "b" }, () => Effect.never)
      a.connection = "hangs"
      yield* TestClock.adjust("20 seconds")
      assert.lengthOf(eventsOf(a, "Overrun"), 1)
      assert.lengthOf(eventsOf(a, "Resigned"), 0)
      assert.strictEqual(yield* leaderId(b), "b")
    })
  }

  onHosts("tells what a finalizer dies of, runs the others, and resigns", function*(a) {
    for (const ends of [Effect.void, Effect.never]) {
      const log: Array<string> = []
      const led = yield* lead(a, { id: "a" }, () =>
        Effect.andThen(
          resource(log, "pool"),
          Effect.andThen(Effect.addFinalizer(() => Effect.die("a broken finalizer")), ends)
        ))
      if (ends === Effect.never) yield* a.run(transact(election.requestStepDown))
      yield* TestClock.adjust("1 second")
      const exit = yield* Fiber.await(led)
      assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) === "a broken finalizer")
      assert.deepStrictEqual(log, ["pool acquired", "pool released"])
      assert.isUndefined(yield* leaderId(a))
    }
  })

  onHosts("is closed with how the work has ended", function*(a) {
    const exits: Array<string> = []
    const note = Effect.addFinalizer((exit) =>
      Effect.sync(() =>
        void exits.push(
          Exit.isSuccess(exit)
            ? String(exit.value)
            : Exit.hasInterrupts(exit)
            ? "interrupted"
            : String(Cause.squash(exit.cause))
        )
      )
    )
    for (const work of [Effect.succeed("done"), Effect.fail("failure"), Effect.die("defect")]) {
      yield* Effect.exit(a.run(election.withLeadership({ id: "a" }, () => Effect.andThen(note, work))))
    }
    const lost = ({ resign }: Leadership) => Effect.andThen(note, Effect.andThen(resign, Effect.never))
    yield* Effect.exit(a.run(election.withLeadership({ id: "a" }, lost)))
    assert.deepStrictEqual(exits, ["done", "failure", "defect", "interrupted"])
  })

  onHosts("is waited for by whoever interrupts the work while it closes", function*(a, b) {
    const log: Array<string> = []
    const led = yield* start(a, { id: "a" }, () => resource(log, "pool"))
    yield* Effect.forkDetach(Fiber.interrupt(led), { startImmediately: true })
    yield* TestClock.adjust("50 millis")
    assert.strictEqual(yield* leaderId(b), "a")
    yield* TestClock.adjust("100 millis")
    assert.deepStrictEqual(log, ["pool acquired", "pool released"])
    assert.isUndefined(yield* leaderId(b))
  })

  onHosts("lets nothing be forked in it once the tenure is over", function*(a) {
    const log: Array<string> = []
    const scope = yield* a.run(election.withLeadership({ id: "a" }, () => Effect.scope))
    yield* Effect.forkIn(
      Effect.forever(Effect.andThen(Effect.sync(() => void log.push("step")), Effect.sleep(1))),
      scope
    )
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(log, [])
  })

  onHosts("is not the caller's, which stays open", function*(a, b) {
    const log: Array<string> = []
    yield* a.run(Effect.scoped(Effect.gen(function*() {
      yield* Effect.addFinalizer(() => Effect.map(leaderId(b), (leader) => void log.push(`caller's, ${leader} leads`)))
      yield* election.withLeadership(
        { id: "a" },
        () => Effect.addFinalizer(() => Effect.map(leaderId(b), (leader) => void log.push(`work's, ${leader} leads`)))
      )
      log.push("led")
    })))
    assert.deepStrictEqual(log, ["work's, a leads", "led", "caller's, undefined leads"])
  })

  onHosts(
    "is closed with the tenure also where the work is led from where nothing can be interrupted",
    function*(a, b) {
      const log: Array<string> = []
      const work = (name: string) => () => Effect.andThen(steps(log, name), Effect.never)
      yield* Effect.forkDetach(Effect.uninterruptible(a.run(election.withLeadership({ id: "a" }, work("a")))), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      yield* start(b, { id: "b" }, work("b"))
      a.connection = "hangs"
      yield* TestClock.adjust("1 minute")
      assert.match(log.join(""), /^a+b+$/)
    }
  )

  onHosts("has no fiber that takes a step after a sleep through which the belief has ended", function*(a) {
    const log: Array<string> = []
    yield* start(a, { id: "a" }, () => Effect.andThen(steps(log, "step"), Effect.never))
    yield* TestClock.adjust("500 millis")
    // As of a host that was suspended: nothing has looked at its clocks meanwhile.
    a.wallOffset = 60_000
    yield* TestClock.adjust("500 millis")
    assert.deepStrictEqual(log, ["step"])
    assert.strictEqual(eventsOf(a, "Lost")[0]?.reason, "clock-jumped")
  })
})

describe("the scope of a campaign", () => {
  onHosts(
    "is the caller's: what was acquired in it since is released before the resignation, what was before after it",
    function*(a, b) {
      const log: Array<string> = []
      const note = (name: string) =>
        Effect.addFinalizer(() => Effect.map(leaderId(b), (leader) => void log.push(`${name}, ${leader} leads`)))
      yield* a.run(Effect.scoped(Effect.gen(function*() {
        yield* note("earlier")
        yield* election.campaign({ id: "a" })
        yield* note("later")
      })))
      assert.deepStrictEqual(log, ["later, a leads", "earlier, undefined leads"])
    }
  )

  onHosts("goes on with what it holds when the leadership is lost", function*(a, b) {
    const released = yield* Deferred.make<void>()
    const led = yield* Effect.forkDetach(
      a.run(Effect.scoped(Effect.gen(function*() {
        const { lost } = yield* election.campaign({ id: "a" })
        yield* Effect.addFinalizer(() => Deferred.succeed(released, undefined))
        return yield* Effect.andThen(lost, Effect.sleep("10 seconds"))
      }))),
      { startImmediately: true }
    )
    yield* TestClock.adjust("1 second")
    yield* b.run(transact(election.requestStepDown))
    yield* TestClock.adjust("5 seconds")
    assert.isFalse(yield* Deferred.isDone(released))
    yield* TestClock.adjust("6 seconds")
    assert.isTrue(yield* Deferred.isDone(released))
    yield* Fiber.join(led)
  })
})
