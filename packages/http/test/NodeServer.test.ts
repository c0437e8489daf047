import { Database, MemoryDatabase } from "@effect-fdb/core"
import { ElectionConfig, ElectionObserver } from "@effect-fdb/leader-election"
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Logger } from "effect"
import { HttpServer } from "effect/http"
import * as net from "node:net"
import { vi } from "vitest"
import { ElectionHttp } from "../src/index.ts"
import { election } from "./support/requests.ts"

/** Renewals twice a second, in a lease that is longer than anything can hold them up. */
const config = new ElectionConfig({
  leaseDuration: Duration.seconds(60),
  heartbeatInterval: Duration.millis(500),
  candidateTimeout: Duration.seconds(90)
})

/** A process that leads, and listens. */
const leading = Effect.fnUntraced(function*(options: ElectionHttp.ListenOptions = {}) {
  const terms: Array<bigint> = []
  yield* Database.transact(election.initialize(config))
  const renewed: Array<bigint> = []
  const candidacy = yield* Effect.provideService(election.candidacy({ id: "a" }), ElectionObserver, (event) => {
    if (event._tag === "Renewed") renewed.push(event.ballot)
  })
  yield* Effect.forkScoped(
    candidacy.withLeadership(({ term }) => Effect.andThen(Effect.sync(() => void terms.push(term)), Effect.never), {
      again: true
    })
  )
  const served = { name: "app/mailer", subspace: election.subspace, candidacy }
  const { address } = Context.get(
    yield* Layer.build(ElectionHttp.layerServer({ port: 0, ...options, elections: [served] })),
    HttpServer.HttpServer
  )
  const port = "port" in address ? address.port : 0
  yield* Effect.promise(() => vi.waitUntil(() => terms.length > 0, { timeout: 120_000 }))
  return { port, renewed, terms }
})

const withServer = (body: () => Generator<Effect.Effect<any, any, any>, void, any>) => () =>
  Effect.provide(Effect.gen(body), [MemoryDatabase.layer, Logger.layer([])]) as Effect.Effect<void, never, never>

/** A client that speaks what it likes. */
class Client {
  received = ""
  isClosed = false
  readonly socket: net.Socket

  constructor(port: number, text = "") {
    this.socket = net.connect(port, "127.0.0.1")
    this.socket.on("data", (data: Buffer) => (this.received += data.toString()))
    this.socket.on("close", () => (this.isClosed = true))
    this.socket.on("error", () => {})
    this.socket.write(text)
  }

  /** What it has got when that matches. */
  readonly until = (pattern: RegExp) =>
    Effect.promise(async () => {
      await vi.waitUntil(() => pattern.test(this.received), { timeout: 120_000 })
      return this.received
    })

  readonly closed = Effect.promise(() => vi.waitUntil(() => this.isClosed, { timeout: 120_000 }))
}

const asks = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`

describe("the server", () => {
  it.live(
    "listens on loopback, unless it is told otherwise",
    withServer(function*() {
      const { port } = yield* leading()
      const client = new Client(port, asks("/leader"))
      assert.include(yield* client.until(/\}\n/), "fencing-token: 1\r\n")
      assert.strictEqual(client.socket.remoteAddress, "127.0.0.1")
      client.socket.destroy()
    })
  )

  it.live(
    "fails with ServeError where it cannot listen",
    withServer(function*() {
      const { port } = yield* leading()
      const again = ElectionHttp.layerServer({ port, elections: [{ name: "x", subspace: election.subspace }] })
      const error = yield* Effect.flip(Layer.build(again))
      assert.strictEqual(error._tag, "ServeError")
    })
  )

  it.live(
    "cuts clients off that ask for the next answer before they have the last one",
    withServer(function*() {
      const { port } = yield* leading()
      // The answer to the second one would be made now, and sent when the events have ended.
      const client = new Client(port, asks("/events") + asks("/leader"))
      yield* client.closed
      assert.notInclude(client.received, "fencing-token")
      // One after another is what connections are kept for.
      const patient = new Client(port, asks("/leader"))
      yield* patient.until(/\}\n/)
      patient.received = ""
      patient.socket.write(asks("/leader"))
      assert.include(yield* patient.until(/\}\n/), "fencing-token: 1\r\n")
      patient.socket.destroy()
    })
  )

  it.live(
    "refuses what is malformed or huge, and closes the connection",
    withServer(function*() {
      const { port, terms } = yield* leading()
      const cases = [
        ["\u0016\u0003\u0001\u0000garbage\r\n\r\n", "400"],
        ["GET /leader HTTP/1.1\r\n\r\n", "400"],
        ["GET /leader HTTP/9.9\r\nHost: localhost\r\n\r\n", "400"],
        [asks("/leader", `X: ${"x".repeat(20_000)}\r\n`), "431"],
        [asks(`/${"x".repeat(20_000)}`), "431"],
        [asks("/leader", "Content-Length: 1000000000000\r\n"), "413"],
        [asks("/leader", "Transfer-Encoding: chunked\r\n"), "413"],
        [asks("/leader", "Content-Length: 1\r\nContent-Length: 2\r\n"), "400"],
        [asks("/leader", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "400"]
      ] as const
      for (const [text, status] of cases) {
        const client = new Client(port, text)
        yield* client.closed
        assert.match(client.received, new RegExp(`^HTTP/1.1 ${status} `), text.slice(0, 60))
        assert.notInclude(client.received, "fencing-token")
      }
      assert.deepStrictEqual(terms, [1n])
    })
  )

  it.live(
    "answers one more client than it has connections for: it closes the one that was idle longest",
    withServer(function*() {
      const { port } = yield* leading({ maxConnections: 10 })
      const idle = Array.from({ length: 50 }, () => new Client(port))
      yield* Effect.promise(() =>
        vi.waitUntil(() => idle.filter(({ isClosed }) => isClosed).length >= 40, { timeout: 120_000 })
      )
      const client = new Client(port, asks("/leader"))
      assert.include(yield* client.until(/\}\n/), "200 OK")
      for (const { socket } of [...idle, client]) socket.destroy()
    })
  )

  it.live(
    "renews the lease, and ends clients that are slow, while hundreds are slow, idle or do not read",
    withServer(function*() {
      const { port, renewed, terms } = yield* leading({ maxConnections: 400 })
      const idle = Array.from({ length: 1000 }, () => new Client(port))
      const slow = Array.from({ length: 100 }, () => new Client(port, "GET /leader HTTP/1.1\r\nHost: "))
      const dribble = setInterval(() => {
        for (const { isClosed, socket } of slow) if (!isClosed) socket.write("x")
      }, 200)
      const deaf = Array.from({ length: 50 }, () => new Client(port, asks("/events")))
      for (const { socket } of deaf) socket.pause()
      const before = renewed.length
      yield* Effect.promise(() => vi.waitUntil(() => renewed.length > before + 5, { timeout: 120_000 }))
      for (const { closed } of slow) yield* closed
      clearInterval(dribble)
      const client = new Client(port, asks("/leader"))
      assert.include(yield* client.until(/\}\n/), "fencing-token: 1\r\n")
      assert.deepStrictEqual(terms, [1n])
      for (const { socket } of [...idle, ...slow, ...deaf, client]) socket.destroy()
    })
  )
})
