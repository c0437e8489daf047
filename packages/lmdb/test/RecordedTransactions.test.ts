/** The engine on LMDB, held against what a FoundationDB server has answered. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { answer, differing, expected, load } from "../../core/test/support/recorded.ts"
import { LmdbDatabase } from "../src/index.ts"
import { temporaryDirectory } from "./support/processes.ts"

describe.each(["transactions", "versionstamps"] as const)("recorded %s", (name) => {
  it.live(
    "are answered as by a FoundationDB server, with its conflict ranges, its outcome and its data",
    () =>
      Effect.gen(function*() {
        const engine = yield* LmdbDatabase.makeEngine({ path: yield* temporaryDirectory, durability: "process" })
        const transactions = load(name)
        const [first] = yield* differing(engine, transactions)
        const recorded = transactions.find(({ seed }) => seed === first)
        if (recorded === undefined) return
        assert.deepStrictEqual(yield* answer(engine, recorded), expected(recorded), `seed ${first}`)
      }),
    120_000
  )
})
