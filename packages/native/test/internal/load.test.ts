import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Binding } from "../../src/internal/binding.ts"
import { loadWith } from "../../src/internal/load.ts"
import type { UnavailableReason } from "../../src/NativeError.ts"

const binding = {} as Binding

const failing = (message: string, code?: string) => (): Binding => {
  throw Object.assign(new Error(message), code === undefined ? {} : { code })
}

describe("loading the package", () => {
  it.effect("tells from the failure what is missing", () =>
    Effect.gen(function*() {
      const failures: ReadonlyArray<readonly [() => Binding, UnavailableReason, RegExp]> = [
        [failing("Cannot find module 'foundationdb'\nRequire stack: …", "MODULE_NOT_FOUND"), "package", /npm install/],
        [failing("Cannot find package 'foundationdb'", "ERR_MODULE_NOT_FOUND"), "package", /npm install/],
        [failing("libfdb_c.so: cannot open shared object file", "ERR_DLOPEN_FAILED"), "library", /client/i],
        [failing("No native build was found for platform=linux arch=arm64"), "platform", /rebuild|LMDB/]
      ]
      for (const [load, reason, hint] of failures) {
        const error = yield* Effect.flip(loadWith(load, true))
        assert.strictEqual(error._tag, "ClientUnavailable")
        if (error._tag !== "ClientUnavailable") return
        assert.strictEqual(error.reason, reason)
        assert.match(error.hint, hint)
        assert.notInclude(error.detail, "\n")
        assert.include(error.message, error.detail)
      }
    }))

  it.effect("does not touch the package in a worker thread", () =>
    Effect.gen(function*() {
      let loaded = false
      const error = yield* Effect.flip(loadWith(() => {
        loaded = true
        return binding
      }, false))
      assert.strictEqual(error._tag, "WorkerThreadUnsupported")
      assert.match(error.message, /main thread/)
      assert.isFalse(loaded)
    }))

  it.effect("keeps the package's own words from the standard error, and everybody else's not", () =>
    Effect.gen(function*() {
      const { error: original } = console
      const written: Array<unknown> = []
      const own = (...words: ReadonlyArray<unknown>): void => void written.push(...words)
      console.error = own
      yield* Effect.addFinalizer(() => Effect.sync(() => (console.error = original)))
      yield* Effect.exit(loadWith(() => {
        console.error("Could not load native module")
        throw new Error("not there")
      }, true))
      assert.deepStrictEqual(written, [])
      assert.strictEqual(console.error, own)
    }))
})
