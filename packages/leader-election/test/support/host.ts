/** Hosts of processes that share one database in memory, each with its own connection and its own wall clock. */
import { Database, type Engine, InstrumentedEngine, MemoryDatabase } from "@effect-fdb/core"
import * as FdbError from "@effect-fdb/core/FdbError"
import { Clock, type Duration, Effect } from "effect"
import { type ElectionEvent, ElectionObserver } from "../../src/index.ts"

/** How a host's connection behaves. */
export type Connection = "up" | "hangs" | { readonly failsWith: number } | { readonly commitsBut: number }

export interface Host {
  readonly database: Database["Service"]
  /** What its candidates have told. */
  readonly events: Array<ElectionEvent>
  connection: Connection
  /** Whether watches fire; `refused` where there are too many of them. */
  watches: boolean | "refused"
  /** How often somebody has looked at its monotonic clock. */
  looks: number
  /** By how much its wall clock is ahead, in milliseconds. */
  wallOffset: number
  /** Runs an effect on this host. */
  readonly run: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Database>>
  readonly counts: Effect.Effect<InstrumentedEngine.Counts>
  readonly resetCounts: Effect.Effect<void>
}

const connect = (engine: Engine.Engine, host: () => Host): Engine.Engine => ({
  ...engine,
  begin: (options) => {
    const transaction = engine.begin(options)
    const over =
      (phase: FdbError.Phase) =>
      <A>(effect: Effect.Effect<A, FdbError.FdbError>): Effect.Effect<A, FdbError.FdbError> =>
        Effect.suspend(() => {
          const { connection } = host()
          if (connection === "up") return effect
          if (connection === "hangs") {
            return Effect.andThen(Effect.sleep(options.timeoutMillis), Effect.fail(FdbError.make(1031, phase)))
          }
          if ("failsWith" in connection) return Effect.fail(FdbError.make(connection.failsWith, phase))
          return phase === "commit"
            ? Effect.andThen(effect, Effect.fail(FdbError.make(connection.commitsBut, phase)))
            : effect
        })
    return {
      ...transaction,
      readVersion: over("read")(transaction.readVersion),
      get: (key, snapshot) => over("read")(transaction.get(key, snapshot)),
      getAll: (keys, snapshot) => over("read")(transaction.getAll(keys, snapshot)),
      getKey: (selector, snapshot) => over("read")(transaction.getKey(selector, snapshot)),
      getPage: (begin, end, page) => over("read")(transaction.getPage(begin, end, page)),
      watch: (key) =>
        host().watches === "refused"
          ? Effect.fail(FdbError.make(1032, "read"))
          : over("read")(
            Effect.map(transaction.watch(key), (watch) => host().watches ? watch : { ...watch, fired: Effect.never })
          ),
      commit: over("commit")(transaction.commit)
    }
  }
})

/** A database, and as many hosts on it as wanted. */
export const makeHosts = Effect.fnUntraced(function*(
  latencies: InstrumentedEngine.Latencies = {},
  makeEngine: Effect.Effect<Engine.Engine> = MemoryDatabase.makeEngine
) {
  const engine = yield* makeEngine
  const clock = yield* Clock.Clock
  const makeHost = (): Host => {
    const instrumented = InstrumentedEngine.make(connect(engine, () => host), latencies)
    const database = Database.fromEngine(instrumented.engine)
    const events: Array<ElectionEvent> = []
    const wall = (): bigint => clock.currentTimeNanosUnsafe() + BigInt(host.wallOffset) * 1_000_000n
    const ownClock: Clock.Clock = {
      currentTimeMillisUnsafe: () => Number(wall() / 1_000_000n),
      currentTimeMillis: Effect.sync(() => Number(wall() / 1_000_000n)),
      currentTimeNanosUnsafe: wall,
      currentTimeNanos: Effect.sync(wall),
      monotonicTimeNanosUnsafe: () => {
        host.looks++
        return clock.monotonicTimeNanosUnsafe()
      },
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration: Duration.Duration) => clock.sleep(duration)
    }
    const host: Host = {
      database,
      events,
      connection: "up",
      watches: true,
      looks: 0,
      wallOffset: 0,
      run: (effect) =>
        effect.pipe(
          Effect.provideService(Database, database),
          Effect.provideService(Clock.Clock, ownClock),
          Effect.provideService(ElectionObserver, (event) => void events.push(event))
        ),
      counts: instrumented.counts,
      resetCounts: instrumented.reset
    }
    return host
  }
  return makeHost
})
