/**
 * A host on which a process of the election runs, and runs again: what an init system would do.
 */
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
import type { Cluster } from "./Cluster.ts"
import type { EventLog } from "./EventLog.ts"
import * as FaultyEngine from "./FaultyEngine.ts"
import type { Chance } from "./internal/chance.ts"
import { tell } from "./internal/narrate.ts"
import { Link } from "./Link.ts"
import { Machine } from "./Machine.ts"
import { second, type World } from "./World.ts"

/** What runs on a host. */
export interface Plan {
  readonly name: string
  readonly id: string
  readonly priority: number
  /** Parts of a million. */
  readonly drift: number
  /** Seconds. */
  readonly wallOffset: number
  /** The safety margin as a share of the lease that the election begins with. */
  readonly margin: Duration.Duration | undefined
  /** What it does while it leads. */
  readonly work: (
    machine: Machine
  ) => (leadership: Leadership) => Effect.Effect<void, unknown, Database | Leadership | Scope.Scope>
}

/** What all hosts share. */
interface Surroundings {
  readonly world: World
  readonly cluster: Cluster
  readonly log: EventLog
  readonly election: LeaderElection.LeaderElection
}

/**
 * A wall clock that is set back around the time at which the host is suspended fools both clocks of a leader at once, which
 * is beyond what is promised (3). So they are kept apart by more than the longest lease, in nanoseconds.
 */
const fooling = 25 * second

interface Running {
  readonly machine: Machine
  readonly link: Link
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  candidacy: Candidacy.Candidacy | undefined
  leadership: Leadership | undefined
}

export class Host {
  readonly plan: Plan
  private readonly surroundings: Surroundings
  private readonly chance: Chance
  private running: Running | undefined = undefined
  private starts = 0
  private ids = 0
  private id: string
  private priority: number
  private retired = false
  private stopping = false
  private setBackAt = Number.NEGATIVE_INFINITY
  /** When it was suspended last. */
  private suspendedUntil = Number.NEGATIVE_INFINITY

  constructor(plan: Plan, surroundings: Surroundings) {
    this.plan = plan
    this.surroundings = surroundings
    this.chance = surroundings.world.chance(`host/${plan.name}`)
    this.id = plan.id
    this.priority = plan.priority
  }

  get isLeading(): boolean {
    return this.running?.leadership !== undefined
  }

  get isRunning(): boolean {
    return this.running !== undefined
  }

  /** Whether its process has been asked to end and has not yet. */
  get isEnding(): boolean {
    return this.running !== undefined && this.stopping
  }

  get candidateId(): string {
    return this.id
  }

  /** The machine and its link, while there is one. */
  get present(): { readonly machine: Machine; readonly link: Link } | undefined {
    return this.running
  }

  /** Starts a process, unless one runs. */
  start(options: { readonly keepsId: boolean; readonly priority?: number | undefined }): void {
    if (this.running !== undefined || this.retired) return
    const { cluster, log, world } = this.surroundings
    const { drift, name, wallOffset } = this.plan
    if (!options.keepsId) this.id = `${this.plan.id}-${++this.ids}`
    this.priority = options.priority ?? this.priority
    const machine = new Machine(world, `${name}#${++this.starts}`, {
      rate: 1 + drift / 1e6,
      wallOffset: Math.round(wallOffset * second),
      booted: this.chance.between(0, 1000) * second
    })
    const link = new Link(machine, cluster)
    const running: Running = { machine, link, fiber: undefined, candidacy: undefined, leadership: undefined }
    this.running = running
    log.add(machine.name, "starts", {
      id: this.id,
      priority: this.priority,
      rate: machine.clock.rate,
      margin: this.plan.margin === undefined ? undefined : Duration.toMillis(this.plan.margin)
    })
    this.tellClock(machine)
    const context = Context.make(Database, Database.fromEngine(FaultyEngine.make(link))).pipe(
      Context.add(ElectionObserver, (event) => tell(log, machine, event))
    )
    running.fiber = machine.fork(context, this.life(running))
    running.fiber.addObserver((exit) => {
      if (this.running !== running) return
      const reason = exit._tag === "Success" ? "done" : reasonOf(exit.cause)
      const stopped = this.stopping
      log.add(machine.name, "exits", { reason })
      this.end(running)
      // An init system starts it again, unless it was asked to end; one whose id is taken gets another.
      if (stopped) return
      world.after(this.chance.between(1, 3) * second, () => this.start({ keepsId: reason !== "CandidateSuperseded" }))
    })
  }

  /** The process is killed: no finalizer runs. */
  crash(): void {
    const { running } = this
    if (running === undefined) return
    this.surroundings.log.add(running.machine.name, "crashes", { leading: running.leadership !== undefined })
    this.end(running)
  }

  /** The process is asked to end, and given some time. */
  stop(): void {
    const { running } = this
    if (running === undefined) return
    const { log, world } = this.surroundings
    if (this.stopping) return
    this.stopping = true
    log.add(running.machine.name, "stops")
    running.machine.post(() => running.fiber?.interruptUnsafe())
    world.after(30 * second, () => {
      if (this.running === running) this.crash()
    })
  }

  /** No process is started on it any more. */
  retire(): void {
    this.retired = true
    this.stop()
  }

  prioritize(priority: number): void {
    this.priority = priority
    const candidacy = this.running?.candidacy
    if (candidacy === undefined || this.running === undefined) return
    const { machine } = this.running
    this.surroundings.log.add(machine.name, "prioritizes", { priority })
    machine.fork(Context.empty(), Effect.ignore(candidacy.setPriority(priority)))
  }

  resign(): void {
    const leadership = this.running?.leadership
    if (leadership === undefined || this.running === undefined) return
    this.surroundings.log.add(this.running.machine.name, "asked-to-resign", { term: leadership.term })
    this.running.machine.fork(Context.empty(), leadership.resign)
  }

  /** Whether something would fool both clocks of the process at once: see {@link fooling}. */
  private isFooled(other: number): boolean {
    return this.surroundings.world.now - other < fooling
  }

  /**
   * Nothing of the process runs until what this gives is called. One that is to be suspended while its wall clock has just
   * been set back is frozen only.
   */
  freeze(suspends: boolean): (() => void) | undefined {
    const { running } = this
    if (running === undefined) return undefined
    const { machine } = running
    const suspend = suspends && !this.isFooled(this.setBackAt)
    if (suspend) this.suspendedUntil = Number.POSITIVE_INFINITY
    machine.freeze(suspend)
    if (suspend) this.tellClock(machine)
    return () => {
      machine.thaw(suspend)
      if (suspend) this.suspendedUntil = this.surroundings.world.now
      if (suspend && machine.isAlive) this.tellClock(machine)
    }
  }

  /** Sets its wall clock: ahead, where the host was suspended lately. */
  jump(seconds: number): void {
    if (this.running === undefined) return
    const by = this.isFooled(this.suspendedUntil) ? Math.abs(seconds) : seconds
    if (by < 0) this.setBackAt = this.surroundings.world.now
    this.running.machine.clock.jump(Math.round(by * second))
    this.tellClock(this.running.machine)
  }

  private end(running: Running): void {
    running.machine.kill()
    this.running = undefined
    this.stopping = false
  }

  /** What its clocks show from now on. */
  private tellClock(machine: Machine): void {
    this.surroundings.log.add(machine.name, "clock", {
      monotonic: machine.clock.monotonic(),
      wall: machine.clock.wall(),
      runs: machine.clock.runs
    })
  }

  /**
   * Campaigns, works, and campaigns again when the work has ended by itself. Whose id is taken ends, or, where it was started an even
   * number of times, waits until it is free.
   */
  private life(running: Running): Effect.Effect<void, unknown, Database> {
    const { election } = this.surroundings
    const work = this.plan.work(running.machine)
    const options: Candidacy.CandidateOptions = { id: this.id, priority: this.priority, safetyMargin: this.plan.margin }
    const led = (leadership: Leadership) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          running.leadership = leadership
        }),
        () => work(leadership),
        () =>
          Effect.sync(() => {
            running.leadership = undefined
          })
      )
    const waits = this.starts % 2 === 0
    return Effect.scoped(Effect.gen(function*() {
      const candidacy = yield* election.candidacy(options)
      running.candidacy = candidacy
      const life = waits
        ? candidacy.withLeadership(led, { again: true })
        : Effect.catchIf(candidacy.withLeadership(led), (error) => error instanceof LeadershipLost, () => Effect.void)
      while (true) yield* life
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
