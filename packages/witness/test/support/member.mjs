// A process with a mesh, which does what it is told by messages, and answers each.
import * as childProcess from "node:child_process"
import cluster from "node:cluster"
import * as fs from "node:fs"
import { Mesh } from "../../dist/internal/mesh.js"

const mesh = new Mesh(process.argv[2])
const takeBack = new Map()

const commands = {
  tell: (testimony) => void takeBack.set(testimony, mesh.tell(testimony)),
  takeBack: (testimony) => takeBack.get(testimony)(),
  tellMany: (count) => {
    for (let i = 0; i < count; i++) mesh.tell(`many/${i}/${"x".repeat(100)}`)
  },
  close: () => mesh.close(),
  exit: () => process.exit(0),
  throw: () =>
    setImmediate(() => {
      throw new Error("uncaught")
    }),
  abort: () => process.abort(),
  /** What Node does when a socket fails. */
  destroyConnections: () => {
    for (const connection of mesh.connections) connection.socket.destroy()
  },
  closeServer: () => void mesh.server.close(),
  /** As native code that closes descriptors which are not its own. Node would soon notice, and end the process. */
  closeDescriptors: () => {
    for (const { _handle } of [mesh.server, ...Array.from(mesh.connections, ({ socket }) => socket)]) {
      if (_handle !== null) fs.closeSync(_handle.fd)
    }
    process.kill(process.pid, "SIGSTOP")
  },
  useAllDescriptors: () => {
    try {
      while (true) fs.openSync("/dev/null")
    } catch (cause) {
      return cause.code
    }
  },
  startChild: () => childProcess.spawn("sleep", ["1000"], { stdio: "ignore", detached: true }).pid,
  stopEventLoop: (millis) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis),
  inherited: () =>
    fs.readdirSync("/proc/self/fd").filter((fd) => {
      try {
        if (!fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:")) return false
        const flags = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))[1]
        return (Number.parseInt(flags, 8) & 0o2000000) === 0
      } catch {
        return false
      }
    }).map(Number),
  /** Lets the process end if nothing keeps it alive. */
  disconnect: () => setImmediate(() => process.disconnect())
}

const serve = () => {
  process.on("message", ([command, argument]) => process.send({ done: commands[command](argument) ?? null }))
  mesh.open().then(() => process.send({ done: "open" }))
}

if (process.argv[3] === "cluster" && cluster.isPrimary) {
  const worker = cluster.fork()
  process.on("message", (message) => worker.send(message))
  worker.on("message", (message) => process.send(message))
  worker.on("online", () => process.send({ worker: worker.process.pid }))
} else serve()
