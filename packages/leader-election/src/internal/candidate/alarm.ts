/** One timer for many: it rings at the earliest of the instants that it is set to. */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

export class Alarm {
  private readonly clock: Clock.Clock
  private readonly ring: (slept: Exit.Exit<void>) => void
  private set: { readonly at: bigint; readonly fiber: Fiber.Fiber<void> } | undefined = undefined

  /** `ring` is told, too, of a clock that is defective: the alarm does not ring again by itself. */
  constructor(clock: Clock.Clock, ring: (slept: Exit.Exit<void>) => void) {
    this.clock = clock
    this.ring = ring
  }

  /** Rings at an instant of the monotonic clock at the latest. The timer is a fiber with the `context` of whoever sets it. */
  ringAt(at: bigint, context: Context.Context<never>): void {
    if (this.set !== undefined && this.set.at <= at) return
    this.cancel()
    const sleep = Effect.suspend(() => {
      const left = at - this.clock.monotonicTimeNanosUnsafe()
      return left > 0n ? this.clock.sleep(Duration.nanos(left)) : Effect.yieldNow
    })
    const fiber = Effect.runForkWith(context)(sleep)
    const set = this.set = { at, fiber }
    fiber.addObserver((exit) => {
      if (this.set !== set) return
      this.set = undefined
      this.ring(exit)
    })
  }

  /** Takes the instants back. Without it the timer would keep its process from ending. */
  cancel(): void {
    const fiber = this.set?.fiber
    this.set = undefined
    fiber?.interruptUnsafe()
  }
}
