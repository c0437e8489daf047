/** The engine in memory, held against what a FoundationDB server has answered. */
import { MemoryDatabase } from "../src/index.ts"
import { recordedTransactions } from "./support/recorded.ts"

recordedTransactions(MemoryDatabase.makeEngine)
