import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import type * as lmdbTypes from "lmdb"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { Worker } from "node:worker_threads"
import { vi } from "vitest"
import { LmdbDatabase } from "../src/index.ts"
import { temporaryDirectory } from "./support/processes.ts"

const key = Bytes.fromString("key")
const set = Database.transact(Transaction.use((tx) => tx.set(key, key)))
const get = Database.transact(Transaction.use((tx) => tx.get(key)))

type Copy = typeof LmdbDatabase

const refusal = (copy: Copy, directory: string) =>
  Effect.map(
    Effect.flip(Effect.scoped(copy.make({ path: directory }))),
    (error) => error._tag === "CannotOpen" ? error : assert.fail(error.message)
  )

/** The same module, evaluated anew. */
const anew = Effect.promise(async () => {
  vi.resetModules()
  return (await import("../src/index.ts")).LmdbDatabase
})

/** Another installation of the built package. */
const installed = Effect.flatMap(temporaryDirectory, (root) =>
  Effect.promise(async () => {
    const packages = path.join(import.meta.dirname, "..", "..")
    const modules = path.join(root, "node_modules")
    for (const name of ["core", "lmdb", "witness"]) {
      const home = path.join(modules, "@effect-fdb", name)
      fs.cpSync(path.join(packages, name, "dist"), path.join(home, "dist"), { recursive: true })
      // As it is published: without the condition by which tests find the sources.
      const manifest = fs.readFileSync(path.join(packages, name, "package.json"), "utf8")
      fs.writeFileSync(path.join(home, "package.json"), manifest.replaceAll("@effect-fdb/source", "none"))
    }
    for (const name of ["effect", "lmdb", "fdb-tuple"]) {
      fs.symlinkSync(path.join(packages, "..", "node_modules", name), path.join(modules, name))
    }
    const built = path.join(modules, "@effect-fdb", "lmdb", "dist", "index.js")
    const { LmdbDatabase } = await import(pathToFileURL(built).href)
    return LmdbDatabase as Copy
  }))

const options = (directory: string) =>
  ({
    path: directory,
    noSubdir: false,
    encoding: "binary",
    keyEncoding: "binary",
    overlappingSync: false,
    maxReaders: 2048
  }) as const

describe("a database that this process has open by other means is refused, and that does no harm", () => {
  for (const [how, copy] of [["evaluated anew", anew], ["installed twice", installed]] as const) {
    it.live(`by a copy of the package that is ${how}; it can have it when the first has closed it`, () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const second = yield* copy
        assert.notStrictEqual(second.make, LmdbDatabase.make)
        yield* Effect.gen(function*() {
          yield* set
          const error = yield* refusal(second, directory)
          assert.strictEqual(error.reason, "duplicate")
          assert.include(error.message, "npm ls")
          assert.deepStrictEqual(yield* get, key)
        }).pipe(Effect.provide(LmdbDatabase.layer({ path: directory }), { local: true }))
        const scope = yield* Scope.make()
        yield* Scope.provide(second.make({ path: directory }), scope)
        assert.strictEqual((yield* refusal(LmdbDatabase, directory)).reason, "duplicate")
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(
          yield* Effect.provide(get, LmdbDatabase.layer({ path: directory }), { local: true }),
          key
        )
      }))
  }

  it.live("but not where the copy that came first could not open it", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.provide(set, LmdbDatabase.layer({ path: directory }), { local: true })
      const second = yield* anew
      const { open } = yield* Effect.promise(() => import("lmdb"))
      const root = open(options(directory))
      root.putSync(Uint8Array.of(0) as never, Buffer.from("effect-fdb lmdb 99"))
      yield* Effect.promise(() => root.close())
      for (const copy of [LmdbDatabase, second]) assert.strictEqual((yield* refusal(copy, directory)).reason, "format")
    }))

  it.live("by a copy that opens it at the same time", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const second = yield* anew
      const exits = yield* Effect.forEach(
        [LmdbDatabase, second],
        (copy) => Effect.exit(copy.make({ path: directory })),
        { concurrency: 2 }
      )
      assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
    }))

  describe.skipIf(process.platform !== "linux")("by lmdb", () => {
    for (const module of ["import", "require"] as const) {
      it.live(`itself, by ${module}`, () =>
        Effect.gen(function*() {
          const directory = yield* temporaryDirectory
          yield* Effect.provide(set, LmdbDatabase.layer({ path: directory }), { local: true })
          const lmdb = module === "import"
            ? yield* Effect.promise(() => import("lmdb"))
            : createRequire(import.meta.url)("lmdb") as typeof lmdbTypes
          const root = lmdb.open(options(directory))
          const error = yield* refusal(LmdbDatabase, directory)
          assert.strictEqual(error.reason, "duplicate")
          assert.include(error.message, "data.mdb")
          yield* Effect.promise(() => root.close())
          assert.deepStrictEqual(
            yield* Effect.provide(get, LmdbDatabase.layer({ path: directory }), { local: true }),
            key
          )
        }))
    }

    it.live("in a worker thread, by another path", () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        yield* Effect.provide(set, LmdbDatabase.layer({ path: directory }), { local: true })
        const link = path.join(yield* temporaryDirectory, "link")
        fs.symlinkSync(directory, link)
        const closing = new Int32Array(new SharedArrayBuffer(4))
        const worker = new Worker(
          `const { parentPort, workerData } = require("node:worker_threads")
           const root = require("lmdb").open(workerData.options)
           parentPort.postMessage("open")
           const until = () => Atomics.load(workerData.closing, 0) === 0 ? setTimeout(until, 5) : root.close()
           until()`,
          { eval: true, workerData: { options: options(link), closing }, execArgv: [] }
        )
        yield* Effect.callback((resume) => void worker.once("message", () => resume(Effect.void)))
        for (const path of [directory, link]) {
          assert.strictEqual((yield* refusal(LmdbDatabase, path)).reason, "duplicate")
        }
        Atomics.store(closing, 0, 1)
        yield* Effect.callback((resume) => void worker.once("exit", () => resume(Effect.void)))
        yield* Effect.provide(get, LmdbDatabase.layer({ path: directory }), { local: true })
      }))
  })

  it.live("but not a file that this process only reads, as for a backup", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.provide(set, LmdbDatabase.layer({ path: directory }), { local: true })
      const reading = fs.openSync(path.join(directory, "data.mdb"), "r")
      yield* Effect.provide(get, LmdbDatabase.layer({ path: directory }), { local: true })
      fs.closeSync(reading)
    }))
})
