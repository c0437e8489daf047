/** Processes on virtual clocks, with a shared memory database whose round trips take time. A seed determines the run. */
import { Database, type Engine, InstrumentedEngine, MemoryDatabase } from "@effect-fdb/core"
import { EventScheduler, second } from "@effect-fdb/simulation/EventScheduler"
import { SimulatedProcess } from "@effect-fdb/simulation/SimulatedProcess"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { Span } from "../Summary.ts"
import * as clientCache from "./clientCache.ts"
import { decorate } from "./decorate.ts"

/** The latencies of a read version, a read, a commit, and the report of a watch, in milliseconds. */
export interface Latencies {
  readonly readVersion: number
  readonly read: number
  readonly commit: number
  readonly watch: number
  /** The maximum lateness of timers, including those of round trips; zero unless set. */
  readonly lateness?: number | undefined
}

/** Only commits take time, as the goals assume. */
export const commitsOnly: Latencies = { readVersion: 0, read: 0, commit: 3, watch: 0 }

/** All operations take time, in the proportions of a cluster in one data centre. */
export const everything: Latencies = { readVersion: 1, read: 0.5, commit: 3, watch: 0.5 }

/** Watches report with a delay. */
const slowWatches = (engine: Engine.Engine, millis: number): Engine.Engine =>
  millis === 0 ? engine : decorate(engine, (inner) => ({
    watch: (key) =>
      Effect.map(inner.watch(key), ({ cancel, fired }) => ({
        cancel,
        fired: Effect.andThen(fired, Effect.sleep(millis))
      }))
  }))

/** A clock with random lateness. Without it, processes that start in step stay in step. */
const lateClock = ({ clock, scheduler, name }: SimulatedProcess, mostMillis: number): Clock.Clock => {
  const chance = scheduler.random(`lateness/${name}`)
  const late: Clock.Clock = Object.create(clock)
  late.sleep = (duration) =>
    Effect.suspend(() => clock.sleep(Duration.sum(duration, Duration.millis(chance.next() * mostMillis))))
  return late
}

/** A process, in which effects run until it is killed. */
export class Process {
  /** The spans of its transactions, in nanoseconds of the simulation. */
  readonly transactions: Array<Span> = []
  private readonly machine: SimulatedProcess
  private readonly clock: Clock.Clock
  private readonly instrumented: InstrumentedEngine.InstrumentedEngine
  private readonly context: Context.Context<Database>

  constructor(machine: SimulatedProcess, engine: Engine.Engine, latencies: Latencies) {
    const { commit, lateness = 0, read, readVersion, watch } = latencies
    this.machine = machine
    this.clock = lateness === 0 ? machine.clock : lateClock(machine, lateness)
    this.instrumented = InstrumentedEngine.make(slowWatches(engine, watch), { readVersion, read, commit })
    const { engine: name, transact } = Database.fromEngine(clientCache.make(this.instrumented.engine))
    this.context = Context.make(Database, {
      engine: name,
      transact: (body, options) =>
        Effect.suspend(() => {
          const begin = machine.scheduler.now
          return Effect.ensuring(
            transact(body, options),
            Effect.sync(() => void this.transactions.push({ begin, end: machine.scheduler.now }))
          )
        })
    })
  }

  /** The requests to its engine so far. */
  get counts(): InstrumentedEngine.Counts {
    return Effect.runSync(this.instrumented.counts)
  }

  fork<A, E>(effect: Effect.Effect<A, E, Database>): Fiber.Fiber<A, E> {
    return this.machine.fork(this.context, Effect.provideService(effect, Clock.Clock, this.clock))
  }

  kill(): void {
    this.machine.kill()
  }
}

export class Testbed {
  readonly scheduler: EventScheduler
  private readonly latencies: Latencies
  private readonly engine: Engine.Engine

  constructor(seed: number, latencies: Latencies) {
    this.scheduler = new EventScheduler(seed)
    this.latencies = latencies
    const { clock } = this.machine("database")
    this.engine = Effect.runSync(Effect.provideService(MemoryDatabase.makeEngine, Clock.Clock, clock))
  }

  /** Starts a process with correct clocks. */
  process(name: string): Process {
    return new Process(this.machine(name), this.engine, this.latencies)
  }

  /** Runs until `seconds` after the beginning. */
  run(seconds: number): void {
    const { stackTraceLimit } = Error
    // Stack traces of errors are not used.
    Error.stackTraceLimit = 0
    try {
      this.scheduler.run(Math.round(seconds * second))
    } finally {
      Error.stackTraceLimit = stackTraceLimit
    }
  }

  private machine(name: string): SimulatedProcess {
    return new SimulatedProcess(this.scheduler, name, { rate: 1, wallOffset: 0, booted: 0 })
  }
}
