/** The clocks of a simulated process. The wall clock is off and jumps. The monotonic clock stops while the host is suspended. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type EventScheduler, millisecond } from "./EventScheduler.ts"

/** The wall time at the beginning of every history, in nanoseconds since 1970. */
const epoch = 1_700_000_000_000_000_000n

/** The errors of the clocks of a process. */
export interface ClockOptions {
  /** Nanoseconds of both clocks per nanosecond of simulated time. */
  readonly rate: number
  /** The time by which the wall clock is ahead, in nanoseconds. */
  readonly wallOffset: number
  /** The monotonic time at the start, in nanoseconds. */
  readonly booted: number
}

/** A task that is due at a time of the monotonic clock. */
type Timer = { readonly due: number; fire: (() => void) | undefined }

export class VirtualClock implements Clock.Clock {
  readonly rate: number
  private readonly scheduler: EventScheduler
  private readonly post: (task: () => void) => void
  private readonly born: number
  private wallOffset: number
  /** The monotonic time at the simulated time `since`. */
  private shown: number
  private since: number
  /** Whether the monotonic clock runs. */
  runs = true
  private readonly waiting = new Set<Timer>()

  /** `post` runs a task on the process as soon as it runs. */
  constructor(scheduler: EventScheduler, post: (task: () => void) => void, options: ClockOptions) {
    this.scheduler = scheduler
    this.post = post
    this.rate = options.rate
    this.wallOffset = options.wallOffset
    this.shown = options.booted
    this.since = scheduler.now
    this.born = scheduler.now
  }

  /** The monotonic time, in nanoseconds. */
  monotonic(): number {
    return this.runs ? this.shown + Math.floor((this.scheduler.now - this.since) * this.rate) : this.shown
  }

  /** The wall time, in nanoseconds since the history began. */
  wall(): number {
    return this.born + Math.floor((this.scheduler.now - this.born) * this.rate) + this.wallOffset
  }

  jump(nanos: number): void {
    this.wallOffset += nanos
  }

  suspend(): void {
    this.shown = this.monotonic()
    this.runs = false
  }

  resume(): void {
    this.runs = true
    this.since = this.scheduler.now
    const timers = [...this.waiting]
    this.waiting.clear()
    for (const timer of timers) this.arm(timer)
  }

  /** Calls at a time of the monotonic clock, even if the process is frozen. Returns the cancellation. */
  timer(due: number, fire: () => void): () => void {
    const timer: Timer = { due, fire }
    this.arm(timer)
    return () => {
      timer.fire = undefined
      this.waiting.delete(timer)
    }
  }

  private arm(timer: Timer): void {
    if (timer.fire === undefined) return
    const left = timer.due - this.monotonic()
    if (!this.runs) this.waiting.add(timer)
    else if (left > 0) this.scheduler.after(Math.ceil(left / this.rate), () => this.arm(timer))
    else {
      const { fire } = timer
      timer.fire = undefined
      fire()
    }
  }

  currentTimeNanosUnsafe(): bigint {
    return epoch + BigInt(this.wall())
  }

  currentTimeMillisUnsafe(): number {
    return Number(epoch / 1_000_000n) + Math.floor(this.wall() / millisecond)
  }

  monotonicTimeNanosUnsafe(): bigint {
    return BigInt(this.monotonic())
  }

  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    if (millis <= 0) return Effect.yieldNow
    if (!Number.isFinite(millis)) return Effect.never
    const nanos = Math.ceil(millis * millisecond)
    return Effect.callback<void>((resume) => {
      const cancel = this.timer(this.monotonic() + nanos, () => this.post(() => resume(Effect.void)))
      return Effect.sync(cancel)
    })
  }
}
