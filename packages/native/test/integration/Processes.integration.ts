import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { NativeDatabase } from "@effect-fdb/native"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { afterAll, beforeAll } from "vitest"
import { compilePrograms, run } from "../support/processes.ts"
import { onCluster } from "./cluster.ts"

const space = Subspace.fromTuple(["effect-fdb-test", "processes"])

onCluster("a process on a cluster", () => {
  beforeAll(compilePrograms, 60_000)
  afterAll(() =>
    Effect.runPromise(
      Database.transact(Transaction.use((tx) => tx.clearRange(space.range())), { idempotent: true }).pipe(
        Effect.provide(NativeDatabase.layer())
      )
    )
  )

  for (const kind of ["read", "commit", "watch"]) {
    for (const count of [5, 300]) {
      it.live(`exits with its own code with ${count} operations of kind ${kind} under way`, () =>
        Effect.gen(function*() {
          for (const [end, status] of [["exit", 7], ["throw", 1], ["close", 5]] as const) {
            const ended = yield* run("ending", [kind, count, end], { real: true })
            assert.strictEqual(ended.status, status, `${end}: ${ended.errors}`)
          }
        }))
    }
  }

  it.live("commits while the garbage is collected, and none is cancelled by that", () =>
    Effect.gen(function*() {
      const { errors, output } = yield* run("collecting", [3000], { real: true, nodeOptions: ["--expose-gc"] })
      assert.strictEqual(output.trim(), "[]", errors)
    }), 180_000)

  it.live("keeps nothing of watches that were cancelled or have fired", () =>
    Effect.gen(function*() {
      for (const kind of ["cancelled", "fired"]) {
        const { errors, output } = yield* run("memory", [kind, 5000], { real: true, nodeOptions: ["--expose-gc"] })
        console.log(output.trim())
        const { external, heapUsed, rss } = JSON.parse(output === "" ? errors : output)
        assert.isBelow(heapUsed + external, 500, kind)
        assert.isBelow(rss, 4000, kind)
      }
    }), 360_000)
})
