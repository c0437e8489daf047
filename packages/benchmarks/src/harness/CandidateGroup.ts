/** The candidates of one election on a testbed. */
import { millisecond, second } from "@effect-fdb/simulation/EventScheduler"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { type ElectionUnderTest, type Guard, type Timing, usual } from "./ElectionUnderTest.ts"
import { type Latencies, type Process, Testbed } from "./Testbed.ts"

interface Candidate {
  readonly process: Process
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

export interface Options {
  /** One unless set. */
  readonly seed?: number
  readonly latencies: Latencies
  readonly election: ElectionUnderTest
  /** The default of both libraries unless set. */
  readonly timing?: Timing
  readonly candidates: number
  /** The work of a leader; unless set, it does nothing. */
  readonly work?: ((guard: Guard) => ReturnType<Guard>) | undefined
  /** Called when the work of a process begins. */
  readonly onWork?: ((id: string) => void) | undefined
}

/** Candidates start within this time. */
const startSpan = 3 * second

export class CandidateGroup {
  readonly testbed: Testbed
  /** All processes, including dead ones. */
  readonly processes: Array<Process> = []
  /** The process whose work began last. */
  leader: string | undefined = undefined
  private readonly running = new Map<string, Candidate>()
  private readonly options: Options

  constructor(options: Options) {
    const { candidates, election, latencies, seed = 1, timing = usual } = options
    this.options = options
    this.testbed = new Testbed(seed, latencies)
    this.testbed.process("operator").fork(election.initialize(timing))
    const { scheduler } = this.testbed
    const chance = scheduler.random("starts")
    for (let i = 0; i < candidates; i++) {
      scheduler.at(100 * millisecond + Math.floor(chance.next() * startSpan), () => this.start(`candidate-${i}`))
    }
  }

  start(id: string): void {
    const { election, onWork, timing = usual, work = () => Effect.never } = this.options
    const process = this.testbed.process(id)
    this.processes.push(process)
    const fiber = process.fork(election.campaign(id, timing.heartbeat, (guard) =>
      Effect.suspend(() => {
        this.leader = id
        onWork?.(id)
        return work(guard)
      })))
    this.running.set(id, { process, fiber })
  }

  /** Makes a process resign and leave. */
  stop(id: string): void {
    const candidate = this.running.get(id)
    candidate?.process.fork(Fiber.interrupt(candidate.fiber))
  }

  kill(id: string): void {
    this.running.get(id)?.process.kill()
  }

  process(id: string): Process | undefined {
    return this.running.get(id)?.process
  }

  get conflicts(): number {
    return this.processes.reduce((sum, { counts }) => sum + counts.conflicts, 0)
  }
}
