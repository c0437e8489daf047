import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as elections from "./support/elections.ts"
import * as nativeLayer from "./support/nativeLayer.ts"
import { recipe } from "./support/recipe.ts"

recipe("the double of the binding", Layer.provide(nativeLayer.layer(), nativeLayer.Fake.layer))

// The same that runs against a cluster, where the server is stopped instead.
it.live(
  "elections outlive a client that is cut off for longer than a lease, and unknown results",
  () =>
    Effect.gen(function*() {
      const client = yield* nativeLayer.Fake
      const cutOff = Effect.gen(function*() {
        client.connected = false
        client.commitsLand = true
        yield* Effect.sleep("1 second")
        client.connect()
      })
      const unknown = Effect.gen(function*() {
        for (let i = 0; i < 20; i++) {
          client.fail({ call: "commit", code: 1021, applied: i % 2 === 0 }, { call: "read", code: 1037 })
          yield* Effect.sleep("20 millis")
        }
      })
      const tenures = yield* elections.underFaults(Effect.andThen(cutOff, unknown), {
        lease: "500 millis",
        recovery: "1 minute"
      })
      assert.isAtLeast(tenures, 2)
      assert.deepStrictEqual(client.violations, [])
    }).pipe(Effect.scoped, Effect.provide(nativeLayer.layerWithFake()))
)
