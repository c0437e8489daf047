/**
 * The `Database` service on the engine that the environment names: the same program runs in memory, on LMDB and on FoundationDB. A
 * layer loads its engine's package when it is built, so only the package of the used engine must be installed.
 *
 * | variable              | meaning                                                                     |
 * | --------------------- | --------------------------------------------------------------------------- |
 * | `FDB_ELECTION_ENGINE` | `memory`, `lmdb` or `fdb`; `lmdb` unless set                                |
 * | `FDB_ELECTION_PATH`   | LMDB's directory; required for `lmdb`                                       |
 * | `FDB_ELECTION_ACCESS` | who may use a new LMDB database: `owner` (the default) or `group`           |
 * | `FDB_CLUSTER_FILE`    | FoundationDB's cluster file; the client's default unless set                |
 * | `FDB_ELECTION_WITNESS`| the directory of the witnesses of this host, or `off`; see `@effect-fdb/witness` |
 *
 * The command `fdb-election` reads the same variables, but does not accept `memory`.
 */
import type { Database } from "@effect-fdb/core"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { EngineUnavailable } from "./EngineUnavailable.ts"
import type { EngineDefinition, EngineName, LaggingReader, OpenError, Store } from "./internal/engines.ts"
import { configOf, engines, optional } from "./internal/engines.ts"

export type * from "./internal/engines.ts"
export { variable } from "./internal/engines.ts"

/**
 * The names of all engines.
 *
 * @since 0.1.0
 * @category models
 */
export const engineNames = Object.keys(engines) as ReadonlyArray<EngineName>

/**
 * The definition of an engine: its settings and the texts for its databases.
 *
 * @since 0.1.0
 * @category models
 */
export const engineOf = (name: EngineName): EngineDefinition<Store> => engines[name] as EngineDefinition<unknown>

/**
 * The variable that names the engine.
 *
 * @since 0.1.0
 * @category configuration
 */
export const engineVariable = "FDB_ELECTION_ENGINE"

/**
 * The database that the environment names; see the module for the variables.
 *
 * @since 0.1.0
 * @category configuration
 */
export const config: Config.Config<Store> = optional(engineVariable, engineNames).pipe(
  Config.flatMap((engine = "lmdb") =>
    Config.map(configOf(engines[engine as EngineName]), (options) => ({ engine, ...options }) as Store)
  )
)

const load = ({ engine }: Store) => {
  const { load, packages } = engineOf(engine)
  return Effect.tryPromise({
    try: load,
    catch: (cause) => new EngineUnavailable({ engine, packages, detail: String(cause) })
  })
}

/**
 * The `Database` service on a store; also `Witness`, on LMDB and where a directory of witnesses is set. It fails with {@link EngineUnavailable} if the engine's package is not installed, or with the
 * engine's own errors. The messages say what to do.
 *
 * @example const DatabaseLayer = DatabaseConfig.open({ engine: "lmdb", path: "/var/lib/app/store" })
 * @since 0.1.0
 * @category layers
 */
export const open = (store: Store): Layer.Layer<Database, EngineUnavailable | OpenError> =>
  Layer.unwrap(Effect.map(load(store), ({ layer }) => layer(store)))

/**
 * The processes whose reads of an old state keep a database from reusing space. Empty for engines without such readers.
 *
 * @since 0.1.0
 * @category operations
 */
export const laggingReaders = (
  store: Store
): Effect.Effect<ReadonlyArray<LaggingReader>, EngineUnavailable | OpenError> =>
  Effect.flatMap(load(store), ({ laggingReaders }) => laggingReaders?.(store) ?? Effect.succeed([]))

/**
 * The `Database` service on the store that a config names. The example reads `MAIL_FDB_ELECTION_ENGINE` and so on.
 *
 * @example const MailDatabase = DatabaseConfig.layerConfig(Config.nested(DatabaseConfig.config, "MAIL"))
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  store: Config.Config<Store>
): Layer.Layer<Database, EngineUnavailable | OpenError | Config.ConfigError> => Layer.unwrap(Effect.map(store, open))

/**
 * The `Database` service on the engine that the environment names; see the module for the variables.
 *
 * @example const main = Effect.provide(Database.transact(Transaction), DatabaseConfig.layer)
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Database, EngineUnavailable | OpenError | Config.ConfigError> = layerConfig(config)
