import { MemoryDatabase } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, References, Scheduler } from "effect"
import { TestClock } from "effect/testing"
import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { ElectionConfig, type Leadership } from "../src/index.ts"
import { election, eventsOf, lead, onHosts, reasonOf, start, transact } from "./support/candidates.ts"

/** What drives the steps of a work from outside: not by sleeping, asking or guarding. */
const makeDriver = Effect.sync(() => {
  const waiting: Array<() => void> = []
  const driveNow = () => {
    for (const resume of waiting.splice(0)) resume()
  }
  return {
    driveNow,
    /** Completes with what comes from outside next. */
    next: Effect.callback<void>((resume) => {
      waiting.push(() => resume(Effect.void))
    }),
    /** Goes on with all that wait. */
    drive: Effect.sync(driveNow)
  }
})

/** A work that is driven from outside, in its main fiber or in others of it, and how often it has taken a step. */
const shapes: ReadonlyArray<
  readonly [string, (steps: Effect.Effect<never>) => (leadership: Leadership) => Effect.Effect<unknown>]
> = [
  ["the main fiber", (steps) => () => steps],
  ["a child", (steps) => () => Effect.andThen(Effect.forkChild(steps), Effect.never)],
  [
    "a fiber in the work's scope",
    (steps) => () => Effect.scoped(Effect.andThen(Effect.forkScoped(steps), Effect.never))
  ],
  ["one of several at a time", (steps) => () => Effect.all([Effect.never, steps, steps], { concurrency: "unbounded" })],
  ["one that is raced", (steps) => () => Effect.raceFirst(Effect.never, steps)],
  [
    "a child of a child",
    (steps) => () =>
      Effect.andThen(Effect.forkChild(Effect.andThen(Effect.forkChild(steps), Effect.never)), Effect.never)
  ]
]

describe("a fiber of the work that goes on when the belief is over", () => {
  for (const [which, shape] of shapes) {
    onHosts(`takes no step: ${which}`, function*(a) {
      const { drive, next } = yield* makeDriver
      let steps = 0
      const work = shape(Effect.forever(Effect.andThen(next, Effect.sync(() => void steps++))))
      const leading = yield* lead(a, { id: "a" }, work)
      yield* drive
      yield* TestClock.adjust("10 millis")
      const before = steps
      assert.isAbove(before, 0)
      // The belief is over, and no timer has gone off since.
      a.wallOffset = 60_000
      yield* drive
      assert.strictEqual(steps, before)
      assert.strictEqual(reasonOf(a), "clock-jumped")
      yield* TestClock.adjust("1 second")
      assert.isDefined(leading.pollUnsafe())
    })
  }

  onHosts("runs its finalizers to their end, in fibers of their own too", function*(a) {
    const { drive, next } = yield* makeDriver
    const log: Array<string> = []
    const finalizer = Effect.sync(() => void log.push("begun")).pipe(
      Effect.andThen(Effect.all([next, Effect.timeout(Effect.never, "100 millis").pipe(Effect.ignore)], {
        concurrency: "unbounded"
      })),
      Effect.andThen(Effect.sync(() => void log.push("ended"))),
      Effect.timeout("1 second"),
      Effect.ignore
    )
    yield* lead(a, { id: "a" }, () =>
      Effect.ensuring(
        Effect.forever(Effect.andThen(
          next,
          Effect.sync(() => void log.push("step"))
        )),
        finalizer
      ))
    a.wallOffset = 60_000
    yield* drive
    assert.deepStrictEqual(log, ["begun"])
    yield* TestClock.adjust("200 millis")
    yield* drive
    yield* TestClock.adjust("200 millis")
    assert.deepStrictEqual(log, ["begun", "ended"])
    assert.lengthOf(eventsOf(a, "Resigned"), 1)
  })

  onHosts("finishes a region that cannot be interrupted, and nothing after it", function*(a) {
    const { drive, next } = yield* makeDriver
    const log: Array<string> = []
    const note = (what: string) => Effect.sync(() => void log.push(what))
    const region = Effect.uninterruptible(next.pipe(Effect.andThen(note("first")), Effect.andThen(note("second"))))
    yield* lead(a, { id: "a" }, () => Effect.andThen(region, note("after")))
    a.wallOffset = 60_000
    yield* drive
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(log, ["first", "second"])
    assert.strictEqual(reasonOf(a), "clock-jumped")
  })

  /** Works that never wait; Effect does not count all of their operations alike. */
  const unwaiting: ReadonlyArray<readonly [string, (step: Effect.Effect<void>) => Effect.Effect<unknown>]> = [
    ["a generator", (step) =>
      Effect.gen(function*() {
        for (let i = 0; i < 2000; i++) yield* step
      })],
    ["a loop", (step) => Effect.forEach(Array.from({ length: 2000 }), () => step, { discard: true })],
    ["a chain", (step) => {
      let chain: Effect.Effect<unknown> = step
      for (let i = 0; i < 2000; i++) chain = Effect.flatMap(Effect.map(chain, () => i), () => step)
      return chain
    }],
    ["a recursion", (step) => {
      const go = (n: number): Effect.Effect<void> => n === 0 ? Effect.void : Effect.flatMap(step, () => go(n - 1))
      return go(2000)
    }]
  ]
  for (const [which, work] of unwaiting) {
    onHosts(`does not go on for long without a wait, either: ${which}`, function*(a) {
      let steps = 0
      const step = Effect.sync(() => {
        if (++steps === 100) a.wallOffset = 60_000
      })
      yield* lead(a, { id: "a" }, () => work(step))
      assert.isAtLeast(steps, 100)
      assert.isBelow(steps, 200)
      assert.strictEqual(reasonOf(a), "clock-jumped")
    })
  }

  onHosts("takes no step either where its caller keeps fibers from giving way", function*(a) {
    const { drive, next } = yield* makeDriver
    let steps = 0
    const work = Effect.forever(Effect.andThen(next, Effect.sync(() => void steps++)))
    yield* lead(a, { id: "a" }, () => work).pipe(Effect.provideService(References.PreventSchedulerYield, true))
    yield* drive
    yield* TestClock.adjust("10 millis")
    const before = steps
    assert.isAbove(before, 0)
    a.wallOffset = 60_000
    yield* drive
    assert.strictEqual(steps, before)
  })

  for (const prevented of [false, true]) {
    onHosts(`asks its caller's scheduler ${prevented ? "nothing where that is kept from it" : "too"}`, function*(a) {
      const base = yield* Scheduler.Scheduler
      let isWorking = false
      let asked = 0
      const scheduler: Scheduler.Scheduler = {
        executionMode: base.executionMode,
        makeDispatcher: () => base.makeDispatcher(),
        shouldYield: (fiber) => {
          if (isWorking) asked++
          return base.shouldYield(fiber)
        }
      }
      const work = Effect.gen(function*() {
        isWorking = true
        for (let i = 0; i < 100; i++) yield* Effect.suspend(() => Effect.void)
        isWorking = false
      })
      yield* lead(a, { id: "a" }, () => work).pipe(
        Effect.provideService(References.PreventSchedulerYield, prevented),
        Effect.provideService(Scheduler.Scheduler, scheduler)
      )
      assert.strictEqual(asked > 0, !prevented)
    })
  }

  onHosts("takes no step once it has ended its tenure itself", function*(a) {
    let steps = 0
    const led = yield* start(a, { id: "a" }, ({ resign }) => Effect.andThen(resign, Effect.sync(() => void steps++)))
    yield* Fiber.await(led)
    assert.strictEqual(steps, 0)
  })

  onHosts("is not looked at where it is the caller's own, under campaign", function*(a) {
    const { drive, next } = yield* makeDriver
    const leadership = yield* a.run(election.campaign({ id: "a" }))
    let steps = 0
    const own = yield* Effect.forkChild(Effect.andThen(next, Effect.sync(() => void steps++)), {
      startImmediately: true
    })
    a.wallOffset = 60_000
    yield* drive
    yield* Fiber.join(own)
    assert.strictEqual(steps, 1)
    assert.isFalse(yield* leadership.isHeld)
  })
})

/** Two ends of a connection of this process with itself. */
const pair = Effect.acquireRelease(
  Effect.promise(async () => {
    const server = createServer()
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as { readonly port: number }
    const near = connect(port, "127.0.0.1")
    const [far] = await once(server, "connection") as [Socket]
    far.setNoDelay(true)
    return { near, far, server }
  }),
  ({ far, near, server }) =>
    Effect.sync(() => {
      near.destroy()
      far.destroy()
      server.close()
    })
)

/** Holds up the event loop. */
const block = (millis: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis)
}

describe("a work that is driven by a socket", () => {
  it.live("takes no step where the loop was blocked until its belief was over, and data came before any timer", () =>
    Effect.gen(function*() {
      const sockets = [yield* pair, yield* pair]
      const { driveNow, next } = yield* makeDriver
      const led = yield* Deferred.make<void>()
      let blocked = false
      let data = 0
      const late: Array<string> = []
      const work = Effect.andThen(
        Deferred.succeed(led, undefined),
        Effect.forever(Effect.andThen(next, Effect.sync(() => late.push("a step"))))
      )
      yield* transact(election.initialize(ElectionConfig.withLeaseDuration("500 millis")))
      const leading = yield* Effect.forkChild(Effect.flip(election.withLeadership({ id: "a" }, () => work)))
      yield* Deferred.await(led)
      // Both are readable when the loop polls: the handler that comes first blocks it, and the other's is next.
      for (const { near } of sockets) {
        near.on("data", () => {
          data++
          if (blocked) return driveNow()
          block(700)
          blocked = true
        })
      }
      yield* Effect.sync(() => {
        for (const { far } of sockets) far.write("x")
        block(20)
      })
      yield* Fiber.join(leading)
      // On a host that stands still, the belief may have been over before the data came.
      yield* Effect.repeat(Effect.sleep("1 millis"), { until: () => data === 2 })
      assert.deepStrictEqual(late, [])
    }).pipe(Effect.scoped, Effect.provide(MemoryDatabase.layer)))
})
