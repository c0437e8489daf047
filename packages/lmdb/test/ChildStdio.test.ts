import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { ChildStdio, LmdbDatabase } from "@effect-fdb/lmdb"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Worker } from "node:worker_threads"

const directory = Effect.acquireRelease(
  Effect.sync(() => fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-lmdb-")))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)

/** Which files a child has open that is started with this. */
const inherited = (stdio: childProcess.StdioOptions): string =>
  childProcess.spawnSync("sh", ["-c", "ls -l /proc/$$/fd"], { stdio, encoding: "utf8" }).stdout

describe.skipIf(process.platform !== "linux")("a child that gets only what it is given", () => {
  it.effect("has no file of an open store, and what is given at whatever place", () =>
    Effect.gen(function*() {
      const made = yield* directory
      const given = fs.openSync(path.join(made, "given"), "w")
      yield* Effect.addFinalizer(() => Effect.sync(() => fs.closeSync(given)))
      yield* Effect.gen(function*() {
        const key = Subspace.fromTuple(["a"]).pack([])
        yield* Database.transact(Effect.flatMap(Transaction, (tx) => tx.set(key, new Uint8Array(1))))
        const store = path.join(made, "store")
        assert.isNotEmpty(ChildStdio.inheritable(), "else nothing has to be done any more")
        assert.notInclude(inherited(ChildStdio.only(["ignore", "pipe", "inherit"])), store)
        assert.notInclude(inherited(ChildStdio.only()), store)
        const highest = Math.max(...ChildStdio.inheritable())
        for (const place of [3, 9, highest, highest + 5]) {
          const stdio: childProcess.StdioOptions = ["ignore", "pipe", "inherit"]
          stdio[place] = given
          const listed = inherited(ChildStdio.only(stdio))
          assert.notInclude(listed, store)
          assert.match(listed, new RegExp(` ${place} -> ${made}/given\\n`))
        }
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: path.join(made, "store") })))
    }))
})

describe.skipIf(process.platform !== "linux")("a child that is started asynchronously", () => {
  const list = ["-c", "ls -l /proc/$$/fd"]
  const ways: ReadonlyArray<readonly [how: string, start: () => childProcess.ChildProcess]> = [
    ["spawn", () => childProcess.spawn("sh", list)],
    ["spawn with places", () => childProcess.spawn("sh", list, { stdio: [0, "pipe", 2, "pipe"] })],
    ["exec", () => childProcess.exec(list[1]!)],
    ["execFile", () => childProcess.execFile("sh", list)],
    ["fork", () => childProcess.fork("sh", [], { execPath: "/bin/sh", execArgv: list, silent: true })],
    [
      "a child of its own, detached",
      () => childProcess.spawn("sh", ["-c", "sh -c 'ls -l /proc/$$/fd' & wait"], { detached: true })
    ]
  ]
  for (const [how, start] of ways) {
    it.live(`by ${how} has no file of an open store, and ends as any other`, () =>
      Effect.gen(function*() {
        const made = yield* directory
        const listed = yield* Effect.callback<string>((resume) => {
          const child = start()
          let output = ""
          child.stdout!.on("data", (chunk) => (output += chunk))
          child.on("close", (code) => resume(Effect.succeed(`${output}ended with ${code}`)))
        }).pipe(Effect.provide(LmdbDatabase.layer({ path: path.join(made, "store") })))
        assert.match(listed, /^total[^]* 1 -> [^]*ended with 0$/)
        assert.notInclude(listed, made)
      }))
  }
})

describe.skipIf(process.platform !== "linux")("a child that is started synchronously", () => {
  const list = "ls -l /proc/$$/fd"
  const ways: ReadonlyArray<readonly [how: string, start: () => string]> = [
    ["spawnSync", () => childProcess.spawnSync("sh", ["-c", list], { encoding: "utf8" }).stdout],
    [
      "spawnSync with places",
      () =>
        childProcess.spawnSync("sh", ["-c", list], { encoding: "utf8", stdio: [0, "pipe", "ignore", "ignore"] }).stdout
    ],
    ["execSync", () => childProcess.execSync(list, { encoding: "utf8" })],
    ["execFileSync", () => childProcess.execFileSync("sh", ["-c", list], { encoding: "utf8" })],
    [
      "spawnSync, by a child of its own",
      () => childProcess.spawnSync("sh", ["-c", `sh -c '${list}'; exit 0`], { encoding: "utf8" }).stdout
    ]
  ]
  for (const [how, start] of ways) {
    it.live(`by ${how} has no file of an open store, and ends as any other`, () =>
      Effect.gen(function*() {
        const made = yield* directory
        const listed = yield* Effect.provide(
          Effect.sync(start),
          LmdbDatabase.layer({ path: path.join(made, "store") })
        )
        assert.match(listed, /^total[^]* 1 -> /)
        assert.notInclude(listed, made)
      }))
  }

  it.live("gets what is given, and tells of that and nothing else", () =>
    Effect.gen(function*() {
      const made = yield* directory
      const ended = yield* Effect.provide(
        Effect.sync(() =>
          childProcess.spawnSync("sh", ["-c", "echo error >&2; echo fourth >&3; cat; exit 3"], {
            encoding: "utf8",
            input: "input",
            stdio: ["pipe", "pipe", "pipe", "pipe"]
          })
        ),
        LmdbDatabase.layer({ path: path.join(made, "store") })
      )
      assert.strictEqual(ended.status, 3)
      assert.deepStrictEqual(ended.output, [null, "input", "error\n", "fourth\n"])
      assert.isUndefined(ended.error)
      assert.strictEqual((childProcess.spawnSync("/nowhere").error as NodeJS.ErrnoException).code, "ENOENT")
    }))
})

it.live.skipIf(process.platform !== "linux")(
  "a worker thread's children have no file of an open store, when it asks for that",
  () =>
    Effect.gen(function*() {
      const made = yield* directory
      const source = new URL("../dist/ChildStdio.js", import.meta.url).href
      const listed = yield* Effect.callback<string>((resume) => {
        const worker = new Worker(
          `const { parentPort, workerData } = require("node:worker_threads")
         const { execFile, execSync } = require("node:child_process")
         import(workerData).then((ChildStdio) => {
           ChildStdio.withholdStores()
           const list = "ls -l /proc/$$/fd"
           const first = execSync(list, { encoding: "utf8" })
           execFile("sh", ["-c", list], (error, second) => parentPort.postMessage(first + second))
         })`,
          { eval: true, workerData: source, execArgv: [] }
        )
        worker.once("message", (said) => resume(Effect.succeed(said)))
      }).pipe(Effect.provide(LmdbDatabase.layer({ path: path.join(made, "store") })))
      assert.match(listed, /total[^]* 1 -> [^]*total[^]* 1 -> /)
      assert.notInclude(listed, made)
    })
)
