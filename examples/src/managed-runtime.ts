/**
 * A web server that is no Effect program. Its `ManagedRuntime` builds the background service once, and its handlers run effects in
 * it. A handler is a function of Node's `request` and `response`, as Express takes them too: `app.get("/leader", handler)`.
 * Disposing of the runtime resigns.
 */
import { MemoryDatabase, Subspace } from "@effect-fdb/core"
import { LeaderElection } from "@effect-fdb/leader-election"
import { Console, Effect, Layer, ManagedRuntime, Option, Ref, Stream } from "effect"
import * as http from "node:http"
import type { AddressInfo } from "node:net"

class Outbox
  extends LeaderElection.Service<Outbox>()("mail/Outbox", { subspace: Subspace.fromTuple(["mail", "outbox"]) })
{}

/** Sends mail in one of all processes. */
const SendMail = (id: string, sent: Ref.Ref<number>) =>
  Layer.unwrap(
    Outbox.useSync((outbox) =>
      outbox.singleton(
        { id },
        Effect.forever(Effect.andThen(Ref.update(sent, (n) => n + 1), Effect.sleep("10 millis")))
      )
    )
  )

/** Who leads, as soon as somebody does. */
const leader = Effect.gen(function*() {
  const { changes } = yield* Outbox
  const state = Option.flatten(yield* Stream.runHead(Stream.filter(changes, Option.isSome)))
  return `${Option.getOrThrow(state).leaderId} sends the mail`
})

/** The handler of `GET /leader`. */
const handler =
  (runtime: ManagedRuntime.ManagedRuntime<Outbox, unknown>): http.RequestListener => (_request, response) => {
    runtime.runPromise(leader).then(
      (text) => response.end(text),
      (error) => response.writeHead(500).end(String(error))
    )
  }

const listen = (listener: http.RequestListener) =>
  Effect.acquireRelease(
    Effect.callback<http.Server>((resume) => {
      const server = http.createServer(listener).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )

const get = (server: http.Server, path: string) =>
  Effect.promise(() =>
    fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { headers: { connection: "close" } })
      .then((response) => response.text())
  )

export const main = Effect.gen(function*() {
  const sent = yield* Ref.make(0)
  const layer = SendMail("web-1", sent).pipe(Layer.provideMerge(Outbox.layer), Layer.provide(MemoryDatabase.layer))
  const runtime = ManagedRuntime.make(layer)
  const server = yield* listen(handler(runtime))
  yield* Console.log(yield* get(server, "/leader"))
  yield* Effect.promise(() => runtime.dispose())
  const before = yield* Ref.get(sent)
  yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 50)))
  yield* Console.log(`after the shutdown it has sent ${(yield* Ref.get(sent)) - before} more`)
}).pipe(Effect.scoped)
