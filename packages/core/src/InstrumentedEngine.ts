/**
 * Counts the requests to an engine and adds latency, to test how many round trips an operation needs.
 *
 * Under a test clock, the elapsed time gives the number of sequential round trips: reads in parallel cost their latency once.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { AttemptOptions, Committed, Engine, EngineTransaction } from "./Engine.ts"
import * as FdbError from "./FdbError.ts"

type FdbError = FdbError.FdbError

/**
 * The requests to an engine since it was made or reset.
 *
 * @since 0.1.0
 * @category models
 */
export interface Counts {
  /** Fetched read versions: one for each transaction that reads and has not set it. */
  readonly readVersions: number
  /** Reads of values, keys and pages, and watches. Each key of `getAll` counts, and so do reads of own writes. */
  readonly reads: number
  /** Commits that succeeded and wrote. */
  readonly commits: number
  /** Commits that succeeded and wrote nothing, which need no round trip. */
  readonly readOnlyCommits: number
  /** Commits that failed with 1020. */
  readonly conflicts: number
}

/**
 * The latency of each kind of round trip; zero unless set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Latencies {
  readonly readVersion?: Duration.Input | undefined
  readonly read?: Duration.Input | undefined
  /** Half of it passes before the commit takes effect, half afterwards. */
  readonly commit?: Duration.Input | undefined
}

/**
 * An engine and the counts of its use.
 *
 * @since 0.1.0
 * @category models
 */
export interface InstrumentedEngine {
  readonly engine: Engine
  readonly counts: Effect.Effect<Counts>
  /** Sets all counts to zero. */
  readonly reset: Effect.Effect<void>
}

const none: Counts = { readVersions: 0, reads: 0, commits: 0, readOnlyCommits: 0, conflicts: 0 }

const toNanos = (latency: Duration.Input | undefined): bigint =>
  latency === undefined ? 0n : Duration.toNanosUnsafe(Duration.fromInputUnsafe(latency))

const nanosPerMilli = 1_000_000

/**
 * Decorates an engine. Latencies pass on the `Clock` of the fiber that waits, and count towards the attempt's timeout.
 *
 * **Example**
 *
 * ```ts
 * import { Database, InstrumentedEngine, MemoryDatabase } from "@effect-fdb/core"
 * import { Effect } from "effect"
 *
 * export const slowDatabase = Effect.map(MemoryDatabase.makeEngine, (engine) =>
 *   Database.fromEngine(InstrumentedEngine.make(engine, { commit: "5 millis" }).engine))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (decorated: Engine, latencies: Latencies = {}): InstrumentedEngine => {
  const readVersionNanos = toNanos(latencies.readVersion)
  const readNanos = toNanos(latencies.read)
  const commitNanos = toNanos(latencies.commit)
  let counts = none
  const count = (kind: keyof Counts, by = 1): void => {
    counts = { ...counts, [kind]: counts[kind] + by }
  }

  const begin = (options: AttemptOptions): EngineTransaction => {
    const transaction = decorated.begin(options)
    let begun: bigint | undefined
    /** The arrival of the read version on the monotonic clock. */
    let versionAt: bigint | undefined
    let wrote = false

    /** Waits until `instant`, or until the attempt's time is up. */
    const waitUntil = (instant: bigint, now: bigint, phase: FdbError.Phase): Effect.Effect<void, FdbError> => {
      const deadline = begun! + BigInt(Math.round(Math.min(options.timeoutMillis * nanosPerMilli, 2 ** 62)))
      if (instant <= now) return Effect.void
      return instant <= deadline
        ? Effect.sleep(Duration.nanos(instant - now))
        : Effect.andThen(
          Effect.sleep(Duration.nanos(deadline > now ? deadline - now : 0n)),
          Effect.fail(FdbError.make(FdbError.codes.transactionTimedOut, phase))
        )
    }

    const timed = <A>(use: (now: bigint) => Effect.Effect<A, FdbError>): Effect.Effect<A, FdbError> =>
      Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
        begun ??= now
        return use(now)
      })

    /** The earliest instant of a read, which needs the read version. */
    const needVersion = (now: bigint): bigint => {
      if (versionAt === undefined) {
        count("readVersions")
        versionAt = now + readVersionNanos
      }
      return versionAt > now ? versionAt : now
    }

    // The request goes to the engine at once and only the answer is delayed, so that it does not see later mutations.
    const read = <A>(ask: () => Effect.Effect<A, FdbError>, keys = 1): Effect.Effect<A, FdbError> =>
      timed((now) => {
        const instant = needVersion(now) + readNanos
        count("reads", keys)
        return Effect.flatMap(Effect.exit(ask()), (exit) => Effect.andThen(waitUntil(instant, now, "read"), exit))
      })

    const countCommit = Effect.tapError(
      Effect.tap(
        transaction.commit,
        (committed) => Effect.sync(() => count(committed.version === -1n ? "readOnlyCommits" : "commits"))
      ),
      (error) =>
        Effect.sync(() => {
          if (error.code === FdbError.codes.notCommitted) count("conflicts")
        })
    )

    const commit: Effect.Effect<Committed, FdbError> = timed((now) => {
      if (!wrote || commitNanos === 0n) return countCommit
      const arrival = now + commitNanos / 2n
      return Effect.andThen(
        waitUntil(arrival, now, "commit"),
        Effect.flatMap(
          Effect.exit(countCommit),
          (exit) => Effect.andThen(timed((later) => waitUntil(later + commitNanos / 2n, later, "commit")), exit)
        )
      )
    })

    return {
      readVersion: timed((now) => {
        const instant = needVersion(now)
        return Effect.flatMap(
          Effect.exit(transaction.readVersion),
          (exit) => Effect.andThen(waitUntil(instant, now, "read"), exit)
        )
      }),
      setReadVersion: (version) =>
        Effect.tap(
          transaction.setReadVersion(version),
          () => timed((now) => Effect.sync(() => void (versionAt = now)))
        ),
      get: (key, snapshot) => read(() => transaction.get(key, snapshot)),
      getAll: (keys, snapshot) => read(() => transaction.getAll(keys, snapshot), keys.length),
      getKey: (selector, snapshot) => read(() => transaction.getKey(selector, snapshot)),
      getPage: (from, to, page) => read(() => transaction.getPage(from, to, page)),
      mutate: (mutation) => {
        wrote = true
        transaction.mutate(mutation)
      },
      addReadConflict: transaction.addReadConflict,
      addWriteConflict: (range) => {
        wrote = true
        transaction.addWriteConflict(range)
      },
      watch: (key) => read(() => transaction.watch(key)),
      requestVersionstamp: transaction.requestVersionstamp,
      commit,
      dispose: transaction.dispose
    }
  }

  return {
    engine: { ...decorated, begin },
    counts: Effect.sync(() => counts),
    reset: Effect.sync(() => void (counts = none))
  }
}
