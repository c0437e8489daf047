import { Testimony, Versionstamp, Witness as Service } from "@effect-fdb/core"
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { Worker } from "node:worker_threads"
import { Witness } from "../src/index.ts"
import { start, temporaryDirectory, until } from "./support/members.ts"

const registration = Versionstamp.make(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 0, 0))
const testimony = Testimony.make("1501", "member", registration)

it.live("a layer tells, hears, calls back and takes back; layers of a process share one socket", () =>
  Effect.gen(function*() {
    const directory = path.join(yield* temporaryDirectory, "witness")
    const layer = Witness.layer({ directory })
    const build = Effect.map(Layer.build(Layer.fresh(layer)), (context) => Effect.provide(Service, context))
    const [first, second] = [yield* yield* build, yield* yield* build]
    assert.strictEqual(fs.readdirSync(directory).length, 1)
    assert.strictEqual(fs.statSync(directory).mode & 0o777, 0o700)
    const called: Array<string> = []
    for (const election of [undefined, "1501", "1502"]) {
      yield* first.onDeath(election, (died) => called.push(`${election} ${died}`))
    }
    const scope = yield* Scope.make()
    yield* Scope.provide(first.tell(Testimony.make("1501", "own", registration)), scope)
    assert.deepStrictEqual(second.living("1501").length, 1)
    const member = yield* start(directory)
    yield* member.ask("tell", testimony)
    yield* until(() => second.living("1501").length === 2)
    assert.deepStrictEqual([second.witnesses(testimony), first.witnesses(testimony)], [1, 1])
    yield* until(() => first.witnesses(Testimony.make("1501", "own", registration)) === 1)
    yield* Scope.close(scope, Exit.void)
    assert.deepStrictEqual(second.living("1501"), [testimony])
    member.kill("SIGKILL")
    yield* until(() => second.hasDied(testimony))
    assert.deepStrictEqual(called, [`undefined ${testimony}`, `1501 ${testimony}`])
    assert.deepStrictEqual([first.witnesses(testimony), first.living("1501")], [0, []])
  }))

it.live("a directory that others can enter or that cannot be used is refused, and the message says what to do", () =>
  Effect.gen(function*() {
    const root = yield* temporaryDirectory
    const refused = (directory: string) =>
      Effect.map(Effect.flip(Effect.scoped(Witness.make({ directory }))), ({ message, reason }) => {
        assert.include(message, directory)
        return reason
      })
    const at = (name: string) => path.join(root, name)
    fs.mkdirSync(at("open"))
    fs.chmodSync(at("open"), 0o750)
    fs.mkdirSync(at("locked"))
    fs.chmodSync(at("locked"), 0o500)
    fs.writeFileSync(at("file"), "")
    assert.strictEqual(yield* refused(at("open")), "open-to-others")
    assert.strictEqual(yield* refused(at("locked")), "open-to-others")
    assert.strictEqual(yield* refused(at("file")), "not-a-directory")
    assert.strictEqual(yield* refused(at("missing/witness")), "missing-parent")
    assert.strictEqual(yield* refused(at("x".repeat(80))), "path-too-long")
    if (process.geteuid!() === 0) {
      fs.mkdirSync(at("foreign"), 0o700)
      fs.chownSync(at("foreign"), 1234, 1234)
      assert.strictEqual(yield* refused(at("foreign")), "foreign-owner")
    }
    assert.deepStrictEqual(fs.readdirSync(root).toSorted().includes("missing"), false)
  }))

it.live("a worker thread has no witness: its end is not that of the process", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const reason = yield* Effect.callback<string>((resume) => {
      const worker = new Worker(path.join(import.meta.dirname, "support/worker.mjs"), {
        workerData: directory,
        execArgv: []
      })
      worker.on("message", (reason) => resume(Effect.succeed(reason)))
      worker.on("error", (cause) => resume(Effect.die(cause)))
    })
    assert.strictEqual(reason, "worker-thread")
    assert.deepStrictEqual(fs.readdirSync(directory), [])
  }))
