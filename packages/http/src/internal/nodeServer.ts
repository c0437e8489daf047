/**
 * An `HttpServer` on `node:http` for small answers and streams, with bounds on what clients can take: time, memory, connections.
 *
 * A connection has one request at a time. A client that sends the next one before it has the answer (pipelining) is cut off: its
 * answer would be made now and sent after the one before it, when it may be true no more.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpEffect from "effect/http/HttpEffect"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServer from "effect/http/HttpServer"
import { ClientAbort, ServeError } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Latch from "effect/Latch"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Http from "node:http"
import type * as Net from "node:net"

export interface ServerOptions {
  readonly host: string
  readonly port: number
  readonly maxConnections: number
}

/** How long a client may take, in milliseconds. */
const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8_192
}

/** The longest body that is read, and discarded. */
const maxBody = 65_536

/**
 * The connections that wait for a request, the one that has waited longest first. Where there are too many, that one is closed: so idle
 * clients keep nobody out.
 */
class Connections {
  private readonly most: number
  private readonly idle = new Set<Net.Socket>()
  private count = 0

  constructor(most: number) {
    this.most = most
  }

  opened(socket: Net.Socket): void {
    this.count++
    this.idle.add(socket)
    socket.once("close", () => {
      this.count--
      this.idle.delete(socket)
    })
    if (this.count <= this.most) return
    const [longest = socket] = this.idle
    this.idle.delete(longest)
    longest.destroy()
  }

  begins(socket: Net.Socket): void {
    this.idle.delete(socket)
  }

  ended(socket: Net.Socket): void {
    if (!socket.destroyed) this.idle.add(socket)
  }
}

/**
 * Starts one request in each turn of the event loop: between two of them, timers and the answers of the store have theirs. So a renewal
 * never waits for all requests that have come at once.
 */
class Turns {
  private readonly waiting: Array<() => void> = []
  private isScheduled = false

  add(start: () => void): void {
    this.waiting.push(start)
    if (this.isScheduled) return
    this.isScheduled = true
    setImmediate(this.next)
  }

  private readonly next = (): void => {
    const start = this.waiting.shift()
    this.isScheduled = this.waiting.length > 0
    if (this.isScheduled) setImmediate(this.next)
    start?.()
  }
}

/** How long a client may leave a stream unread. */
const unreadFor = "10 seconds"

type Handled = Effect.Effect<void, never, HttpServerRequest.HttpServerRequest>

const toRequest = (
  { headers, method = "GET", url = "/" }: Http.IncomingMessage
): HttpServerRequest.HttpServerRequest => {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, "")
  return HttpServerRequest.fromClientRequest(
    HttpClientRequest.make(method as HttpMethod)(`http://localhost${path.startsWith("/") ? path : `/${path}`}`, {
      headers: headers as Record<string, string>
    })
  )
}

/** Writes an answer. The head is written in the very turn in which this is called. */
const write = (
  nodeResponse: Http.ServerResponse,
  isHead: boolean,
  { body, headers, status }: HttpServerResponse
): Effect.Effect<void> => {
  if (nodeResponse.destroyed || nodeResponse.writableEnded) return Effect.void
  nodeResponse.writeHead(status, headers)
  if (isHead || body._tag === "Empty") return Effect.sync(() => void nodeResponse.end())
  if (body._tag === "Uint8Array") {
    nodeResponse.end(body.body)
    return Effect.void
  }
  if (body._tag !== "Stream") return Effect.die(new Error(`no body of the kind ${body._tag} can be sent`))
  nodeResponse.flushHeaders()
  const drained = Latch.makeUnsafe()
  nodeResponse.on("drain", () => drained.openUnsafe())
  return body.stream.pipe(
    Stream.orDie,
    Stream.runForEach((chunk) => {
      if (nodeResponse.write(chunk)) return Effect.void
      drained.closeUnsafe()
      return Effect.timeoutOrElse(drained.await, {
        duration: unreadFor,
        orElse: () => Effect.sync(() => void nodeResponse.destroy())
      })
    }),
    Effect.interruptible,
    Effect.ensuring(Effect.sync(() => void nodeResponse.end()))
  )
}

const listen = (server: Http.Server, { host, port }: ServerOptions): Effect.Effect<void, ServeError> =>
  Effect.callback<void, ServeError>((resume) => {
    const failed = (cause: Error) => resume(Effect.fail(new ServeError({ cause })))
    server.once("error", failed)
    server.listen({ host, port }, () => {
      server.off("error", failed)
      // A listening socket that fails later, for want of file descriptors for example, goes on listening.
      server.on("error", () => {})
      resume(Effect.void)
    })
  })

const close = (server: Http.Server): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

export const make = Effect.fnUntraced(function*(
  options: ServerOptions
): Effect.fn.Return<HttpServer.HttpServer["Service"], ServeError, Scope.Scope> {
  const connections = new Connections(options.maxConnections)
  const turns = new Turns()
  const server = Http.createServer({ ...limits, noDelay: true })
  server.on("connection", (socket: Net.Socket) => connections.opened(socket))
  yield* Effect.acquireRelease(listen(server, options), () => close(server))
  const bound = server.address() as Net.AddressInfo
  return HttpServer.make({
    address: Result.getOrThrow(NetAddress.inetAddressFromIpString(bound.address, bound.port)),
    serve: Effect.fnUntraced(function*(app, middleware) {
      const responses = new WeakMap<object, Http.ServerResponse>()
      const answering = new WeakMap<Net.Socket, Http.ServerResponse>()
      const handled = HttpEffect.toHandled(
        app,
        (request, response) => {
          const nodeResponse = responses.get(request.source)
          return nodeResponse === undefined ? Effect.void : write(nodeResponse, request.method === "HEAD", response)
        },
        middleware
      ) as Handled
      const context = yield* Effect.context<never>()
      const fork = Effect.runForkWith(context as Context.Context<never>)
      const onRequest = (nodeRequest: Http.IncomingMessage, nodeResponse: Http.ServerResponse): void => {
        const { socket } = nodeRequest
        if (answering.get(socket)?.writableEnded === false) return void socket.destroy()
        answering.set(socket, nodeResponse)
        connections.begins(socket)
        nodeResponse.once("close", () => connections.ended(socket))
        const length = Number(nodeRequest.headers["content-length"] ?? 0)
        if (length > maxBody || nodeRequest.headers["transfer-encoding"] !== undefined) {
          nodeResponse.writeHead(413, { connection: "close" }).end(() => socket.destroy())
          return
        }
        nodeRequest.resume()
        turns.add(() => {
          if (nodeResponse.destroyed) return
          const request = toRequest(nodeRequest)
          responses.set(request.source, nodeResponse)
          const fiber = fork(
            handled.pipe(
              Effect.provideService(HttpServerRequest.HttpServerRequest, request),
              // Health checks would be most of the spans.
              Effect.provideService(HttpMiddleware.TracerDisabledWhen, () => true)
            )
          )
          nodeResponse.once("close", () => {
            if (fiber.pollUnsafe() === undefined) fiber.interruptUnsafe(undefined, ClientAbort.annotation)
          })
        })
      }
      server.on("request", onRequest)
      yield* Effect.addFinalizer(() => Effect.sync(() => server.off("request", onRequest)))
    })
  })
})
