/** The engines. A new engine is a package and an entry here, which also gives configuration, flags and the command's messages. */
import type { Database } from "@effect-fdb/core"
import * as Config from "effect/Config"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Record from "effect/Record"
import * as fs from "node:fs"
import * as path from "node:path"

/** An engine's error when it opens its database. The message says what to do. */
export interface OpenError extends Error {
  readonly _tag: string
}

/** A process whose read transaction keeps an engine from reusing space. */
export interface LaggingReader {
  readonly pid: number
  readonly state: "running" | "stopped" | "unknown"
  readonly commitsBehind: number
}

/** An option, set by a variable of the environment or by a flag of the command. */
export interface Setting {
  readonly variable: string
  readonly flag: string
  readonly metavar: string
  readonly description: string
  readonly isRequired?: true
  /** All values, if the option is an enumeration. */
  readonly values?: ReadonlyArray<string>
}

/** What an engine is called, which settings it has, and how its databases are found and opened. */
export interface EngineDefinition<Options> {
  readonly title: string
  /** The npm packages that it needs. */
  readonly packages: string
  /** Whether other processes see its databases. */
  readonly isShared: boolean
  readonly settings: { readonly [Key in keyof Options]?: Setting }
  /** The text for a database. */
  readonly describe: (options: Options) => string
  /** Whether the database exists, as far as this is known before it is opened. */
  readonly exists: (options: Options) => boolean
  /** Identifies a database independently of its path. Throws if the database cannot be read. */
  readonly identity: (options: Options) => string
  readonly load: () => Promise<{
    readonly layer: (options: Options) => Layer.Layer<Database, OpenError>
    readonly laggingReaders?: (options: Options) => Effect.Effect<ReadonlyArray<LaggingReader>, OpenError>
  }>
}

/**
 * A variable of the environment; `undefined` if it is unset or empty.
 *
 * @since 0.1.0
 * @category configuration
 */
export const variable = (name: string): Config.Config<string | undefined> =>
  Config.orElse(Config.NonEmptyString(name), () => Config.succeed(undefined))

/** An optional variable; with `values`, one of these. */
export const optional = (name: string, values?: ReadonlyArray<string>): Config.Config<string | undefined> =>
  Config.flatMap(
    variable(name),
    (value) => value === undefined || values === undefined ? Config.succeed(value) : Config.Literals(values, name)
  )

export const configOf = ({ settings }: { readonly settings: { readonly [key: string]: Setting } }) =>
  Config.all(
    Record.map(settings, ({ isRequired, values, variable }) =>
      isRequired ? Config.NonEmptyString(variable) : optional(variable, values))
  )

export interface LmdbOptions {
  /** The database's directory. */
  readonly path: string
  /** See `LmdbDatabase.Options`; `disk` unless set. */
  readonly durability?: "disk" | "process" | undefined
  /** See `LmdbDatabase.Options`; `owner` unless set. */
  readonly access?: "owner" | "group" | undefined
  /** See `LmdbDatabase.Options`; `true` unless set. The text `off` is `false`. */
  readonly witness?: boolean | string | undefined
}

export interface FdbOptions {
  /** The cluster file; unless set, the client's default. */
  readonly clusterFile?: string | undefined
  /** The directory in which the processes of this host witness each other's end; nobody does unless it is set. */
  readonly witness?: string | undefined
}

const witness = {
  variable: "FDB_ELECTION_WITNESS",
  flag: "witness",
  metavar: "DIR",
  description: "A directory of this host, in which its processes witness each other's end; or FDB_ELECTION_WITNESS; " +
    "unless set, LMDB's own, and none with FoundationDB; \"off\" for none"
}

const off = "off"

interface OptionsOf {
  readonly memory: {}
  readonly lmdb: LmdbOptions
  readonly fdb: FdbOptions
}

/**
 * The name of an engine.
 *
 * @since 0.1.0
 * @category models
 */
export type EngineName = keyof OptionsOf

/**
 * A database, as plain data: the name of an engine and the engine's options.
 *
 * @since 0.1.0
 * @category models
 */
export type Store = { readonly [Name in EngineName]: { readonly engine: Name } & OptionsOf[Name] }[EngineName]

export const engines: { readonly [Name in EngineName]: EngineDefinition<OptionsOf[Name]> } = {
  memory: {
    title: "memory",
    packages: "@effect-fdb/core",
    isShared: false,
    settings: {},
    describe: () => "the memory of this process",
    exists: () => true,
    identity: () => "",
    load: () => import("@effect-fdb/core/MemoryDatabase").then(({ layer }) => ({ layer: () => layer }))
  },
  lmdb: {
    title: "LMDB",
    packages: "@effect-fdb/lmdb",
    isShared: true,
    settings: {
      path: {
        variable: "FDB_ELECTION_PATH",
        flag: "path",
        metavar: "DIR",
        description: "LMDB's directory; or FDB_ELECTION_PATH; ~/.local/state/fdb-election (XDG_STATE_HOME) by default",
        isRequired: true
      },
      access: {
        variable: "FDB_ELECTION_ACCESS",
        flag: "access",
        metavar: "owner|group",
        description:
          "Access to a new LMDB store: its user alone, or its group too; or FDB_ELECTION_ACCESS; owner by default",
        values: ["owner", "group"]
      },
      witness
    },
    describe: (options) => `the LMDB store ${options.path}`,
    exists: (options) => {
      try {
        fs.statSync(path.join(options.path, "data.mdb"))
        return true
      } catch (cause) {
        // `load` reports every other problem.
        return (cause as NodeJS.ErrnoException).code !== "ENOENT"
      }
    },
    identity: (options) => {
      const { dev, ino } = fs.statSync(options.path)
      return `${dev}:${ino}`
    },
    load: async () => {
      const { LmdbDatabase } = await import("@effect-fdb/lmdb")
      return {
        ...LmdbDatabase,
        layer: (options) => LmdbDatabase.layer(options.witness === off ? { ...options, witness: false } : options)
      }
    }
  },
  fdb: {
    title: "FoundationDB",
    packages: "@effect-fdb/native foundationdb",
    isShared: true,
    settings: {
      clusterFile: {
        variable: "FDB_CLUSTER_FILE",
        flag: "cluster-file",
        metavar: "FILE",
        description: "FoundationDB's cluster file; or FDB_CLUSTER_FILE; the client's default unless set"
      },
      witness
    },
    describe: ({ clusterFile }) => `the FoundationDB cluster${clusterFile === undefined ? "" : ` of ${clusterFile}`}`,
    exists: () => true,
    // The coordinators behind the @ may change; the description and the id do not.
    identity: ({ clusterFile = "/etc/foundationdb/fdb.cluster" }) =>
      /^[^#\n]*@/m.exec(fs.readFileSync(clusterFile, "utf8"))?.[0] ?? clusterFile,
    load: async () => {
      const [{ NativeDatabase }, { Witness }] = await Promise.all([
        import("@effect-fdb/native"),
        import("@effect-fdb/witness")
      ])
      return {
        layer: ({ witness, ...options }) => {
          const layer = NativeDatabase.layer(options)
          return witness === undefined || witness === off
            ? layer
            : Layer.merge(layer, Witness.layer({ directory: witness }))
        }
      }
    }
  }
}
