/**
 * A rolling deployment: each release campaigns with its number as priority, so the leadership moves to the newest release as
 * soon as one process of it runs. The old leader's work ends in good order before the new one's begins.
 */
import { MemoryDatabase, Subspace } from "@effect-fdb/core"
import { LeaderElection } from "@effect-fdb/leader-election"
import { Console, Effect, Fiber } from "effect"

const election = LeaderElection.make(Subspace.fromTuple(["shop", "pricing"]))

const release = (number: number, host: string) => {
  const id = `${host}, release ${number}`
  return election.withLeadership(
    { id, priority: number },
    ({ term }) =>
      Console.log(`${id} leads in term ${term}`).pipe(
        Effect.andThen(Effect.never),
        Effect.ensuring(Effect.andThen(Effect.sleep("200 millis"), Console.log(`${id} has put its work away`)))
      ),
    { again: true }
  )
}

export const main = Effect.gen(function*() {
  const old = yield* Effect.forkChild(Effect.all([release(1, "host-1"), release(1, "host-2")], {
    concurrency: "unbounded"
  }))
  yield* Effect.sleep("1 second")
  yield* Console.log("release 2 is deployed, host by host")
  const next = yield* Effect.forkChild(release(2, "host-3"))
  yield* Effect.sleep("1 second")
  yield* Fiber.interrupt(old)
  yield* Effect.sleep("1 second")
  yield* Fiber.interrupt(next)
}).pipe(Effect.provide(MemoryDatabase.layer))
