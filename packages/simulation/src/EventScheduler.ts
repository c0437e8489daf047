/**
 * The discrete-event scheduler of one history. Everything that is scheduled happens in one thread, in an order that the seed decides.
 * There are no real timers and no microtasks: a history is a plain synchronous computation.
 *
 * Simulated time is whole nanoseconds since the beginning, as a number, which stays exact for a hundred days.
 */
import { EventHeap, type ScheduledTask } from "./internal/eventHeap.ts"
import { SeededRandom } from "./internal/seededRandom.ts"

/** One second of simulated time. */
export const second = 1_000_000_000
/** One millisecond of simulated time. */
export const millisecond = 1_000_000

/** So many seconds a simulation lasts at most, for its times to stay exact. */
export const longest = 100 * 86_400

/** Runs tasks, unless it is frozen or dead. */
export interface TaskOwner {
  /** Whether the task is to be run now. Where it is not, the owner keeps it for later, or forgets it. */
  readonly accepts: (task: () => void) => boolean
}

/** So many tasks at one instant mean that something spins. */
const spinning = 200_000

/** Something spins: the same instant never ends. */
export class Livelock extends Error {
  constructor(at: number) {
    super(`simulated time does not get beyond ${at / second} s: something spins`)
  }
}

export class EventScheduler {
  readonly seed: number
  private readonly heap = new EventHeap()
  private readonly ready: Array<{ readonly owner: TaskOwner; readonly task: () => void }> = []
  private readonly order: SeededRandom
  private time = 0
  private tasksNow = 0

  constructor(seed: number) {
    this.seed = seed
    this.order = this.random("order")
  }

  /** Nanoseconds since the beginning. */
  get now(): number {
    return this.time
  }

  /** The random numbers of a concern. Its name belongs to the seed: another name gives other histories. */
  random(concern: string): SeededRandom {
    return new SeededRandom(this.seed, concern)
  }

  /** Schedules something for an instant; one that has passed means now, after what is ready. */
  at(instant: number, run: () => void): ScheduledTask {
    return this.heap.add(instant > this.time ? instant : this.time, run)
  }

  after(nanos: number, run: () => void): ScheduledTask {
    return this.at(this.time + nanos, run)
  }

  /** Gives a task to its owner at this instant, before or after whatever else is ready. */
  post(owner: TaskOwner, task: () => void): void {
    this.ready.push({ owner, task })
  }

  /** Goes on until an instant, and ends there. */
  run(until: number): void {
    const { heap, ready } = this
    while (true) {
      while (ready.length > 0) this.runOneReady()
      const next = heap.peek()
      if (next === undefined || next.at > until) break
      heap.removeFirst()
      if (next.at > this.time) {
        this.time = next.at
        this.tasksNow = 0
      }
      const { run } = next
      next.run = undefined
      run!()
    }
    this.time = Math.max(this.time, until)
  }

  private runOneReady(): void {
    if (++this.tasksNow > spinning) throw new Livelock(this.time)
    const { ready } = this
    const index = ready.length === 1 ? 0 : this.order.between(0, ready.length - 1)
    const { owner, task } = ready[index]!
    const last = ready.pop()!
    if (index < ready.length) ready[index] = last
    if (owner.accepts(task)) task()
  }
}
