/** The server of `npm run test:fdb`, with a program in the place of `fdbserver` that only listens. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { between, unlessLost } from "./integration/cluster.ts"
import * as TestServer from "./support/server.ts"

const listens = `
const address = process.argv[process.argv.indexOf("-p") + 1]
require("node:net").createServer().listen(Number(address.split(":")[1]), "127.0.0.1")`

const executable = (file: string, script: string) =>
  fs.writeFileSync(file, `#!${process.execPath}\n${script}\n`, { mode: 0o755 })

/** A server whose program is this script, with an `fdbcli` beside it that answers with `configured`. */
const make = Effect.fnUntraced(function*(script: string, configured = "Database created") {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-test-server-"))),
    (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true, force: true }))
  )
  const binary = path.join(directory, "fdbserver")
  executable(binary, script)
  executable(
    path.join(directory, "fdbcli"),
    `console.log(${JSON.stringify(configured)}, process.argv.slice(2).join(" "))`
  )
  const place = path.join(directory, "place")
  const server = yield* TestServer.create(binary, place)
  yield* Effect.addFinalizer(() => Effect.ignore(server.kill))
  const pid = () => Number(fs.readFileSync(path.join(place, "pid"), "utf8"))
  const state = () => /\) (\S)/.exec(fs.readFileSync(`/proc/${pid()}/stat`, "utf8"))?.[1]
  const isServing = Effect.callback<boolean>((resume) => {
    const port = Number(fs.readFileSync(server.clusterFile, "utf8").split(":").at(-1))
    const socket = net.connect(port, "127.0.0.1", () => resume(Effect.succeed(true)))
    socket.on("error", () => resume(Effect.succeed(false)))
    return Effect.sync(() => void socket.destroy())
  })
  /** Waits until it is, for a signal takes a moment. */
  const isPaused = (expected: boolean) =>
    Effect.repeat(Effect.andThen(Effect.sleep("5 millis"), Effect.sync(state)), {
      until: (state) => (state === "T") === expected
    })
  return { ...server, pid, isPaused, isServing }
})

const onLinux = describe.skipIf(process.platform !== "linux")

onLinux("a server of the cluster tests", () => {
  it.live("is started, configured, killed until it is gone, and started again", () =>
    Effect.gen(function*() {
      const server = yield* make(listens)
      yield* server.start
      yield* server.configure
      const first = server.pid()
      yield* server.kill
      assert.isFalse(fs.existsSync(`/proc/${first}`))
      assert.isFalse(yield* server.isServing)
      yield* server.start
      assert.isTrue(yield* server.isServing)
      assert.notStrictEqual(server.pid(), first)
    }))

  it.live("is stopped also where it is paused", () =>
    Effect.gen(function*() {
      const server = yield* make(listens)
      yield* server.start
      yield* server.pause
      yield* server.isPaused(true)
      yield* server.resume
      yield* server.isPaused(false)
      yield* server.pause
      yield* server.kill
      assert.isFalse(yield* server.isServing)
    }))

  it.live("that ends instead of serving fails at once, with what it said", () =>
    Effect.gen(function*() {
      const server = yield* make("console.error('the data are of a newer version'); process.exit(3)")
      const problem = yield* Effect.flip(server.start)
      assert.match(problem.message, /ended instead of serving.*newer version/s)
    }))

  it.live("that is not running cannot be paused, and a program that is not there cannot be started", () =>
    Effect.gen(function*() {
      const server = yield* make(listens)
      yield* server.start
      yield* server.kill
      assert.match((yield* Effect.flip(server.pause)).message, /not running/)
      const nothing = TestServer.open("/nonexistent/fdbserver", path.dirname(server.clusterFile))
      assert.match((yield* Effect.flip(nothing.start)).message, /cannot be started/)
    }))
})

describe("a test whose server cannot be brought back", () => {
  it.live("ends at once, and says so, while what it left still waits", () =>
    Effect.gen(function*() {
      const released = yield* Deferred.make<void>()
      // As elections on a cluster that has died wait for their timeouts.
      const waits = Effect.onInterrupt(Effect.never, () => Deferred.await(released))
      const problem = new TestServer.ServerProblem({ problem: "it is gone for good" })
      const test = Effect.raceFirst(waits, between(Effect.void, Effect.fail(problem), Effect.void))
      const told = yield* Effect.flip(unlessLost(test))
      assert.strictEqual(told.message, "it is gone for good")
      yield* Deferred.succeed(released, undefined)
    }))
})
