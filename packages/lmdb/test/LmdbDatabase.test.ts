import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { LmdbDatabase } from "../src/index.ts"

it.live("works", () =>
  Effect.gen(function*() {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "l-"))
    yield* Effect.gen(function*() {
      const key = Bytes.fromString("a")
      yield* Database.transact(Transaction.use((tx) => tx.set(key, Bytes.fromString("1"))))
      assert.deepStrictEqual(yield* Database.transact(Transaction.use((tx) => tx.get(key))), Bytes.fromString("1"))
    }).pipe(Effect.provide(LmdbDatabase.layer({ path: dir })))
    assert.deepStrictEqual(fs.readdirSync(dir), ["data.mdb", "lock.mdb"])
  }))
