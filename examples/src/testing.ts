/**
 * Testing one's own service: it requires `Database`, so a test gives it the engine in memory and the test clock, and a minute
 * of failover takes no time. In a test file the body of `main` stands in `it.effect` of `@effect/vitest`.
 */
import { MemoryDatabase, Subspace } from "@effect-fdb/core"
import { LeaderElection } from "@effect-fdb/leader-election"
import { Console, Effect, Fiber, Layer, Ref } from "effect"
import { TestClock } from "effect/testing"

const election = LeaderElection.make(Subspace.fromTuple(["metrics", "election"]))

/** The service under test: counts, ten times a second, in whichever process leads. */
const service = (id: string, count: Ref.Ref<number>) =>
  election.withLeadership(
    { id },
    () => Effect.forever(Effect.andThen(Ref.update(count, (n) => n + 1), Effect.sleep("100 millis")))
  )

export const main = Effect.gen(function*() {
  const [first, second] = [yield* Ref.make(0), yield* Ref.make(0)]
  const leader = yield* Effect.forkChild(service("first", first))
  yield* TestClock.adjust("1 second")
  const follower = yield* Effect.forkChild(service("second", second))
  yield* TestClock.adjust("1 minute")
  yield* Console.log(`while the first leads, the second counts ${yield* Ref.get(second)}`)
  yield* Fiber.interrupt(leader)
  yield* TestClock.adjust("1 second")
  yield* Console.log(`a second after it was shut down, the second counts ${yield* Ref.get(second)}`)
  yield* Fiber.interrupt(follower)
}).pipe(Effect.provide(Layer.provideMerge(MemoryDatabase.layer, TestClock.layer())))
