import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { LmdbDatabase } from "../src/index.ts"
import { exited, message, start, temporaryDirectory } from "./support/processes.ts"

/** However slow the host. */
const timeout = "2 minutes"

const renew = Database.transact(Transaction.use((tx) => tx.set(Bytes.fromString("key"), Uint8Array.of(1))), { timeout })

/** So often may others open and close it while a renewal waits: on a host where that takes a few milliseconds, two seconds. */
const mostVisits = 500

it.live(
  "eight processes that open and close it in a loop, killed or not, do not keep a lease from being renewed",
  () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        yield* renew
        const visitors = yield* Effect.all(Array.from({ length: 8 }, () => start("visiting.mjs", directory)), {
          concurrency: 8
        })
        for (const visitor of visitors) assert.strictEqual(yield* message(visitor), "visited")
        const visits = visitors.map(() => 0)
        visitors.forEach((visitor, i) => visitor.on("message", () => visits[i]!++))
        const total = () => visits.reduce((sum, count) => sum + count, 0)
        for (let i = 0; i < 40; i++) {
          const before = total()
          yield* renew
          assert.isBelow(total() - before, mostVisits)
          yield* Effect.sleep("50 millis")
          // At whatever point of opening or closing these are.
          if (i % 10 === 9) visitors[1 + Math.floor(i / 10)]!.kill("SIGKILL")
        }
        for (const visitor of visitors.slice(1, 5)) assert.strictEqual(yield* exited(visitor), "SIGKILL")
        // Neither do renewals keep anybody from opening.
        while (visits[0] === 0 || visits[7] === 0) yield* Effect.andThen(Effect.sleep("10 millis"), renew)
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory })))
    })
)

it.live("processes that commit without a pause do not keep one from opening", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    yield* Effect.gen(function*() {
      yield* renew
      const writers = yield* Effect.all(Array.from({ length: 2 }, () => start("renewing.mjs", directory, "0")))
      for (const writer of writers) assert.strictEqual(yield* message(writer), "renewed")
      const opener = yield* start("opening.mjs", directory)
      assert.strictEqual(yield* message(opener), "opening")
      assert.strictEqual(yield* message(opener), "open")
    }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory })))
  }))
