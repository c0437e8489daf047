import { Database, MemoryDatabase, Subspace } from "@effect-fdb/core"
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Ref } from "effect"
import { TestClock } from "effect/testing"
import { ElectionObserver, LeaderElection } from "../src/index.ts"

const election = LeaderElection.make(Subspace.fromTuple(["e"]))

it.effect("smoke", () =>
  Effect.gen(function*() {
    yield* Database.transact(election.initialize())
    const n = yield* Ref.make("")
    const run = (id: string) =>
      election.withLeadership({ id }, (l) =>
        Effect.gen(function*() {
          yield* Ref.update(n, (s) => `${s} ${id}:${l.term}`)
          yield* Effect.sleep("10 seconds")
        }))
    const a = yield* Effect.forkChild(run("a"))
    yield* TestClock.adjust("1 second")
    const b = yield* Effect.forkChild(run("b"))
    yield* TestClock.adjust("1 second")
    yield* TestClock.adjust("20 seconds")
    yield* Fiber.join(a)
    yield* Fiber.join(b)
    assert.strictEqual(yield* Ref.get(n), " a:1 b:5")
  }).pipe(
    Effect.provideService(ElectionObserver, (e) => console.log(e)),
    Effect.provide(MemoryDatabase.layer)
  ))
