import { Bytes, Transaction, Tuple } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, References, Stream } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig, LeaderElection, Shards } from "../src/index.ts"
import * as Keys from "../src/internal/shards/keys.ts"
import * as TestWitness from "../src/testing/TestWitness.ts"
import { errorOf, makeCluster, type Member, subspace } from "./support/ShardCluster.ts"

const keys = Keys.make(subspace)
const set = (key: Uint8Array, value: Uint8Array) => Effect.flatMap(Transaction, (tx) => tx.set(key, value))
const clear = (key: Uint8Array) => Effect.flatMap(Transaction, (tx) => tx.clear(key))

const silent = Effect.provideService(References.MinimumLogLevel, "None")

/** A cluster whose members have balanced its shards. */
const balancedCluster = Effect.fnUntraced(
  function*(ids: ReadonlyArray<string>, options?: Parameters<typeof makeCluster>[0]) {
    const cluster = yield* makeCluster(options)
    const members: Array<Member> = []
    for (const id of ids) members.push(yield* cluster.start(id))
    yield* cluster.balanced(members)
    yield* TestClock.adjust("10 seconds")
    return { ...cluster, members }
  }
)

/** With the configuration by default, in seconds. */
const heartbeat = 3
const lease = 10
/** By how much later than a renewal its standby may see it. */
const observation = 2

describe("shards", () => {
  it.effect("of a member whose process was witnessed to have ended are led by their standbys at once, and its coordination too", () =>
    Effect.gen(function*() {
      const { counts, members, until } = yield* balancedCluster(["m1", "m2", "m3"], { witness: TestWitness.make() })
      for (const member of members.slice(0, 2)) {
        yield* member.kill
        assert.isAtMost(yield* until(() => counts().every((works) => works === 1)), 0.3)
        // Until others stand by for what it stood by for.
        yield* TestClock.adjust("500 millis")
      }
    }))

  it.effect("of members whose processes were witnessed to have ended at once are led as soon as the table is written anew", () =>
    Effect.gen(function*() {
      const { balanced, members, start } = yield* balancedCluster(["m1", "m2", "m3", "m4"], {
        witness: TestWitness.make()
      })
      const [coordinator, owner, ...others] = members
      yield* owner!.kill
      yield* coordinator!.kill
      assert.isAtMost(yield* balanced(others), 0.5)
      // The next process of its id is not taken for dead.
      const again = yield* start("m2")
      assert.isAtMost(yield* balanced([...others, again]), 2 * heartbeat)
      yield* TestClock.adjust("30 seconds")
      assert.isAtMost(yield* balanced([...others, again]), 0)
    }))

  it.effect(
    "are led by exactly one member each, and shared evenly, as members join, leave and die",
    () =>
      Effect.gen(function*() {
        const shards = 32
        const { balanced, begun, counts, start } = yield* makeCluster({ shards })
        const members = [yield* start("m1")]
        yield* balanced(members)
        for (const n of [2, 3, 4]) {
          yield* TestClock.adjust("10 seconds")
          const before = begun()
          members.push(yield* start(`m${n}`))
          assert.isAtMost(yield* balanced(members), 2 * heartbeat)
          yield* TestClock.adjust("8 seconds")
          // No other part fits: the n-th has its mean, rounded down, from those who had more.
          assert.strictEqual(begun() - before, Math.floor(shards / n))
        }
        // The first one is the coordinator.
        for (const [way, at, most] of [["leave", 3, heartbeat], ["leave", 0, heartbeat]] as const) {
          const [gone] = members.splice(at, 1)
          const before = begun()
          yield* gone![way]
          assert.isAtMost(yield* balanced(members), most)
          assert.isUndefined(counts().find((works) => works !== 1))
          yield* TestClock.adjust("8 seconds")
          assert.isAtMost(begun() - before, Math.ceil(shards / (members.length + 1)))
        }
        for (let i = 0; i < 2; i++) {
          if (members.length < 3) members.push(yield* start(`n${i}`))
          yield* balanced(members)
          yield* TestClock.adjust("8 seconds")
          // The coordinator last.
          const [gone] = members.splice(i === 0 ? 1 : 0, 1)
          const before = begun()
          yield* gone!.kill
          assert.isAtMost(yield* balanced(members), lease + observation)
          yield* TestClock.adjust("20 seconds")
          assert.isAtMost(begun() - before, Math.ceil(shards / (members.length + 1)))
        }
      })
  )

  it.effect("stay where they are while nobody joins or leaves", () =>
    Effect.gen(function*() {
      const { begun, members, sizes } = yield* balancedCluster(["a", "b", "c"])
      const [before, parts] = [begun(), members.map(({ works }) => works())]
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(begun(), before)
      assert.deepStrictEqual(members.map(({ works }) => works()), parts)
      assert.deepStrictEqual(sizes(members).toSorted(), [5, 5, 6])
    }))

  it.effect("that members join for at about the same time move once", () =>
    Effect.gen(function*() {
      const { balanced, begun, start } = yield* makeCluster()
      const members: Array<Member> = []
      for (const id of ["a", "b", "c", "d"]) {
        members.push(yield* start(id))
        yield* TestClock.adjust("20 millis")
      }
      yield* balanced(members)
      assert.strictEqual(begun(), 16)
    }))

  it.effect("are shared in proportion to the weights", () =>
    Effect.gen(function*() {
      const { begun, sizes, start, until } = yield* makeCluster()
      const [a, b, c] = [yield* start("a", { weight: 2 }), yield* start("b"), yield* start("c", { weight: 0.2 })]
      yield* until(() => begun() === 16)
      assert.deepStrictEqual(sizes([a, b, c]), [10, 5, 1])
      yield* TestClock.adjust("10 seconds")
      yield* b.candidacy.setWeight(2)
      assert.isAtMost(yield* until(() => a.works().length === 8 && b.works().length === 7), 2 * heartbeat)
      assert.strictEqual(begun(), 18)
      assert.deepStrictEqual(yield* c.candidacy.led, c.works())
    }))

  it.effect("are handed over by a member of weight 0, which gets none, nor stands by, until it has a weight again", () =>
    Effect.gen(function*() {
      const { balanced, counts, members: [a, b, c], shards, observer } = yield* balancedCluster(["a", "b", "c"])
      yield* a!.candidacy.setWeight(0)
      assert.isAtMost(yield* balanced([b!, c!]), 2 * heartbeat)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(a!.works(), [])
      assert.deepStrictEqual(yield* a!.candidacy.led, [])
      const [table] = yield* observer.run(Stream.runCollect(Stream.take(shards.assignments, 1)))
      assert.isFalse(table!.some(({ owner, standby }) => owner === "a" || standby === "a"))
      yield* a!.candidacy.setWeight(1)
      assert.isAtMost(yield* balanced([a!, b!, c!]), 2 * heartbeat)
      // All are drained: nobody works.
      for (const { candidacy } of [a!, b!, c!]) yield* candidacy.setWeight(0)
      yield* TestClock.adjust("10 seconds")
      assert.isUndefined(counts().find((works) => works !== 0))
      yield* b!.candidacy.setWeight(0.001)
      yield* balanced([b!])
    }))

  it.effect("of two members that die at once are led by the others, within a lease and the time in which the dead are found", () =>
    Effect.gen(function*() {
      const { balanced, begun, members: [a, b, c, d] } = yield* balancedCluster(["a", "b", "c", "d"])
      yield* a!.kill
      yield* b!.kill
      const before = begun()
      // A shard whose owner and standby are dead: its next owner has seen nothing of its lease.
      assert.isAtMost(yield* balanced([c!, d!]), 15 + lease + 2 * heartbeat)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(begun() - before, 8)
    }))

  it.effect("are led after the lease, and a heartbeat for their standbys to begin, of a member that dies as they have just moved", () =>
    Effect.gen(function*() {
      const { balanced, members: [a, b], start } = yield* balancedCluster(["a", "b"])
      const c = yield* start("c")
      yield* balanced([a!, b!, c])
      yield* c.kill
      assert.isAtMost(yield* balanced([a!, b!]), lease + observation + heartbeat)
    }))

  it.effect("are led by who comes after all others have died, though their records have stayed", () =>
    Effect.gen(function*() {
      const { balanced, members, start } = yield* balancedCluster(["a", "b", "c"])
      for (const { kill } of members) yield* kill
      yield* TestClock.adjust("1 minute")
      const later = yield* start("d")
      // It becomes the coordinator first.
      assert.isAtMost(yield* balanced([later]), 2 * (lease + observation))
    }))

  it.effect("go to the same member again that was killed and comes back under its id", () =>
    Effect.gen(function*() {
      const { balanced, begun, members: [a, b], start } = yield* balancedCluster(["a", "b"])
      const before = begun()
      yield* b!.kill
      yield* TestClock.adjust("2 seconds")
      const again = yield* start("b")
      yield* balanced([a!, again])
      yield* TestClock.adjust("1 minute")
      assert.isAtMost(begun() - before, 16)
    }))

  it.effect("of a member whose connection hangs are led by its standbys, and by itself when it is back", () =>
    Effect.gen(function*() {
      const { balanced, counts, members: [a, b, c] } = yield* balancedCluster(["a", "b", "c"])
      for (const seconds of [13, 40]) {
        b!.host.connection = "hangs"
        yield* TestClock.adjust("9 seconds")
        assert.deepStrictEqual(b!.works(), [])
        yield* TestClock.adjust(`${seconds - 9} seconds`)
        assert.isUndefined(counts().find((works) => works !== 1))
        b!.host.connection = "up"
        yield* balanced([a!, b!, c!], 30)
        yield* TestClock.adjust("1 minute")
      }
    }))

  it.effect("are each worked on by one, where works take long to end, and the table moves them there and back", () =>
    Effect.gen(function*() {
      const { balanced, start } = yield* makeCluster()
      const work = () => Effect.onInterrupt(Effect.never, () => Effect.sleep("5 seconds"))
      const [a, b] = [yield* start("a", { work }), yield* start("b", { work })]
      yield* balanced([a, b])
      for (let i = 0; i < 3; i++) {
        yield* a.candidacy.setWeight(0)
        yield* TestClock.adjust("1 second")
        yield* a.candidacy.setWeight(1)
        yield* TestClock.adjust("1 second")
      }
      yield* balanced([a, b])
      // The test ends them when their finalizers have run.
      yield* a.leave
      yield* balanced([b])
    }))

  it.effect("are shared alike where each transaction takes its time", () =>
    Effect.gen(function*() {
      const { balanced, members: [a, b, c], start } = yield* balancedCluster(["a", "b", "c"], {
        latencies: { read: "20 millis", commit: "50 millis" }
      })
      const d = yield* start("d")
      assert.isAtMost(yield* balanced([a!, b!, c!, d]), 2 * heartbeat)
      yield* TestClock.adjust("10 seconds")
      yield* b!.leave
      assert.isAtMost(yield* balanced([a!, c!, d]), heartbeat)
      yield* TestClock.adjust("10 seconds")
      yield* a!.kill
      assert.isAtMost(yield* balanced([c!, d]), lease + observation)
    }))
})

describe("a shard whose leader is asked to step down", () => {
  const ask = (cluster: Effect.Success<ReturnType<typeof balancedCluster>>, shard: number) =>
    cluster.transact(Effect.orDie(LeaderElection.make(cluster.shards.subspaceOf(shard)).requestStepDown))

  it.effect("is led by its standby at once, and by its owner again after a heartbeat", () =>
    Effect.gen(function*() {
      const cluster = yield* balancedCluster(["a", "b", "c"])
      const [a, ...others] = cluster.members
      const [shard] = a!.works()
      for (let i = 0; i < 2; i++) {
        yield* ask(cluster, shard!)
        assert.isAtMost(yield* cluster.until(() => others.some(({ works }) => works().includes(shard!))), 0.1)
        yield* TestClock.adjust(`${heartbeat - 0.5} seconds`)
        assert.notInclude(a!.works(), shard)
        assert.isAtMost(yield* cluster.until(() => a!.works().includes(shard!)), 2 * heartbeat)
        yield* TestClock.adjust("10 seconds")
        assert.isAtMost(yield* cluster.balanced(cluster.members), 0)
      }
    }))

  it.effect("stays with its standby where preemption is forbidden", () =>
    Effect.gen(function*() {
      const cluster = yield* balancedCluster(["a", "b"], { config: new ElectionConfig({ allowPreemption: false }) })
      const [a, b] = cluster.members
      const [shard] = a!.works()
      yield* ask(cluster, shard!)
      assert.isAtMost(yield* cluster.until(() => b!.works().includes(shard!)), 0.1)
      yield* TestClock.adjust("1 minute")
      assert.include(b!.works(), shard)
    }))

  it.effect("is led by its owner again after a heartbeat where nobody else takes part", () =>
    Effect.gen(function*() {
      const cluster = yield* balancedCluster(["a"])
      const [a] = cluster.members
      yield* ask(cluster, 3)
      yield* TestClock.adjust(`${heartbeat - 0.5} seconds`)
      assert.notInclude(a!.works(), 3)
      yield* TestClock.adjust("600 millis")
      assert.include(a!.works(), 3)
    }))

  for (
    const [when, finalizers] of [["before its candidacy has ended", "1 second"], ["after that", "1 milli"]] as const
  ) {
    it.effect(`is left to others for as long by a member that it is taken from, and given back ${when}`, () =>
      Effect.gen(function*() {
        const cluster = yield* makeCluster()
        const work = () => Effect.onInterrupt(Effect.never, () => Effect.sleep(finalizers))
        const a = yield* cluster.start("a", { work })
        yield* cluster.balanced([a])
        yield* TestClock.adjust("10 seconds")
        yield* ask({ ...cluster, members: [a] }, 3)
        // Nobody is told how the tenure ends before the finalizers have run.
        yield* TestClock.adjust("50 millis")
        yield* a.candidacy.setWeight(0)
        yield* TestClock.adjust("400 millis")
        yield* a.candidacy.setWeight(1)
        yield* TestClock.adjust("1500 millis")
        assert.deepStrictEqual(cluster.counts().flatMap((works, shard) => works === 1 ? [] : [shard]), [3])
        yield* TestClock.adjust(`${heartbeat} seconds`)
        assert.lengthOf(a.works(), 16)
      }))
  }
})

describe("a table of shards", () => {
  it.effect("that is lost is written anew, and moves nothing", () =>
    Effect.gen(function*() {
      const { begun, members, shards, transact, observer } = yield* balancedCluster(["a", "b", "c"])
      const before = members.map(({ works }) => works())
      for (const lose of [clear(keys.table), shards.reset]) {
        const works = begun()
        yield* transact(lose)
        yield* TestClock.adjust("10 seconds")
        const [table] = yield* observer.run(Stream.runCollect(Stream.take(shards.assignments, 1)))
        assert.isTrue(table!.every(({ leader, owner }) => owner !== undefined && owner === leader?.id))
        assert.strictEqual(begun(), works)
        assert.deepStrictEqual(members.map(({ works }) => works()), before)
      }
    }))

  for (
    const [what, key, value] of [
      ["whose head is damaged", keys.table, Bytes.fromString("?")],
      ["of a newer version", keys.table, Tuple.pack([2, 16])],
      ["whose pages are damaged", keys.page(0), Tuple.pack([["a"], new Uint8Array(1), new Uint8Array(1)])]
    ] as const
  ) {
    it.effect(`${what} ends the runs with an error that names it, and is left as it is`, () =>
      Effect.gen(function*() {
        const { counts, members, start, transact } = yield* balancedCluster(["a", "b", "c"])
        yield* transact(Effect.andThen(
          set(key, value),
          // The pages are read by who sees another head.
          Effect.flatMap(Transaction, (tx) => tx.atomic("Add", keys.changes, Uint8Array.of(1)))
        ))
        const late = yield* start("late")
        yield* TestClock.adjust("1 minute")
        const expected = { _tag: "InvalidState", key: Bytes.toPrintable(keys.table) }
        for (const member of [...members, late]) assert.deepInclude(errorOf(member), expected, member.id)
        assert.isUndefined(counts().find((works) => works !== 0))
        const stored = yield* transact(Effect.flatMap(Transaction, (tx) => tx.get(key)))
        assert.deepStrictEqual(stored, value)
      }).pipe(silent))
  }

  it.effect("for another number of shards is an error of who counts otherwise; reset lets the number change", () =>
    Effect.gen(function*() {
      const { counts, members, shards, start, transact, until } = yield* balancedCluster(["a", "b"])
      const other = yield* start("other", { shards: 32 })
      yield* TestClock.adjust("1 second")
      assert.deepInclude(errorOf(other), { _tag: "ShardsDiffer", given: 32, stored: 16 })
      assert.deepStrictEqual(counts(), counts().map(() => 1))
      for (const { leave } of members) yield* leave
      yield* TestClock.adjust("1 second")
      yield* transact(shards.reset)
      const more = yield* start("more", { shards: 32 })
      yield* until(() => more.works().length === 32)
    }))
})

describe("a member", () => {
  it.effect("whose record is removed or damaged writes it again, and loses nothing for long", () =>
    Effect.gen(function*() {
      const { balanced, members, transact } = yield* balancedCluster(["a", "b", "c"])
      for (const damage of [clear(keys.member("b")), set(keys.member("b"), Bytes.fromString("?"))]) {
        yield* transact(damage)
        yield* TestClock.adjust("5 seconds")
        yield* balanced(members)
      }
    }).pipe(silent))

  it.effect("that died leaves no record for ever", () =>
    Effect.gen(function*() {
      const { members: [, b], transact } = yield* balancedCluster(["a", "b"])
      yield* b!.kill
      yield* TestClock.adjust("10 minutes")
      assert.isUndefined(yield* transact(Effect.flatMap(Transaction, (tx) => tx.get(keys.member("b")))))
    }))

  it.effect("whose id a second process takes waits for that to be gone", () =>
    Effect.gen(function*() {
      const { balanced, members: [a, b], start } = yield* balancedCluster(["a", "b"])
      const second = yield* start("b")
      yield* balanced([a!, second])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(b!.works(), [])
      yield* second.leave
      yield* balanced([a!, b!])
    }))

  it.effect("is not believed dead for its wall clock, which may be years behind or ahead", () =>
    Effect.gen(function*() {
      const { balanced, begun, start } = yield* makeCluster()
      const year = 365 * 24 * 3_600_000
      const members = [yield* start("a", { wallOffset: year })]
      yield* balanced(members)
      for (const [id, wallOffset] of [["b", 0], ["c", 2 * year]] as const) {
        members.push(yield* start(id, { wallOffset }))
        assert.isAtMost(yield* balanced(members), 2 * heartbeat)
        yield* TestClock.adjust("1 minute")
      }
      assert.strictEqual(begun(), 16 + 8 + 5)
      const [a, b, c] = members
      // Another becomes the coordinator, with another clock.
      yield* a!.leave
      yield* balanced([b!, c!])
      yield* TestClock.adjust("1 minute")
      assert.isAtMost(begun(), 16 + 8 + 5 + 6)
    }))

  it.effect("that is dead stays so for the next coordinator, though its wall clock was ahead of all others", () =>
    Effect.gen(function*() {
      const { balanced, begun, start } = yield* makeCluster()
      const [a, b] = [yield* start("a"), yield* start("b")]
      const dead = yield* start("dead", { wallOffset: 3_600_000 })
      yield* balanced([a, b, dead])
      yield* dead.kill
      yield* TestClock.adjust("1 minute")
      yield* a.leave
      assert.isAtMost(yield* balanced([b]), heartbeat)
      const before = begun()
      // Its candidacy is evicted meanwhile, which is no sign of life either.
      for (let i = 0; i < 10; i++) {
        yield* TestClock.adjust("30 seconds")
        yield* balanced([b], 0)
      }
      assert.strictEqual(begun(), before)
    }))

  it.effect("runs again under one candidacy, one run after the other", () =>
    Effect.gen(function*() {
      const { observer, shards } = yield* makeCluster()
      const candidacy = yield* shards.candidacy({})
      const works: Array<string> = []
      const runs: Array<Fiber.Fiber<never, unknown>> = []
      for (const name of ["first", "second"]) {
        runs.push(
          yield* Effect.forkDetach(
            observer.run(
              candidacy.run((shard) => Effect.andThen(Effect.sync(() => works.push(`${name} ${shard}`)), Effect.never))
            )
          )
        )
      }
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(works, 16)
      assert.isTrue(works.every((work) => work.startsWith("first")))
      yield* Fiber.interrupt(runs[0]!)
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(yield* candidacy.led, 16)
      yield* Fiber.interrupt(runs[1]!)
      assert.deepStrictEqual(yield* candidacy.led, [])
      assert.deepStrictEqual(
        works.slice(16).toSorted(),
        works.slice(0, 16).map((work) => work.replace("first", "second")).toSorted()
      )
    }))

  it.effect("whose database hangs ends all the same when it is interrupted, its works at once", () =>
    Effect.gen(function*() {
      const { balanced, members: [a, b] } = yield* balancedCluster(["a", "b"])
      a!.host.connection = "hangs"
      yield* a!.leave
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(a!.works(), [])
      yield* TestClock.adjust("15 seconds")
      assert.isDefined(a!.exit())
      yield* balanced([b!])
    }))

  it.effect("ends with what a finalizer dies of, while a shard moves", () =>
    Effect.gen(function*() {
      const { balanced, start } = yield* makeCluster()
      const work = () => Effect.onInterrupt(Effect.never, () => Effect.die("finalizer"))
      const a = yield* start("a", { work })
      yield* balanced([a])
      yield* TestClock.adjust("1 second")
      const [b, c] = [yield* start("b"), yield* start("c")]
      yield* balanced([b, c])
      assert.isTrue(Exit.isFailure(a.exit()!) && Exit.hasDies(a.exit()!))
    }).pipe(silent))

  it.effect("whose work fails ends with its error, and its shards go to the others", () =>
    Effect.gen(function*() {
      const { balanced, members: [a], start } = yield* balancedCluster(["a"])
      const failing = yield* start("b", {
        work: (shard) => shard === 15 ? Effect.andThen(Effect.sleep("3 seconds"), Effect.fail("no")) : Effect.never
      })
      yield* balanced([a!, failing])
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(errorOf(failing), "no")
      assert.isAtMost(yield* balanced([a!]), heartbeat)
    }))

  it.effect("keeps a shard whose work is done, and does it again only in another tenure", () =>
    Effect.gen(function*() {
      let done = 0
      const { balanced, start } = yield* makeCluster()
      const work = () => Effect.sync(() => void done++)
      const [a, b] = [yield* start("a", { work }), yield* start("b", { work })]
      yield* balanced([a, b])
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(done, 16)
      yield* a.leave
      yield* balanced([b])
      assert.strictEqual(done, 24)
    }))

  it.effect("goes on with its other shards where the records of one are damaged, and with that when they are mended", () =>
    Effect.gen(function*() {
      const { counts, members: [a, b], transact } = yield* balancedCluster(["a", "b"])
      const key = keys.shard(3).pack(["leader"])
      const record = yield* transact(Effect.flatMap(Transaction, (tx) => tx.get(key)))
      yield* transact(set(key, Bytes.fromString("?")))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(counts(), counts().map((_, shard) => shard === 3 ? 0 : 1))
      assert.isUndefined(errorOf(a!) ?? errorOf(b!))
      yield* transact(set(key, record!))
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(counts(), counts().map(() => 1))
    }).pipe(silent))
})

describe("shards or a candidate that cannot be", () => {
  it.effect("are refused before anything is written", () =>
    Effect.gen(function*() {
      const { shards, transact } = yield* makeCluster()
      for (const count of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 16_385]) {
        const wrong = LeaderElection.shards(subspace, { shards: count })
        const error = yield* Effect.flip(wrong.candidacy({}))
        assert.deepInclude(error, { _tag: "InvalidShards" }, String(count))
      }
      for (const weight of [-1, -0.001, Number.NaN, Number.POSITIVE_INFINITY, 1_000_001]) {
        assert.deepInclude(yield* Effect.flip(shards.candidacy({ weight })), {
          _tag: "InvalidCandidate",
          field: "weight"
        })
        const { setWeight } = yield* shards.candidacy({})
        assert.deepInclude(yield* Effect.flip(setWeight(weight)), { _tag: "InvalidCandidate", field: "weight" })
      }
      assert.deepInclude(yield* Effect.flip(shards.candidacy({ id: "" })), { _tag: "InvalidCandidate", field: "id" })
      assert.deepInclude(yield* Effect.flip(shards.candidacy({ safetyMargin: "-1 seconds" })), {
        field: "safetyMargin"
      })
      const written = yield* transact(Effect.flatMap(Transaction, (tx) => tx.getRange(subspace.range())))
      assert.deepStrictEqual(written, [])
    }))
})

describe("the stream of assignments", () => {
  it.effect("tells owner, standby and leader of each shard, and each change", () =>
    Effect.gen(function*() {
      const { balanced, observer, shards, start } = yield* makeCluster({ shards: 4 })
      const told: Array<ReadonlyArray<Shards.ShardAssignment>> = []
      const fiber = yield* Effect.forkDetach(
        observer.run(Stream.runForEach(shards.assignments, (all) => Effect.sync(() => void told.push(all))))
      )
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(told.at(-1)!.map(({ leader, owner, shard, standby }) => [shard, owner, standby, leader]), [
        [0, undefined, undefined, undefined],
        [1, undefined, undefined, undefined],
        [2, undefined, undefined, undefined],
        [3, undefined, undefined, undefined]
      ])
      const [a, b] = [yield* start("a"), yield* start("b")]
      yield* balanced([a, b])
      yield* TestClock.adjust("5 seconds")
      for (const { leader, owner, shard, standby } of told.at(-1)!) {
        assert.isTrue((owner === "a" ? a : b).works().includes(shard))
        assert.deepStrictEqual([standby, leader?.id], [owner === "a" ? "b" : "a", owner])
      }
      const count = told.length
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(told.length, count)
      yield* a.leave
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(told.at(-1)!.every(({ leader, owner }) => owner === "b" && leader?.id === "b"))
      yield* Fiber.interrupt(fiber)
    }))
})

describe("the state of shards", () => {
  const read = Shards.readState(subspace)

  it.effect("is read without their number: members with weights, and each shard with its tenure and lease", () =>
    Effect.gen(function*() {
      const { balanced, start, transact, until } = yield* makeCluster({ shards: 6 })
      assert.deepStrictEqual(yield* transact(read), { coordinator: undefined, members: [], shards: [] })
      const [a, b] = [yield* start("a"), yield* start("b", { weight: 0 })]
      yield* until(() => a.works().length === 6)
      yield* TestClock.adjust("5 seconds")
      const alone = yield* transact(read)
      assert.deepStrictEqual(alone.members.map(({ id, isAlive, weight }) => [id, weight, isAlive]), [
        ["a", 1, true],
        ["b", 0, true]
      ])
      assert.isTrue(
        alone.members.every(({ lastHeartbeat, since }) => lastHeartbeat !== undefined && lastHeartbeat >= since)
      )
      assert.isTrue(alone.shards.every(({ leader, owner }) => owner === "a" && leader?.leaderId === "a"))
      yield* b.candidacy.setWeight(1)
      yield* balanced([a, b])
      yield* TestClock.adjust("5 seconds")
      const both = yield* transact(read)
      assert.strictEqual(both.members[1]!.weight, 1)
      assert.isTrue(both.members[1]!.since > alone.members[1]!.since)
      assert.deepStrictEqual(both.shards.map(({ shard }) => shard), [0, 1, 2, 3, 4, 5])
      for (const { leader, owner, shard, standby } of both.shards) {
        assert.isTrue((owner === "a" ? a : b).works().includes(shard))
        assert.deepStrictEqual([leader!.leaderId, standby], [owner, owner === "a" ? "b" : "a"])
      }
    }))

  it.effect("tells who has died and whose lease has lapsed, also when nobody is left to write a table", () =>
    Effect.gen(function*() {
      const { balanced, observer, start, transact } = yield* makeCluster({ shards: 4 })
      const [a, b] = [yield* start("a"), yield* start("b")]
      yield* balanced([a, b])
      yield* a.kill
      yield* b.kill
      yield* TestClock.adjust("16 seconds")
      const { coordinator, members, shards } = yield* transact(read)
      const now = yield* observer.run(Effect.clockWith((clock) => clock.currentTimeNanos))
      assert.deepStrictEqual(members.map(({ isAlive }) => isAlive), [false, false])
      assert.isFalse(coordinator!.isLeaseValid(now))
      assert.isTrue(shards.every(({ leader }) => !leader!.isLeaseValid(now)))
    }))

  it.effect("is that of a table without its damaged members and shards; a damaged table is refused", () =>
    Effect.gen(function*() {
      const { members: [a], transact } = yield* balancedCluster(["a"], { shards: 3 })
      yield* a!.kill
      yield* transact(set(keys.member("a"), Bytes.fromString("?")))
      yield* transact(set(keys.members.pack([1]), Bytes.fromString("?")))
      yield* transact(clear(keys.shard(0).pack(["lease"])))
      yield* transact(set(keys.shard(1).pack(["leader"]), Bytes.fromString("?")))
      yield* transact(set(keys.coordinatorKeys.config, Bytes.fromString("?")))
      const { members, shards } = yield* transact(read)
      assert.deepStrictEqual(members, [])
      assert.deepStrictEqual(shards.map(({ leader, owner }) => [owner, leader?.leaderId]), [
        ["a", undefined],
        ["a", undefined],
        ["a", "a"]
      ])
      for (const key of [keys.page(0), keys.table]) {
        yield* transact(set(key, Bytes.fromString("?")))
        assert.strictEqual((yield* Effect.flip(transact(read)))._tag, "InvalidState")
      }
    }).pipe(silent))
})
