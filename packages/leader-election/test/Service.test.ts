import { Bytes, Database, MemoryDatabase, Subspace, Transaction } from "@effect-fdb/core"
import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig, LeaderElection, Leadership } from "../src/index.ts"

const config = ElectionConfig.withLeaseDuration("6 seconds")

class Mailer extends LeaderElection.Service<Mailer>()("test/Mailer", {
  subspace: Subspace.fromTuple(["mailer"]),
  config
}) {}

class Cleaner
  extends LeaderElection.Service<Cleaner>()("test/Cleaner", { subspace: Subspace.fromTuple(["cleaner"]) })
{}

/** Each with a database of its own. */
const Elections = Layer.merge(
  Layer.provide(Mailer.layer, Layer.fresh(MemoryDatabase.layer)),
  Layer.provide(Cleaner.layer, Layer.fresh(MemoryDatabase.layer))
)

const term = Leadership.useSync(({ term }) => term)

layer(Elections)("an election as a service", (it) => {
  it.effect("leads, with the configuration that it was declared with, and requires no database", () =>
    Effect.gen(function*() {
      const mailer = yield* Mailer
      assert.strictEqual(yield* mailer.withLeadership({ id: "a" }, ({ term }) => Effect.succeed(term)), 1n)
      const inForce = yield* mailer.transact(mailer.readConfig)
      assert.isTrue(Duration.equals(inForce.leaseDuration, config.leaseDuration))
      const [newest] = yield* mailer.transact(mailer.readHistory())
      assert.strictEqual(newest?.leaderId, "a")
    }))

  it.effect("has every operation of an election on its own database: campaign, candidacy, singleton, changes", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const cleaner = yield* Cleaner
      const leader = Effect.map(
        Effect.map(Stream.runHead(cleaner.changes), Option.flatten),
        Option.map(({ leaderId }) => leaderId)
      )
      yield* Effect.scoped(Effect.andThen(
        cleaner.campaign({ id: "campaigns" }),
        Effect.map(leader, (id) => assert.deepStrictEqual(id, Option.some("campaigns")))
      ))
      yield* Effect.scoped(Effect.gen(function*() {
        const candidacy = yield* cleaner.candidacy({ id: "candidacy" })
        yield* candidacy.withLeadership(() =>
          Effect.map(leader, (id) => assert.deepStrictEqual(id, Option.some("candidacy")))
        )
      }))
      const led = yield* Deferred.make<bigint>()
      yield* Effect.scoped(Effect.andThen(
        Layer.build(
          cleaner.singleton({ id: "singleton" }, Effect.flatMap(term, (term) => Deferred.succeed(led, term)))
        ),
        Deferred.await(led)
      ))
      // The other election has another database.
      const mailer = yield* Mailer
      assert.deepStrictEqual(yield* mailer.transact(mailer.getLeaderRaw), Option.none())
    }))

  it.effect("leaves the work the database that its caller has", () =>
    Effect.gen(function*() {
      const key = Bytes.fromString("key")
      const mailer = yield* Mailer
      const write = Database.transact(Transaction.use((tx) => tx.set(key, key)))
      const read = Transaction.use((tx) => tx.get(key))
      const found = yield* mailer.withLeadership({ id: "a" }, () => write).pipe(
        Effect.andThen(Database.transact(read)),
        Effect.provide(Layer.fresh(MemoryDatabase.layer))
      )
      assert.deepStrictEqual(found, key)
      assert.isUndefined(yield* mailer.transact(read))
    }))
})

describe("the leadership as a service", () => {
  const outer = LeaderElection.make(Subspace.fromTuple(["outer"]))
  const inner = LeaderElection.make(Subspace.fromTuple(["inner"]))

  it.effect("is the one that the work is given: in the work, its forks and its finalizers", () =>
    Effect.gen(function*() {
      const seen: Array<Leadership> = []
      const see = Effect.map(Leadership, (leadership) => void seen.push(leadership))
      yield* outer.withLeadership({ id: "a" }, (leadership) =>
        Effect.gen(function*() {
          seen.push(leadership)
          yield* see
          yield* Fiber.join(yield* Effect.forkChild(see))
          yield* Fiber.join(yield* Effect.forkScoped(see))
          yield* Effect.addFinalizer(() => Effect.orDie(see))
        }))
      assert.lengthOf(seen, 5)
      assert.strictEqual(new Set(seen).size, 1)
    }).pipe(Effect.provide(MemoryDatabase.layer)))

  it.effect("is another for each tenure of a candidacy, and of a singleton that fails", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const terms: Array<bigint> = []
      const note = Effect.map(term, (term) => void terms.push(term))
      const candidacy = yield* outer.candidacy({ id: "a" })
      yield* candidacy.withLeadership(() => note)
      yield* candidacy.withLeadership(() => note)
      yield* Effect.forkScoped(Layer.launch(inner.singleton({ id: "a" }, Effect.andThen(note, Effect.fail("again")))))
      yield* TestClock.adjust("1 second")
      assert.isAtLeast(terms.length, 4)
      assert.isTrue(terms[0]! < terms[1]! && terms[2]! < terms[3]!)
    }).pipe(Effect.provide(MemoryDatabase.layer)))

  it.effect("is the innermost one where elections are nested", () =>
    Effect.gen(function*() {
      yield* outer.withLeadership({ id: "a" }, () => Effect.void)
      const terms = yield* outer.withLeadership({ id: "a" }, ({ term: outerTerm }) =>
        Effect.all([
          inner.withLeadership({ id: "a" }, () => term),
          Effect.map(term, (term) => term === outerTerm)
        ]))
      assert.deepStrictEqual(terms, [1n, true])
    }).pipe(Effect.provide(MemoryDatabase.layer)))

  it.effect("guards and says so when it is lost, also where the work has handed it to a fiber that outlives it", () =>
    Effect.gen(function*() {
      const orphan = yield* outer.withLeadership(
        { id: "a" },
        () =>
          Effect.forkDetach(Effect.andThen(
            Effect.sleep("1 second"),
            Effect.flatMap(Leadership, ({ guard, isHeld }) => Effect.all([isHeld, Effect.flip(guard(Effect.void))]))
          ))
      )
      yield* TestClock.adjust("1 second")
      const [held, error] = yield* Fiber.join(orphan)
      assert.isFalse(held)
      assert.strictEqual(error._tag, "LeadershipLost")
    }).pipe(Effect.provide(MemoryDatabase.layer)))
})
