import { Testimony, Versionstamp } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as TestWitness from "../../src/testing/TestWitness.ts"

const testimony = (id: string, election = "15") => Testimony.make(election, id, Versionstamp.make(new Uint8Array(10)))

describe("the witnesses of a host in a test", () => {
  it.effect("tell the end of a process, to those that were there and of what was told", () =>
    Effect.gen(function*() {
      const { start } = TestWitness.make()
      const [leader, follower] = [yield* start, yield* start]
      const heard: Array<string> = []
      yield* follower.witness.onDeath("15", (one) => heard.push(one))
      yield* leader.witness.tell(testimony("a"))
      yield* leader.witness.tell(testimony("b", "16"))
      assert.deepStrictEqual(follower.witness.living("15"), [testimony("a")])
      assert.strictEqual(leader.witness.witnesses(testimony("a")), 1)
      yield* leader.end
      const late = yield* start
      assert.deepStrictEqual(heard, [testimony("a")])
      assert.deepStrictEqual(["a", "b", "c"].map((id) => follower.witness.hasDied(testimony(id))), [true, false, false])
      assert.isTrue(follower.witness.hasDied(testimony("b", "16")))
      assert.isFalse(late.witness.hasDied(testimony("a")))
      assert.deepStrictEqual(follower.witness.living("15"), [])
      assert.strictEqual(follower.witness.witnesses(testimony("a")), 0)
    }))

  it.effect("tell nothing of what was taken back, nor of a witness that is closed", () =>
    Effect.gen(function*() {
      const { start } = TestWitness.make()
      const [leader, closing, follower] = [yield* start, yield* start, yield* start]
      yield* Effect.scoped(leader.witness.tell(testimony("a")))
      yield* closing.witness.tell(testimony("b"))
      yield* closing.close
      yield* closing.end
      yield* leader.end
      assert.isFalse(follower.witness.hasDied(testimony("a")))
      assert.isFalse(follower.witness.hasDied(testimony("b")))
    }))

  it.effect("hold deaths back until they are released", () =>
    Effect.gen(function*() {
      const { hold, release, start } = TestWitness.make()
      const [leader, follower] = [yield* start, yield* start]
      yield* leader.witness.tell(testimony("a"))
      yield* hold
      yield* leader.end
      assert.isFalse(follower.witness.hasDied(testimony("a")))
      yield* release
      assert.isTrue(follower.witness.hasDied(testimony("a")))
    }))

  it.effect("are told when the test says so", () =>
    Effect.gen(function*() {
      const deaths: Array<TestWitness.Death> = []
      const { start } = TestWitness.make({ deliver: (death) => deaths.push(death) })
      const [leader, first, second] = [yield* start, yield* start, yield* start]
      yield* leader.witness.tell(testimony("a"))
      yield* leader.end
      assert.deepStrictEqual(deaths.map(({ to }) => to), [first, second])
      deaths[1]!.tell()
      assert.isFalse(first.witness.hasDied(testimony("a")))
      assert.isTrue(second.witness.hasDied(testimony("a")))
    }))
})
