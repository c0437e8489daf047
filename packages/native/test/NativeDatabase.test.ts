import { Database } from "@effect-fdb/core"
import { ClientUnavailable, NativeDatabase } from "@effect-fdb/native"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

describe("NativeDatabase.layer on this very machine", () => {
  // Without FoundationDB the library is missing, with it the cluster file: the same error, the same promise.
  it.live("fails within a second with ClientUnavailable and a hint, where the client or the cluster file is missing", () =>
    Effect.gen(function*() {
      const begun = process.hrtime.bigint()
      const error = yield* Effect.flip(
        Effect.provide(Effect.asVoid(Database), NativeDatabase.layer({ clusterFile: "/nonexistent/fdb.cluster" }))
      )
      assert.isBelow(Number(process.hrtime.bigint() - begun) / 1e6, 1000)
      assert.instanceOf(error, ClientUnavailable)
      if (error._tag !== "ClientUnavailable") return
      assert.include(["package", "platform", "library", "cluster-file"], error.reason)
      assert.match(error.hint, /install|cluster file/i)
      assert.include(error.message, error.hint)
    }))
})
