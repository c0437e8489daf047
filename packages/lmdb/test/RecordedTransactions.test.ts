/** The engine on LMDB, held against what a FoundationDB server has answered; the engine in memory is held against all of it. */
import { Effect } from "effect"
import { recordedTransactions } from "../../core/test/support/recorded.ts"
import { LmdbDatabase } from "../src/index.ts"
import { temporaryDirectory } from "./support/processes.ts"

recordedTransactions(
  Effect.flatMap(temporaryDirectory, (path) => LmdbDatabase.makeEngine({ path, durability: "process" })),
  4
)
