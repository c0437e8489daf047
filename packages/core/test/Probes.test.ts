/** The engine in memory, asked what a FoundationDB server was asked. */
import { MemoryDatabase } from "../src/index.ts"
import { probes } from "./support/probes.ts"

probes("MemoryDatabase", MemoryDatabase.layer)
