import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Deferred, Effect, Exit, Fiber, Layer, Result } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { Worker } from "node:worker_threads"
import { LmdbDatabase } from "../src/index.ts"
import { fileOf, signalDirectory } from "../src/internal/commitSignal.ts"
import { maxKeyLength } from "../src/internal/layout.ts"
import { textOf } from "../src/internal/writeBatch.ts"
import { message, start, temporaryDirectory } from "./support/processes.ts"
import { millisUntil } from "./support/waiting.ts"

const key = Bytes.fromString("key")
const value = Bytes.fromString("value")

const set = Database.transact(Transaction.use((tx) => tx.set(key, value)))
const get = Database.transact(Transaction.use((tx) => tx.get(key)))
const readVersion = Database.transact(Transaction.use((tx) => tx.readVersion))

const refusal = (options: LmdbDatabase.Options) =>
  Effect.scoped(Layer.build(LmdbDatabase.layer(options))).pipe(
    Effect.flip,
    Effect.map((error) => error._tag === "CannotOpen" ? error : assert.fail(error.message))
  )

describe("LmdbDatabase", () => {
  it.live("keeps what was committed when it is closed and opened again, and versions grow", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const layer = LmdbDatabase.layer({ path: directory })
      const before = yield* Effect.provide(Effect.andThen(set, readVersion), layer, { local: true })
      const [found, after] = yield* Effect.provide(Effect.all([get, readVersion]), layer, { local: true })
      assert.deepStrictEqual(found, value)
      assert.isTrue(after >= before)
      assert.deepStrictEqual(fs.readdirSync(directory), ["data.mdb", "gate", "lock.mdb", "witness"])
    }))

  it.live.skipIf(process.platform !== "linux")(
    "tells those who watch the keys of a commit in the order in which it has written them",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const keys = ["m", "a", "z", "f", "b", "y"].map(Bytes.fromString)
        const expected = [...new Set(keys.map((key) => fileOf(textOf(key))))]
        const told: Array<string> = []
        yield* Effect.gen(function*() {
          const watches = yield* Database.transact(
            Transaction.use((tx) => Effect.forEach(keys, (key) => tx.watch(key)))
          )
          const all = Deferred.makeUnsafe<void>()
          const watcher = fs.watch(path.join(directory, signalDirectory), (_event, name) => {
            if (name === null || !expected.includes(name) || told.includes(name)) return
            if (told.push(name) === expected.length) Deferred.doneUnsafe(all, Effect.void)
          })
          yield* Effect.addFinalizer(() => Effect.sync(() => watcher.close()))
          yield* Database.transact(
            Transaction.use((tx) => Effect.forEach(keys, (key) => tx.set(key, value), { discard: true }))
          )
          yield* Deferred.await(all)
          yield* Effect.all(watches, { concurrency: "unbounded", discard: true })
        }).pipe(Effect.scoped, Effect.provide(LmdbDatabase.layer({ path: directory })))
        assert.deepStrictEqual(told, expected)
      })
  )

  it.live("is one database to all layers of a process, which may be built and closed at the same time", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const increment = Database.transact(Effect.gen(function*() {
        const tx = yield* Transaction
        const count = Number(Buffer.from((yield* tx.get(key)) ?? Bytes.fromString("0")).toString())
        yield* tx.set(key, Bytes.fromString(String(count + 1)))
      }))
      const user = Effect.provide(increment, LmdbDatabase.layer({ path: directory }), { local: true })
      yield* Effect.all(Array.from({ length: 30 }, () => user), { concurrency: 10 })
      const total = yield* Effect.provide(get, LmdbDatabase.layer({ path: directory }), { local: true })
      assert.strictEqual(Buffer.from(total!).toString(), "30")
    }))

  it.live("refuses a key that LMDB cannot hold, and states the limit", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        const fits = new Uint8Array(maxKeyLength).fill(1)
        yield* Database.transact(Transaction.use((tx) => tx.set(fits, value)))
        assert.deepStrictEqual(yield* Database.transact(Transaction.use((tx) => tx.get(fits))), value)
        const error = yield* Effect.flip(
          Database.transact(Transaction.use((tx) => tx.set(Bytes.concat(fits, Uint8Array.of(1)), value)))
        )
        assert.strictEqual(error.code, 2102)
        assert.include(error.message, String(maxKeyLength))
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory })))
    }))
})

describe("LmdbDatabase.layerConfig", () => {
  const configured = LmdbDatabase.layerConfig({
    path: Config.NonEmptyString("STORE_PATH"),
    durability: Config.withDefault(Config.Literals(["disk", "process"], "STORE_DURABILITY"), undefined)
  })
  const withEnv = (env: Record<string, string>) =>
    Layer.provide(configured, ConfigProvider.layer(ConfigProvider.fromEnv({ env })))

  it.live("opens the database that the environment names", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.provide(set, withEnv({ STORE_PATH: directory }), { local: true })
      const found = yield* Effect.provide(get, LmdbDatabase.layer({ path: directory }), { local: true })
      assert.deepStrictEqual(found, value)
    }))

  it.live("takes all options from the environment, and one config for all of them", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      // Layers of one process that share a path have to agree, so this tells which durability was asked for.
      const both = Layer.build(LmdbDatabase.layer({ path: directory, durability: "process" })).pipe(
        Effect.andThen(Layer.build(withEnv({ STORE_PATH: directory, STORE_DURABILITY: "process" }))),
        Effect.andThen(
          Layer.build(LmdbDatabase.layerConfig(Config.succeed({ path: directory, durability: "process" })))
        ),
        Effect.andThen(Layer.build(withEnv({ STORE_PATH: directory }))),
        Effect.flip
      )
      const error = yield* Effect.scoped(both)
      assert.strictEqual(error._tag === "CannotOpen" && error.reason, "options")
    }))

  it.live("fails with ConfigError where an option is missing or not valid, and names it", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      for (
        const [env, name] of [
          [{}, "STORE_PATH"],
          [{ STORE_PATH: "" }, "STORE_PATH"],
          [{ STORE_PATH: directory, STORE_DURABILITY: "ram" }, "STORE_DURABILITY"]
        ] as ReadonlyArray<readonly [Record<string, string>, string]>
      ) {
        const error = yield* Effect.flip(Effect.scoped(Layer.build(withEnv(env))))
        assert.strictEqual(error._tag, "ConfigError")
        assert.include(error.message, name)
      }
      assert.deepStrictEqual(fs.readdirSync(directory), [])
    }))
})

describe("what cannot be opened", () => {
  it.live("a directory whose parent is missing; the last part of the path is made", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const error = yield* refusal({ path: path.join(directory, "a", "b") })
      assert.strictEqual(error.reason, "missing-parent")
      assert.include(error.message, path.join(directory, "a", "b"))
      yield* Effect.provide(set, LmdbDatabase.layer({ path: path.join(directory, "a") }))
    }))

  it.live("a file", () =>
    Effect.gen(function*() {
      const file = path.join(yield* temporaryDirectory, "file")
      fs.writeFileSync(file, "")
      assert.strictEqual((yield* refusal({ path: file })).reason, "not-a-directory")
      assert.strictEqual((yield* refusal({ path: path.join(file, "below") })).reason, "not-a-directory")
    }))

  it.live("a data.mdb that is no LMDB file, which is left as it is", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      for (const content of ["", "text", "x".repeat(10_000)]) {
        fs.writeFileSync(path.join(directory, "data.mdb"), content)
        assert.strictEqual((yield* refusal({ path: directory })).reason, "not-lmdb")
        assert.strictEqual(fs.readFileSync(path.join(directory, "data.mdb"), "utf8"), content)
      }
    }))

  it.live("an LMDB database that something else has written, or another version of this engine", () =>
    Effect.gen(function*() {
      const lmdb = yield* Effect.promise(() => import("lmdb"))
      for (const [written, reason] of [["data", "foreign"], ["effect-fdb lmdb 99", "format"]] as const) {
        const directory = yield* temporaryDirectory
        const root = lmdb.open({ path: directory, noSubdir: false, encoding: "binary", keyEncoding: "binary" })
        root.putSync(Uint8Array.of(reason === "format" ? 0 : 9), Buffer.from(written))
        yield* Effect.promise(() => root.close())
        assert.strictEqual((yield* refusal({ path: directory })).reason, reason)
      }
    }))

  it.live("a database that is open in this process with other options", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Layer.build(LmdbDatabase.layer({ path: directory, durability: "disk" }))
      const error = yield* refusal({ path: directory, durability: "process" })
      assert.strictEqual(error.reason, "options")
      assert.include(error.message, "\"disk\"")
    }))

  it.live("a directory that may not be written to", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.provide(set, LmdbDatabase.layer({ path: directory }))
      yield* asOrdinaryUser(
        Effect.gen(function*() {
          fs.chmodSync(directory, 0o555)
          assert.strictEqual((yield* refusal({ path: directory })).reason, "not-writable")
          fs.chmodSync(directory, 0o755)
          fs.chmodSync(path.join(directory, "data.mdb"), 0o444)
          assert.strictEqual((yield* refusal({ path: directory })).reason, "not-writable")
        }),
        directory
      )
    }))

  it.live("anything in a worker thread", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const source = new URL("../dist/index.js", import.meta.url).href
      const worker = new Worker(
        `const { parentPort, workerData } = require("node:worker_threads")
         const main = async () => {
           const { LmdbDatabase } = await import(workerData.source)
           const { Effect, Layer } = await import("effect")
           const opened = Effect.scoped(Layer.build(LmdbDatabase.layer({ path: workerData.directory })))
           parentPort.postMessage((await Effect.runPromise(Effect.flip(opened)))._tag)
         }
         main().catch((error) => parentPort.postMessage(String(error)))`,
        { eval: true, workerData: { directory, source }, execArgv: [] }
      )
      const said = yield* Effect.callback<unknown>((resume) => {
        worker.once("message", (tag) => resume(Effect.succeed(tag)))
      })
      assert.strictEqual(said, "WorkerThreadUnsupported")
      assert.deepStrictEqual(fs.readdirSync(directory), [])
    }))
})

/** A file system of its own of 1 MB; only root can have one. */
const smallDisk = Effect.gen(function*() {
  const directory = yield* temporaryDirectory
  return yield* Effect.acquireRelease(
    Effect.sync(() => {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory], { stdio: "pipe" })
      return directory
    }),
    () => Effect.sync(() => execFileSync("umount", ["-l", directory]))
  )
})

const canMount = spawnSync("unshare", ["--mount", "true"]).status === 0

const fillUp = (file: string): void => {
  const filler = fs.openSync(file, "a")
  try {
    for (;;) fs.writeSync(filler, Buffer.alloc(4096))
  } catch {
    fs.closeSync(filler)
  }
}

describe.skipIf(!canMount)("a disk that is full", () => {
  it.live("refuses to open, and says so", () =>
    Effect.gen(function*() {
      const disk = yield* smallDisk
      fillUp(path.join(disk, "filler"))
      const error = yield* refusal({ path: path.join(disk, "database") })
      assert.strictEqual(error.reason, "disk-full")
      assert.include(error.message, "Free some space")
    }))

  it.live("but for a little refuses to open as well, or opens, however little it is", () =>
    Effect.gen(function*() {
      const disk = yield* smallDisk
      const filler = path.join(disk, "filler")
      const directory = path.join(disk, "database")
      const found = new Set<string>()
      for (let left = 0; left <= 640 * 1024; left += 4096) {
        fillUp(filler)
        fs.truncateSync(filler, fs.statSync(filler).size - left)
        const result = yield* Effect.result(Effect.scoped(LmdbDatabase.make({ path: directory })))
        found.add(
          Result.isSuccess(result) ? "opened" : result.failure._tag === "CannotOpen" ? result.failure.reason : "other"
        )
        fs.rmSync(directory, { recursive: true, force: true })
      }
      assert.deepStrictEqual([...found], ["disk-full", "opened"])
    }))

  it.live("fails commits and loses nothing; they go through when there is room", () =>
    Effect.gen(function*() {
      const disk = yield* smallDisk
      const filler = path.join(disk, "filler")
      const setLarge = Database.transact(Transaction.use((tx) => tx.set(key, new Uint8Array(50_000))))
      yield* Effect.gen(function*() {
        yield* set
        for (const left of [0, 8192, 32_768]) {
          fillUp(filler)
          fs.truncateSync(filler, fs.statSync(filler).size - left)
          const error = yield* Effect.flip(setLarge)
          assert.strictEqual(error.code, 1510)
          assert.include(error.message, "the disk is full")
          assert.deepStrictEqual(yield* get, value)
        }
        fs.rmSync(filler)
        yield* setLarge
        assert.strictEqual((yield* get)?.length, 50_000)
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: path.join(disk, "database") })))
    }))
})

describe("beside a process that is stuck", () => {
  it.effect("in a commit: opening fails after ten seconds with what to do, and works when that process is gone", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const layer = LmdbDatabase.layer({ path: directory })
      yield* Effect.provide(set, layer, { local: true })
      const child = yield* start("stuck.mjs", directory, "commit")
      assert.strictEqual(yield* message(child), "stuck")
      const opening = yield* Effect.forkChild(refusal({ path: directory }))
      assert.isAtLeast(yield* millisUntil(opening), 10_000)
      const error = yield* Fiber.join(opening)
      assert.strictEqual(error.reason, "busy")
      assert.include(error.message, "SIGCONT")
      child.kill("SIGKILL")
      assert.deepStrictEqual(yield* Effect.provide(get, layer, { local: true }), value)
    }))

  it.live("in a commit: who waits to open does not keep those who have it open from committing", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        const stuck = yield* start("stuck.mjs", directory, "commit")
        assert.strictEqual(yield* message(stuck), "stuck")
        const openings = yield* Effect.all(Array.from({ length: 4 }, () => start("opening.mjs", directory)))
        for (const opening of openings) assert.strictEqual(yield* message(opening), "opening")
        // They give up after ten seconds.
        const begun = performance.now()
        const commit = Database.transact(Transaction.use((tx) => tx.set(key, value)), { timeout: "1 minute" })
        yield* Effect.andThen(Effect.sleep("10 millis"), commit).pipe(
          Effect.repeat({ times: 99, while: () => performance.now() - begun < 3000 })
        )
        stuck.kill("SIGKILL")
        for (const opening of openings) assert.strictEqual(yield* message(opening), "open")
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory })))
    }))

  it.live("in an opening: a commit fails at its timeout and writes nothing, and the next ones go through when that process is gone", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function*() {
        const child = yield* start("stuck.mjs", directory, "opening")
        assert.strictEqual(yield* message(child), "stuck")
        const late = Bytes.fromString("late")
        const error = yield* Effect.flip(
          Database.transact(Transaction.use((tx) => tx.set(late, value)), { timeout: "100 millis", retryLimit: 0 })
        )
        assert.strictEqual(error.code, 1031)
        assert.isFalse(error.maybeCommitted)
        child.kill("SIGKILL")
        yield* set
        assert.deepStrictEqual(yield* get, value)
        assert.isUndefined(yield* Database.transact(Transaction.use((tx) => tx.get(late))))
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory })))
    }))

  it.live("in an opening: it can be closed", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const [child, commit] = yield* Effect.gen(function*() {
        const child = yield* start("stuck.mjs", directory, "opening")
        assert.strictEqual(yield* message(child), "stuck")
        return [child, yield* Effect.forkDetach(set)] as const
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory }), { local: true }))
      assert.isTrue(Exit.isFailure(yield* Fiber.await(commit)))
      child.kill("SIGKILL")
      assert.isUndefined(yield* Effect.provide(get, LmdbDatabase.layer({ path: directory }), { local: true }))
    }))
})

/** Root may write everywhere, so it becomes somebody else for a while. */
const asOrdinaryUser = <A, E, R>(effect: Effect.Effect<A, E, R>, directory: string): Effect.Effect<A, E, R> => {
  if (process.geteuid?.() !== 0) return effect
  const nobody = 65_534
  return Effect.acquireUseRelease(
    Effect.sync(() => {
      for (const file of [directory, ...fs.readdirSync(directory).map((name) => path.join(directory, name))]) {
        fs.chownSync(file, nobody, nobody)
      }
      process.seteuid!(nobody)
    }),
    () => effect,
    () => Effect.sync(() => process.seteuid!(0))
  )
}
