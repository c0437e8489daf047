/**
 * The discrete-event scheduler of one history: a synchronous computation, in an order that the seed determines.
 *
 * Simulated time is whole nanoseconds since the beginning, as a number. It stays exact for a hundred days.
 */
import { EventHeap, type ScheduledTask } from "./internal/eventHeap.ts"
import { SeededRandom } from "./internal/seededRandom.ts"

/** In nanoseconds of simulated time. */
export const second = 1_000_000_000
export const millisecond = 1_000_000

/** The longest simulation whose times are exact, in seconds. */
export const longest = 100 * 86_400

/** Runs tasks, unless it is frozen or dead. */
export interface TaskOwner {
  /** Whether the task runs now. If not, the owner keeps it for later or drops it. */
  readonly accepts: (task: () => void) => boolean
}

/** The number of tasks at one instant that counts as a livelock. */
const spinning = 200_000

/** Tasks of one instant never end. */
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

  /** The random stream of a concern. Its name is a part of the seed: another name gives other histories. */
  random(concern: string): SeededRandom {
    return new SeededRandom(this.seed, concern)
  }

  /** Schedules a task for an instant. A past instant means now, after the tasks that are ready. */
  at(instant: number, run: () => void): ScheduledTask {
    return this.heap.add(instant > this.time ? instant : this.time, run)
  }

  after(nanos: number, run: () => void): ScheduledTask {
    return this.at(this.time + nanos, run)
  }

  /** Gives a task to its owner at this instant, in random order with the other ready tasks. */
  post(owner: TaskOwner, task: () => void): void {
    this.ready.push({ owner, task })
  }

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
