/** A leader whose process was witnessed to have ended (4). */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { election, eventsOf, lead, leaderId, transact } from "./support/candidates.ts"
import { makeProcesses, type Process } from "./support/witnesses.ts"

const history = (process: Process) => Effect.orDie(process.run(transact(election.readHistory())))

/** A process that leads as "a", one that follows as "b", and one that looks on. */
const ledAndFollowed = Effect.fnUntraced(function*(options: Parameters<typeof makeProcesses>[0] = {}) {
  const witnesses = yield* makeProcesses(options)
  const [a, b, onlooker] = [yield* witnesses.make, yield* witnesses.make, yield* witnesses.make]
  yield* lead(a, { id: "a" })
  yield* lead(b, { id: "b" })
  yield* TestClock.adjust("20 seconds")
  return { ...witnesses, a, b, onlooker }
})

describe("a leader whose process has ended by witness", () => {
  it.effect("is succeeded at once, and the history says that it has died", () =>
    Effect.gen(function*() {
      const { a, b, onlooker } = yield* ledAndFollowed()
      yield* a.kill
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* leaderId(onlooker), "b")
      assert.deepStrictEqual(eventsOf(b, "Elected").map(({ cause }) => cause), ["died"])
      assert.deepStrictEqual((yield* history(onlooker)).map(({ leaderId, reason }) => [leaderId, reason]), [
        ["b", undefined],
        ["a", "died"]
      ])
    }))

  it.effect("is waited for by the lease where nobody is told", () =>
    Effect.gen(function*() {
      const { a, b, hold, onlooker } = yield* ledAndFollowed()
      yield* hold
      yield* a.kill
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(yield* leaderId(onlooker), "a")
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(yield* leaderId(onlooker), "b")
      assert.deepStrictEqual(eventsOf(b, "Elected").map(({ cause }) => cause), ["lapsed"])
    }))
})
