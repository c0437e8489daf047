import { Bytes, FdbError, Subspace, Transaction } from "@effect-fdb/core"
import * as FdbErrors from "@effect-fdb/core/FdbError"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { type Leadership, LeadershipLost } from "../src/index.ts"
import { counter, election, eventsOf, hosts, onHosts, start, transact } from "./support/candidates.ts"
import type { Host } from "./support/host.ts"

const account = Subspace.fromTuple(["app", "account"]).prefix
const paid = Bytes.fromString("paid")

const pay = Transaction.use((tx) => tx.set(account, paid))
const idempotent = { idempotent: true }

const balance = (host: Host) => host.run(transact(Transaction.use((tx) => tx.get(account))))

/** Deposes whoever leads, without its knowing. */
const depose = (host: Host) =>
  Effect.andThen(
    host.run(transact(Effect.asVoid(election.registerCandidate("usurper", 9)))),
    host.run(transact(election.tryClaimLeadership("usurper", 9)))
  )

/** How the leadership is lost between two attempts of a guarded transaction, the first of which was committed without being told. */
const losses: ReadonlyArray<readonly [string, (leader: Host, other: Host) => Effect.Effect<unknown, unknown>]> = [
  ["another has replaced it", (_, other) => depose(other)],
  ["its wall clock has jumped", (leader) =>
    Effect.sync(() => {
      leader.wallOffset = 60_000
    })],
  ["its lease has lapsed", () => TestClock.adjust("20 seconds")]
]

/** Pays without being told, and loses the leadership before the next attempt. */
const payUntold = Effect.fnUntraced(function*(
  [a, b]: readonly [Host, Host],
  { guard }: Leadership,
  lose: (leader: Host, other: Host) => Effect.Effect<unknown, unknown>
) {
  a.watches = false
  a.connection = { commitsBut: 1021 }
  const options = { ...idempotent, timeout: "1 minute" } as const
  const paying = yield* Effect.forkDetach(a.run(guard(pay, options)), { startImmediately: true })
  yield* Effect.orDie(lose(a, b))
  a.connection = "up"
  yield* TestClock.adjust("1 second")
  return yield* Effect.flip(Fiber.join(paying))
})

describe("a guarded transaction", () => {
  const increment = Effect.gen(function*() {
    const tx = yield* Transaction
    const value = yield* tx.get(counter)
    yield* tx.set(counter, Uint8Array.of((value?.[0] ?? 0) + 1))
  })

  onHosts("commits while the tenure stands, and never conflicts with renewals", function*(a) {
    const led = yield* start(a, { id: "a" }, ({ guard }) => {
      const guarded = Effect.andThen(Effect.sleep("100 millis"), guard(increment))
      return Effect.orDie(Effect.repeat(guarded, { times: 99 }))
    })
    yield* TestClock.adjust("20 seconds")
    yield* Fiber.join(led)
    assert.isTrue(eventsOf(a, "Renewed").length > 1)
    const value = yield* a.run(transact(Effect.flatMap(Transaction, (tx) => tx.get(counter))))
    assert.deepStrictEqual(value, Uint8Array.of(100))
    assert.strictEqual((yield* a.counts).conflicts, 0)
  })

  onHosts("fails with LeadershipLost once the leadership was taken, without any clock", function*(a, b) {
    yield* Effect.scoped(Effect.gen(function*() {
      const leadership = yield* a.run(election.campaign({ id: "a" }))
      a.watches = false
      yield* Effect.flatten(b.run(transact(election.registerCandidate("b", 9))))
      yield* b.run(transact(election.tryClaimLeadership("b", 9)))
      const error = yield* Effect.flip(leadership.guard(increment))
      assert.deepInclude(error, { _tag: "LeadershipLost", reason: "replaced" })
      assert.isUndefined(yield* b.run(transact(Effect.flatMap(Transaction, (tx) => tx.get(counter)))))
    }))
  })

  onHosts("fails if the leadership is taken between its reads and its commit", function*(a, b) {
    yield* Effect.scoped(Effect.gen(function*() {
      const leadership = yield* a.run(election.campaign({ id: "a" }))
      const reached = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const guarded = yield* Effect.forkChild(leadership.guard(
        Effect.gen(function*() {
          yield* increment
          yield* Deferred.succeed(reached, undefined)
          yield* Deferred.await(go)
        })
      ))
      yield* Deferred.await(reached)
      yield* Effect.flatten(b.run(transact(election.registerCandidate("b", 9))))
      yield* b.run(transact(election.tryClaimLeadership("b", 9)))
      yield* Deferred.succeed(go, undefined)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Effect.flip(Fiber.join(guarded)))._tag, "LeadershipLost")
      assert.isUndefined(yield* b.run(transact(Effect.flatMap(Transaction, (tx) => tx.get(counter)))))
    }))
  })

  onHosts("fails with LeadershipLost where the leader's record was removed", function*(a, b) {
    const leadership = yield* a.run(election.campaign({ id: "a" }))
    a.watches = false
    yield* b.run(transact(Transaction.use((tx) => tx.clear(election.subspace.pack(["leader"])))))
    assert.strictEqual((yield* Effect.flip(leadership.guard(increment)))._tag, "LeadershipLost")
  })
})

describe("a guarded transaction of which an attempt may have been committed", () => {
  for (const [what, lose] of losses) {
    onHosts(`tells so where ${what} before the next`, function*(a, b) {
      const leadership = yield* a.run(election.campaign({ id: "a" }))
      yield* TestClock.adjust("1 second")
      const error = yield* payUntold([a, b], leadership, lose)
      assert.deepStrictEqual(yield* balance(b), paid)
      assert.deepInclude(error, { _tag: "FdbError", maybeCommitted: true })
      assert.instanceOf(error instanceof FdbError ? error.cause : undefined, LeadershipLost)
    })
  }

  onHosts("tells so where its body finds its own work done, too", function*(a) {
    const { guard } = yield* a.run(election.campaign({ id: "a" }))
    a.connection = { commitsBut: 1021 }
    const payOnce = Transaction.use((tx) =>
      Effect.flatMap(
        tx.get(account),
        (stored): Effect.Effect<void, FdbError | string, Transaction> =>
          stored === undefined ? pay : Effect.fail("paid already")
      )
    )
    const paying = yield* Effect.forkDetach(a.run(guard(payOnce, idempotent)), { startImmediately: true })
    yield* TestClock.adjust("1 second")
    a.connection = "up"
    const error = yield* Effect.flip(Fiber.join(paying))
    assert.deepInclude(error as FdbError, { _tag: "FdbError", maybeCommitted: true, cause: "paid already" })
  })

  onHosts("may know it: what it finds done is its own", function*(a) {
    const { guard } = yield* a.run(election.campaign({ id: "a" }))
    a.connection = { commitsBut: 1021 }
    const payOnce = Transaction.use((tx) =>
      Effect.flatMap(tx.get(account), (stored): Effect.Effect<string, FdbError | string, Transaction> => {
        if (stored === undefined) return Effect.as(pay, "paid now")
        return tx.maybeCommitted ? Effect.succeed("paid before") : Effect.fail("paid by another")
      })
    )
    const paying = yield* Effect.forkDetach(a.run(guard(payOnce, idempotent)), { startImmediately: true })
    a.connection = "up"
    yield* TestClock.adjust("1 second")
    assert.strictEqual(yield* Fiber.join(paying), "paid before")
  })
})

describe("the LeadershipLost of withLeadership", () => {
  /** Runs a work that pays, and fails to be told of it; the leadership is lost while it waits for the next attempt. */
  const led = (
    work: (a: Host, leadership: Leadership) => Effect.Effect<unknown, unknown>,
    lose: (b: Host, a: Host) => Effect.Effect<unknown, unknown>
  ) =>
    Effect.gen(function*() {
      const [a, b] = yield* hosts()
      const leading = yield* Effect.forkDetach(
        a.run(election.withLeadership({ id: "a" }, (leadership) => work(a, leadership))),
        { startImmediately: true }
      )
      yield* TestClock.adjust(0)
      yield* Effect.orDie(lose(b, a))
      yield* TestClock.adjust("1 second")
      const exit = yield* Fiber.await(leading)
      const error = yield* Effect.flip(Effect.suspend(() => Exit.isSuccess(exit) ? Effect.void : exit))
      assert.instanceOf(error, LeadershipLost)
      return { error: error as LeadershipLost, paid: yield* balance(b) }
    })

  for (const code of [1021, 1039]) {
    it.effect(`says that a guarded transaction may have been committed, one that met ${code} and found itself replaced`, () =>
      Effect.gen(function*() {
        const { error, paid } = yield* led((a, { guard }) => {
          a.watches = false
          a.connection = { commitsBut: code }
          return guard(pay, idempotent)
        }, (b, a) =>
          Effect.andThen(
            depose(b),
            Effect.sync(() => {
              a.connection = "up"
            })
          ))
        assert.isDefined(paid)
        assert.deepInclude(error, { reason: "replaced", maybeCommitted: true })
        assert.include(error.message, "may have been committed")
      }))
  }

  it.effect("says so of one that was cut short between two attempts", () =>
    Effect.gen(function*() {
      const { error, paid } = yield* led((a, { guard }) => {
        a.connection = { commitsBut: 1021 }
        return guard(pay, { ...idempotent, timeout: "1 minute" })
      }, () => TestClock.adjust("20 seconds"))
      assert.isDefined(paid)
      assert.deepInclude(error, { reason: "expired", maybeCommitted: true })
    }))

  it.effect("says so of one whose commit failed with 1021 after the loss", () =>
    Effect.gen(function*() {
      const { error, paid } = yield* led(
        (_, { guard }) =>
          Effect.uninterruptible(guard(Effect.andThen(pay, Effect.sleep("2 seconds")), { timeout: "1 minute" })),
        (_, a) => {
          a.connection = { commitsBut: 1021 }
          a.wallOffset = 60_000
          return Effect.tap(TestClock.adjust("3 seconds"), () => Effect.sync(() => void (a.connection = "up")))
        }
      )
      assert.isDefined(paid)
      assert.deepInclude(error, { reason: "clock-jumped", maybeCommitted: true })
    }))

  it.effect("does not say so where nothing can have been committed", () =>
    Effect.gen(function*() {
      const replaced = yield* led((a, { guard }) => {
        a.watches = false
        return Effect.andThen(Effect.sleep("10 millis"), guard(pay, idempotent))
      }, depose)
      const conflicting = yield* led((a, { guard }) => {
        a.connection = { failsWith: 1020 }
        return guard(pay, { ...idempotent, timeout: "1 minute" })
      }, () => TestClock.adjust("20 seconds"))
      const failing = yield* led(
        (_, { guard }) =>
          Effect.uninterruptible(
            guard(Effect.andThen(Effect.sleep("20 seconds"), Effect.fail(FdbErrors.make(2102, "read"))), {
              timeout: "1 minute"
            })
          ),
        (_, a) => {
          a.connection = { failsWith: 1037 }
          return TestClock.adjust("30 seconds")
        }
      )
      // The attempt before has asked for its commit, and was told that it has conflicted.
      const conflicted = yield* led((a, { guard }) => {
        let attempts = 0
        const body = Transaction.use((tx) =>
          Effect.andThen(
            Effect.andThen(tx.get(counter), tx.set(account, paid)),
            Effect.suspend(() =>
              ++attempts === 1
                ? Effect.orDie(a.run(transact(Transaction.use((other) => other.set(counter, paid)))))
                : Effect.never
            )
          )
        )
        return guard(body, { ...idempotent, timeout: "1 minute" })
      }, (_, a) => {
        a.connection = { failsWith: 1037 }
        return TestClock.adjust("20 seconds")
      })
      for (const { error, paid } of [replaced, conflicting, failing, conflicted]) {
        assert.isUndefined(paid)
        assert.isUndefined(error.maybeCommitted)
      }
    }))

  it.effect("does not say so of a transaction of which the work was told", () =>
    Effect.gen(function*() {
      const { error, paid } = yield* led((a, { guard }) => {
        a.connection = { commitsBut: 1021 }
        return Effect.andThen(Effect.ignore(guard(pay)), Effect.never)
      }, () => TestClock.adjust("20 seconds"))
      assert.isDefined(paid)
      assert.isUndefined(error.maybeCommitted)
    }))
})
