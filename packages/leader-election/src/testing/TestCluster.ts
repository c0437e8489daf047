/**
 * A cluster of candidates in one process, on a database in memory and the test clock. It tests what a service does when its
 * leader shuts down, crashes, or loses its connection. A minute of failover takes no time.
 *
 * It needs `TestClock`, but no test runner. `it.election` of `testing/ElectionTest` passes it to a test of `@effect/vitest`.
 */
import {
  Database,
  type Engine,
  type FdbError,
  MemoryDatabase,
  Subspace,
  type Transaction,
  Witness
} from "@effect-fdb/core"
import * as FdbErrors from "@effect-fdb/core/FdbError"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { ElectionConfig } from "../ElectionConfig.ts"
import type { CampaignError, LeadershipLost } from "../ElectionError.ts"
import { killable } from "../internal/testing/killable.ts"
import * as LeaderElection from "../LeaderElection.ts"
import type { Leadership } from "../Leadership.ts"
import type * as TestWitness from "./TestWitness.ts"

/**
 * A candidate of the cluster. It behaves as a separate process would.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestCandidate {
  /** `candidate-1`, `candidate-2`, … */
  readonly id: string
  /** Whether its work runs, including its finalizers. */
  readonly isWorking: Effect.Effect<boolean>
  /**
   * Shuts it down: its work is interrupted, and it resigns. Does not wait for finalizers that take time: adjust the clock for
   * these.
   */
  readonly stop: Effect.Effect<void>
  /** Ends it as `kill -9` does: without finalizers, and without a resignation. The others are told where they have a witness. */
  readonly crash: Effect.Effect<void>
  /** Cuts it off from the database: transactions wait for their timeout and fail, watches do not fire. */
  readonly cut: Effect.Effect<void>
  /** Ends a {@link cut}. */
  readonly heal: Effect.Effect<void>
  /** Starts it again after it was stopped or has crashed. Does nothing while it runs, including its finalizers. */
  readonly start: Effect.Effect<void>
  /** Its exit, after its work was done or has failed, or after it was stopped. `undefined` while it runs, and after a crash. */
  readonly exit: Effect.Effect<Exit.Exit<unknown, unknown> | undefined>
}

/**
 * A tenure in which work was begun.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tenure {
  readonly id: string
  readonly term: bigint
}

/**
 * A cluster. Every candidate campaigns.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestCluster {
  readonly election: LeaderElection.LeaderElection
  readonly candidates: ReadonlyArray<TestCandidate>
  /** The candidate whose work runs, if there is one. */
  readonly leader: Effect.Effect<TestCandidate | undefined>
  /**
   * The ids of the candidates whose work runs. More than one means a fault of the election, or work that resists interruption.
   */
  readonly working: Effect.Effect<ReadonlyArray<string>>
  /** Every tenure whose work was begun so far, in order. */
  readonly terms: Effect.Effect<ReadonlyArray<Tenure>>
  /** A description of each work that was begun while other work ran. `it.election` fails a test if there is one. */
  readonly overlaps: Effect.Effect<ReadonlyArray<string>>
  /** Runs a transaction on the database of the cluster, over a connection that is never cut. */
  readonly transact: <A, E, R>(
    body: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | FdbError, Exclude<R, Transaction>>
}

/**
 * The options of a cluster.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The configuration of the election. The default has a lease of ten seconds. */
  readonly config?: ElectionConfig | undefined
  /** The priority of the candidate at an index. The default is 0. */
  readonly priority?: ((index: number) => number) | undefined
  /** The witnesses of the candidates: a crash is known at once, or when the test says so. Without them it is known by the lease. */
  readonly witness?: TestWitness.TestWitness | undefined
}

/** A connection to the database: while it is cut, nothing comes through. */
const connect = (engine: Engine.Engine, isCut: () => boolean): Engine.Engine => ({
  ...engine,
  begin: (options) => {
    const transaction = engine.begin(options)
    const over = (phase: FdbErrors.Phase) => <A>(effect: Effect.Effect<A, FdbError>): Effect.Effect<A, FdbError> =>
      Effect.suspend(() =>
        isCut()
          ? Effect.andThen(Effect.sleep(options.timeoutMillis), Effect.fail(FdbErrors.make(1031, phase)))
          : effect
      )
    const read = over("read")
    return {
      ...transaction,
      readVersion: read(transaction.readVersion),
      get: (key, snapshot) => read(transaction.get(key, snapshot)),
      getAll: (keys, snapshot) => read(transaction.getAll(keys, snapshot)),
      getKey: (selector, snapshot) => read(transaction.getKey(selector, snapshot)),
      getPage: (begin, end, page) => read(transaction.getPage(begin, end, page)),
      watch: (key) =>
        read(Effect.map(transaction.watch(key), (watch) => ({
          ...watch,
          fired: Effect.andThen(watch.fired, Effect.suspend(() => isCut() ? Effect.never : Effect.void))
        }))),
      commit: over("commit")(transaction.commit)
    }
  }
})

interface Process {
  isDead: boolean
  working: bigint | undefined
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  readonly witness: TestWitness.TestProcess | undefined
}

/**
 * Makes a cluster of `size` candidates. Each runs `work` while it leads, and campaigns again when it has lost the leadership. The
 * first one leads when this effect completes. Each candidate provides its work a `Database`, its own connection to that of the
 * cluster. Closing the scope stops all candidates.
 *
 * **Example**
 *
 * ```ts
 * import * as TestCluster from "@effect-fdb/leader-election/testing/TestCluster"
 * import { Console, Effect } from "effect"
 * import { TestClock } from "effect/testing"
 *
 * export const main = Effect.gen(function*() {
 *   const { candidates: [first], working } = yield* TestCluster.make(3, () => Effect.never)
 *   yield* first!.crash
 *   yield* TestClock.adjust("15 seconds")
 *   yield* Console.log(yield* working)
 * }).pipe(Effect.scoped, Effect.provide(TestClock.layer()))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function*<A, E, R>(
  size: number,
  work: (leadership: Leadership, candidate: { readonly id: string }) => Effect.Effect<A, E, R>,
  { config, priority = () => 0, witness }: Options = {}
): Effect.fn.Return<TestCluster, never, Exclude<R, Database | Leadership | Scope.Scope> | Scope.Scope> {
  // Where the test clock was never adjusted, the first sleep in a finalizer of an interrupted fiber would end it.
  const settle = TestClock.adjust(0)
  yield* settle
  const engine = yield* MemoryDatabase.makeEngine
  const election = LeaderElection.make(Subspace.fromTuple(["election"]), { config })
  const context = yield* Effect.context<Exclude<R, Database | Leadership | Scope.Scope>>()
  const terms: Array<Tenure> = []
  const overlaps: Array<string> = []
  const processes = new Map<string, Process>()

  const begin = (id: string, process: Process, term: bigint) => {
    for (const [other, { working }] of processes) {
      if (working === undefined) continue
      overlaps.push(`"${id}" began to work in term ${term} while "${other}" worked in term ${working}`)
    }
    terms.push({ id, term })
    process.working = term
  }

  const makeCandidate = (id: string, priority: number): TestCandidate => {
    let isCut = false
    const current = () => processes.get(id)!
    const campaign = (process: Process): Effect.Effect<A, E | CampaignError | LeadershipLost> =>
      election.withLeadership(
        { id, priority },
        (leadership) =>
          Effect.andThen(
            // The first finalizer of the work's scope is the last thing to be run in it.
            Effect.acquireRelease(
              Effect.sync(() => begin(id, process, leadership.term)),
              () => Effect.sync(() => void (process.working = undefined))
            ),
            work(leadership, { id })
          ),
        { again: true }
      ).pipe(
        process.witness === undefined ? (led) => led : Effect.provideService(Witness, process.witness.witness),
        Effect.updateService(Scheduler.Scheduler, (base) => killable(base, () => process.isDead)),
        // Its own: what its elections share must not outlive it.
        Effect.provideService(Database, Database.fromEngine(connect(engine, () => isCut))),
        Effect.provideContext(context)
      ) as Effect.Effect<A, E | CampaignError | LeadershipLost>
    const start = Effect.gen(function*() {
      const { fiber, isDead, witness: last } = processes.get(id) ??
        { fiber: undefined, isDead: true, witness: undefined }
      if (!isDead && fiber?.pollUnsafe() === undefined) return
      yield* last?.close ?? Effect.void
      const process: Process = {
        isDead: false,
        working: undefined,
        fiber: undefined,
        witness: witness && (yield* witness.start)
      }
      processes.set(id, process)
      process.fiber = yield* Effect.forkDetach(campaign(process))
      yield* settle
    })
    return {
      id,
      isWorking: Effect.sync(() => current().working !== undefined),
      stop: Effect.andThen(Effect.sync(() => current().fiber?.interruptUnsafe()), settle),
      crash: Effect.suspend(() => {
        const process = current()
        process.isDead = true
        process.working = undefined
        return process.witness === undefined ? Effect.void : Effect.andThen(process.witness.end, settle)
      }),
      cut: Effect.sync(() => void (isCut = true)),
      heal: Effect.sync(() => void (isCut = false)),
      start,
      exit: Effect.sync(() => current().fiber?.pollUnsafe())
    }
  }

  const candidates = Array.from({ length: size }, (_, i) => makeCandidate(`candidate-${i + 1}`, priority(i)))
  yield* Effect.addFinalizer(() => Effect.forEach(candidates, ({ stop }) => stop, { discard: true }))
  yield* Effect.forEach(candidates, ({ start }) => start, { discard: true })
  const isWorking = ({ id }: TestCandidate) => processes.get(id)?.working !== undefined
  return {
    election,
    candidates,
    leader: Effect.sync(() => candidates.find(isWorking)),
    working: Effect.sync(() => candidates.filter(isWorking).map(({ id }) => id)),
    terms: Effect.sync(() => [...terms]),
    overlaps: Effect.sync(() => [...overlaps]),
    transact: Database.fromEngine(engine).transact
  }
})
