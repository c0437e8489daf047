/** Other leader elections, measured beside this one: a local server, and candidates that speak as those of this library do. */
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as net from "node:net"
import * as path from "node:path"
import * as Candidates from "./Candidates.ts"
import { type PeerAssignment, start } from "./messages.ts"
import * as Store from "./Store.ts"

interface Definition {
  /** What has to be installed. */
  readonly packages: string
  /** The npm package of the client. */
  readonly client: string
  /** The program of the server, with all its arguments. */
  readonly server: (directory: string, ports: readonly [number, number]) => readonly [string, ...Array<string>]
  /** The program of a candidate. */
  readonly candidate: string
}

const zookeeperJar = "/usr/share/java/zookeeper.jar"

const definitions = {
  zookeeper: {
    packages: "Debian's zookeeper and default-jre-headless, and npm install --no-save node-zookeeper-client",
    client: "node-zookeeper-client",
    server: (directory, [port]) => {
      const config = path.join(directory, "zoo.cfg")
      const settings = {
        tickTime: 2000,
        dataDir: directory,
        clientPortAddress: "127.0.0.1",
        clientPort: port,
        "admin.enableServer": false
      }
      fs.writeFileSync(config, Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join(""))
      return ["java", "-cp", zookeeperJar, "org.apache.zookeeper.server.quorum.QuorumPeerMain", config]
    },
    candidate: "zookeeperCandidate.js"
  },
  etcd: {
    packages: "Debian's etcd-server, and npm install --no-save etcd3",
    client: "etcd3",
    server: (directory, [port, peerPort]) => {
      const url = `http://127.0.0.1:${port}`
      const peerUrl = `http://127.0.0.1:${peerPort}`
      return [
        "etcd",
        `--data-dir=${directory}`,
        `--listen-client-urls=${url}`,
        `--advertise-client-urls=${url}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=default=${peerUrl}`
      ]
    },
    candidate: "etcdCandidate.js"
  }
} satisfies { readonly [name: string]: Definition }

export type Peer = keyof typeof definitions

export const names = Object.keys(definitions) as ReadonlyArray<Peer>

export class PeerUnavailable
  extends Data.TaggedError("PeerUnavailable")<{ readonly peer: Peer; readonly detail: string }>
{
  override get message(): string {
    return `${this.peer} cannot be measured: ${this.detail}\nIt needs ${definitions[this.peer].packages}.`
  }
}

const freePort = Effect.callback<number>((resume) => {
  const server = net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as net.AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

const accepts = (port: number) =>
  Effect.callback<boolean>((resume) => {
    const socket = net.connect(port, "127.0.0.1")
    const end = (accepted: boolean) => {
      socket.destroy()
      resume(Effect.succeed(accepted))
    }
    socket.once("connect", () => end(true)).once("error", () => end(false))
  })

const startServer = Effect.fnUntraced(function*(peer: Peer) {
  const fail = (detail: string) => new PeerUnavailable({ peer, detail })
  const { client, server } = definitions[peer]
  yield* Effect.try({
    try: () => createRequire(import.meta.url).resolve(client),
    catch: () => fail(`the npm package ${client} is not installed`)
  })
  const directory = yield* Store.directory
  const ports = [yield* freePort, yield* freePort] as const
  const [program, ...args] = server(directory, ports)
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(program, args, { stdio: "ignore" })),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.pid === undefined || child.exitCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )
  const ended = Effect.callback<never, PeerUnavailable>((resume) => {
    child.once("error", ({ message }) => resume(fail(message)))
    child.once("exit", (code) => resume(fail(`its server ended with ${code}`)))
  })
  const answers = Effect.gen(function*() {
    while (!(yield* accepts(ports[0]))) yield* Effect.sleep("100 millis")
  }).pipe(Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => fail("its server does not answer") }))
  yield* Effect.raceFirst(answers, ended)
  return { pid: child.pid!, address: `127.0.0.1:${ports[0]}` }
})

/** Measures with candidates of a peer, on a server of its own. `undefined`, with a message, where it is not installed. */
export const use = <A, E>(
  peer: Peer,
  leaseMillis: number,
  measure: (
    measured: { readonly candidates: Candidates.Candidates; readonly server: ReadonlyArray<number> }
  ) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A | undefined, E> =>
  Effect.scoped(Effect.gen(function*() {
    const started = yield* Effect.result(startServer(peer))
    if (Result.isFailure(started)) {
      yield* Console.error(started.failure.message)
      return undefined
    }
    const { address, pid } = started.success
    const candidates = yield* Candidates.pool((id) =>
      start(definitions[peer].candidate, { server: address, id, leaseMillis } satisfies PeerAssignment)
    )
    return yield* measure({ candidates, server: [pid] })
  }))
