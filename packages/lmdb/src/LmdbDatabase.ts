/**
 * The engine on LMDB: FoundationDB's semantics among the processes of one host. All processes that open the same directory share
 * one database. What they commit survives them, and each other's death at any instant.
 */
import { Database, type DatabaseService, type FdbError, OptimisticEngine } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as path from "node:path"
import { type Durability, toFdbError } from "./internal/environment.ts"
import { maxKeyLength } from "./internal/layout.ts"
import { Limits } from "./internal/limits.ts"
import * as openEnvironments from "./internal/openEnvironments.ts"
import type { Access } from "./internal/permissions.ts"
import * as lmdbStore from "./internal/store.ts"
import { maxWaitMillis } from "./internal/writesAtExit.ts"
import type { LmdbError } from "./LmdbError.ts"

/** Where the database is, and how it is kept. */
export interface Options {
  /**
   * The directory of the database, its own. Its last part is created if it is missing, the parent has to be there. It has
   * to be on a file system of this host: LMDB does not work over a network.
   */
  readonly path: string
  /**
   * What a commit that has been acknowledged survives. `disk` unless set.
   *
   * - `disk`: the death of processes, of the operating system and a power failure. A commit waits until the disk has it.
   * - `process`: the death of processes. Commits are several times faster; but when the operating system dies, or the
   *   power fails, the last ones may be lost and the database damaged. For tests and what can be built anew.
   *
   * The layers of one process that share a path have to agree; processes may differ.
   */
  readonly durability?: Durability | undefined
  /**
   * Who may use a database that is made here. `owner` unless set.
   *
   * - `owner`: this user. The directory has mode 0700, its files 0600.
   * - `group`: the group of this process, or of the directory's parent where that passes its group on (setgid). The directory
   *   has mode 2770, its files 0660.
   *
   * The umask makes no difference. A directory that is there keeps its mode, and a database that is there its files' modes; they
   * are changed with `chmod`.
   */
  readonly access?: Access | undefined
  /** How many watches may be set at a time in this layer; 10,000 unless set. */
  readonly maxWatches?: number | undefined
}

/** How long closing waits for commits under way; a stopped process may have the lock for ever. */
const drainTimeout = Duration.millis(maxWaitMillis)

const acquire = ({ access = "owner", durability = "disk", ...options }: Options) =>
  // Resolved now: the working directory may be another one later.
  openEnvironments.acquire(path.resolve(options.path), { durability, access })

const every = (interval: Duration.Input, run: () => void) =>
  Effect.sync(run).pipe(
    Effect.andThen(Effect.sleep(interval)),
    Effect.forever,
    Effect.forkScoped({ startImmediately: true })
  )

/**
 * An engine, to be decorated before `Database.fromEngine` makes a database of it. Closing the scope ends its watches,
 * waits for the commits under way, and closes the database if nobody else in this process uses it.
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

/** A process that reads what is not the newest state any more. */
export interface LaggingReader {
  readonly pid: number
  /** `unknown` where the operating system does not tell, or the process is one of another container. */
  readonly state: "running" | "stopped" | "unknown"
  /** How many commits have come since the state that it reads; those that were written together count as one. */
  readonly commitsBehind: number
}

/** What comes and goes within this is nothing to be told. */
const passing = "100 millis"

const stateOf = (pid: number): LaggingReader["state"] => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
    // The name of the program, in parentheses, may hold anything.
    return /^[Tt]$/.test(stat.charAt(stat.lastIndexOf(")") + 2)) ? "stopped" : "running"
  } catch {
    return "unknown"
  }
}

/**
 * The processes that read a state which is not the newest, and have done so for a while.
 *
 * **Details**
 *
 * LMDB uses no page again that a reader may still see; so beside one, the file grows with every commit. Readers end within
 * five seconds, but for those of a process that is stopped, or whose event loop is blocked. The file stays as large as it was.
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
    yield* Effect.sleep(passing)
    const known = new Set(first.map(({ key }) => key))
    return (yield* lagging).filter(({ key }) => known.has(key))
      .map(({ behind, pid }) => ({ pid, state: stateOf(pid), commitsBehind: behind }))
  }))

/** The database of a directory, open until the scope is closed. */
export const make = (options: Options): Effect.Effect<DatabaseService, LmdbError, Scope.Scope> =>
  Effect.map(makeEngine(options), Database.fromEngine)

/**
 * The `Database` service on an LMDB database that all processes of this host share which open the same path.
 *
 * **Details**
 *
 * - Transactions are strictly serializable across processes. Versions and versionstamps grow across processes and restarts,
 *   whatever the wall clock does.
 * - It fails with `CannotOpen`, which tells the reason and what to do, with `LmdbUnavailable` when the npm package has no
 *   binary here, and with `WorkerThreadUnsupported` in a worker thread.
 * - Keys may have up to 1976 bytes, which is less than FoundationDB's 10,000; longer ones fail with 2102.
 * - A process that is stopped (SIGSTOP) while it has LMDB's lock, a fraction of a millisecond in each commit, keeps all others
 *   from committing until it goes on or is killed. They can read, their event loops go on, and their commits fail with 1031.
 *
 * **Example**
 *
 * ```ts
 * import { Database, Transaction } from "@effect-fdb/core"
 * import { LmdbDatabase } from "@effect-fdb/lmdb"
 * import { Effect } from "effect"
 *
 * const program = Database.transact(Effect.flatMap(Transaction, (tx) => tx.readVersion))
 *
 * export const main = Effect.provide(program, LmdbDatabase.layer({ path: "/var/lib/app/election" }))
 * ```
 */
export const layer = (options: Options): Layer.Layer<Database, LmdbError> => Layer.effect(Database, make(options))

/**
 * The `Database` service on an LMDB database whose options come from the `ConfigProvider`: the environment, unless another is
 * provided. Give a `Config` for each option, or one for all of them. An option that may be absent is
 * `Config.withDefault(…, undefined)`.
 *
 * It fails as {@link layer} does, and with `ConfigError` when an option is missing or not valid.
 *
 * **Example**
 *
 * ```ts
 * import { LmdbDatabase } from "@effect-fdb/lmdb"
 * import { Config } from "effect"
 *
 * export const DatabaseLayer = LmdbDatabase.layerConfig({ path: Config.NonEmptyString("ELECTION_PATH") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (options: Config.Wrap<Options>): Layer.Layer<Database, LmdbError | Config.ConfigError> =>
  Layer.effect(Database, Effect.flatMap(Config.unwrap(options), make))
