import { NativeDatabase } from "@effect-fdb/native"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as elections from "../support/elections.ts"
import { recipe } from "../support/recipe.ts"
import { between, can, command, onCluster, unlessLost } from "./cluster.ts"

const options = { lease: "3 seconds", recovery: "1 minute" } as const
const timeout = 300_000

const underFaults = (faults: Effect.Effect<void>) =>
  Effect.scoped(elections.underFaults(faults, options)).pipe(Effect.provide(NativeDatabase.layer()), unlessLost)

/** Longer than a lease. */
const outage = Effect.sleep("8 seconds")

onCluster("elections", () => {
  recipe("a cluster", NativeDatabase.layer())

  it.live("go on undisturbed with a cluster that works: one tenure", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* underFaults(outage), 1)
    }), timeout)

  it.live.skipIf(!can("FDB_TEST_STOP", "FDB_TEST_START"))(
    "outlive a server that is stopped for longer than a lease",
    () =>
      Effect.gen(function*() {
        assert.isAtLeast(yield* underFaults(between(command("FDB_TEST_STOP"), command("FDB_TEST_START"), outage)), 2)
      }),
    timeout
  )

  it.live.skipIf(!can("FDB_TEST_PAUSE", "FDB_TEST_RESUME"))(
    "outlive a server that is paused and resumed",
    () =>
      Effect.gen(function*() {
        assert.isAtLeast(yield* underFaults(between(command("FDB_TEST_PAUSE"), command("FDB_TEST_RESUME"), outage)), 2)
      }),
    timeout
  )

  it.live.skipIf(!can("FDB_TEST_KILL", "FDB_TEST_START"))(
    "outlive a server that is killed and restarted, again and again",
    () =>
      Effect.gen(function*() {
        const once = Effect.andThen(
          between(command("FDB_TEST_KILL"), command("FDB_TEST_START"), Effect.sleep("1 second")),
          outage
        )
        yield* underFaults(Effect.repeat(once, { times: 2 }))
      }),
    timeout
  )
})
