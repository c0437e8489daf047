/**
 * A clock that does not wait: time goes on as fast as the work allows, in small steps, each of which lets the event loop
 * run. So CPU is measured without that of an idle event loop, of which there is more the less there is to do.
 */
import { EventScheduler, millisecond } from "@effect-fdb/simulation/EventScheduler"
import { VirtualClock } from "@effect-fdb/simulation/VirtualClock"
import * as Effect from "effect/Effect"

/** Timers are late by so much at most. */
const step = 5 * millisecond

export class AcceleratedClock extends VirtualClock {
  private readonly events: EventScheduler

  constructor() {
    const events = new EventScheduler(0)
    super(events, (task) => task(), { rate: 1, wallOffset: 0, booted: 0 })
    this.events = events
  }

  /** Calls after so many milliseconds. Returns how to cancel the call. */
  after(millis: number, run: () => void): () => void {
    return this.timer(this.events.now + Math.ceil(millis * millisecond), run)
  }

  /** Lets so much time pass. */
  pass(millis: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const until = this.events.now + millis * millisecond
      const goOn = (): void => {
        if (this.events.now >= until) return resume(Effect.void)
        this.events.run(this.events.now + step)
        setImmediate(goOn)
      }
      goOn()
    })
  }
}
