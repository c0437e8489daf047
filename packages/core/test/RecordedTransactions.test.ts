/** The engine in memory, held against what a FoundationDB server has answered. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { MemoryDatabase } from "../src/index.ts"
import { answer, differing, expected, load } from "./support/recorded.ts"

describe.each(["transactions", "versionstamps"] as const)("recorded %s", (name) => {
  it.live(
    "are answered as by a FoundationDB server, with its conflict ranges, its outcome and its data",
    () =>
      Effect.gen(function*() {
        const engine = yield* MemoryDatabase.makeEngine
        const transactions = load(name)
        const [first] = yield* differing(engine, transactions)
        const recorded = transactions.find(({ seed }) => seed === first)
        if (recorded === undefined) return
        assert.deepStrictEqual(yield* answer(engine, recorded), expected(recorded), `seed ${first}`)
      }),
    120_000
  )
})
