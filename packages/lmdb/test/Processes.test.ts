import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { assert, it } from "@effect/vitest"
import { Clock, Effect, Random } from "effect"
import * as fs from "node:fs"
import { LmdbDatabase } from "../src/index.ts"
import * as history from "./support/history.ts"
import { exited, message, start, temporaryDirectory } from "./support/processes.ts"

const accounts = 6

const fill = Database.transact(Effect.gen(function*() {
  const tx = yield* Transaction
  yield* tx.set(Bytes.fromString("counter"), Bytes.fromString("0"))
  for (let i = 0; i < accounts; i++) yield* tx.set(Bytes.fromString(`bank/${i}`), Bytes.fromString("100"))
}))

/** How long processes are ended and started again; longer, with an account of it: `EFFECT_FDB_MINUTES=10`. */
const minutes = Number(process.env["EFFECT_FDB_MINUTES"] ?? 0)
const millis = minutes > 0 ? minutes * 60_000 : 4000
/** However slow the host: each kind of end, so often at least. */
const leastRounds = 2
const leastCommits = 50

it.live(
  "processes that open and close it by turns, with nobody else there, can all open it",
  () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const children = yield* Effect.all(Array.from({ length: 3 }, () => start("revolving.mjs", directory, "30")))
      for (const child of children) assert.strictEqual(yield* exited(child), 0)
    })
)

for (const durability of ["disk", "process"] as const) {
  it.live(
    `killed, frozen or opening at any instant, processes lose and block nothing, and what they committed is serializable (${durability})`,
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const acks = `${directory}.acks`
        yield* Effect.addFinalizer(() => Effect.sync(() => fs.rmSync(acks, { force: true })))
        const done = { killed: 0, frozen: 0, openings: 0, commits: 0 }
        const hostile = Effect.fnUntraced(function*(name: string, ...more: ReadonlyArray<string>) {
          const child = yield* start("hostile.mjs", directory, acks, name, durability, ...more)
          child.on("message", (said) => {
            if (said === "opening") done.openings++
          })
          return child
        })
        yield* Effect.gen(function*() {
          yield* fill
          const { state } = yield* history.drain
          const committed = new Set<string>()
          const names = new Set<string>()
          let increments = 0
          /** Holds what was committed since the last time against the state that it has led to. */
          const check = Effect.gen(function*() {
            const { entries, state: stored } = yield* history.drain
            assert.deepStrictEqual(history.replay(state, entries), [])
            assert.deepStrictEqual(stored, state)
            for (const { kind, name, stamp } of entries) {
              assert.isFalse(committed.has(stamp))
              committed.add(stamp)
              names.add(name)
              if (kind === "increment") increments++
            }
            assert.strictEqual(stored.get("counter"), String(increments))
            let total = 0
            for (const [key, value] of stored) if (key.startsWith("bank/")) total += Number(value)
            assert.strictEqual(total, 100 * accounts)
          })

          const until = (yield* Clock.currentTimeMillis) + millis
          const isOver = Effect.map(
            Clock.currentTimeMillis,
            (now) => now >= until && committed.size > 2 * leastCommits && names.has("steady") && names.has("reopening")
          )
          const again = <E, R>(round: Effect.Effect<void, E, R>): Effect.Effect<void, E, R> =>
            Effect.gen(function*() {
              for (let i = 0; i < leastRounds || !(yield* isOver); i++) yield* round
            })
          /** Started, and at some instant of its opening or of its work killed, with or without a freeze before. */
          const ended = (name: string, freezes: boolean) =>
            Effect.gen(function*() {
              const child = yield* hostile(name, ...((yield* Random.nextIntBetween(0, 3)) === 0 ? ["large"] : []))
              assert.strictEqual(yield* message(child), "opening")
              if (yield* Random.nextBoolean) yield* message(child)
              yield* Effect.sleep(yield* Random.nextBetween(0, 100))
              if (freezes) {
                child.kill("SIGSTOP")
                done.frozen++
                yield* Effect.sleep(yield* Random.nextBetween(0, 100))
                if (yield* Random.nextBoolean) {
                  child.kill("SIGCONT")
                  yield* Effect.sleep(yield* Random.nextBetween(0, 50))
                }
              }
              child.kill("SIGKILL")
              assert.strictEqual(yield* exited(child), "SIGKILL")
              done.killed++
            }).pipe(Effect.scoped)
          yield* Effect.scoped(Effect.gen(function*() {
            const calm = [yield* hostile("steady"), yield* hostile("reopening", "reopening")]
            yield* Effect.all([
              again(ended("killed", false)),
              again(ended("frozen", true)),
              again(Effect.andThen(Effect.sleep("1 second"), check))
            ], { concurrency: 3 })
            for (const child of calm) {
              child.send("stop")
              assert.strictEqual(yield* exited(child), 0)
            }
          }))
          yield* check

          const acknowledged = fs.readFileSync(acks, "utf8").split("\n").filter((line) => line.length === 20)
          const lost = acknowledged.filter((stamp) => !committed.has(stamp))
          assert.deepStrictEqual(lost, [])
          assert.isAbove(acknowledged.length, leastCommits)
          done.commits = committed.size
          if (minutes > 0) {
            process.stdout.write(
              `${durability}: ${JSON.stringify({ ...done, acknowledged: acknowledged.length, lost: lost.length })}\n`
            )
          }
        }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory, durability })))
        assert.deepStrictEqual(fs.readdirSync(directory), ["data.mdb", "gate", "lock.mdb", "witness"])
      }),
    millis + 300_000
  )
}
