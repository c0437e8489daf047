/**
 * The world of one history: one thread of time, in which everything happens that is arranged, in an order that the seed
 * decides. No real timers and no microtasks: a history is a plain synchronous computation.
 *
 * Times in the world are whole nanoseconds since its beginning, as numbers; they stay exact for a hundred days.
 */
import { type Appointment, EventHeap } from "./internal/eventHeap.ts"
import { SeededRandom } from "./internal/seededRandom.ts"

/** One second of the world. */
export const second = 1_000_000_000
/** One millisecond of the world. */
export const millisecond = 1_000_000

/** So many seconds a world lasts at most, for its times to stay exact. */
export const longest = 100 * 86_400

/** Work that is ready to be done by somebody. */
interface Ready {
  readonly owner: Owner
  readonly task: () => void
}

/** Who does work: it may be unable to, now or for ever. */
export interface Owner {
  /** `held`: keep the task for later; `gone`: forget it. */
  accepts(task: () => void): "run" | "held" | "gone"
}

/** So many steps at one instant mean that something spins. */
const spinning = 200_000

/** Somebody spins: the same instant never ends. */
export class Livelock extends Error {
  constructor(at: number) {
    super(`the scheduler does not get beyond ${at / second} s: somebody spins`)
  }
}

export class EventScheduler {
  readonly seed: number
  private readonly heap = new EventHeap()
  private readonly ready: Array<Ready> = []
  private readonly order: SeededRandom
  private time = 0
  private stepsNow = 0

  constructor(seed: number) {
    this.seed = seed
    this.order = this.random("order")
  }

  /** Nanoseconds since the beginning. */
  get now(): number {
    return this.time
  }

  /** The stream of a concern. */
  random(concern: string): SeededRandom {
    return new SeededRandom(this.seed, concern)
  }

  /** Arranges something for an instant; one that has passed means now, after what is ready. */
  at(instant: number, run: () => void): Appointment {
    return this.heap.add(instant > this.time ? instant : this.time, run)
  }

  after(nanos: number, run: () => void): Appointment {
    return this.at(this.time + nanos, run)
  }

  /** Gives somebody a task to be done at this instant, before or after whatever else is ready. */
  post(owner: Owner, task: () => void): void {
    this.ready.push({ owner, task })
  }

  /** Goes on until an instant, and ends there. */
  run(until: number): void {
    const { heap, ready } = this
    while (true) {
      while (ready.length > 0) this.step()
      const next = heap.peek()
      if (next === undefined || next.at > until) break
      heap.removeFirst()
      if (next.at > this.time) {
        this.time = next.at
        this.stepsNow = 0
      }
      const { run } = next
      next.run = undefined
      run!()
    }
    this.time = Math.max(this.time, until)
  }

  private step(): void {
    if (++this.stepsNow > spinning) throw new Livelock(this.time)
    const { ready } = this
    const index = ready.length === 1 ? 0 : this.order.between(0, ready.length - 1)
    const chosen = ready[index]!
    const last = ready.pop()!
    if (chosen !== last) ready[index] = last
    if (chosen.owner.accepts(chosen.task) === "run") chosen.task()
  }
}
