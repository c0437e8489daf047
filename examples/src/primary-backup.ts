/**
 * Primary and backups: every node campaigns, and follows `changes` to know where writes have to go.
 */
import { MemoryDatabase, Subspace } from "@effect-fdb/core"
import { LeaderElection } from "@effect-fdb/leader-election"
import { Console, Effect, Fiber, Option, Stream } from "effect"

const election = LeaderElection.make(Subspace.fromTuple(["store", "primary"]))

const asPrimary = (id: string) => () => Effect.ensuring(Effect.never, Console.log(`${id} has stopped to accept writes`))

/** What a node that is not the primary tells its clients. */
const route = (id: string) =>
  Stream.runForEach(election.changes, (leader) =>
    Console.log(Option.match(leader, {
      onNone: () => `${id}: writes have to wait, there is no primary`,
      onSome: ({ leaderId, term }) =>
        leaderId === id ? `${id}: writes are mine, in term ${term}` : `${id}: writes go to ${leaderId}, in term ${term}`
    })))

const node = (id: string) =>
  Effect.raceFirst(election.withLeadership({ id }, asPrimary(id), { again: true }), route(id))

export const main = Effect.gen(function*() {
  const first = yield* Effect.forkChild(node("node-1"))
  yield* Effect.sleep("1 second")
  const second = yield* Effect.forkChild(node("node-2"))
  yield* Effect.sleep("1 second")
  yield* Fiber.interrupt(first)
  yield* Effect.sleep("1 second")
  yield* Fiber.interrupt(second)
}).pipe(Effect.provide(MemoryDatabase.layer))
