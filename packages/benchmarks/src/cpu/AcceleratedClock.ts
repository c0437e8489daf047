/**
 * A clock that does not wait: time goes on as fast as the work allows, in small steps, each of which lets the event loop
 * run. So CPU is measured, without that of an idle event loop, of which there is more the less there is to do.
 */
import { EventScheduler } from "@effect-fdb/simulation/EventScheduler"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

const nanosPerMilli = 1_000_000
/** Timers are late by so much at most. */
const stepNanos = 5 * nanosPerMilli
const epoch = 1_700_000_000_000

export class AcceleratedClock implements Clock.Clock {
  private readonly scheduler = new EventScheduler(0)

  /** Calls after so many milliseconds. Gives how to have it not called. */
  after(millis: number, run: () => void): () => void {
    const appointment = this.scheduler.after(Math.ceil(millis * nanosPerMilli), run)
    return () => {
      appointment.run = undefined
    }
  }

  /** Lets so much time pass. */
  pass(millis: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const until = this.scheduler.now + millis * nanosPerMilli
      const step = (): void => {
        if (this.scheduler.now >= until) return resume(Effect.void)
        this.scheduler.run(this.scheduler.now + stepNanos)
        setImmediate(step)
      }
      step()
    })
  }

  currentTimeMillisUnsafe(): number {
    return epoch + Math.floor(this.scheduler.now / nanosPerMilli)
  }

  currentTimeNanosUnsafe(): bigint {
    return BigInt(epoch) * BigInt(nanosPerMilli) + BigInt(this.scheduler.now)
  }

  monotonicTimeNanosUnsafe(): bigint {
    return BigInt(this.scheduler.now)
  }

  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    if (!Number.isFinite(millis)) return Effect.never
    return Effect.callback<void>((resume) => {
      const cancel = this.after(millis, () => resume(Effect.void))
      return Effect.sync(cancel)
    })
  }
}
