import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import { Cause, Clock, Deferred, Effect, Exit, Fiber, Metric, Option, Random, Scope, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { Bytes, Database, FdbError, Transaction, type TransactionOptions } from "../src/index.ts"
import * as scripted from "./support/scriptedEngine.ts"

const { refused, unread } = scripted
const key = Bytes.fromString("key")
const value = Bytes.fromString("value")

const get = Transaction.use((tx) => tx.get(key))
const set = Transaction.use((tx) => tx.set(key, value))

/** The random part of every back-off is this. */
const always = (fraction: number) =>
  Effect.provideService(Random.Random, { nextDoubleUnsafe: () => fraction, nextIntUnsafe: () => 0 })

/** Runs a transaction of an engine to its end, and tells when its attempts began. */
const timed = <A, E>(
  engine: ReturnType<typeof scripted.make>["engine"],
  body: Effect.Effect<A, E, Transaction>,
  options?: TransactionOptions
) =>
  Effect.gen(function*() {
    const begun = yield* Clock.currentTimeMillis
    const times: Array<number> = []
    const fiber = yield* Database.fromEngine(engine).transact(
      Effect.andThen(Effect.map(Clock.currentTimeMillis, (now) => void times.push(now - begun)), body),
      options
    ).pipe(Effect.forkChild)
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 milli")
    return { exit: fiber.pollUnsafe()!, times, took: (yield* Clock.currentTimeMillis) - begun }
  })

const errorOf = <A, E>(exit: Exit.Exit<A, E>): E => {
  assert.isTrue(Exit.isFailure(exit), "it has failed")
  const reason = Exit.isFailure(exit) ? exit.cause.reasons[0] : undefined
  assert.isTrue(reason !== undefined && Cause.isFailReason(reason), "with an error of its own")
  return (reason as Cause.Fail<E>).error
}

const gaps = (times: ReadonlyArray<number>) => times.slice(1).map((time, index) => time - times[index]!)

describe("Database.transact: types", () => {
  it("discharges the transaction, and asks for the database", () => {
    expectTypeOf(Database.transact(Effect.as(get, 1))).toEqualTypeOf<Effect.Effect<number, FdbError, Database>>()
    expectTypeOf(Database.transact(Effect.as(get, 1), { retryLimit: 1 })).toEqualTypeOf<
      Effect.Effect<number, FdbError, Database>
    >()
    expectTypeOf(Effect.fail("no").pipe(Database.transact({ idempotent: true }))).toEqualTypeOf<
      Effect.Effect<never, FdbError | string, Database>
    >()
    expectTypeOf(Database.transact(Effect.andThen(get, Scope.Scope))).toEqualTypeOf<
      Effect.Effect<Scope.Scope, FdbError, Database | Scope.Scope>
    >()
  })

  it.effect("runs data first and data last", () => {
    const { attempts, engine } = scripted.make()
    return Effect.gen(function*() {
      yield* Database.transact(set)
      yield* Database.transact(set, { sizeLimit: 500 })
      yield* set.pipe(Database.transact({ sizeLimit: 600 }))
      assert.deepStrictEqual(attempts.map(({ options }) => options.sizeLimit), [undefined, 500, 600])
      assert.deepStrictEqual(attempts.map(({ commits }) => commits), [1, 1, 1])
      assert.strictEqual((yield* Database).engine, engine.name)
    }).pipe(Effect.provideService(Database, Database.fromEngine(engine)))
  })
})

describe("Database.transact: back-off", () => {
  it.effect("doubles from 10 ms and is capped at one second", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make(...Array.from({ length: 9 }, () => refused(1020)), {})
      const { exit, times } = yield* timed(engine, set)
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(gaps(times), [10, 20, 40, 80, 160, 320, 640, 1000, 1000])
      assert.strictEqual(attempts.length, 10)
    }).pipe(always(1)))

  it.effect("is capped at `maxRetryDelay`", () =>
    Effect.gen(function*() {
      const { engine } = scripted.make(...Array.from({ length: 5 }, () => refused(1020)), {})
      const { times } = yield* timed(engine, set, { maxRetryDelay: "50 millis" })
      assert.deepStrictEqual(gaps(times), [10, 20, 40, 50, 50])
    }).pipe(always(1)))

  it.effect("is a random part of that", () =>
    Effect.gen(function*() {
      const { engine } = scripted.make(...Array.from({ length: 4 }, () => refused(1020)), {})
      const { times } = yield* timed(engine, set)
      assert.deepStrictEqual(gaps(times), [5, 10, 20, 40])
    }).pipe(always(0.5)))

  it.effect("is the same for the same seed, and differs from attempt to attempt", () =>
    Effect.gen(function*() {
      const run = (seed: string) =>
        Effect.gen(function*() {
          const { engine } = scripted.make(...Array.from({ length: 9 }, () => refused(1020)), {})
          return gaps((yield* timed(engine, set)).times).map((gap) => Math.round(gap))
        }).pipe(Random.withSeed(seed))
      const first = yield* run("one")
      assert.deepStrictEqual(yield* run("one"), first)
      assert.notDeepEqual(yield* run("two"), first)
      first.forEach((gap, index) => assert.isAtMost(gap, Math.min(1000, 10 * 2 ** index) + 1))
    }))

  it.effect("is 10 ms whenever the version was too old or in the future, and does not count towards the doubling", () =>
    Effect.gen(function*() {
      const { engine } = scripted.make(
        refused(1007),
        unread(1009),
        unread(1007),
        refused(1020),
        refused(1007),
        refused(1020),
        {}
      )
      const { times } = yield* timed(engine, Effect.andThen(get, set))
      assert.deepStrictEqual(gaps(times), [10, 10, 10, 10, 10, 20])
    }).pipe(always(1)))

  it.effect("is never longer than `maxRetryDelay`, whatever the error", () =>
    Effect.gen(function*() {
      const { engine } = scripted.make(refused(1007), refused(1020), {})
      const { times } = yield* timed(engine, set, { maxRetryDelay: "3 millis" })
      assert.deepStrictEqual(gaps(times), [3, 3])
    }).pipe(always(1)))

  it.effect("gives overloaded proxies up to thirty seconds", () =>
    Effect.gen(function*() {
      const { engine } = scripted.make(...Array.from({ length: 14 }, () => refused(1042)), {})
      const { times } = yield* timed(engine, set, { timeout: "10 minutes" })
      assert.deepStrictEqual(gaps(times).slice(-3), [20480, 30000, 30000])
    }).pipe(always(1)))

  it.effect("can be interrupted", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make(refused(1020))
      const fiber = yield* Effect.forkChild(Database.fromEngine(engine).transact(set))
      yield* TestClock.adjust("15 millis")
      const before = attempts.length
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(attempts.length, before)
      assert.deepStrictEqual(attempts.map(({ disposals }) => disposals), attempts.map(() => 1))
    }).pipe(always(1)))
})

describe("Database.transact: what is retried", () => {
  it.effect("every retryable error, of a read and of the commit", () =>
    Effect.gen(function*() {
      for (const code of [1007, 1009, 1020, 1037, 1038, 1042, 1051, 1078, 1079, 1213, 1223]) {
        for (const script of [unread(code), refused(code)]) {
          const { attempts, engine } = scripted.make(script, {})
          const { exit } = yield* timed(engine, Effect.andThen(get, set))
          assert.isTrue(Exit.isSuccess(exit), `${code}`)
          assert.strictEqual(attempts.length, 2)
          assert.deepStrictEqual(attempts.map(({ disposals }) => disposals), [1, 1])
        }
      }
    }).pipe(always(0)))

  it.effect("a retryable error of one of several reads in parallel", () =>
    Effect.gen(function*() {
      let reads = 0
      const { attempts, engine } = scripted.make({
        read: Effect.suspend(() =>
          ++reads === 2
            ? Effect.andThen(Effect.sleep("1 milli"), Effect.fail(new FdbError({ code: 1007, phase: "read" })))
            : Effect.andThen(Effect.sleep("5 millis"), Effect.undefined)
        )
      }, {})
      const { exit } = yield* timed(
        engine,
        Effect.andThen(Effect.all([get, get, get], { concurrency: "unbounded" }), set)
      )
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(attempts.map(({ commits }) => commits), [0, 1])
    }))

  it.effect("the whole body, on a new attempt", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make(refused(1020), {})
      let runs = 0
      const { exit } = yield* timed(engine, Effect.as(Effect.tap(set, () => Effect.sync(() => ++runs)), "done"))
      assert.deepStrictEqual(exit, Exit.succeed("done"))
      assert.strictEqual(runs, 2)
      assert.deepStrictEqual(attempts.map(({ mutations }) => mutations.length), [1, 1])
    }))

  it.effect("not a failure of the body's own: nothing is committed", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make()
      const { exit } = yield* timed(engine, Effect.andThen(set, Effect.fail("no")))
      assert.strictEqual(errorOf(exit), "no")
      assert.deepStrictEqual(attempts.map(({ commits, disposals }) => [commits, disposals]), [[0, 1]])
    }))

  it.effect("not an FdbError that the body brings from elsewhere, however retryable", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make()
      const inner = scripted.make(refused(1020))
      const foreign = Database.fromEngine(inner.engine).transact(set, { retryLimit: 0 })
      const { exit } = yield* timed(engine, Effect.andThen(set, foreign))
      assert.strictEqual(errorOf(exit).code, 1020)
      assert.deepStrictEqual(attempts.map(({ commits }) => commits), [0])
    }))

  it.effect("not an error of a read that the body has turned into its own", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make(unread(1007))
      const { exit } = yield* timed(engine, Effect.mapError(get, () => "own"))
      assert.strictEqual(errorOf(exit), "own")
      assert.strictEqual(attempts.length, 1)
    }))

  it.effect("but the commit after a read that failed, even where the body has caught it", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make(unread(1037), {})
      const { exit } = yield* timed(engine, Effect.andThen(Effect.ignore(get), set))
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(attempts.map(({ commits }) => commits), [0, 1])
    }))

  it.effect("not a defect: it passes through", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make(unread(1007))
      for (const body of [Effect.die("defect"), Effect.ensuring(get, Effect.die("defect"))]) {
        const { exit } = yield* timed(engine, body)
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      }
      assert.deepStrictEqual(attempts.map(({ commits, disposals }) => [commits, disposals]), [[0, 1], [0, 1]])
    }))

  it.effect("not what FoundationDB does not retry", () =>
    Effect.gen(function*() {
      for (const code of [1031, 1025, 1101, 2101, 2000, 1036, 9999]) {
        const { attempts, engine } = scripted.make(refused(code))
        const { exit } = yield* timed(engine, set, { idempotent: true })
        assert.strictEqual(errorOf(exit).code, code)
        assert.strictEqual(attempts.length, 1)
      }
    }))

  it.effect("not more than `retryLimit` times; then the last error is the transaction's", () =>
    Effect.gen(function*() {
      for (const retryLimit of [0, 1, 3]) {
        const { attempts, engine } = scripted.make(refused(1007), refused(1020))
        const { exit } = yield* timed(engine, set, { retryLimit })
        assert.strictEqual(errorOf(exit).code, retryLimit === 0 ? 1007 : 1020)
        assert.strictEqual(attempts.length, retryLimit + 1)
        assert.isTrue(attempts.every(({ disposals }) => disposals === 1))
      }
    }))
})

describe("Database.transact: unknown commit results", () => {
  it.effect("are failures that say so, unless the body is idempotent", () =>
    Effect.gen(function*() {
      for (const code of [1021, 1039]) {
        const { attempts, engine } = scripted.make(refused(code), {})
        const { exit } = yield* timed(engine, set)
        assert.deepInclude(errorOf(exit), { code, phase: "commit", maybeCommitted: true })
        assert.strictEqual(attempts.length, 1)
      }
    }))

  it.effect("are retried where the body is idempotent", () =>
    Effect.gen(function*() {
      for (const code of [1021, 1039]) {
        const { attempts, engine } = scripted.make(refused(code), refused(code), {})
        const { exit } = yield* timed(engine, Effect.as(set, "done"), { idempotent: true })
        assert.deepStrictEqual(exit, Exit.succeed("done"))
        assert.strictEqual(attempts.length, 3)
      }
    }))

  it.effect("in a read are no such thing: nothing was committed", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make(unread(1021), {})
      const { exit } = yield* timed(engine, get)
      assert.isTrue(Exit.isSuccess(exit))
      assert.strictEqual(attempts.length, 2)
    }))

  it.effect("are not forgotten when a later attempt fails for good", () =>
    Effect.gen(function*() {
      for (const later of [unread(1031), refused(2101), refused(1020)]) {
        const { attempts, engine } = scripted.make(refused(1021), later)
        const { exit } = yield* timed(engine, Effect.andThen(get, set), { idempotent: true, retryLimit: 1 })
        assert.strictEqual(attempts.length, 2)
        assert.isTrue((errorOf(exit) as FdbError).maybeCommitted)
        assert.include(errorOf(exit).message, "a later attempt failed with")
      }
    }))

  /** A body that is well in its first run, and ends like this in its second. */
  const failingLater = <E>(later: Effect.Effect<void, E, Transaction>) => {
    let runs = 0
    return Effect.andThen(
      set,
      Effect.suspend((): Effect.Effect<void, E, Transaction> => runs++ === 0 ? Effect.void : later)
    )
  }

  it.effect("are told in place of what the body fails with afterwards, which is their cause", () =>
    Effect.gen(function*() {
      const ofAnother = new FdbError({ code: 2101, phase: "commit" })
      for (const code of [1021, 1039]) {
        for (const said of ["already done", new Error("not found"), { _tag: "LeadershipLost" }, ofAnother]) {
          for (const options of [{}, { retryLimit: 1 }, { retryLimit: 7 }]) {
            const { attempts, engine } = scripted.make(refused(code), {})
            const { exit } = yield* timed(engine, failingLater(Effect.fail(said)), { ...options, idempotent: true })
            assert.deepInclude(errorOf(exit) as FdbError, { _tag: "FdbError", code, maybeCommitted: true })
            assert.strictEqual((errorOf(exit) as FdbError).cause, said)
            assert.deepStrictEqual(attempts.map(({ commits, disposals }) => [commits, disposals]), [[1, 1], [0, 1]])
          }
        }
      }
    }))

  it.effect("are told so however many attempts later the body fails", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make(refused(1020), refused(1021), refused(1020), unread(1007), {})
      let runs = 0
      const later = Effect.suspend((): Effect.Effect<unknown, FdbError | string, Transaction> =>
        runs++ === 4 ? Effect.fail("already done") : get
      )
      const { exit } = yield* timed(engine, Effect.andThen(set, later), { idempotent: true })
      assert.deepInclude(errorOf(exit) as FdbError, { code: 1021, maybeCommitted: true, cause: "already done" })
      assert.lengthOf(attempts, 5)
    }))

  it.effect("of other attempts are none: what the body then fails with tells that nothing was written", () =>
    Effect.gen(function*() {
      for (const first of [refused(1020), refused(1007), refused(1042)]) {
        const { engine } = scripted.make(first, {})
        const { exit } = yield* timed(engine, failingLater(Effect.fail("already done")), { idempotent: true })
        assert.strictEqual(errorOf(exit), "already done")
      }
    }))

  it.effect("leave a defect and an interruption of the body what they are", () =>
    Effect.gen(function*() {
      const die = scripted.make(refused(1021), {})
      const died = yield* timed(die.engine, failingLater(Effect.die("defect")), { idempotent: true })
      assert.isTrue(Exit.isFailure(died.exit) && Cause.hasDies(died.exit.cause))
      const interrupt = scripted.make(refused(1021), {})
      const interrupted = yield* timed(interrupt.engine, failingLater(Effect.interrupt), { idempotent: true })
      assert.isTrue(Exit.isFailure(interrupted.exit) && Cause.hasInterruptsOnly(interrupted.exit.cause))
      assert.deepStrictEqual([...die.attempts, ...interrupt.attempts].map(({ disposals }) => disposals), [1, 1, 1, 1])
    }))

  it.effect("are known to the body of the next attempt", () =>
    Effect.gen(function*() {
      const seen: Array<boolean> = []
      const { engine } = scripted.make(refused(1020), refused(1021), refused(1020), {})
      const body = Transaction.use((tx) =>
        Effect.andThen(Effect.sync(() => void seen.push(tx.maybeCommitted)), tx.set(key, value))
      )
      yield* timed(engine, body, { idempotent: true })
      assert.deepStrictEqual(seen, [false, false, true, true])
    }))
})

describe("Database.transact: timeout", () => {
  it.effect("ends the retries: 1031, that names the last error", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make(refused(1020))
      const { exit, took } = yield* timed(engine, set, { timeout: "100 millis" })
      assert.deepInclude(errorOf(exit), { code: 1031, maybeCommitted: false })
      assert.include(errorOf(exit).message, "1020")
      assert.isAtMost(took, 100)
      // 10 + 20 + 40, and no 80 more
      assert.strictEqual(attempts.length, 4)
    }).pipe(always(1)))

  it.effect("is ten seconds unless set", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make(refused(1020))
      const { exit, took } = yield* timed(engine, set)
      assert.strictEqual(errorOf(exit).code, 1031)
      assert.isAtMost(took, 10_000)
      assert.isAtLeast(took, 9000)
      assert.strictEqual(attempts[0]!.options.timeoutMillis, 10_000)
    }).pipe(always(1)))

  it.effect("after an attempt that may have been committed is told as that", () =>
    Effect.gen(function*() {
      const { engine } = scripted.make(refused(1021))
      const { exit } = yield* timed(engine, set, { idempotent: true, timeout: "100 millis" })
      assert.deepInclude(errorOf(exit), { code: 1021, maybeCommitted: true })
    }).pipe(always(1)))

  it.effect("leaves each attempt the time that is left, and all other options as they are", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make(refused(1020), refused(1020), {})
      yield* timed(engine, Effect.andThen(Effect.sleep("7 millis"), set), {
        timeout: "1 second",
        sizeLimit: 1234,
        priority: "batch",
        causalReadRisky: true,
        tag: "tag"
      })
      const rest = { sizeLimit: 1234, priority: "batch", causalReadRisky: true, tag: "tag" } as const
      assert.deepStrictEqual(
        attempts.map(({ options }) => options),
        [1000, 1000 - 17, 1000 - 44].map((timeoutMillis) => ({ timeoutMillis, ...rest }))
      )
    }).pipe(always(1)))
})

describe("Database.transact: attempts end", () => {
  it.effect("when the body is interrupted: nothing is committed, and the attempt is disposed of", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make()
      const fiber = yield* Effect.forkChild(
        Database.fromEngine(engine).transact(Effect.andThen(set, Effect.never)),
        { startImmediately: true }
      )
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(attempts.map(({ commits, disposals }) => [commits, disposals]), [[0, 1]])
    }))

  it.effect("when the body interrupts itself, and it is not retried", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make()
      const { exit } = yield* timed(engine, Effect.andThen(set, Effect.interrupt))
      assert.isTrue(Exit.hasInterrupts(exit))
      assert.deepStrictEqual(attempts.map(({ commits, disposals }) => [commits, disposals]), [[0, 1]])
    }))

  it.effect("only after the commit: it is not interrupted", () =>
    Effect.gen(function*() {
      const started = yield* Deferred.make<void>()
      const finish = yield* Deferred.make<void>()
      const { attempts, engine } = scripted.make({
        commit: Effect.as(
          Effect.andThen(Deferred.succeed(started, undefined), Deferred.await(finish)),
          scripted.committed
        )
      })
      const tell = yield* Deferred.make<Effect.Effect<bigint, FdbError>>()
      const fiber = yield* Effect.forkChild(
        Database.fromEngine(engine).transact(Effect.andThen(
          set,
          Transaction.use((tx) => Effect.flatMap(tx.committedVersion, (version) => Deferred.succeed(tell, version)))
        ))
      )
      yield* Deferred.await(started)
      const interruption = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.isUndefined(fiber.pollUnsafe())
      yield* Deferred.succeed(finish, undefined)
      yield* Fiber.join(interruption)
      assert.strictEqual(yield* Effect.flatten(Deferred.await(tell)), scripted.committed.version)
      assert.deepStrictEqual(attempts.map(({ disposals }) => disposals), [1])
    }))

  it.effect("with the watches of those that were not committed, while those of the last live on", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make(refused(1020), unread(1007), {})
      const watches: Array<Effect.Effect<void, FdbError>> = []
      const body = Transaction.use((tx) =>
        Effect.gen(function*() {
          watches.push(yield* tx.watch(key))
          yield* tx.get(key)
          yield* tx.set(key, value)
        })
      )
      const scope = yield* Scope.make()
      yield* timed(engine, Effect.provideService(body, Scope.Scope, scope))
      assert.deepStrictEqual(attempts.map(({ watchesCancelled }) => watchesCancelled), [1, 1, 0])
      assert.strictEqual((yield* Effect.flip(watches[0]!)).code, 1025)
      assert.strictEqual((yield* Effect.flip(watches[1]!)).code, 1025)
      const last = yield* Effect.forkChild(watches[2]!, { startImmediately: true })
      assert.isUndefined(last.pollUnsafe())
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Effect.flip(Fiber.join(last))).code, 1025)
    }))

  it.effect("and a transaction within another is a transaction of its own", () =>
    Effect.gen(function*() {
      const { attempts, engine } = scripted.make()
      const database = Database.fromEngine(engine)
      yield* database.transact(Effect.gen(function*() {
        const outer = yield* Transaction
        yield* outer.set(key, value)
        yield* database.transact(Effect.gen(function*() {
          assert.notStrictEqual(yield* Transaction, outer)
          yield* set
          yield* set
        }))
        assert.deepStrictEqual(attempts.map(({ commits }) => commits), [0, 1])
        assert.strictEqual(yield* Transaction, outer)
      }))
      assert.deepStrictEqual(attempts.map(({ commits, mutations }) => [commits, mutations.length]), [[1, 1], [1, 2]])
    }))
})

describe("Database.transact: span", () => {
  const tracer = Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })
  const traced = Effect.provideService(Tracer.Tracer, tracer)

  it.effect("tells the engine, how many attempts there were, and how it ended", () =>
    Effect.gen(function*() {
      const good = scripted.make(refused(1020), refused(1020), {})
      const { exit } = yield* timed(good.engine, Effect.andThen(set, Effect.orDie(Effect.currentSpan)))
      const span = yield* exit
      assert.strictEqual(span.name, "Database.transact")
      assert.deepStrictEqual(Object.fromEntries(span.attributes), { "fdb.engine": "scripted", "fdb.attempts": 3 })
      assert.isTrue(span.status._tag === "Ended" && Exit.isSuccess(span.status.exit))
      const bad = scripted.make()
      const failed = yield* timed(bad.engine, Effect.flatMap(Effect.orDie(Effect.currentSpan), Effect.fail))
      const { status } = errorOf(failed.exit) as Tracer.Span
      assert.isTrue(status._tag === "Ended" && Exit.isFailure(status.exit))
    }).pipe(traced))

  it.effect("is a child of the span around it", () =>
    Effect.gen(function*() {
      const { exit } = yield* timed(scripted.make().engine, Effect.orDie(Effect.currentSpan)).pipe(
        Effect.withSpan("around")
      )
      const parent = Option.getOrThrow((yield* exit).parent)
      assert.include(parent, { _tag: "Span", name: "around" })
    }).pipe(traced))

  it.effect("is not made where no tracer is installed, or tracing is disabled", () =>
    Effect.gen(function*() {
      const transact = Database.fromEngine(scripted.make().engine).transact(Effect.option(Effect.currentSpan))
      assert.isTrue(Option.isNone(yield* transact))
      assert.isTrue(Option.isNone(yield* traced(Effect.withTracerEnabled(transact, false))))
      assert.isTrue(Option.isSome(yield* traced(transact)))
    }))
})

describe("Database.transact: metric", () => {
  it.effect("counts what was retried, by engine and code, and not what was given up", () =>
    Effect.gen(function*() {
      const retries = (code: number) =>
        Effect.map(
          Metric.value(Metric.withAttributes(
            Metric.counter("fdb_transaction_retries_total", {
              description: "Attempts of transactions that were retried, by engine and error code",
              incremental: true
            }),
            { engine: "scripted", code: String(code) }
          )),
          ({ count }) => count
        )
      yield* timed(scripted.make(refused(1020), refused(1020), unread(1007), {}).engine, Effect.andThen(get, set))
      assert.deepStrictEqual([yield* retries(1020), yield* retries(1007)], [2, 1])
      yield* timed(scripted.make(refused(1020)).engine, set, { retryLimit: 0 })
      yield* timed(scripted.make(refused(1020)).engine, set, { timeout: "1 milli" })
      assert.strictEqual(yield* retries(1020), 2)
    }).pipe(always(1), Effect.provideService(Metric.MetricRegistry, new Map())))
})
