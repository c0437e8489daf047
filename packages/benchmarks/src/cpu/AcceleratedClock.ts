/**
 * A clock that does not wait: time passes as fast as the work allows, in small steps, and the event loop runs in each step. So the
 * measured CPU time does not include an idle event loop.
 */
import { EventScheduler, millisecond } from "@effect-fdb/simulation/EventScheduler"
import { VirtualClock } from "@effect-fdb/simulation/VirtualClock"
import * as Effect from "effect/Effect"

/** The maximum lateness of timers. */
const step = 5 * millisecond

export class AcceleratedClock extends VirtualClock {
  private readonly events: EventScheduler

  constructor() {
    const events = new EventScheduler(0)
    super(events, (task) => task(), { rate: 1, wallOffset: 0, booted: 0 })
    this.events = events
  }

  /** Calls `run` after `millis`. The returned function cancels the call. */
  after(millis: number, run: () => void): () => void {
    return this.timer(this.events.now + Math.ceil(millis * millisecond), run)
  }

  /** Lets `millis` pass. */
  pass(millis: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      let until = this.events.now + millis * millisecond
      const goOn = (): void => {
        if (this.events.now >= until) return resume(Effect.void)
        this.events.run(this.events.now + step)
        setImmediate(goOn)
      }
      goOn()
      return Effect.sync(() => void (until = 0))
    })
  }
}
