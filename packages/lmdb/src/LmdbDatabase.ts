/**
 * The LMDB engine: FoundationDB's semantics for the processes of one host. All processes that open the same directory share one
 * database. Commits survive the death of any of these processes at any instant.
 */
import {
  Database,
  type DatabaseService,
  type FdbError,
  OptimisticEngine,
  Witness as Service,
  type WitnessService
} from "@effect-fdb/core"
import { Witness, type WitnessUnavailable } from "@effect-fdb/witness"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Durability } from "./internal/durability.ts"
import { toFdbError } from "./internal/environment.ts"
import { maxKeyLength } from "./internal/layout.ts"
import { Limits } from "./internal/limits.ts"
import type { Access } from "./internal/permissions.ts"
import * as sharedEnvironments from "./internal/sharedEnvironments.ts"
import * as lmdbStore from "./internal/store.ts"
import { maxWaitMillis } from "./internal/writesAtExit.ts"
import type { LmdbError } from "./LmdbError.ts"

/**
 * The location of the database and how it is stored.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The directory of the database. It holds nothing but the engine's files. The engine creates it; its parent must exist. It must be on a file
   * system of this host: LMDB does not work over a network.
   */
  readonly path: string
  /**
   * What an acknowledged commit survives. `disk` (the default): the death of processes or of the operating system, and a power
   * failure. `process`: the death of processes; commits are several times faster, but a power failure may damage the database.
   *
   * All layers of one process that share a path must use the same value; processes may differ.
   */
  readonly durability?: Durability | undefined
  /**
   * Who may use a database that this layer creates, whatever the umask. `owner` (the default): this user (modes 0700 and 0600).
   * `group`: the group of this process, or of the parent directory if that has the setgid bit (modes 2770 and 0660).
   */
  readonly access?: Access | undefined
  /**
   * Whether the candidates of this process witness the end of the other processes of the database, and these its own: a leader that
   * dies as a process is succeeded in milliseconds. `true` (the default): by sockets in the directory `witness` of the database, if
   * they can be had there (not if the path is long or belongs to another user; a debug message says so). The path of a directory:
   * by sockets there, or the layer fails with `WitnessUnavailable`. `false`: the lease decides about every process.
   */
  readonly witness?: boolean | string | undefined
  /** The maximum number of watches at a time in this layer; 10,000 unless set. */
  readonly maxWatches?: number | undefined
}

/** The directory of the witnesses in that of the database. */
const witnessDirectory = "witness"

/** How long `close` waits for the commits under way. The limit exists because a stopped process may hold the lock for ever. */
const drainTimeout = Duration.millis(maxWaitMillis)

const acquire = ({ access = "owner", durability = "disk", ...options }: Options) =>
  sharedEnvironments.acquire(path.resolve(options.path), { durability, access })

const every = (interval: Duration.Input, run: () => void) =>
  Effect.sync(run).pipe(
    Effect.andThen(Effect.sleep(interval)),
    Effect.forever,
    Effect.forkScoped({ startImmediately: true })
  )

/**
 * An engine that you can decorate before you pass it to `Database.fromEngine`. When the scope closes, the engine ends its watches,
 * waits for the commits under way, and closes the database if no other layer of this process uses it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeEngine = Effect.fnUntraced(
  function*(options: Options): Effect.fn.Return<OptimisticEngine.OptimisticEngine, LmdbError, Scope.Scope> {
    const clock = yield* Clock.Clock
    const limits = yield* Limits
    const environment = yield* acquire(options)
    const store = yield* Effect.acquireRelease(
      Effect.sync(() => lmdbStore.make(environment, clock, limits)),
      (store) => Effect.timeoutOption(Effect.interruptible(store.close), drainTimeout)
    )
    yield* Effect.forkScoped(Effect.forever(store.closeOldSnapshots))
    yield* every("30 seconds", () => environment.freeReaders())
    yield* every("1 hour", () => environment.touch())
    return OptimisticEngine.make({ name: "lmdb", store, clock, maxKeyLength, maxWatches: options.maxWatches })
  }
)

/**
 * A process that reads an old state of the database.
 *
 * @since 0.1.0
 * @category models
 */
export interface LaggingReader {
  readonly pid: number
  /** `unknown` if the operating system does not report it, or the process belongs to another container. */
  readonly state: "running" | "stopped" | "unknown"
  /** The number of commits since the state that it reads; commits of one batch count as one. */
  readonly commitsBehind: number
}

const stateOf = (pid: number): LaggingReader["state"] => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
    // The name of the program stands in parentheses and may contain any character.
    return /^[Tt]$/.test(stat.charAt(stat.lastIndexOf(")") + 2)) ? "stopped" : "running"
  } catch {
    return "unknown"
  }
}

/**
 * The processes that have read an old state for 100 milliseconds or longer. While there is one, LMDB cannot reuse pages, so the
 * file grows with every commit. Readers end within five seconds, unless their process is stopped or its event loop is blocked.
 *
 * @since 0.1.0
 * @category operations
 */
export const laggingReaders = (
  options: Options
): Effect.Effect<ReadonlyArray<LaggingReader>, LmdbError | FdbError> =>
  Effect.scoped(Effect.gen(function*() {
    const environment = yield* acquire(options)
    const lagging = Effect.try({
      try: () => environment.laggingReads(),
      catch: (cause) => toFdbError(cause, "read")
    })
    const first = yield* lagging
    if (first.length === 0) return []
    yield* Effect.sleep("100 millis")
    const known = new Set(first.map(({ key }) => key))
    return (yield* lagging).filter(({ key }) => known.has(key))
      .map(({ behind, pid }) => ({ pid, state: stateOf(pid), commitsBehind: behind }))
  }))

/**
 * The database of a directory, open until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<DatabaseService, LmdbError, Scope.Scope> =>
  Effect.map(makeEngine(options), Database.fromEngine)

/** The witness of the processes of a database; one that hears and tells nothing where there can be none. */
const makeWitness = (
  { path: database, witness = true }: Options
): Effect.Effect<WitnessService, WitnessUnavailable, Scope.Scope> => {
  if (witness === false) return Effect.succeed(Witness.none)
  if (witness !== true) return Witness.make({ directory: witness })
  return Effect.suspend(() => {
    const directory = path.resolve(database)
    return fs.statSync(directory).uid === process.geteuid?.()
      ? Effect.mapError(Witness.make({ directory: path.join(directory, witnessDirectory) }), ({ message }) => message)
      : Effect.fail(`${directory} belongs to another user.`)
  }).pipe(
    Effect.catch((why) => Effect.as(Effect.logDebug(`The lease alone decides who leads. ${why}`), Witness.none))
  )
}

/**
 * The `Database` service on an LMDB database. All processes of this host that open the same path share it. It also provides `Witness`,
 * so that a leader whose process has ended is succeeded at once; see {@link Options}.
 *
 * - Transactions are strictly serializable across processes. Versions and versionstamps grow across processes and restarts,
 *   independently of the wall clock.
 * - The layer fails with `CannotOpen` (its message says why and what to do), with `LmdbUnavailable` if the npm package has no
 *   binary for this platform, and with `WorkerThreadUnsupported` in a worker thread.
 * - A key has at most 1976 bytes (FoundationDB: 10,000). Longer keys fail with 2102.
 * - Each commit holds LMDB's lock for a fraction of a millisecond. If a process is stopped (SIGSTOP) in that time, no other process
 *   can commit until it continues or is killed. The others can read, and their commits fail with 1031.
 *
 * @example const DatabaseLayer = LmdbDatabase.layer({ path: "/var/lib/app/store" })
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Database | Service, LmdbError> =>
  Layer.effectContext(Effect.gen(function*() {
    const database = yield* make(options)
    return Context.make(Database, database).pipe(Context.add(Service, yield* makeWitness(options)))
  }))

/**
 * {@link layer} with a `Config` for each option, or one for all. Write `Config.withDefault(…, undefined)` for an option that may be
 * absent. It also fails with `ConfigError`, if an option is missing or not valid.
 *
 * @example const DatabaseLayer = LmdbDatabase.layerConfig({ path: Config.NonEmptyString("ELECTION_PATH") })
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Wrap<Options>
): Layer.Layer<Database | Service, LmdbError | Config.ConfigError> =>
  Layer.unwrap(Effect.map(Config.unwrap(options), layer))
