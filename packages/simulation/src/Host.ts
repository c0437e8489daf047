/** A host that runs a process of the election, and restarts it as an init system does. */
import { Database, Subspace, Witness } from "@effect-fdb/core"
import {
  type Candidacy,
  ElectionObserver,
  LeaderElection,
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
import type { makeCommitKind } from "./internal/commitKind.ts"
import { logElectionEvent } from "./internal/electionEvents.ts"
import type { Election } from "./internal/elections.ts"
import { Link } from "./Link.ts"
import type { ProcessPlan, Scenario } from "./Scenario.ts"
import type { SimulatedDatabase } from "./SimulatedDatabase.ts"
import { SimulatedProcess } from "./SimulatedProcess.ts"
import type { Machine, SimulatedWitness } from "./SimulatedWitness.ts"
import type { Workload } from "./Workload.ts"

/** An election in which every process campaigns. */
export interface SimulatedElection extends Election {
  readonly handle: LeaderElection.LeaderElection
  /** The kind of a commit to it. */
  readonly commitKind: ReturnType<typeof makeCommitKind>
}

/** What all hosts share. */
export interface Environment {
  readonly scheduler: EventScheduler
  readonly database: SimulatedDatabase
  readonly log: EventLog
  readonly elections: ReadonlyArray<SimulatedElection>
  /** In what the processes take part. */
  readonly as: NonNullable<Scenario["elections"]>["as"]
  readonly work: Workload
  /** Those whose processes witness each other's death. */
  readonly machines: ReadonlyArray<Machine>
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
  readonly witness: SimulatedWitness | undefined
  /** It was asked to exit. */
  isStopping: boolean
  fiber?: Fiber.Fiber<unknown, unknown>
  /** Their priorities can be changed. */
  readonly candidacies: Map<SimulatedElection | undefined, Pick<Candidacy.Candidacy, "setPriority">>
  readonly leaderships: Map<SimulatedElection, Leadership>
}

export type Host = ReturnType<typeof makeHost>

export const makeHost = (name: string, plan: ProcessPlan, environment: Environment) => {
  const { as, database, elections, lease, log, machines, scheduler, work } = environment
  const machine = plan.machine === undefined ? undefined : machines[plan.machine]
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
    const led = (election: SimulatedElection) => {
      const lead = work(own.process, plan, election)
      return (leadership: Leadership) =>
        Effect.acquireUseRelease(
          Effect.sync(() => own.leaderships.set(election, leadership)),
          () => lead(leadership),
          () => Effect.sync(() => own.leaderships.delete(election))
        )
    }
    if (as === "shards") {
      const shards = LeaderElection.shards(Subspace.fromTuple(["simulation", as]), { shards: elections.length - 1 })
      return Effect.flatMap(shards.candidacy({ id, weight: weightOf(name, priority), safetyMargin }), (candidacy) => {
        const setPriority = (priority: number) => candidacy.setWeight(weightOf(name, priority))
        own.candidacies.set(undefined, { setPriority })
        // The first election is the coordinator's.
        return candidacy.run((shard, leadership) => led(elections[shard + 1]!)(leadership))
      })
    }
    const waits = starts % 2 === 0
    const contest = (election: SimulatedElection): Effect.Effect<void, unknown, Database> =>
      Effect.scoped(Effect.gen(function*() {
        const options = { id, priority, safetyMargin }
        const slots = LeaderElection.slots(Subspace.fromTuple(["simulation", as]), elections.length)
        const candidacy = yield* as === "slots"
          ? Effect.map(slots.candidacy(options), ({ setPriority, withLeadership }) => {
            const lead = (options?: Candidacy.LeadOptions) =>
              withLeadership((leadership) => led(elections[leadership.slot]!)(leadership), options)
            return { setPriority, lead }
          })
          : Effect.map(election.handle.candidacy(options), ({ setPriority, withLeadership }) => {
            return { setPriority, lead: (options?: Candidacy.LeadOptions) => withLeadership(led(election), options) }
          })
        own.candidacies.set(election, candidacy)
        const campaign = waits
          ? candidacy.lead({ again: true })
          : Effect.catchIf(candidacy.lead(), (error) => error instanceof LeadershipLost, () => Effect.void)
        while (true) yield* campaign
      }))
    const [first] = elections
    if (first !== undefined && (elections.length === 1 || as === "slots")) return contest(first)
    // What an election's records or configuration have against the process is nothing to the others.
    const contestAgain = (election: SimulatedElection): Effect.Effect<void, unknown, Database> =>
      Effect.catch(contest(election), (error) => {
        const reason = reasonOf(Cause.fail(error))
        if (!/^Invalid(State|Candidate)$/.test(reason)) return Effect.fail(error)
        log.add(own.process.name, "campaign-ends", { election: election.name, reason })
        return Effect.andThen(Effect.sleep("1 second"), contestAgain(election))
      })
    return Effect.forEach(elections, contestAgain, { concurrency: "unbounded", discard: true })
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
    const witness = machine?.start(process)
    const own: Running = running = {
      process,
      link,
      witness,
      isStopping: false,
      candidacies: new Map(),
      leaderships: new Map()
    }
    const margin = safetyMargin && Duration.toMillis(safetyMargin)
    log.add(process.name, "starts", { id, priority, rate: process.clock.rate, margin, machine: plan.machine })
    logClock(process)
    const context = Context.make(Database, Database.fromEngine(FaultyEngine.make(link))).pipe(
      Context.add(ElectionObserver, (event) => logElectionEvent(log, process.name, event, elections.length > 1))
    )
    const campaigning = main(own)
    own.fiber = process.fork(
      context,
      witness === undefined ? campaigning : Effect.provideService(campaigning, Witness, witness.service)
    )
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
    log.add(running.process.name, "crashes", { leading: ledBy(running) })
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
    leads: (election: SimulatedElection): boolean => running?.leaderships.has(election) === true,
    /** Its process, while one runs. */
    get present(): Readonly<Pick<Running, "process" | "link" | "witness" | "isStopping">> | undefined {
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
      const { candidacies, process } = running ?? {}
      if (candidacies === undefined || process === undefined) return
      log.add(process.name, "prioritizes", { priority })
      for (const candidacy of candidacies.values()) {
        process.fork(Context.empty(), Effect.ignore(candidacy.setPriority(to)))
      }
    },
    resign: (election: SimulatedElection): void => {
      const { leaderships, process } = running ?? {}
      const leadership = leaderships?.get(election)
      if (leadership === undefined || process === undefined) return
      log.add(process.name, "asked-to-resign", { election: election.name, term: leadership.term })
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

/** The weight of a process with shards: with some priorities none, but for one process. */
export const weightOf = (host: string, priority: number): number =>
  priority % 5 === 4 && host !== "p1" ? 0 : 1 + priority % 3

/** The elections that a process leads. */
const ledBy = ({ leaderships }: Running): string | boolean =>
  [...leaderships.keys()].map(({ name }) => name ?? "true").join(" ") || false

const reasonOf = (cause: Cause.Cause<unknown>): string => {
  if (Cause.hasInterruptsOnly(cause)) return "interrupted"
  const error = Cause.squash(cause)
  return typeof error === "object" && error !== null && "_tag" in error
    ? error._tag === "FdbError" && "code" in error ? `FdbError-${String(error.code)}` : String(error._tag)
    : String(error)
}
