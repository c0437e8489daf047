import type { DatabaseService, Engine } from "@effect-fdb/core"
import { Database, MemoryDatabase } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Fiber, Layer, Logger, Scope } from "effect"
import { TestClock } from "effect/testing"
import { type Candidacy, type ElectionEvent, ElectionObserver, type Leadership } from "../src/index.ts"
import { election, transact } from "./support/candidates.ts"

/** How the database breaks: by an effect that dies, or by an exception before there is an effect. */
type Breakage = "dies" | "throws"

/** A process whose database, watches, margin, logger and clock may break. */
class Process {
  readonly events: Array<ElectionEvent> = []
  /** Whether this call of the database breaks. */
  breaks: (call: number) => Breakage | undefined = () => undefined
  watchesBreak = false
  marginBreaks = false
  loggerBreaks = false
  observerBreaks = false
  clockBreaks = false
  /** Whether the clocks throw when they are read. */
  readingBreaks: "monotonic" | "wall" | undefined = undefined
  calls = 0
  readonly database: DatabaseService

  constructor(engine: Engine.Engine) {
    const sound = Database.fromEngine({
      ...engine,
      begin: (options) => {
        const transaction = engine.begin(options)
        return {
          ...transaction,
          watch: (key) =>
            Effect.map(transaction.watch(key), (watch) => ({
              ...watch,
              cancel: Effect.suspend(() => this.watchesBreak ? Effect.die("watch") : watch.cancel)
            }))
        }
      }
    })
    this.database = {
      ...sound,
      transact: (body, options) => {
        const breakage = this.breaks(this.calls++)
        if (breakage === "throws") throw new Error("database")
        return breakage === "dies" ? Effect.die("database") : sound.transact(body, options)
      }
    }
  }

  readonly run = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Database>> =>
    Effect.flatMap(Clock.Clock, (clock) =>
      effect.pipe(
        Effect.provideService(Database, this.database),
        Effect.provideService(Clock.Clock, {
          ...clock,
          currentTimeMillisUnsafe: () => this.reading("wall", clock.currentTimeMillisUnsafe()),
          currentTimeNanosUnsafe: () => this.reading("wall", clock.currentTimeNanosUnsafe()),
          monotonicTimeNanosUnsafe: () => this.reading("monotonic", clock.monotonicTimeNanosUnsafe()),
          sleep: (duration) => this.clockBreaks ? Effect.die("clock") : clock.sleep(duration)
        }),
        Effect.provideService(ElectionObserver, (event) => {
          this.events.push(event)
          if (this.observerBreaks) throw new Error("observer")
        }),
        Effect.provide(Logger.layer([Logger.make(() => {
          if (this.loggerBreaks) throw new Error("logger")
        })]))
      ))

  private reading<A>(which: "monotonic" | "wall", time: A): A {
    if (this.readingBreaks === which) throw new Error("clock")
    return time
  }

  readonly safetyMargin = (lease: Duration.Duration): Duration.Duration => {
    if (this.marginBreaks) throw new Error("margin")
    return Duration.divideUnsafe(lease, 10)
  }

  mend(): void {
    this.breaks = () => undefined
    this.readingBreaks = undefined
    this.watchesBreak =
      this.marginBreaks =
      this.loggerBreaks =
      this.observerBreaks =
      this.clockBreaks =
        false
  }
}

/** Two processes that share a database. */
const processes = Effect.gen(function*() {
  yield* TestClock.adjust(0)
  const engine = yield* MemoryDatabase.makeEngine
  const [a, b] = [new Process(engine), new Process(engine)]
  yield* b.run(transact(election.initialize()))
  return [a, b] as const
})

/** A candidacy of the process that is to be broken, in a scope of its own. */
const candidacyOf = (process: Process) =>
  process.run(election.candidacy({ id: "a", safetyMargin: process.safetyMargin }))

const lead = (
  process: Process,
  candidacy: Candidacy.Candidacy,
  work: (leadership: Leadership) => Effect.Effect<void>
) => Effect.forkDetach(process.run(candidacy.withLeadership(work)), { startImmediately: true })

/** It leads again, and nothing of before is left: what it believed in has been told to be over, its work has ended. */
const leadsAgain = Effect.fnUntraced(function*(process: Process, candidacy: Candidacy.Candidacy) {
  process.mend()
  const elected = process.events.filter(({ _tag }) => _tag === "Elected").length
  const over = process.events.filter(({ _tag }) => _tag === "Lost").length
  assert.strictEqual(over, elected, "a belief stands")
  const led = yield* lead(process, candidacy, () => Effect.void)
  yield* TestClock.adjust("1 minute")
  assert.deepStrictEqual(led.pollUnsafe(), Exit.void)
})

/** Tells when it begins and ends. */
const logged = (log: Array<string>) => () =>
  Effect.andThen(
    Effect.sync(() => void log.push("begins")),
    Effect.ensuring(Effect.sleep("10 seconds"), Effect.sync(() => void log.push("ends")))
  )

describe("a defect", () => {
  for (const breakage of ["dies", "throws"] as const) {
    it.effect(`of a database that ${breakage} in the resignation costs the resignation, and no turn`, () =>
      Effect.gen(function*() {
        const [a, b] = yield* processes
        const candidacy = yield* candidacyOf(a)
        const led = yield* lead(a, candidacy, () =>
          Effect.sync(() => {
            a.breaks = () => breakage
          }))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(led.pollUnsafe(), Exit.void)
        // What was not resigned ends with its lease.
        const successor = yield* b.run(election.withLeadership({ id: "b" }, () => Effect.void)).pipe(
          Effect.forkDetach({ startImmediately: true })
        )
        yield* TestClock.adjust("11 seconds")
        assert.isDefined(successor.pollUnsafe())
        yield* leadsAgain(a, candidacy)
      }))

    it.effect(`of a database that ${breakage} in any one of its transactions costs no turn`, () =>
      Effect.gen(function*() {
        for (let call = 0; call < 12; call++) {
          const [a] = yield* processes
          const log: Array<string> = []
          const scope = yield* Scope.make()
          const candidacy = yield* Scope.provide(candidacyOf(a), scope)
          a.calls = 0
          a.breaks = (n) => n === call ? breakage : undefined
          const led = yield* lead(a, candidacy, logged(log))
          yield* TestClock.adjust("1 minute")
          assert.isDefined(led.pollUnsafe(), `call ${call}`)
          assert.include([0, 2], log.length, `call ${call}`)
          yield* leadsAgain(a, candidacy)
          yield* Effect.forkDetach(Scope.close(scope, Exit.void))
        }
      }))

    it.effect(`of a database that ${breakage} when the candidacy leaves does not keep its scope from closing`, () =>
      Effect.gen(function*() {
        const [a] = yield* processes
        const scope = yield* Scope.make()
        const candidacy = yield* Scope.provide(candidacyOf(a), scope)
        yield* a.run(candidacy.withLeadership(() => Effect.void))
        a.breaks = () => breakage
        assert.deepStrictEqual(yield* Effect.exit(Scope.close(scope, Exit.void)), Exit.void)
      }))
  }

  it.effect("of watches that cannot be taken away ends the work, and the tenure", () =>
    Effect.gen(function*() {
      for (const when of ["elected", "leading"]) {
        const [a, b] = yield* processes
        const log: Array<string> = []
        const candidacy = yield* candidacyOf(a)
        const other = yield* b.run(election.withLeadership({ id: "b" }, () => Effect.sleep("5 seconds"))).pipe(
          Effect.forkDetach({ startImmediately: true })
        )
        yield* TestClock.adjust("1 second")
        // Follows first, so that it has watches.
        const led = yield* lead(a, candidacy, logged(log))
        yield* TestClock.adjust("1 second")
        if (when === "elected") a.watchesBreak = true
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(other)
        a.watchesBreak = true
        yield* TestClock.adjust("1 minute")
        assert.isDefined(led.pollUnsafe())
        assert.strictEqual(log.filter((line) => line === "begins").length, log.filter((line) => line === "ends").length)
        yield* leadsAgain(a, candidacy)
      }
    }))

  it.effect("of a safety margin's function is a margin that leaves nothing of the lease", () =>
    Effect.gen(function*() {
      const [a] = yield* processes
      const candidacy = yield* candidacyOf(a)
      a.marginBreaks = true
      const refused = yield* Effect.flip(a.run(candidacy.withLeadership(() => Effect.void)))
      assert.deepInclude(refused, { _tag: "InvalidCandidate", field: "safetyMargin" })
      a.mend()
      // During a tenure, too.
      const log: Array<string> = []
      const led = yield* lead(a, candidacy, (leadership) => {
        a.marginBreaks = true
        return Effect.andThen(logged(log)(), Effect.andThen(leadership.lost, Effect.never))
      })
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Exit.isFailure(led.pollUnsafe()!))
      assert.deepStrictEqual(log, ["begins", "ends"])
      yield* leadsAgain(a, candidacy)
    }))

  for (const observerBreaks of [false, true]) {
    it.effect(`of a logger${observerBreaks ? ", and of an observer" : ""} costs neither a tenure nor a turn`, () =>
      Effect.gen(function*() {
        const [a] = yield* processes
        const candidacy = yield* candidacyOf(a)
        a.loggerBreaks = true
        a.observerBreaks = observerBreaks
        const log: Array<string> = []
        const led = yield* lead(a, candidacy, logged(log))
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(led.pollUnsafe(), Exit.void)
        yield* leadsAgain(a, candidacy)
      }))
  }

  it.effect("of a logger that is to tell of another fault does not add one", () =>
    Effect.gen(function*() {
      for (const breakage of ["dies", "throws"] as const) {
        const [a] = yield* processes
        const candidacy = yield* candidacyOf(a)
        a.loggerBreaks = true
        const led = yield* lead(a, candidacy, () =>
          Effect.sync(() => {
            a.breaks = () => breakage
          }))
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(led.pollUnsafe(), Exit.void)
        yield* leadsAgain(a, candidacy)
      }
    }))

  it.effect("of a logger does not end a singleton whose service has failed", () =>
    Effect.gen(function*() {
      const [a] = yield* processes
      a.loggerBreaks = true
      let runs = 0
      const service = Effect.suspend(() => ++runs % 2 === 0 ? Effect.fail("failure") : Effect.die("defect"))
      yield* a.run(Layer.build(election.singleton({ id: "a" }, service)))
      yield* TestClock.adjust("1 minute")
      assert.isAbove(runs, 4)
    }))

  for (const which of ["monotonic", "wall"] as const) {
    it.effect(`of the ${which} clock when it is read ends the work, whose finalizers run to their end`, () =>
      Effect.gen(function*() {
        const [a] = yield* processes
        const candidacy = yield* candidacyOf(a)
        const log: Array<string> = []
        const waiting: Array<() => void> = []
        const next = Effect.callback<void>((resume) => void waiting.push(() => resume(Effect.void)))
        const note = (what: string) => Effect.sync(() => void log.push(what))
        const finalizer = note("ends").pipe(Effect.andThen(Effect.yieldNow), Effect.andThen(note("ended")))
        const led = yield* lead(a, candidacy, () => Effect.ensuring(Effect.andThen(next, note("a step")), finalizer))
        yield* TestClock.adjust("1 second")
        a.readingBreaks = which
        for (const resume of waiting) resume()
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(log, ["ends", "ended"])
        assert.isDefined(led.pollUnsafe())
        yield* leadsAgain(a, candidacy)
      }))
  }

  it.effect("of the clock ends the tenure, for nothing would tell when it is over", () =>
    Effect.gen(function*() {
      const [a] = yield* processes
      const candidacy = yield* candidacyOf(a)
      const log: Array<string> = []
      const led = yield* lead(
        a,
        candidacy,
        () => Effect.ensuring(Effect.never, Effect.sync(() => void log.push("ends")))
      )
      yield* TestClock.adjust("500 millis")
      a.clockBreaks = true
      yield* TestClock.adjust("1 minute")
      assert.isDefined(led.pollUnsafe())
      assert.deepStrictEqual(log, ["ends"])
      yield* leadsAgain(a, candidacy)
    }))

  it.effect("after the election of a campaign leaves no belief behind", () =>
    Effect.gen(function*() {
      const [a, b] = yield* processes
      const candidacy = yield* candidacyOf(a)
      const other = yield* b.run(election.withLeadership({ id: "b" }, () => Effect.sleep("5 seconds"))).pipe(
        Effect.forkDetach({ startImmediately: true })
      )
      yield* TestClock.adjust("1 second")
      const campaign = yield* Effect.forkDetach(
        a.run(Effect.scoped(Effect.andThen(candidacy.campaign, Effect.never))),
        {
          startImmediately: true
        }
      )
      yield* TestClock.adjust("1 second")
      a.watchesBreak = true
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(other)
      assert.isTrue(Exit.hasDies(campaign.pollUnsafe()!))
      yield* leadsAgain(a, candidacy)
    }))
})
