/**
 * The database: an engine in memory that all processes share, the record of its commits, and its outages.
 *
 * Commits that arrive at about the same time are one batch, as in FoundationDB. They have one version and an order within
 * it: a later one conflicts with the writes of earlier ones, and a read at that version sees all of them.
 */
import { Bytes, type Engine, FdbError, MemoryDatabase, VersionedStore } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { EventLog } from "./EventLog.ts"
import type { EventScheduler } from "./EventScheduler.ts"
import { calm, type FaultRates } from "./FaultRates.ts"
import { runNow } from "./internal/runNow.ts"
import type { SeededRandom } from "./internal/seededRandom.ts"

/** One commit, as it was applied. */
export interface CommitRecord {
  /** When, in nanoseconds of simulated time. */
  readonly at: number
  readonly version: bigint
  /** The process that sent it, and when. */
  readonly by: string
  readonly sentAt: number
  /** In this order, with versionstamps filled in. */
  readonly mutations: ReadonlyArray<VersionedStore.PlainMutation>
}

/** A commit that has arrived. */
interface Submission {
  readonly by: string
  readonly sentAt: number
  readonly transaction: Engine.EngineTransaction
  /** Versionstamps not filled in. */
  readonly mutations: VersionedStore.Commit["mutations"]
  /** `injected`: the exit is a fault of the whole batch. */
  readonly answer: (exit: Exit.Exit<Engine.Committed, FdbError>, injected: boolean) => void
}

type Batch = Array<Submission>

const failure = (code: number): Exit.Exit<never, FdbError> => Exit.fail(new FdbError({ code, phase: "commit" }))

/** What a batch that is refused as a whole may be refused with; nothing of it is committed. */
const refusals = [1007, 1020, 1021, 1042] as const

export class SimulatedDatabase {
  readonly scheduler: EventScheduler
  readonly log: EventLog
  readonly engine: Engine.Engine
  readonly record: Array<CommitRecord> = []
  rates: FaultRates = calm
  /** How many recoveries there have been. */
  epoch = 0
  private readonly random: SeededRandom
  private down = 0
  /** The batch that commits join now. */
  private open: Batch | undefined = undefined
  private readonly batches = new Set<Batch>()
  /** A commit of the batch that is being written has been accepted, so that the next shares its version. */
  private joins = false
  /** What recoveries have added to the version, in nanoseconds of its clock. */
  private jumped = 0
  /** Called with each commit that arrives; to `admit` it, once, at any time, lets it go on. */
  atArrival: (commit: Pick<Submission, "by" | "mutations">, admit: () => void) => void = (_, admit) => admit()
  private readonly atRecovery: Array<() => void> = []

  constructor(scheduler: EventScheduler, log: EventLog) {
    this.scheduler = scheduler
    this.log = log
    this.random = scheduler.random("cluster")
    const now = () => BigInt(scheduler.now + this.jumped)
    const clock: Clock.Clock = {
      currentTimeMillisUnsafe: () => Number(now() / 1_000_000n),
      currentTimeNanosUnsafe: now,
      monotonicTimeNanosUnsafe: now,
      currentTimeMillis: Effect.sync(() => Number(now() / 1_000_000n)),
      currentTimeNanos: Effect.sync(now),
      monotonicTimeNanos: Effect.sync(now),
      sleep: () => Effect.die("the database does not wait")
    }
    const engine = MemoryDatabase.makeBatchingEngine({ joins: () => this.joins })
    this.engine = Effect.runSync(Effect.provideService(engine, Clock.Clock, clock))
  }

  get isDown(): boolean {
    return this.down > 0
  }

  /** Stops answering. If it `recovers`, each unwritten batch is applied or not as a whole, and its commits get 1021. */
  goDown(recovers: boolean): void {
    this.down++
    if (!recovers) return
    this.epoch++
    this.open = undefined
    for (const batch of this.batches) this.end(batch, this.random.happens(0.5), failure(1021))
  }

  /** It answers again, `versions` ahead of where it would have been. */
  recover(versions: number): void {
    this.jumped += versions * 1000
    if (--this.down > 0) return
    for (const run of this.atRecovery.splice(0)) run()
  }

  whenRecovered(run: () => void): void {
    this.atRecovery.push(run)
  }

  /** A read version that is up to two seconds old. */
  laggingVersion(): bigint {
    const options = { sizeLimit: undefined, priority: "default", causalReadRisky: false, tag: undefined } as const
    const transaction = this.engine.begin({ timeoutMillis: 1e12, ...options })
    const newest = Effect.runSync(transaction.readVersion)
    runNow(transaction.dispose)
    return newest - BigInt(this.random.between(1, 2_000_000))
  }

  /** A commit joins the open batch; `answer` is called when that is written. */
  submit(submission: Submission): void {
    this.atArrival(submission, () => {
      if (this.open === undefined) this.openBatch()
      this.open!.push(submission)
    })
  }

  private openBatch(): void {
    const batch: Batch = []
    this.open = batch
    this.batches.add(batch)
    const { random, rates, scheduler } = this
    scheduler.after(Math.floor(random.next() * rates.batch), () => {
      if (this.open === batch) this.open = undefined
      scheduler.after(rates.logging, () => {
        if (!this.batches.has(batch)) return
        const refused = random.happens(this.rates.refused)
        if (refused) this.log.add("simulation", "fault", { kind: "refused-batch", commits: batch.length })
        this.end(batch, !refused, refused ? failure(random.pick(refusals)) : undefined)
      })
    })
  }

  /** Applies a batch if it `lands`. Returns the exit of each commit to its process, or `injected` to all. */
  private end(batch: Batch, lands: boolean, injected: Exit.Exit<never, FdbError> | undefined): void {
    this.batches.delete(batch)
    if (batch.length > 1) this.log.add("simulation", "batch", { commits: batch.length })
    const exits = batch.map((submission) => lands ? this.commit(submission) : undefined)
    this.joins = false
    batch.forEach(({ answer }, index) => answer(injected ?? exits[index]!, injected !== undefined))
  }

  /** Commits, now, and keeps a record of it. */
  private commit({ by, mutations, sentAt, transaction }: Submission): Exit.Exit<Engine.Committed, FdbError> {
    transaction.requestVersionstamp()
    const exit = runNow(transaction.commit)
    if (exit._tag === "Success" && exit.value.version !== -1n && exit.value.versionstamp !== undefined) {
      const { version } = exit.value
      const order = Bytes.readUint(exit.value.versionstamp, 8, 2)
      const bound = VersionedStore.bind(
        { readVersion: undefined, readConflicts: [], writeConflicts: [], mutations, timeoutMillis: 0 },
        { version, order }
      )
      this.joins = true
      this.record.push({ at: this.scheduler.now, version, by, sentAt, mutations: bound.mutations })
    }
    return exit
  }
}
