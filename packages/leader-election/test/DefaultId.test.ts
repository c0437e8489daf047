import { Database, MemoryDatabase } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Random } from "effect"
import { TestClock } from "effect/testing"
import * as os from "node:os"
import { election, eventsOf, hosts } from "./support/candidates.ts"

const idsOf = (count: number) =>
  Effect.forEach(Array.from({ length: count }), () => Effect.map(election.candidacy({}), ({ id }) => id))

describe("the id of a candidate that is given none", () => {
  it.effect("names its host and its process", () =>
    Effect.gen(function*() {
      const [id] = yield* idsOf(1)
      assert.isTrue(id!.startsWith(`${os.hostname()}-${process.pid}-`), id)
      assert.match(id!, /-[a-z]{8}$/)
    }).pipe(Effect.provide(MemoryDatabase.layer)))

  it.effect("is another for each candidacy of a process, also where chance is seeded", () =>
    Effect.gen(function*() {
      const ids = [
        ...(yield* idsOf(100)),
        ...(yield* Random.withSeed(idsOf(100), "seed")),
        ...(yield* Random.withSeed(idsOf(100), "seed"))
      ]
      assert.strictEqual(new Set(ids).size, 300)
    }).pipe(Effect.provide(MemoryDatabase.layer)))

  it.effect("stays the same for a candidacy, and is told in its events", () =>
    Effect.gen(function*() {
      const [a] = yield* hosts()
      const candidacy = yield* a.run(election.candidacy({}))
      for (const _ of [0, 1]) yield* a.run(candidacy.withLeadership(() => Effect.void))
      assert.deepStrictEqual(eventsOf(a, "Elected").map(({ candidate }) => candidate), [candidacy.id, candidacy.id])
    }))

  it.effect("lets every host build the same layer: one of them serves, and another when that is gone", () =>
    Effect.gen(function*() {
      const all = yield* hosts()
      const log: Array<string> = []
      const service = Effect.acquireRelease(
        Effect.map(Database, () => void log.push("begins")),
        () => Effect.sync(() => void log.push("ends"))
      )
      const layer = election.singleton({}, Effect.andThen(service, Effect.never))
      const running = yield* Effect.forEach(
        all,
        (host) => Effect.forkChild(host.run(Effect.provide(Effect.never, Layer.fresh(layer), { local: true })))
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(log, ["begins"])
      for (const [i, fiber] of running.entries()) {
        yield* Effect.sync(() => fiber.interruptUnsafe())
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(
          log.filter((line) => line === "begins").length,
          log.filter((line) => line === "ends").length + (i < 2 ? 1 : 0)
        )
      }
    }))
})
