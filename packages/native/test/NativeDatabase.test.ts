import { Database } from "@effect-fdb/core"
import { ClientUnavailable, NativeDatabase } from "@effect-fdb/native"
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Layer } from "effect"

describe("NativeDatabase.layer on this very machine", () => {
  // Without FoundationDB the library is missing, with it the cluster file: the same error, the same promise.
  it.effect("fails with ClientUnavailable and a hint where the client or the cluster file is missing, and waits for nothing", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.provide(Effect.asVoid(Database), NativeDatabase.layer({ clusterFile: "/nonexistent/fdb.cluster" }))
      )
      assert.instanceOf(error, ClientUnavailable)
      if (error._tag !== "ClientUnavailable") return
      assert.include(["package", "platform", "library", "cluster-file"], error.reason)
      assert.match(error.hint, /install|cluster file/i)
      assert.include(error.message, error.hint)
    }))
})

describe("NativeDatabase.layerConfig", () => {
  const configured = NativeDatabase.layerConfig({
    clusterFile: Config.NonEmptyString("CLUSTER_FILE"),
    connectTimeout: Config.withDefault(Config.Duration("CONNECT_TIMEOUT"), undefined),
    tenant: Config.withDefault(Config.String("TENANT"), undefined),
    network: { tls: { caPath: Config.withDefault(Config.String("CA_FILE"), undefined) } }
  })
  const failureWith = (env: Record<string, string>) =>
    Effect.flip(
      Effect.scoped(Layer.build(Layer.provide(configured, ConfigProvider.layer(ConfigProvider.fromEnv({ env })))))
    )

  it.live("opens the cluster that the environment names", () =>
    Effect.gen(function*() {
      const error = yield* failureWith({ CLUSTER_FILE: `/${"x".repeat(1023)}` })
      assert.isTrue(error._tag === "ClientUnavailable" && error.reason === "cluster-file")
    }))

  it.live("takes all options from the environment", () =>
    Effect.gen(function*() {
      const error = yield* failureWith({ CLUSTER_FILE: "/fdb.cluster", TENANT: "mail" })
      assert.isTrue(error._tag === "ClientUnavailable" && error.reason === "tenant")
      assert.include(error.message, "mail")
    }))

  it.live("fails with ConfigError where an option is missing or not valid, and names it", () =>
    Effect.gen(function*() {
      for (
        const [env, name] of [
          [{}, "CLUSTER_FILE"],
          [{ CLUSTER_FILE: "" }, "CLUSTER_FILE"],
          [{ CLUSTER_FILE: "/fdb.cluster", CONNECT_TIMEOUT: "soon" }, "CONNECT_TIMEOUT"]
        ] as ReadonlyArray<readonly [Record<string, string>, string]>
      ) {
        const error = yield* failureWith(env)
        assert.strictEqual(error._tag, "ConfigError")
        assert.include(error.message, name)
      }
    }))
})
