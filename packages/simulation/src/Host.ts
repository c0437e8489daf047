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
import type { EventLog } from "./EventLog.ts"
import { type EventScheduler, millisecond, second } from "./EventScheduler.ts"
import * as FaultyEngine from "./FaultyEngine.ts"
import { logElectionEvent } from "./internal/electionEvents.ts"
import { Link } from "./Link.ts"
import type { ProcessPlan } from "./Scenario.ts"
import type { SimulatedDatabase } from "./SimulatedDatabase.ts"
import { SimulatedProcess } from "./SimulatedProcess.ts"
import type { Workload } from "./Workload.ts"

/** What all hosts share. */
export interface Environment {
  readonly scheduler: EventScheduler
  readonly database: SimulatedDatabase
  readonly log: EventLog
  readonly election: LeaderElection.LeaderElection
  readonly work: Workload
  /** The lease that the election begins with, in seconds. */
  readonly lease: number
}

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

export type Host = ReturnType<typeof makeHost>

export const makeHost = (name: string, plan: ProcessPlan, environment: Environment) => {
  const { database, election, lease, log, scheduler, work } = environment
  const random = scheduler.random(`host/${name}`)
  const safetyMargin = plan.margin === undefined ? undefined : Duration.millis(Math.round(plan.margin * lease * 1000))
  let running: Running | undefined
  let starts = 0
  let ids = 0
  let { id, priority } = plan
  let isRetired = false
  let setBackAt = Number.NEGATIVE_INFINITY
  let suspendedUntil = Number.NEGATIVE_INFINITY

  const end = ({ process }: Running): void => {
    process.kill()
    running = undefined
  }

  const logClock = ({ clock, name }: SimulatedProcess): void =>
    log.add(name, "clock", { monotonic: clock.monotonic(), wall: clock.wall(), runs: clock.runs })

  /** Campaigns, works, and campaigns again. If superseded, it exits; every second process waits until its id is free. */
  const main = (own: Running): Effect.Effect<void, unknown, Database> => {
    const lead = work(own.process, plan)
    const set = (leadership: Leadership | undefined) => Effect.sync(() => void (own.leadership = leadership))
    const led = (leadership: Leadership) =>
      Effect.acquireUseRelease(set(leadership), () => lead(leadership), () => set(undefined))
    const options: Candidacy.CandidateOptions = { id, priority, safetyMargin }
    const waits = starts % 2 === 0
    return Effect.scoped(Effect.gen(function*() {
      const candidacy = own.candidacy = yield* election.candidacy(options)
      const campaign = waits
        ? candidacy.withLeadership(led, { again: true })
        : Effect.catchIf(candidacy.withLeadership(led), (error) => error instanceof LeadershipLost, () => Effect.void)
      while (true) yield* campaign
    }))
  }

  /** Starts a process if none runs. */
  const start = (options: StartOptions): void => {
    if (running !== undefined || isRetired) return
    if (!options.keepsId) id = `${plan.id}-${++ids}`
    priority = options.priority ?? priority
    const process = new SimulatedProcess(scheduler, `${name}#${++starts}`, {
      rate: 1 + plan.drift / 1e6,
      wallOffset: Math.round(plan.wallOffset * second),
      booted: random.between(0, 1000) * second
    })
    const link = new Link(process, database)
    const own: Running = running = { process, link, isStopping: false }
    const margin = safetyMargin && Duration.toMillis(safetyMargin)
    log.add(process.name, "starts", { id, priority, rate: process.clock.rate, margin })
    logClock(process)
    const context = Context.make(Database, Database.fromEngine(FaultyEngine.make(link))).pipe(
      Context.add(ElectionObserver, (event) => logElectionEvent(log, process.name, event))
    )
    own.fiber = process.fork(context, main(own))
    own.fiber.addObserver((exit) => {
      if (running !== own) return
      const reason = exit._tag === "Success" ? "done" : reasonOf(exit.cause)
      log.add(process.name, "exits", { reason })
      end(own)
      // A superseded process restarts with another id.
      const keepsId = reason !== "CandidateSuperseded"
      if (!own.isStopping) scheduler.after(random.between(1, 3) * second, () => start({ keepsId }))
    })
  }

  /** Kills the process: no finalizer runs. */
  const crash = (): void => {
    if (running === undefined) return
    log.add(running.process.name, "crashes", { leading: running.leadership !== undefined })
    end(running)
  }

  /** Asks the process to exit, and kills it after 30 seconds. */
  const stop = (): void => {
    const own = running
    if (own === undefined || own.isStopping) return
    own.isStopping = true
    log.add(own.process.name, "stops")
    own.process.post(() => own.fiber?.interruptUnsafe())
    scheduler.after(30 * second, () => {
      if (running === own) crash()
    })
  }

  /**
   * Whether the process may not have checked its belief since an instant. A leader that runs checks it within its
   * margin: by default a tenth of the lease, which is 40 seconds at most. The protocol excludes that a wall clock is set
   * back and its host suspended between the same two checks (rule 3).
   */
  const isUnseen = (instant: number): boolean => {
    const margin = safetyMargin && Math.max(Duration.toMillis(safetyMargin) * millisecond, 0.4 * second)
    return scheduler.now - instant < 1.2 * (margin ?? 4 * second)
  }

  return {
    name,
    plan,
    get candidateId(): string {
      return id
    },
    get isLeading(): boolean {
      return running?.leadership !== undefined
    },
    /** Its process, while one runs. */
    get present(): Readonly<Pick<Running, "process" | "link" | "isStopping">> | undefined {
      return running
    },
    start,
    crash,
    stop,
    /** Stops the process, and starts no other. */
    retire: (): void => {
      isRetired = true
      stop()
    },
    prioritize: (to: number): void => {
      priority = to
      const { candidacy, process } = running ?? {}
      if (candidacy === undefined || process === undefined) return
      log.add(process.name, "prioritizes", { priority })
      process.fork(Context.empty(), Effect.ignore(candidacy.setPriority(priority)))
    },
    resign: (): void => {
      const { leadership, process } = running ?? {}
      if (leadership === undefined || process === undefined) return
      log.add(process.name, "asked-to-resign", { term: leadership.term })
      process.fork(Context.empty(), leadership.resign)
    },
    /** Freezes the process until the returned function is called; or suspends it, unless its wall clock was just set back. */
    freeze: (suspends: boolean): (() => void) | undefined => {
      if (running === undefined) return undefined
      const { process } = running
      const suspend = suspends && !isUnseen(setBackAt)
      if (suspend || isUnseen(suspendedUntil)) suspendedUntil = unseen
      if (isUnseen(setBackAt)) setBackAt = unseen
      process.freeze(suspend)
      if (suspend) logClock(process)
      return () => {
        process.thaw(suspend)
        if (!process.isFrozen && suspendedUntil === unseen) suspendedUntil = scheduler.now
        if (!process.isFrozen && setBackAt === unseen) setBackAt = scheduler.now
        if (suspend && process.isAlive) logClock(process)
      }
    },
    /** Changes the wall clock. If the host was just suspended, only forward. */
    jump: (seconds: number): void => {
      if (running === undefined) return
      const { process } = running
      const by = isUnseen(suspendedUntil) ? Math.abs(seconds) : seconds
      if (by < 0) setBackAt = process.isFrozen ? unseen : scheduler.now
      process.clock.jump(Math.round(by * second))
      logClock(process)
    }
  }
}

const reasonOf = (cause: Cause.Cause<unknown>): string => {
  if (Cause.hasInterruptsOnly(cause)) return "interrupted"
  const error = Cause.squash(cause)
  return typeof error === "object" && error !== null && "_tag" in error
    ? error._tag === "FdbError" && "code" in error ? `FdbError-${String(error.code)}` : String(error._tag)
    : String(error)
}
