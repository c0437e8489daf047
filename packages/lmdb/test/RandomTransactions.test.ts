/** The engine on LMDB, held against the one in memory. */
import { MemoryDatabase } from "@effect-fdb/core"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { randomTransaction } from "../../core/test/support/randomTransactions.ts"
import { answer } from "../../core/test/support/recorded.ts"
import { LmdbDatabase } from "../src/index.ts"
import { temporaryDirectory } from "./support/processes.ts"

const count = 500

it.live(
  "random transactions are answered as in memory, with the same conflict ranges, outcome and data",
  () =>
    Effect.gen(function*() {
      const memory = yield* MemoryDatabase.makeEngine
      const lmdb = yield* LmdbDatabase.makeEngine({ path: yield* temporaryDirectory, durability: "process" })
      for (let seed = 1; seed <= count; seed++) {
        const transaction = randomTransaction(seed)
        assert.deepStrictEqual(yield* answer(lmdb, transaction), yield* answer(memory, transaction), `seed ${seed}`)
      }
    })
)
