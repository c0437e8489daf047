import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { LmdbDatabase } from "../src/index.ts"
import { exited, message, start, temporaryDirectory } from "./support/processes.ts"

/** Two thirds of a lease of three seconds, which is what a renewal has. */
const timeout = "2 seconds"

const renew = Database.transact(Transaction.use((tx) => tx.set(Bytes.fromString("key"), Uint8Array.of(1))), { timeout })

it.live(
  "eight processes that open and close it in a loop, killed or not, do not keep a lease of 3 s from being renewed",
  () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        yield* renew
        const visitors = yield* Effect.all(Array.from({ length: 8 }, () => start("visiting.mjs", directory)), {
          concurrency: 8
        })
        for (const visitor of visitors) assert.strictEqual(yield* message(visitor), "visited")
        const rounds = { first: 0, last: 0 }
        visitors[0]!.on("message", () => rounds.first++)
        visitors[7]!.on("message", () => rounds.last++)
        for (let i = 0; i < 40; i++) {
          yield* renew
          yield* Effect.sleep("50 millis")
          // At whatever point of opening or closing these are.
          if (i % 10 === 9) visitors[1 + Math.floor(i / 10)]!.kill("SIGKILL")
        }
        for (const visitor of visitors.slice(1, 5)) assert.strictEqual(yield* exited(visitor), "SIGKILL")
        // Neither do renewals keep anybody from opening.
        while (rounds.first === 0 || rounds.last === 0) yield* Effect.andThen(Effect.sleep("10 millis"), renew)
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory })))
    }),
  60_000
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
  }), 60_000)
