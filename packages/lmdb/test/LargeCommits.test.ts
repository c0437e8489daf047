import { Bytes, Database, KeyRange, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Latch, Layer, Random, Result } from "effect"
import { TestClock } from "effect/testing"
import { LmdbDatabase } from "../src/index.ts"
import type { Environment } from "../src/internal/environment.ts"
import * as layout from "../src/internal/layout.ts"
import { Limits } from "../src/internal/limits.ts"
import * as reservation from "../src/internal/reservation.ts"
import * as sharedEnvironments from "../src/internal/sharedEnvironments.ts"
import { message, start, temporaryDirectory } from "./support/processes.ts"
import { turns, turnsUntil } from "./support/waiting.ts"

const key = (name: string, i = 0) => Bytes.fromString(`${name}/${String(i).padStart(7, "0")}`)
const one = Uint8Array.of(1)
/** However slow the host. */
const timeout = "1 minute"

const fill = (name: string, from: number, to: number) =>
  Database.transact(
    Effect.gen(function*() {
      const tx = yield* Transaction
      for (let i = from; i < to; i++) yield* tx.set(key(name, i), one)
    }),
    { timeout }
  )

const clear = (name: string) =>
  Database.transact(
    Effect.gen(function*() {
      const tx = yield* Transaction
      yield* tx.clearRange(KeyRange.fromPrefix(Bytes.fromString(`${name}/`)))
      return yield* tx.committedVersion
    }),
    { timeout }
  ).pipe(Effect.flatMap((version) => version))

const at = <A, E, R>(version: bigint, read: Effect.Effect<A, E, R>) =>
  Database.transact(
    Effect.andThen(Transaction.use((tx) => tx.setReadVersion(version)), read),
    { retryLimit: 0 }
  )

const readVersion = Database.transact(Transaction.use((tx) => tx.readVersion))
const count = (name: string) =>
  Transaction.use((tx) =>
    Effect.map(tx.getRange(KeyRange.fromPrefix(Bytes.fromString(`${name}/`))), (all) => all.length)
  )

/** What of the process's own, in one directory, whose layers have these limits. */
const withLimits = (directory: string, limits: Partial<Limits>) =>
  Layer.provide(
    LmdbDatabase.layer({ path: directory, durability: "process" }),
    Layer.effect(Limits, Effect.map(Limits, (defaults) => ({ ...defaults, ...limits })))
  )

const set = (name: string) =>
  Database.transact(
    Effect.gen(function*() {
      const tx = yield* Transaction
      yield* tx.set(key(name), one)
      return yield* tx.committedVersion
    }),
    { timeout }
  ).pipe(Effect.flatMap((version) => version))

const spin = () => {
  const until = performance.now() + 5
  while (performance.now() < until);
}

describe("a commit that writes to many keys", () => {
  it.effect(
    "takes 90,000 sets, and a clear of 130,000 keys, whose version before can be read",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        yield* Effect.gen(function*() {
          yield* fill("a", 0, 90_000)
          yield* fill("a", 90_000, 130_000)
          const before = yield* readVersion
          yield* clear("a")
          assert.strictEqual(yield* Database.transact(count("a")), 0)
          yield* Database.transact(Transaction.use((tx) => tx.set(key("a", 5), Uint8Array.of(2))))
          yield* at(
            before,
            Effect.gen(function*() {
              const tx = yield* Transaction
              assert.deepStrictEqual(yield* tx.get(key("a", 77_777)), one)
              assert.deepStrictEqual(yield* tx.get(key("a", 5)), one)
              assert.isUndefined(yield* tx.get(key("a", 130_000)))
              const range = { begin: key("a", 65_000), end: key("b") }
              const first = yield* tx.getRange(range, { limit: 3 })
              assert.deepStrictEqual(first.map(({ key }) => key), [65_000, 65_001, 65_002].map((i) => key("a", i)))
              const last = yield* tx.getRange(range, { limit: 2, reverse: true })
              assert.deepStrictEqual(last.map(({ key }) => key), [129_999, 129_998].map((i) => key("a", i)))
            })
          )
        }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory, durability: "process" })))
      })
  )

  it.live("lets the event loop go on, and the commits of its own process", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        yield* fill("a", 0, 10_000)
        const clearing = yield* Effect.forkChild(clear("a"), { startImmediately: true })
        const passed = yield* turnsUntil(clearing)
        // 200 keys at a time.
        assert.isAtLeast(passed, 50)
        yield* fill("a", 0, 10_000)
        const again = yield* Effect.forkChild(clear("a"), { startImmediately: true })
        yield* turns(5)
        // Its turn comes long before the other is prepared.
        const small = yield* set("b")
        assert.isBelow(Number(small - (yield* Fiber.join(again))), 0)
        assert.strictEqual(yield* Database.transact(count("a")), 0)
        assert.strictEqual(yield* Database.transact(count("b")), 1)
      }).pipe(Effect.provide(withLimits(directory, { sliceMillis: 0 })))
    }))

  it.live(
    "gets through beside two processes that commit without a pause, none of which waits until it has",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        yield* Effect.gen(function*() {
          for (let i = 0; i < 50_000; i += 25_000) yield* fill("a", i, i + 25_000)
          const renewing = yield* Effect.all(Array.from({ length: 2 }, () => start("renewing.mjs", directory, "0")))
          for (const child of renewing) assert.strictEqual(yield* message(child), "renewed")
          const renewals = renewing.map(() => 0)
          renewing.forEach((child, i) => child.on("message", () => renewals[i]!++))
          yield* clear("a")
          for (const count of renewals) assert.isAtLeast(count, 5)
          assert.strictEqual(yield* Database.transact(count("a")), 0)
          // No preparation of versionstamped keys holds for another version.
          yield* Database.transact(Effect.gen(function*() {
            const tx = yield* Transaction
            for (let i = 0; i < 5000; i++) {
              const prefix = key("b", i)
              yield* tx.setVersionstampedKey(
                { bytes: Bytes.concat(prefix, new Uint8Array(10)), offset: prefix.length },
                one
              )
            }
          }))
          assert.strictEqual(yield* Database.transact(count("b")), 5000)
          for (const child of renewing) {
            assert.isNull(child.exitCode)
            assert.strictEqual(yield* message(child), "renewed")
          }
        }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory, durability: "process" })))
      })
  )

  it.live(
    "reads a large range page by page, whole and of one version, and lets the event loop go on between",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        yield* Effect.gen(function*() {
          yield* fill("a", 0, 20_000)
          const begun = yield* Latch.make()
          const changed = yield* Latch.make()
          const reading = yield* Effect.forkChild(Database.transact(
            Effect.andThen(
              Transaction.use((tx) => Effect.andThen(tx.readVersion, begun.open)),
              Effect.andThen(changed.await, count("a"))
            ),
            { timeout }
          ))
          yield* begun.await
          yield* Database.transact(Transaction.use((tx) => tx.clear(key("a", 19_999))))
          yield* changed.open
          // 5,000 pairs at a time.
          assert.isAtLeast(yield* turnsUntil(reading), 3)
          assert.strictEqual(yield* Fiber.join(reading), 20_000)
        }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory, durability: "process" })))
      })
  )

  it.live("that finds no key to change leaves all keys of the version before", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        const keys = [new Uint8Array(0), new Uint8Array(4), new Uint8Array(8)]
        yield* Database.transact(Transaction.use((tx) => Effect.forEach(keys, (key) => tx.set(key, one))))
        const before = yield* readVersion
        yield* clear("nothing")
        const values = yield* at(before, Transaction.use((tx) => Effect.forEach(keys, tx.get)))
        assert.deepStrictEqual(values, keys.map(() => one))
        assert.strictEqual((yield* at(before, Transaction.use((tx) => tx.getRange(KeyRange.all)))).length, 3)
      }).pipe(Effect.provide(withLimits(directory, { keys: 0 })))
    }))

  it.live("wakes those who watch one of its keys, however many they are", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        yield* fill("a", 0, 2000)
        const fired = yield* Database.transact(Effect.gen(function*() {
          const tx = yield* Transaction
          return yield* Effect.forEach(Array.from({ length: 2000 }, (_, i) => key("a", i)), (key) => tx.watch(key))
        }))
        yield* clear("a")
        yield* Effect.all(fired, { concurrency: "unbounded", discard: true })
      }).pipe(Effect.scoped, Effect.provide(LmdbDatabase.layer({ path: directory, durability: "process" })))
    }))

  it.live("says what it is that takes long when it comes too late, and writes nothing", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        yield* fill("a", 0, 30_000)
        // Something else takes five milliseconds of every turn of the event loop, and 30,000 keys take 150 turns.
        yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sync(spin), Effect.yieldNow)))
        const clearing = Transaction.use((tx) => tx.clearRange(KeyRange.fromPrefix(Bytes.fromString("a/"))))
        const error = yield* Effect.flip(Database.transact(clearing, { timeout: "500 millis", retryLimit: 0 }))
        assert.strictEqual(error.code, 1031)
        assert.isFalse(error.maybeCommitted)
        assert.include(error.message, "keys")
        assert.strictEqual(yield* Database.transact(count("a")), 30_000)
      }).pipe(Effect.scoped, Effect.provide(withLimits(directory, { sliceMillis: 0 })))
    }))

  it.live("conflicts with what was committed while it was prepared", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        yield* fill("a", 0, 30_000)
        const reading = Database.transact(
          Effect.gen(function*() {
            const tx = yield* Transaction
            yield* tx.get(key("read"))
            yield* tx.clearRange(KeyRange.fromPrefix(Bytes.fromString("a/")))
          }),
          { retryLimit: 0 }
        )
        const clearing = yield* Effect.forkChild(Effect.result(reading), { startImmediately: true })
        // It is being prepared, which takes 150 turns: of the large and the small, the small is through first.
        yield* turns(5)
        yield* Database.transact(Transaction.use((tx) => tx.set(key("read"), one)))
        const result = yield* Fiber.join(clearing)
        assert.isTrue(Result.isFailure(result) && result.failure.code === 1020)
        assert.strictEqual(yield* Database.transact(count("a")), 30_000)
      }).pipe(Effect.provide(withLimits(directory, { sliceMillis: 0 })))
    }))
})

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

type State = ReadonlyMap<string, string>

const stateNow = Effect.map(
  Transaction.use((tx) => tx.getRange(KeyRange.all)),
  (pairs): State => new Map(pairs.map(({ key, value }) => [text(key), String(value[0])]))
)

for (const triesBeforeReservation of [0, 1, 1000]) {
  it.live(
    `large and small commits to the same keys come one after another, at every version (reserving after ${triesBeforeReservation})`,
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        yield* Effect.gen(function*() {
          for (let round = 0; round < 6; round++) {
            const first = yield* Database.transact(
              Effect.all([Transaction.use((tx) => tx.readVersion), stateNow])
            )
            const commits: Array<{ readonly version: bigint; readonly apply: (state: Map<string, string>) => void }> =
              []
            const writing = Effect.gen(function*() {
              const isLarge = yield* Random.nextBoolean
              const from = yield* Random.nextIntBetween(0, 40)
              const to = from + (isLarge ? 30 : 2)
              const kind = yield* Random.nextIntBetween(0, 2)
              const name = (i: number) => text(key("k", i))
              const apply = (state: Map<string, string>) => {
                if (kind === 0) {
                  for (const k of state.keys()) if (k >= name(from) && k < name(to)) state.delete(k)
                }
                for (let i = from; i < to; i++) {
                  if (kind === 1) state.set(name(i), String(from))
                  if (kind === 2) state.set(name(i), String((Number(state.get(name(i)) ?? 0) + 1) % 256))
                }
              }
              const version = yield* Database.transact(Effect.gen(function*() {
                const tx = yield* Transaction
                if (kind === 0) yield* tx.clearRange({ begin: key("k", from), end: key("k", to) })
                for (let i = from; i < to; i++) {
                  if (kind === 1) yield* tx.set(key("k", i), Uint8Array.of(from))
                  if (kind === 2) yield* tx.atomic("Add", key("k", i), one)
                }
                return yield* tx.committedVersion
              }))
              commits.push({ version: yield* version, apply })
              yield* Effect.sleep(yield* Random.nextIntBetween(0, 3))
            })
            yield* Effect.all(Array.from({ length: 6 }, () => Effect.repeat(writing, { times: 4 })), {
              concurrency: 6,
              discard: true
            })
            const state = new Map(first[1])
            for (const { apply, version } of commits.toSorted((a, b) => a.version < b.version ? -1 : 1)) {
              apply(state)
              // On a slow host, a version may be too old by now.
              const then = yield* Effect.catchIf(at(version, stateNow), ({ code }) => code === 1007, () =>
                Effect.undefined)
              if (then !== undefined) {
                assert.deepStrictEqual(then, new Map([...state].toSorted()))
              }
            }
            assert.deepStrictEqual(yield* Database.transact(stateNow), new Map([...state].toSorted()))
          }
        }).pipe(
          Effect.provide(
            withLimits(directory, { keys: 5, chunkBytes: 50, sliceMillis: 0, triesBeforeReservation })
          )
        )
      })
  )
}

/** The environment that the layers of a directory share in this process. */
const environmentOf = (directory: string) =>
  sharedEnvironments.acquire(directory, { durability: "process", access: "owner" })

const put = (environment: Environment, key: Uint8Array, value: Uint8Array) =>
  Effect.promise(() => {
    const reader = environment.openReader()
    reader.close()
    return environment.write(reader.head.sequence, [{ key, value }])
  })

const micros = () => process.hrtime.bigint() / 1000n

describe("a reservation", () => {
  it.live("of a process that was killed delays others until it is over, and the error says so", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        const environment = yield* environmentOf(directory)
        yield* fill("a", 0, 1)
        const late = Effect.gen(function*() {
          const begin = micros()
          const end = begin + reservation.maxMicros
          yield* put(environment, layout.reservationKey, reservation.encode({ begin, end }))
          const commit = Transaction.use((tx) => tx.set(key("late", Number(begin)), one))
          const result = yield* Effect.result(Database.transact(commit, { timeout: "100 millis", retryLimit: 0 }))
          return { begin, end, result, isOver: micros() >= end }
        })
        // A slow host may take as long as the reservation.
        const { begin, end, result } = yield* Effect.repeat(late, { while: ({ isOver }) => isOver })
        assert.isTrue(Result.isFailure(result))
        if (Result.isSuccess(result)) return
        assert.strictEqual(result.failure.code, 1031)
        assert.isFalse(result.failure.maybeCommitted)
        assert.include(result.failure.message, "many keys")
        yield* fill("a", 1, 2)
        assert.isAtLeast(Number(micros()), Number(end))
        // Large ones wait as well, and for no longer.
        yield* put(
          environment,
          layout.reservationKey,
          reservation.encode({ begin: micros(), end: micros() + 300_000n })
        )
        yield* fill("b", 0, 1000)
        assert.strictEqual(yield* Database.transact(count("b")), 1000)
        assert.isUndefined(yield* Database.transact(Transaction.use((tx) => tx.get(key("late", Number(begin))))))
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory, durability: "process" })))
    }))

  it.live("that cannot be one, of before the host was started or of nonsense, delays nobody", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        const environment = yield* environmentOf(directory)
        const now = micros()
        const day = 86_400_000_000n
        for (const [begin, end] of [[now + day, now + day + 1000n], [now, now + day], [0n, now + day]] as const) {
          yield* put(environment, layout.reservationKey, reservation.encode({ begin, end }))
          yield* fill("a", 0, 1)
          yield* fill("a", 0, 1000)
        }
        yield* put(environment, layout.reservationKey, Uint8Array.of(1, 2, 3))
        yield* fill("a", 0, 1)
      }).pipe(Effect.provide(withLimits(directory, { triesBeforeReservation: 0 })))
    }))
})

it.effect("the log forgets large commits with all that it keeps of them", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    yield* Effect.gen(function*() {
      const environment = yield* environmentOf(directory)
      const kept = () => {
        const reader = environment.openReader()
        try {
          return Array.from({ length: 3 }, (_, i) => i + 1).filter((sequence) => {
            try {
              return reader.logged(sequence, 1).length > 0
            } catch {
              return false
            }
          })
        } finally {
          reader.close()
        }
      }
      yield* fill("a", 0, 5000)
      yield* clear("a")
      assert.deepStrictEqual(kept(), [1, 2])
      yield* TestClock.adjust("6 seconds")
      yield* fill("b", 0, 1)
      yield* fill("b", 1, 2)
      assert.deepStrictEqual(kept(), [])
    }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory, durability: "process" })))
  }))
