import * as Conformance from "@effect-fdb/core/conformance/Conformance"
import { Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { LmdbDatabase } from "../src/index.ts"
import { largeOnly } from "./support/largeOnly.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-lmdb-"))),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
)

Conformance.suite(
  "LmdbDatabase",
  Layer.unwrap(Effect.map(temporary, (path) => LmdbDatabase.layer({ path, durability: "process" }))),
  { maxKeyLength: 1976, testClock: true }
)

Conformance.suite(
  "LmdbDatabase, all of whose commits are large",
  Layer.unwrap(Effect.map(temporary, (path) => LmdbDatabase.layer({ path, durability: "process" }))).pipe(
    Layer.provide(largeOnly(1))
  ),
  { maxKeyLength: 1976, testClock: true }
)
