/** A host that runs a process of the election, and restarts it as an init system does. */
import { Database } from "@effect-fdb/core"
import {
  type Candidacy,
  ElectionObserver,
  type LeaderElection,
  type Leadership,
  LeadershipLost
} from "@effect-fdb/leader-election"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { EventLog } from "./EventLog.ts"
import { type EventScheduler, millisecond, second } from "./EventScheduler.ts"
import * as FaultyEngine from "./FaultyEngine.ts"
import { logElectionEvent } from "./internal/electionEvents.ts"
import type { SeededRandom } from "./internal/seededRandom.ts"
import { Link } from "./Link.ts"
import type { ProcessPlan } from "./Scenario.ts"
import type { SimulatedDatabase } from "./SimulatedDatabase.ts"
import { SimulatedProcess } from "./SimulatedProcess.ts"

/** What a process does while it leads. */
export type Work = (
  process: SimulatedProcess,
  plan: ProcessPlan
) => (leadership: Leadership) => Effect.Effect<void, unknown, Database | Leadership | Scope.Scope>

/** What all hosts share. */
interface Environment {
  readonly scheduler: EventScheduler
  readonly database: SimulatedDatabase
  readonly log: EventLog
  readonly election: LeaderElection.LeaderElection
  readonly work: Work
  /** The lease that the election begins with, in seconds. */
  readonly lease: number
}

/**
 * The longest time between two checks of the belief of a leader that runs, in nanoseconds. The default margin is a tenth of the longest
 * lease, 40 seconds. The protocol excludes that a wall clock is set back and its host suspended between the same two checks (rule 3).
 */
const longestCheck = (margin: Duration.Duration | undefined): number =>
  1.2 * (margin === undefined ? 4 * second : Math.max(Duration.toMillis(margin) * millisecond, 0.4 * second))

/** The instant of a change of a clock, while its process is frozen and cannot check the belief. */
const unseen = Number.POSITIVE_INFINITY

/** How a host starts a process. */
export interface StartOptions {
  readonly keepsId: boolean
  readonly priority?: number | undefined
}

interface Running {
  readonly process: SimulatedProcess
  readonly link: Link
  /** It was asked to exit. */
  isStopping: boolean
  fiber?: Fiber.Fiber<unknown, unknown>
  candidacy?: Candidacy.Candidacy
  leadership?: Leadership | undefined
}

export class Host {
  readonly name: string
  readonly plan: ProcessPlan
  private readonly environment: Environment
  private readonly random: SeededRandom
  private readonly margin: Duration.Duration | undefined
  private running: Running | undefined = undefined
  private starts = 0
  private ids = 0
  private id: string
  private priority: number
  private isRetired = false
  private setBackAt = Number.NEGATIVE_INFINITY
  private suspendedUntil = Number.NEGATIVE_INFINITY

  constructor(name: string, plan: ProcessPlan, environment: Environment) {
    this.name = name
    this.plan = plan
    this.environment = environment
    this.random = environment.scheduler.random(`host/${name}`)
    this.margin = plan.margin === undefined
      ? undefined
      : Duration.millis(Math.round(plan.margin * environment.lease * 1000))
    this.id = plan.id
    this.priority = plan.priority
  }

  get candidateId(): string {
    return this.id
  }

  get isLeading(): boolean {
    return this.running?.leadership !== undefined
  }

  /** Its process, while one runs. */
  get present(): Readonly<Pick<Running, "process" | "link" | "isStopping">> | undefined {
    return this.running
  }

  /** Starts a process if none runs. */
  start(options: StartOptions): void {
    if (this.running !== undefined || this.isRetired) return
    const { database, log, scheduler } = this.environment
    if (!options.keepsId) this.id = `${this.plan.id}-${++this.ids}`
    this.priority = options.priority ?? this.priority
    const process = new SimulatedProcess(scheduler, `${this.name}#${++this.starts}`, {
      rate: 1 + this.plan.drift / 1e6,
      wallOffset: Math.round(this.plan.wallOffset * second),
      booted: this.random.between(0, 1000) * second
    })
    const link = new Link(process, database)
    const running: Running = this.running = { process, link, isStopping: false }
    log.add(process.name, "starts", {
      id: this.id,
      priority: this.priority,
      rate: process.clock.rate,
      margin: this.margin && Duration.toMillis(this.margin)
    })
    this.logClock(process)
    const context = Context.make(Database, Database.fromEngine(FaultyEngine.make(link))).pipe(
      Context.add(ElectionObserver, (event) => logElectionEvent(log, process.name, event))
    )
    const fiber = running.fiber = process.fork(context, this.main(running))
    fiber.addObserver((exit) => {
      if (this.running !== running) return
      const reason = exit._tag === "Success" ? "done" : reasonOf(exit.cause)
      log.add(process.name, "exits", { reason })
      this.end(running)
      // A superseded process restarts with another id.
      if (running.isStopping) return
      scheduler.after(
        this.random.between(1, 3) * second,
        () => this.start({ keepsId: reason !== "CandidateSuperseded" })
      )
    })
  }

  /** Kills the process: no finalizer runs. */
  crash(): void {
    const { running } = this
    if (running === undefined) return
    this.environment.log.add(running.process.name, "crashes", { leading: this.isLeading })
    this.end(running)
  }

  /** Asks the process to exit, and kills it after 30 seconds. */
  stop(): void {
    const { running } = this
    if (running === undefined || running.isStopping) return
    running.isStopping = true
    this.environment.log.add(running.process.name, "stops")
    running.process.post(() => running.fiber?.interruptUnsafe())
    this.environment.scheduler.after(30 * second, () => {
      if (this.running === running) this.crash()
    })
  }

  /** Stops the process, and starts no other. */
  retire(): void {
    this.isRetired = true
    this.stop()
  }

  prioritize(priority: number): void {
    this.priority = priority
    const { candidacy, process } = this.running ?? {}
    if (candidacy === undefined || process === undefined) return
    this.environment.log.add(process.name, "prioritizes", { priority })
    process.fork(Context.empty(), Effect.ignore(candidacy.setPriority(priority)))
  }

  resign(): void {
    const { leadership, process } = this.running ?? {}
    if (leadership === undefined || process === undefined) return
    this.environment.log.add(process.name, "asked-to-resign", { term: leadership.term })
    process.fork(Context.empty(), leadership.resign)
  }

  /** Whether the process may not have checked its belief since `happened`. */
  private isUnseen(happened: number): boolean {
    return this.environment.scheduler.now - happened < longestCheck(this.margin)
  }

  /**
   * Freezes or suspends the process until the returned function is called. If its wall clock has just been set back, it is only
   * frozen: see {@link longestCheck}.
   */
  freeze(suspends: boolean): (() => void) | undefined {
    const { running } = this
    if (running === undefined) return undefined
    const { process } = running
    const suspend = suspends && !this.isUnseen(this.setBackAt)
    if (suspend || this.isUnseen(this.suspendedUntil)) this.suspendedUntil = unseen
    if (this.isUnseen(this.setBackAt)) this.setBackAt = unseen
    process.freeze(suspend)
    if (suspend) this.logClock(process)
    return () => {
      process.thaw(suspend)
      const { now } = this.environment.scheduler
      if (!process.isFrozen && this.suspendedUntil === unseen) this.suspendedUntil = now
      if (!process.isFrozen && this.setBackAt === unseen) this.setBackAt = now
      if (suspend && process.isAlive) this.logClock(process)
    }
  }

  /** Changes the wall clock. If the host was just suspended, only forward: see {@link longestCheck}. */
  jump(seconds: number): void {
    if (this.running === undefined) return
    const { process } = this.running
    const by = this.isUnseen(this.suspendedUntil) ? Math.abs(seconds) : seconds
    if (by < 0) this.setBackAt = process.isFrozen ? unseen : this.environment.scheduler.now
    process.clock.jump(Math.round(by * second))
    this.logClock(process)
  }

  private end(running: Running): void {
    running.process.kill()
    this.running = undefined
  }

  private logClock(process: SimulatedProcess): void {
    this.environment.log.add(process.name, "clock", {
      monotonic: process.clock.monotonic(),
      wall: process.clock.wall(),
      runs: process.clock.runs
    })
  }

  /**
   * Campaigns, works, and campaigns again after the work. A superseded process exits. Every second process of the host instead waits
   * until its id is free.
   */
  private main(running: Running): Effect.Effect<void, unknown, Database> {
    const { election, work } = this.environment
    const options: Candidacy.CandidateOptions = { id: this.id, priority: this.priority, safetyMargin: this.margin }
    const lead = work(running.process, this.plan)
    const set = (leadership: Leadership | undefined) => Effect.sync(() => void (running.leadership = leadership))
    const led = (leadership: Leadership) =>
      Effect.acquireUseRelease(set(leadership), () => lead(leadership), () => set(undefined))
    const waits = this.starts % 2 === 0
    return Effect.scoped(Effect.gen(function*() {
      const candidacy = yield* election.candidacy(options)
      running.candidacy = candidacy
      const campaign = waits
        ? candidacy.withLeadership(led, { again: true })
        : Effect.catchIf(candidacy.withLeadership(led), (error) => error instanceof LeadershipLost, () => Effect.void)
      while (true) yield* campaign
    }))
  }
}

const reasonOf = (cause: Cause.Cause<unknown>): string => {
  if (Cause.hasInterruptsOnly(cause)) return "interrupted"
  const error = Cause.squash(cause)
  return typeof error === "object" && error !== null && "_tag" in error
    ? error._tag === "FdbError" && "code" in error ? `FdbError-${String(error.code)}` : String(error._tag)
    : String(error)
}
