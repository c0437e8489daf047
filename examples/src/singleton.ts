/**
 * A background service that runs in one process at a time, as a Layer: wherever the layer is built, the process is a
 * candidate; in one of these places the service runs. Here two applications are built one after another, and the first ends.
 */
import { MemoryDatabase, Subspace } from "@effect-fdb/core"
import { LeaderElection } from "@effect-fdb/leader-election"
import { Console, Effect, Fiber } from "effect"

const election = LeaderElection.make(Subspace.fromTuple(["mail", "outbox"]))

/** What is to run in one place only. */
const sendOutbox = (host: string) =>
  Console.log(`${host} sends the outbox`).pipe(Effect.andThen(Effect.sleep("1 second")), Effect.forever)

/** An application that has the service among its layers. */
const application = (host: string) =>
  Effect.sleep("2500 millis").pipe(
    Effect.andThen(Console.log(`${host} is shut down`)),
    Effect.provide(election.singleton({ id: host }, sendOutbox(host)))
  )

export const main = Effect.gen(function*() {
  const first = yield* Effect.forkChild(application("host-1"))
  yield* Effect.sleep("1 second")
  const second = yield* Effect.forkChild(application("host-2"))
  yield* Fiber.join(first)
  yield* Fiber.join(second)
}).pipe(Effect.provide(MemoryDatabase.layer))
