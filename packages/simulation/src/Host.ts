/** A host on which a process of the election runs, and runs again, as an init system would have it. */
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
 * A wall clock that is set back between two looks at the belief, while the host is suspended, fools both clocks of a leader at once,
 * which is beyond what is promised (3). A leader that runs looks this often at least, in nanoseconds: after its margin, or a tenth of a
 * lease of 40 seconds.
 */
const longestLook = (margin: Duration.Duration | undefined): number =>
  1.2 * (margin === undefined ? 4 * second : Math.max(Duration.toMillis(margin) * millisecond, 0.4 * second))

/** When something happened to a clock of a process that has not looked since. */
const unseen = Number.POSITIVE_INFINITY

interface Running {
  readonly process: SimulatedProcess
  readonly link: Link
  /** It was asked to end. */
  isStopping: boolean
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  candidacy: Candidacy.Candidacy | undefined
  leadership: Leadership | undefined
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
  /** When it was suspended last. */
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

  /** Its process, while there is one. */
  get present(): Readonly<Pick<Running, "process" | "link" | "isStopping">> | undefined {
    return this.running
  }

  /** Starts a process, unless one runs. */
  start(options: { readonly keepsId: boolean; readonly priority?: number | undefined }): void {
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
    const running: Running = {
      process,
      link,
      isStopping: false,
      fiber: undefined,
      candidacy: undefined,
      leadership: undefined
    }
    this.running = running
    log.add(process.name, "starts", {
      id: this.id,
      priority: this.priority,
      rate: process.clock.rate,
      margin: this.margin && Duration.toMillis(this.margin)
    })
    this.logClock(process)
    const context = Context.make(Database, Database.fromEngine(FaultyEngine.make(link))).pipe(
      Context.add(ElectionObserver, (event) => logElectionEvent(log, process, event))
    )
    running.fiber = process.fork(context, this.main(running))
    running.fiber.addObserver((exit) => {
      if (this.running !== running) return
      const reason = exit._tag === "Success" ? "done" : reasonOf(exit.cause)
      log.add(process.name, "exits", { reason })
      this.end(running)
      // An init system starts it again, unless it was asked to end; one whose id is taken gets another.
      if (running.isStopping) return
      scheduler.after(
        this.random.between(1, 3) * second,
        () => this.start({ keepsId: reason !== "CandidateSuperseded" })
      )
    })
  }

  /** The process is killed: no finalizer runs. */
  crash(): void {
    const { running } = this
    if (running === undefined) return
    this.environment.log.add(running.process.name, "crashes", { leading: this.isLeading })
    this.end(running)
  }

  /** The process is asked to end, and given some time. */
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

  /** No process is started on it any more. */
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

  /** Whether the process may not have looked since something happened to one of its clocks: see {@link longestLook}. */
  private isUnseen(happened: number): boolean {
    return this.environment.scheduler.now - happened < longestLook(this.margin)
  }

  /**
   * Nothing of the process runs until what this gives is called. One that is to be suspended while its wall clock has just
   * been set back is frozen only.
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

  /** Sets its wall clock: ahead, where the host was suspended lately. */
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
   * Campaigns, works, and campaigns again when the work has ended by itself. A process whose id is taken ends, or, where it is
   * the host's second, fourth and so on, waits until the id is free.
   */
  private main(running: Running): Effect.Effect<void, unknown, Database> {
    const { election, work } = this.environment
    const options: Candidacy.CandidateOptions = { id: this.id, priority: this.priority, safetyMargin: this.margin }
    const lead = work(running.process, this.plan)
    const led = (leadership: Leadership) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          running.leadership = leadership
        }),
        () => lead(leadership),
        () =>
          Effect.sync(() => {
            running.leadership = undefined
          })
      )
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
