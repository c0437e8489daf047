import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { beforeAll } from "vitest"
import { compilePrograms, compileStandIn, isInstalled, isPossible, run, type RunOptions } from "./support/processes.ts"

const parse = (program: string, args: ReadonlyArray<string | number>, options?: RunOptions) =>
  Effect.map(run(program, args, options), ({ errors, output, status }) => {
    assert.strictEqual(status, 0, errors)
    return JSON.parse(output)
  })

describe.skipIf(!isPossible)("a process with the real binding, on a stand-in for the client library", () => {
  beforeAll(() => {
    compileStandIn()
    return compilePrograms()
  })

  // The binding's queue has 16 places; with one completion more, its own way to exit waits for ever.
  for (const count of [16, 300]) {
    for (const kind of ["read", "commit", "watch"]) {
      it.live(`exits with its own code with ${count} operations of kind ${kind} under way`, () =>
        Effect.gen(function*() {
          const ended = yield* run("ending", [kind, count, "exit"])
          assert.strictEqual(ended.status, 7, ended.errors)
        }))
    }
  }

  it.live("exits with its own code with hundreds of operations under way that nobody answers", () =>
    Effect.gen(function*() {
      const ended = yield* run("ending", ["read", 300, "exit"], { environment: { STUB_SILENT: "1" } })
      assert.strictEqual(ended.status, 7, ended.errors)
    }))

  it.live("ends with code 1 and the message of an error that nobody catches, whatever is under way", () =>
    Effect.gen(function*() {
      for (const kind of ["read", "watch"]) {
        const ended = yield* run("ending", [kind, 300, "throw"])
        assert.strictEqual(ended.status, 1, ended.errors)
        assert.include(ended.errors, "nobody catches this")
      }
    }))

  it.live("ends by itself once the layer is closed, with what was under way cancelled", () =>
    Effect.gen(function*() {
      for (const kind of ["read", "commit", "watch"]) {
        const ended = yield* run("ending", [kind, 300, "close"])
        assert.strictEqual(ended.status, 5, ended.errors)
        assert.strictEqual(ended.errors, "")
      }
    }))

  it.live("uses one network for all layers, and gets exact versions and versionstamps", () =>
    Effect.gen(function*() {
      const results = yield* parse("connecting", [])
      assert.deepStrictEqual(
        results,
        [1000001n, 1000002n, 1000003n].map((version) => ({
          version: String(version),
          stamp: version.toString(16).padStart(16, "0") + "0000",
          value: "6b6579"
        }))
      )
    }))

  it.live("works with a client library of 7.1, and says which versions it needs with an older one", () =>
    Effect.gen(function*() {
      const results = yield* parse("connecting", [], { environment: { STUB_API_VERSION: "710" } })
      assert.strictEqual(results[0].value, "6b6579")
      const [refused] = yield* parse("connecting", [], { environment: { STUB_API_VERSION: "630" } })
      assert.strictEqual(refused.failed, "ClientUnavailable")
      assert.match(refused.message, /from 7\.1 on/)
    }))

  it.live("tells that the cluster is unreachable after the time that was set, and ends", () =>
    Effect.gen(function*() {
      const results = yield* parse("connecting", [100], { environment: { STUB_SILENT: "1" } })
      for (const { failed, message } of results) {
        assert.strictEqual(failed, "ClusterUnreachable")
        assert.match(message, /within 100 ms \(error 1031\)/)
      }
    }))

  it.live("tells that the network cannot be set up, and ends with its own code", () =>
    Effect.gen(function*() {
      const results = yield* parse("connecting", [], { environment: { STUB_SETUP: "2022" } })
      for (const { failed, message } of results) {
        assert.strictEqual(failed, "ClientUnavailable")
        assert.match(message, /network could not be set up/)
      }
    }))

  it.live("takes the cluster's answer, though the main thread was busy for longer than it waits", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* parse("busy", []), "built")
    }))

  it.live.skipIf(isInstalled)("says without more ado that the client library is missing", () =>
    Effect.gen(function*() {
      const ended = yield* run("connecting", [], { environment: { LD_LIBRARY_PATH: "/nonexistent" } })
      assert.strictEqual(ended.errors, "")
      assert.strictEqual(ended.status, 0)
      for (const { failed, message } of JSON.parse(ended.output)) {
        assert.strictEqual(failed, "ClientUnavailable")
        assert.match(message, /libfdb_c\.so.*Install the FoundationDB client/s)
      }
    }))

  it.live("refuses a worker thread, and goes on in the main thread", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* parse("worker", []), ["WorkerThreadUnsupported", "bigint", "bigint"])
    }))

  it.live("commits while the garbage is collected, and none is cancelled by that", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* parse("collecting", [1000], { nodeOptions: ["--expose-gc"] }), [])
    }))

  it.live(
    "keeps nothing of a watch that was cancelled or has fired, in JavaScript or in native memory",
    () =>
      Effect.gen(function*() {
        for (const kind of ["cancelled", "fired"]) {
          const { errors, output } = yield* run("memory", [kind, 2000], {
            environment: { STUB_COUNT: "1" },
            nodeOptions: ["--expose-gc"]
          })
          const { external, heapUsed } = JSON.parse(output)
          // A transaction, a promise or a fiber that is kept weighs more than all that a small heap may vary by.
          assert.isBelow(heapUsed + external, 500, kind)
          const alive = JSON.parse(errors)
          assert.strictEqual(alive.futures, 0, kind)
          assert.isBelow(alive.transactions, 100, kind)
        }
      })
  )
})
