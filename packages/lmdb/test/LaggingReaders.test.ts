import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { LmdbDatabase } from "../src/index.ts"
import { readersOf } from "../src/internal/rootDatabase.ts"
import * as sharedEnvironments from "../src/internal/sharedEnvironments.ts"
import { exited, message, start, temporaryDirectory } from "./support/processes.ts"

const key = Bytes.fromString("key")
const commit = Database.transact(Transaction.use((tx) => tx.set(key, key)))
const commits = Effect.repeat(commit, { times: 9 })

describe("laggingReaders", () => {
  for (const how of ["waiting", "blocked"] as const) {
    it.live(`tells of a process that reads and is ${how === "waiting" ? "stopped" : "blocked"}, until it is killed`, () =>
      Effect.gen(function*() {
        const path = yield* temporaryDirectory
        yield* Effect.gen(function*() {
          yield* commit
          const child = yield* start("reading.mjs", path, how)
          assert.strictEqual(yield* message(child), "reading")
          if (how === "waiting") child.kill("SIGSTOP")
          assert.deepStrictEqual(yield* LmdbDatabase.laggingReaders({ path }), [])
          yield* commits
          assert.deepStrictEqual(yield* LmdbDatabase.laggingReaders({ path }), [
            { pid: child.pid!, state: how === "waiting" ? "stopped" : "running", commitsBehind: 10 }
          ])
          child.kill("SIGKILL")
          yield* exited(child)
          assert.deepStrictEqual(yield* LmdbDatabase.laggingReaders({ path }), [])
        }).pipe(Effect.provide(LmdbDatabase.layer({ path })))
      }))
  }

  it.live("tells of nobody whose reads end, though there are always some", () =>
    Effect.gen(function*() {
      const path = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        yield* commit
        const body = Transaction.use((tx) => Effect.andThen(tx.get(key), Effect.sleep("20 millis")))
        const reading = Effect.forever(Database.transact(body))
        yield* Effect.forkScoped(Effect.all([reading, reading, Effect.forever(commit)], { concurrency: 3 }))
        const environment = yield* sharedEnvironments.acquire(path, { durability: "disk", access: "owner" })
        const someRead = () => environment.laggingReads().length > 0
        for (let i = 0; i < 5; i++) {
          yield* Effect.repeat(Effect.sleep("1 millis"), { until: someRead })
          // While this process stands still, its reads go on; those that follow are others.
          yield* Effect.repeat(LmdbDatabase.laggingReaders({ path }), { until: (told) => told.length === 0 })
        }
      }).pipe(Effect.provide(LmdbDatabase.layer({ path })))
    }))
})

it.effect("the slots of processes that died while they read are freed every 30 seconds", () =>
  Effect.gen(function*() {
    const path = yield* temporaryDirectory
    yield* Effect.gen(function*() {
      const environment = yield* sharedEnvironments.acquire(path, { durability: "disk", access: "owner" })
      const pids = () => readersOf(environment["root"]).map(({ pid }) => pid)
      yield* commit
      const child = yield* start("reading.mjs", path, "waiting")
      assert.strictEqual(yield* message(child), "reading")
      child.kill("SIGKILL")
      yield* exited(child)
      assert.include(pids(), child.pid)
      yield* TestClock.adjust("30 seconds")
      assert.notInclude(pids(), child.pid)
    }).pipe(Effect.provide(LmdbDatabase.layer({ path })))
  }))
