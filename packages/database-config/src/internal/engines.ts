/** The engines. A new engine is a package and an entry here. */
import { type Database, MemoryDatabase } from "@effect-fdb/core"
import * as Config from "effect/Config"
import type * as Layer from "effect/Layer"

/** What an engine fails with when it opens its database. Its message says what to do. */
export interface OpenError extends Error {
  readonly _tag: string
}

interface Engine<Options> {
  /** The npm packages that it needs. */
  readonly packages: string
  /** Its options, from the environment. */
  readonly config: Config.Config<Options>
  /** Loads its package. */
  readonly load: () => Promise<(options: Options) => Layer.Layer<Database, OpenError>>
}

const define = <Options>(engine: Engine<Options>): Engine<Options> => engine

/**
 * A variable of the environment; `undefined` where it is unset or empty.
 *
 * @since 0.1.0
 * @category configuration
 */
export const variable = (name: string): Config.Config<string | undefined> =>
  Config.orElse(Config.NonEmptyString(name), () => Config.succeed(undefined))

/** A variable that has to have one of these values, where it is set. */
export const oneOf = <const Values extends ReadonlyArray<string>>(name: string, values: Values) =>
  Config.flatMap(
    variable(name),
    (value): Config.Config<Values[number] | undefined> =>
      value === undefined ? Config.succeed(undefined) : Config.Literals(values, name)
  )

/** The options of an LMDB database. */
export interface LmdbOptions {
  /** The database's directory. */
  readonly path: string
  /** What a commit survives; `disk` unless set. See `LmdbDatabase.Options`. */
  readonly durability?: "disk" | "process" | undefined
  /** Who may use a database that is made here; `owner` unless set. See `LmdbDatabase.Options`. */
  readonly access?: "owner" | "group" | undefined
}

/** The options of a FoundationDB database. */
export interface FdbOptions {
  /** The cluster file; unless set, the client's default. */
  readonly clusterFile?: string | undefined
}

export const engines = {
  memory: define<{}>({
    packages: "@effect-fdb/core",
    config: Config.succeed({}),
    load: () => Promise.resolve(() => MemoryDatabase.layer)
  }),
  lmdb: define<LmdbOptions>({
    packages: "@effect-fdb/lmdb",
    config: Config.all({
      path: Config.NonEmptyString("FDB_ELECTION_PATH"),
      access: oneOf("FDB_ELECTION_ACCESS", ["owner", "group"])
    }),
    load: () => import("@effect-fdb/lmdb").then(({ LmdbDatabase }) => LmdbDatabase.layer)
  }),
  fdb: define<FdbOptions>({
    packages: "@effect-fdb/native foundationdb",
    config: Config.all({ clusterFile: variable("FDB_CLUSTER_FILE") }),
    load: () => import("@effect-fdb/native").then(({ NativeDatabase }) => NativeDatabase.layer)
  })
}
