/**
 * A virtual process: fibers with clocks, chance and a scheduler of their own, that can be frozen, suspended and killed.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import type { EventScheduler, Owner } from "./EventScheduler.ts"
import type { SeededRandom } from "./internal/seededRandom.ts"
import { VirtualClock } from "./VirtualClock.ts"

/** How the clocks of a process are off. */
interface ClockOptions {
  /** Nanoseconds of its clocks per nanosecond of the world. */
  readonly rate: number
  /** What its wall clock is ahead of the world's, in nanoseconds. */
  readonly wallOffset: number
  /** What its monotonic clock shows when it starts, in nanoseconds. */
  readonly booted: number
}

/** A fiber runs about so many operations before another may come in between. */
const meanOperations = 250

export class SimulatedProcess implements Owner {
  readonly scheduler: EventScheduler
  readonly name: string
  readonly clock: VirtualClock
  /** What every fiber of this process has. */
  private readonly references: Context.Context<never>
  private readonly order: SeededRandom
  private held: Array<() => void> = []
  private pauses = 0
  private suspensions = 0
  private dead = false
  private operationsLeft: number
  private readonly atDeath: Array<() => void> = []

  constructor(scheduler: EventScheduler, name: string, clock: ClockOptions) {
    this.scheduler = scheduler
    this.name = name
    this.clock = new VirtualClock(scheduler, (task) => this.post(task), clock)
    this.order = scheduler.random(`order/${name}`)
    this.operationsLeft = this.drawOperations()
    this.references = Context.empty().pipe(
      Context.add(References.TracerEnabled, false),
      Context.add(References.CurrentLoggers, new Set<never>()),
      Context.add(References.MinimumLogLevel, "None"),
      Context.add(Clock.Clock, this.clock),
      Context.add(Random.Random, scheduler.random(`random/${name}`).toRandom()),
      Context.add(Scheduler.Scheduler, this.makeScheduler())
    )
  }

  get isAlive(): boolean {
    return !this.dead
  }

  /** Whether nothing of it runs for now. */
  get isFrozen(): boolean {
    return this.pauses > 0
  }

  accepts(task: () => void): "run" | "held" | "gone" {
    if (this.dead) return "gone"
    if (this.pauses === 0) return "run"
    this.held.push(task)
    return "held"
  }

  /** Has it do something, as soon as it can. */
  post(task: () => void): void {
    if (!this.dead) this.scheduler.post(this, task)
  }

  /** Nothing of it runs until it is thawed as often; its clocks go on, or with `suspend` only the one on the wall. */
  freeze(suspend: boolean): void {
    this.pauses++
    if (suspend && this.suspensions++ === 0) this.clock.suspend()
  }

  thaw(suspend: boolean): void {
    if (this.dead) return
    this.pauses--
    if (suspend && --this.suspensions === 0) this.clock.resume()
    if (this.pauses > 0) return
    const { held } = this
    this.held = []
    for (const task of held) this.post(task)
  }

  /** Nothing of it ever runs again, finalizers included. */
  kill(): void {
    this.dead = true
    this.held = []
    for (const run of this.atDeath) run()
  }

  /** For what the rest of the world keeps for this process. */
  whenKilled(run: () => void): void {
    this.atDeath.push(run)
  }

  /** Runs an effect as a fiber of this process. */
  fork<A, E, R>(context: Context.Context<R>, effect: Effect.Effect<A, E, R>): Fiber.Fiber<A, E> {
    const started = Effect.callback<void>((resume) => {
      this.post(() => resume(Effect.void))
    })
    return Effect.runForkWith(Context.merge(context, this.references))(Effect.andThen(started, effect))
  }

  /** Preempts fibers at random operations; when they go on, the world decides. */
  private makeScheduler(): Scheduler.Scheduler {
    const dispatcher: Scheduler.SchedulerDispatcher = {
      scheduleTask: (task) => this.post(task),
      flush: () => {}
    }
    return {
      executionMode: "async",
      shouldYield: () => {
        if (--this.operationsLeft > 0) return false
        this.operationsLeft = this.drawOperations()
        return true
      },
      makeDispatcher: () => dispatcher
    }
  }

  private drawOperations(): number {
    return 1 + Math.floor(this.order.exponential(meanOperations))
  }
}
