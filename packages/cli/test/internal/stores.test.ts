import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Stores } from "../../src/Cli.ts"
import * as StoreLayer from "../../src/internal/stores.ts"

describe("a store", () => {
  it.effect("is there, or has something in its place that opening tells of; or is not", () =>
    Effect.gen(function*() {
      const { exists } = yield* Stores
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "fdb-election-test-"))),
        (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
      )
      const lmdb = (place: string) => exists({ engine: "lmdb", path: place })
      assert.isFalse(lmdb(directory))
      assert.isFalse(lmdb(path.join(directory, "no", "such")))
      fs.writeFileSync(path.join(directory, "data.mdb"), "")
      assert.isTrue(lmdb(directory))
      assert.isTrue(lmdb(path.join(directory, "data.mdb")))
      assert.isTrue(exists({ engine: "fdb" }))
    }).pipe(Effect.provide(StoreLayer.layer)))
})
