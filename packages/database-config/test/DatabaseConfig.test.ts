import { Bytes, Database, Transaction } from "@effect-fdb/core"
import { DatabaseConfig, type EngineUnavailable } from "@effect-fdb/database-config"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { vi } from "vitest"

const key = Bytes.fromString("key")
const set = Database.transact(Transaction.use((tx) => tx.set(key, key)))
const get = Database.transact(Transaction.use((tx) => tx.get(key)))

const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-config-"))),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
)

type Env = Record<string, string>

const configOf = (env: Env) => DatabaseConfig.config.parse(ConfigProvider.fromEnv({ env }))

const withEnv = <A, E, R>(layer: Layer.Layer<A, E, R>, env: Env) =>
  Layer.provide(layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env })))

const failureOf = <A, E>(layer: Layer.Layer<A, E>) => Effect.flip(Effect.scoped(Layer.build(layer)))

describe("DatabaseConfig.config", () => {
  it.effect("reads the engine and its options from the command's variables", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [Env, DatabaseConfig.Store]> = [
        [{ FDB_ELECTION_ENGINE: "memory" }, { engine: "memory" }],
        [{ FDB_ELECTION_PATH: "/a" }, { engine: "lmdb", path: "/a", access: undefined, witness: undefined }],
        [{ FDB_ELECTION_ENGINE: "", FDB_ELECTION_PATH: "/a", FDB_ELECTION_ACCESS: "group" }, {
          engine: "lmdb",
          path: "/a",
          access: "group",
          witness: undefined
        }],
        [{ FDB_ELECTION_ENGINE: "fdb" }, { engine: "fdb", clusterFile: undefined, witness: undefined }],
        [{ FDB_ELECTION_ENGINE: "fdb", FDB_CLUSTER_FILE: "" }, {
          engine: "fdb",
          clusterFile: undefined,
          witness: undefined
        }],
        [{ FDB_ELECTION_ENGINE: "fdb", FDB_CLUSTER_FILE: "/c", FDB_ELECTION_PATH: "/a" }, {
          engine: "fdb",
          clusterFile: "/c",
          witness: undefined
        }],
        [{ FDB_ELECTION_ENGINE: "fdb", FDB_ELECTION_WITNESS: "/w" }, {
          engine: "fdb",
          clusterFile: undefined,
          witness: "/w"
        }],
        [{ FDB_ELECTION_PATH: "/a", FDB_ELECTION_WITNESS: "off" }, {
          engine: "lmdb",
          path: "/a",
          access: undefined,
          witness: "off"
        }]
      ]
      for (const [env, store] of cases) assert.deepStrictEqual(yield* configOf(env), store)
    }))

  it.effect("fails with ConfigError that names the variable which is missing or not valid", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [Env, string]> = [
        [{}, "FDB_ELECTION_PATH"],
        [{ FDB_ELECTION_PATH: "" }, "FDB_ELECTION_PATH"],
        [{ FDB_ELECTION_ENGINE: "redis" }, "FDB_ELECTION_ENGINE"],
        [{ FDB_ELECTION_ENGINE: "toString" }, "FDB_ELECTION_ENGINE"],
        [{ FDB_ELECTION_PATH: "/a", FDB_ELECTION_ACCESS: "everybody" }, "FDB_ELECTION_ACCESS"]
      ]
      for (const [env, name] of cases) {
        const error = yield* Effect.flip(configOf(env))
        assert.strictEqual(error._tag, "ConfigError")
        assert.include(error.message, name)
      }
    }))
})

describe("DatabaseConfig.layer", () => {
  it.live("opens the LMDB database that the environment names", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const layer = withEnv(DatabaseConfig.layer, { FDB_ELECTION_PATH: directory })
      yield* Effect.provide(set, layer, { local: true })
      const found = yield* Effect.provide(get, LmdbDatabase.layer({ path: directory }), { local: true })
      assert.deepStrictEqual(found, key)
    }))

  it.live("opens a database in memory", () =>
    Effect.gen(function*() {
      const layer = withEnv(DatabaseConfig.layer, { FDB_ELECTION_ENGINE: "memory" })
      assert.deepStrictEqual(yield* Effect.provide(Effect.andThen(set, get), layer), key)
    }))

  it.live("passes on what an engine fails with, whose message says what to do", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const lmdb = yield* failureOf(
        withEnv(DatabaseConfig.layer, { FDB_ELECTION_PATH: path.join(directory, "a", "b") })
      )
      assert.strictEqual(lmdb._tag, "CannotOpen")
      assert.match(lmdb.message, /Create the parent directory/)
      const fdb = yield* failureOf(
        withEnv(DatabaseConfig.layer, { FDB_ELECTION_ENGINE: "fdb", FDB_CLUSTER_FILE: "/nonexistent/fdb.cluster" })
      )
      assert.strictEqual(fdb._tag, "ClientUnavailable")
    }))

  it("tells in its type how it fails", () => {
    expectTypeOf(DatabaseConfig.layer).toEqualTypeOf<
      Layer.Layer<Database, EngineUnavailable | DatabaseConfig.OpenError | Config.ConfigError>
    >()
    expectTypeOf<Extract<DatabaseConfig.Store, { engine: "lmdb" }>["path"]>().toEqualTypeOf<string>()
  })
})

describe("DatabaseConfig.layerConfig", () => {
  it.live("takes variables of other names", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const own = Config.map(
        Config.String("MAIL_STORE"),
        (path): DatabaseConfig.Store => ({ engine: "lmdb", path, durability: "process" })
      )
      yield* Effect.provide(set, withEnv(DatabaseConfig.layerConfig(own), { MAIL_STORE: directory }))
      const nested = DatabaseConfig.layerConfig(Config.nested(DatabaseConfig.config, "MAIL"))
      const layer = withEnv(nested, { MAIL_FDB_ELECTION_ENGINE: "lmdb", MAIL_FDB_ELECTION_PATH: directory })
      assert.deepStrictEqual(yield* Effect.provide(get, layer), key)
    }))
})

describe("an engine whose package is not installed", () => {
  it.live("fails with EngineUnavailable, which says what to install, when its layer is built", () =>
    Effect.gen(function*() {
      for (
        const [store, name] of [
          [{ engine: "lmdb", path: "/a" }, "@effect-fdb/lmdb"],
          [{ engine: "fdb" }, "@effect-fdb/native"]
        ] as const
      ) {
        vi.resetModules()
        vi.doMock(name, () => {
          throw Object.assign(new Error(`Cannot find package '${name}'`), { code: "ERR_MODULE_NOT_FOUND" })
        })
        yield* Effect.addFinalizer(() => Effect.sync(() => vi.doUnmock(name)))
        const fresh = yield* Effect.promise(() => import("@effect-fdb/database-config"))
        const error = yield* failureOf(fresh.DatabaseConfig.open(store))
        assert.strictEqual(error._tag, "EngineUnavailable")
        assert.include(error.message, `npm install ${name}`)
      }
    }))
})
