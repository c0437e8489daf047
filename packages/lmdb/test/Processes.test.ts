import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { assert, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import * as fs from "node:fs"
import { beforeAll } from "vitest"
import { LmdbDatabase } from "../src/index.ts"
import * as history from "./support/history.ts"
import { compile, exited, message, start, temporaryDirectory } from "./support/processes.ts"

beforeAll(compile, 60_000)

const accounts = 6

const fill = Database.transact(Effect.gen(function*() {
  const tx = yield* Transaction
  yield* tx.set(Bytes.fromString("counter"), Bytes.fromString("0"))
  for (let i = 0; i < accounts; i++) yield* tx.set(Bytes.fromString(`bank/${i}`), Bytes.fromString("100"))
}))

/** How often each of three processes is ended and started again; more of it: `EFFECT_FDB_ROUNDS=300`. */
const rounds = Number(process.env["EFFECT_FDB_ROUNDS"] ?? 12)

for (const durability of ["disk", "process"] as const) {
  it.live(
    `killed at any instant or started anew, processes lose and block nothing, and what they committed is serializable (${durability})`,
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const acks = `${directory}.acks`
        yield* Effect.addFinalizer(() => Effect.sync(() => fs.rmSync(acks, { force: true })))
        yield* Effect.gen(function*() {
          yield* fill
          const { state } = yield* history.drain
          /** Starts a process again and again; at some instant after it has begun to work, it is killed or told to stop. */
          const restarted = (name: string, end: "kill" | "stop") =>
            Effect.gen(function*() {
              const child = yield* start("hostile.mjs", directory, acks, name, durability)
              yield* message(child)
              yield* Effect.sleep(yield* Random.nextBetween(0, 150))
              if (end === "kill") child.kill("SIGKILL")
              else child.send("stop")
              assert.strictEqual(yield* exited(child), end === "kill" ? "SIGKILL" : 0)
            }).pipe(Effect.scoped, Effect.repeat({ times: rounds - 1 }))
          const steady = Effect.gen(function*() {
            const child = yield* start("hostile.mjs", directory, acks, "steady", durability)
            yield* message(child)
            yield* Effect.all([restarted("a", "kill"), restarted("b", "kill"), restarted("c", "stop")], {
              concurrency: 3
            })
            child.send("stop")
            assert.strictEqual(yield* exited(child), 0)
          })
          yield* Effect.scoped(steady)

          const { entries, state: final } = yield* history.drain
          assert.deepStrictEqual(history.replay(state, entries), [])
          assert.deepStrictEqual(final, state)
          assert.strictEqual(
            final.get("counter"),
            String(entries.filter(({ kind }) => kind === "increment").length)
          )
          let total = 0
          for (const [key, value] of final) if (key.startsWith("bank/")) total += Number(value)
          assert.strictEqual(total, 100 * accounts)
          const committed = new Set(entries.map(({ stamp }) => stamp))
          assert.strictEqual(committed.size, entries.length)
          const acknowledged = fs.readFileSync(acks, "utf8").split("\n").filter((line) => line.length === 20)
          assert.isAbove(acknowledged.length, 100)
          assert.deepStrictEqual(acknowledged.filter((stamp) => !committed.has(stamp)), [])
          assert.sameMembers([...new Set(entries.map(({ name }) => name))], ["a", "b", "c", "steady"])
        }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory, durability })))
        assert.deepStrictEqual(fs.readdirSync(directory), ["data.mdb", "gate", "lock.mdb"])
      }),
    60_000 + rounds * 3000
  )
}
