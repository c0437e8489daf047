/**
 * The two clocks of a virtual process: they run at a rate of their own, the wall clock is set wrong and jumps, and the
 * monotonic one stands still while the host is suspended.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { EventScheduler } from "./EventScheduler.ts"

/** The wall time at which every world begins, in nanoseconds since the epoch. */
const epoch = 1_700_000_000_000_000_000n

const nanosPerMilli = 1_000_000

/** A due time on the monotonic clock, and what is to happen then. */
interface Timer {
  readonly due: number
  fire: (() => void) | undefined
}

export class VirtualClock implements Clock.Clock {
  private readonly scheduler: EventScheduler
  /** Has its process do something, as soon as it can. */
  private readonly post: (task: () => void) => void
  /** Nanoseconds of both clocks per nanosecond of the world. */
  readonly rate: number
  /** Where the present stretch of even time began: on the monotonic clock, and in the world. */
  private begunMonotonic: number
  private begunWorld: number
  private suspended = false
  /** What the wall clock is ahead of the epoch and the rate, in nanoseconds. */
  private wallOffset: number
  private readonly born: number
  private readonly waiting = new Set<Timer>()

  constructor(
    scheduler: EventScheduler,
    post: (task: () => void) => void,
    options: { readonly rate: number; readonly wallOffset: number; readonly booted: number }
  ) {
    this.scheduler = scheduler
    this.post = post
    this.rate = options.rate
    this.wallOffset = options.wallOffset
    this.begunMonotonic = options.booted
    this.begunWorld = scheduler.now
    this.born = scheduler.now
  }

  /** Whether the monotonic clock goes on. */
  get runs(): boolean {
    return !this.suspended
  }

  /** Nanoseconds on the monotonic clock, now. */
  monotonic(): number {
    return this.suspended
      ? this.begunMonotonic
      : this.begunMonotonic + Math.floor((this.scheduler.now - this.begunWorld) * this.rate)
  }

  /** Nanoseconds of wall time since the epoch of the world, now. */
  wall(): number {
    return this.born + Math.floor((this.scheduler.now - this.born) * this.rate) + this.wallOffset
  }

  /** Somebody sets the wall clock. */
  jump(nanos: number): void {
    this.wallOffset += nanos
  }

  /** The monotonic clock stands still. */
  suspend(): void {
    this.begunMonotonic = this.monotonic()
    this.suspended = true
  }

  /** The monotonic clock goes on from where it stood. */
  resume(): void {
    this.suspended = false
    this.begunWorld = this.scheduler.now
    const timers = [...this.waiting]
    this.waiting.clear()
    for (const timer of timers) this.arm(timer)
  }

  /** Calls at a time of the monotonic clock, whether the process can act on it or not. */
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
    if (this.suspended) {
      this.waiting.add(timer)
      return
    }
    const left = timer.due - this.monotonic()
    if (left <= 0) {
      const { fire } = timer
      timer.fire = undefined
      fire()
      return
    }
    this.scheduler.after(Math.ceil(left / this.rate), () => this.arm(timer))
  }

  currentTimeNanosUnsafe(): bigint {
    return epoch + BigInt(this.wall())
  }

  currentTimeMillisUnsafe(): number {
    return Number(epoch / 1_000_000n) + Math.floor(this.wall() / nanosPerMilli)
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
    const nanos = Math.ceil(millis * nanosPerMilli)
    return Effect.callback<void>((resume) => {
      const cancel = this.timer(this.monotonic() + nanos, () => this.post(() => resume(Effect.void)))
      return Effect.sync(cancel)
    })
  }
}
