/** A simulated process: fibers with their own clocks, random numbers and scheduler. It can be frozen, suspended and killed. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import type { EventScheduler, TaskOwner } from "./EventScheduler.ts"
import type { SeededRandom } from "./internal/seededRandom.ts"
import { type ClockOptions, VirtualClock } from "./VirtualClock.ts"

/** The mean number of operations after which a fiber is preempted. */
const meanOperations = 250

export class SimulatedProcess implements TaskOwner {
  readonly scheduler: EventScheduler
  readonly name: string
  readonly clock: VirtualClock
  /** The services of every fiber of this process. */
  private readonly references: Context.Context<never>
  private readonly order: SeededRandom
  private held: Array<() => void> = []
  private pauses = 0
  private suspensions = 0
  isAlive = true
  private operationsLeft: number
  private readonly atDeath: Array<() => void> = []

  constructor(scheduler: EventScheduler, name: string, clock: ClockOptions) {
    this.scheduler = scheduler
    this.name = name
    this.clock = new VirtualClock(scheduler, (task) => this.post(task), clock)
    this.order = scheduler.random(`order/${name}`)
    this.operationsLeft = this.drawOperations()
    const dispatcher: Scheduler.SchedulerDispatcher = { scheduleTask: (task) => this.post(task), flush: () => {} }
    this.references = Context.empty().pipe(
      Context.add(References.TracerEnabled, false),
      Context.add(References.CurrentLoggers, new Set<never>()),
      Context.add(References.MinimumLogLevel, "None"),
      Context.add(Clock.Clock, this.clock),
      Context.add(Random.Random, scheduler.random(`random/${name}`).toRandom()),
      // Fibers are preempted at random operations; when they go on, the event scheduler decides.
      Context.add(Scheduler.Scheduler, {
        executionMode: "async",
        shouldYield: () => {
          if (--this.operationsLeft > 0) return false
          this.operationsLeft = this.drawOperations()
          return true
        },
        makeDispatcher: () => dispatcher
      })
    )
  }

  get isFrozen(): boolean {
    return this.pauses > 0
  }

  accepts(task: () => void): boolean {
    if (this.isFrozen && this.isAlive) this.held.push(task)
    return this.isAlive && !this.isFrozen
  }

  /** Runs a task as soon as the process runs. */
  post(task: () => void): void {
    if (this.isAlive) this.scheduler.post(this, task)
  }

  /** Stops the process until it is thawed as often. Its clocks continue; with `suspend` only the wall clock does. */
  freeze(suspend: boolean): void {
    this.pauses++
    if (suspend && this.suspensions++ === 0) this.clock.suspend()
  }

  thaw(suspend: boolean): void {
    if (!this.isAlive) return
    this.pauses--
    if (suspend && --this.suspensions === 0) this.clock.resume()
    if (this.pauses === 0) { for (const task of this.held.splice(0)) this.post(task) }
  }

  /** Ends the process without finalizers. */
  kill(): void {
    this.isAlive = false
    this.held = []
    for (const run of this.atDeath) run()
  }

  whenKilled(run: () => void): void {
    this.atDeath.push(run)
  }

  /** Runs an effect as a fiber of this process. */
  fork<A, E, R>(context: Context.Context<R>, effect: Effect.Effect<A, E, R>): Fiber.Fiber<A, E> {
    const started = Effect.callback<void>((resume) => this.post(() => resume(Effect.void)))
    return Effect.runForkWith(Context.merge(context, this.references))(Effect.andThen(started, effect))
  }

  private drawOperations(): number {
    return 1 + Math.floor(this.order.exponential(meanOperations))
  }
}
