import * as Conformance from "../../src/conformance/Conformance.ts"
import { MemoryDatabase } from "../../src/index.ts"

Conformance.suite("MemoryDatabase", MemoryDatabase.layer, { testClock: true })
