import { Bytes, Database, FdbError, Subspace, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig, LeaderElection, type Leadership, LeadershipLost } from "../src/index.ts"
import { type Host, makeHosts } from "./support/host.ts"

const election = LeaderElection.make(Subspace.fromTuple(["app", "election"]))
const account = Subspace.fromTuple(["app", "account"]).prefix
const paid = Bytes.fromString("paid")

const transact = <A, E>(body: Effect.Effect<A, E, Transaction>) => Database.transact(body)
const pay = Transaction.use((tx) => tx.set(account, paid))
const idempotent = { idempotent: true }

const hosts = Effect.fnUntraced(function*() {
  yield* TestClock.adjust(0)
  const make = yield* makeHosts()
  const made = [make(), make()] as const
  yield* made[0].run(transact(election.initialize(new ElectionConfig({}))))
  return made
})

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

describe("a guarded transaction of which an attempt may have been committed", () => {
  for (const [what, lose] of losses) {
    it.effect(`tells so where ${what} before the next`, () =>
      Effect.gen(function*() {
        const [a, b] = yield* hosts()
        const leadership = yield* a.run(election.campaign({ id: "a" }))
        yield* TestClock.adjust("1 second")
        const error = yield* payUntold([a, b], leadership, lose)
        assert.deepStrictEqual(yield* balance(b), paid)
        assert.deepInclude(error, { _tag: "FdbError", maybeCommitted: true })
        assert.instanceOf(error instanceof FdbError ? error.cause : undefined, LeadershipLost)
      }))
  }

  it.effect("tells so where its body finds its own work done, too", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts()
      const { guard } = yield* a.run(election.campaign({ id: "a" }))
      a.connection = { commitsBut: 1021 }
      const payOnce = Transaction.use((tx) =>
        Effect.flatMap(tx.get(account), (stored): Effect.Effect<void, FdbError | string, Transaction> =>
          stored === undefined ? pay : Effect.fail("paid already"))
      )
      const paying = yield* Effect.forkDetach(a.run(guard(payOnce, idempotent)), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      a.connection = "up"
      const error = yield* Effect.flip(Fiber.join(paying))
      assert.deepInclude(error as FdbError, { _tag: "FdbError", maybeCommitted: true, cause: "paid already" })
    }))

  it.effect("may know it: what it finds done is its own", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts()
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
    }))
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
        assert.deepInclude(error, { reason: "Replaced", maybeCommitted: true })
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
      assert.deepInclude(error, { reason: "Expired", maybeCommitted: true })
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
      for (const { error, paid } of [replaced, conflicting]) {
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
