import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import type { Mesh } from "../../src/internal/mesh.ts"
import { exited, type Member, openMesh, start, temporaryDirectory, until } from "../support/members.ts"

const candidate = (name: string) => `1501/000000000000000100000000/${name}`
const election = "1501"
const isTold = (mesh: Mesh, name: string) => mesh.living(election).includes(candidate(name))

/** Has a process tell a candidate, and waits until this one has heard it. */
const tell = (mesh: Mesh, member: Member, name: string) =>
  Effect.andThen(member.ask("tell", candidate(name)), until(() => isTold(mesh, name)))

/** A second in which a false death would be found. */
const aWhile = Effect.sleep("700 millis")

it.live("however a process ends, the others know it, and what it had taken back is not dead", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const mesh = yield* openMesh(directory)
    const ends: { readonly [name: string]: (member: Member) => void } = {
      killed: (member) => member.kill("SIGKILL"),
      exits: (member) => member.order("exit"),
      throws: (member) => member.order("throw"),
      aborts: (member) => member.order("abort"),
      frozen: (member) => {
        member.kill("SIGSTOP")
        member.kill("SIGKILL")
      }
    }
    const told: Array<string> = []
    mesh.onDeath((testimony) => told.push(testimony))
    const members = yield* Effect.forEach(Object.keys(ends), () => start(directory, "", { silent: true }), {
      concurrency: 3
    })
    for (const [i, name] of Object.keys(ends).entries()) {
      yield* tell(mesh, members[i]!, name)
      yield* tell(mesh, members[i]!, `${name} before`)
      yield* members[i]!.ask("takeBack", candidate(`${name} before`))
      yield* until(() => !isTold(mesh, `${name} before`))
    }
    // Each of the five is connected with the four others and with this process.
    yield* until(() => mesh.witnesses(candidate("killed")) === 5)
    assert.strictEqual(fs.readdirSync(directory).length, 6)
    assert.deepStrictEqual(told, [])
    for (const [i, [name, end]] of Object.entries(ends).entries()) {
      assert.isFalse(mesh.hasDied(candidate(name)))
      end(members[i]!)
      yield* until(() => mesh.hasDied(candidate(name)))
      assert.isFalse(mesh.hasDied(candidate(`${name} before`)))
      assert.isFalse(isTold(mesh, name))
    }
    assert.deepStrictEqual(told, Object.keys(ends).map(candidate))
  }))

it.live("a process lives on, whatever becomes of its sockets, and is dead once it has ended", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const mesh = yield* openMesh(directory)
    const own = candidate("own")
    mesh.tell(own)
    const mishaps: { readonly [name: string]: (member: Member) => Effect.Effect<unknown> } = {
      "stopped": (member) => Effect.sync(() => member.kill("SIGSTOP")),
      "busy": (member) => Effect.sync(() => member.order("stopEventLoop", 60_000)),
      "without its connections": (member) => member.ask("destroyConnections"),
      "without its server": (member) => Effect.andThen(member.ask("closeServer"), member.ask("destroyConnections")),
      "without its descriptors": (member) => Effect.sync(() => member.order("closeDescriptors")),
      "out of descriptors": (member) => member.ask("useAllDescriptors")
    }
    const names = Object.keys(mishaps)
    const members = yield* Effect.forEach(names, () => start(directory), { concurrency: 3 })
    for (const [i, name] of names.entries()) yield* tell(mesh, members[i]!, name)
    yield* until(() => mesh.witnesses(own) === names.length)
    for (const [i, mishap] of Object.values(mishaps).entries()) yield* mishap(members[i]!)
    const late = yield* openMesh(directory)
    yield* aWhile
    for (const name of names) {
      assert.isFalse(mesh.hasDied(candidate(name)), name)
      assert.isFalse(late.hasDied(candidate(name)), name)
    }
    // What was closed by Node is connected again, and told again.
    yield* until(() => isTold(mesh, "without its connections"))
    // The one without a server could only connect itself, and the file of its server is gone: nobody knows of its end.
    const known = names.filter((name) => name !== "without its server")
    for (const member of members) member.kill("SIGKILL")
    for (const name of known) yield* until(() => mesh.hasDied(candidate(name)))
  }))

it.live("a process that closes its mesh is not dead, then or later", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const mesh = yield* openMesh(directory)
    const [closing, broken] = [yield* start(directory), yield* start(directory)]
    yield* tell(mesh, closing, "closing")
    yield* tell(mesh, broken, "broken")
    yield* closing.ask("close")
    // The connection is gone before the process can say goodbye.
    yield* broken.ask("destroyConnections")
    yield* broken.ask("close")
    yield* until(() => mesh.living(election).length === 0)
    assert.strictEqual(fs.readdirSync(directory).length, 1)
    yield* Effect.forEach([closing, broken], (member) => {
      member.kill("SIGKILL")
      return exited(member.child)
    })
    yield* aWhile
    assert.isFalse(mesh.hasDied(candidate("closing")))
    assert.isFalse(mesh.hasDied(candidate("broken")))
  }))

it.live("children that live on, a worker of a cluster, and processes that nobody reaps do not hide an end", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const mesh = yield* openMesh(directory)
    const parent = yield* start(directory)
    const child = yield* parent.ask<number>("startChild")
    yield* Effect.addFinalizer(() => Effect.sync(() => process.kill(child, "SIGKILL")))
    const worker = yield* start(directory, "cluster")
    yield* tell(mesh, parent, "parent")
    yield* tell(mesh, worker, "worker")
    assert.deepStrictEqual(yield* parent.ask("inherited"), [])
    parent.kill("SIGKILL")
    worker.kill("SIGKILL")
    yield* until(() => mesh.hasDied(candidate("parent")) && mesh.hasDied(candidate("worker")))
    assert.isTrue(process.kill(child, 0))
    assert.isNull(worker.child.exitCode)
  }))

it.live("without the file of its socket, nothing is evidence of the end of a process", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const mesh = yield* openMesh(directory)
    const [before] = fs.readdirSync(directory)
    const member = yield* start(directory)
    yield* tell(mesh, member, "removed")
    const name = fs.readdirSync(directory).find((name) => name !== before)!
    fs.rmSync(path.join(directory, name))
    member.kill("SIGKILL")
    yield* until(() => !isTold(mesh, "removed"))
    yield* aWhile
    assert.isFalse(mesh.hasDied(candidate("removed")))
  }))

it.live("whoever breaks the rules is not believed, and a refused connection alone says nothing", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const mesh = yield* openMesh(directory)
    const file = path.join(directory, fs.readdirSync(directory)[0]!)
    // A socket at which nobody listens any more.
    const old = "0123456789abcdef"
    const member = yield* start(directory)
    const name = fs.readdirSync(directory).find((name) => path.join(directory, name) !== file)!
    member.kill("SIGKILL")
    yield* exited(member.child)
    fs.renameSync(path.join(directory, name), path.join(directory, old))
    const hello = { hello: old, version: 1 }
    const tells = { tell: candidate("told") }
    const speeches: ReadonlyArray<ReadonlyArray<unknown>> = [
      [tells],
      [{ hello: "../etc/passwd", version: 1 }, tells],
      [{ hello: path.basename(file), version: 1 }, tells],
      [{ ...hello, version: 2 }, tells],
      [hello, tells, "no message"],
      [hello, tells, { takeBack: candidate("other") }],
      [hello, tells, { ack: 1 }],
      [hello, tells, hello],
      [hello, tells, "x".repeat(100_000)],
      [hello, tells, { goodbye: "closing" }]
    ]
    yield* Effect.forEach(speeches, (speech) =>
      Effect.callback<void>((resume) => {
        const socket = net.connect(file, () => {
          for (const message of speech) socket.write(`${JSON.stringify(message)}\n`)
        })
        socket.on("error", () => {}).resume().on("close", () => resume(Effect.void))
      }))
    yield* aWhile
    assert.isFalse(mesh.hasDied(candidate("told")))
    assert.deepStrictEqual(mesh.living(election), [])
  }))

it.live("a frozen process takes neither memory nor the end of the others", () =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const [frozen, other] = [yield* start(directory), yield* start(directory)]
    const mesh = yield* openMesh(directory)
    yield* tell(mesh, frozen, "frozen")
    frozen.kill("SIGSTOP")
    yield* other.ask("tellMany", 5000)
    yield* until(() => mesh.living("many").length === 5000)
    yield* other.ask("disconnect")
    assert.strictEqual(yield* exited(other.child), 0)
    frozen.kill("SIGKILL")
    yield* until(() => mesh.hasDied(candidate("frozen")))
  }))
