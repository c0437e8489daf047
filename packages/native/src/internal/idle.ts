/** Waiting for native code to come to rest. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"

/** Lets fibers wait until `isIdle` holds; whoever makes it hold calls `wake`. */
export class Idle {
  private readonly waiting = new Set<Latch.Latch>()
  private readonly isIdle: () => boolean

  constructor(isIdle: () => boolean) {
    this.isIdle = isIdle
  }

  wake(): void {
    if (!this.isIdle()) return
    for (const latch of this.waiting) latch.openUnsafe()
  }

  /** Waits, but no longer than `limit`; tells whether it is idle then. Waits in an interrupted fiber's finalizer too. */
  waitAtMost(limit: Duration.Duration): Effect.Effect<boolean> {
    return Effect.suspend(() => this.isIdle() ? Effect.succeed(true) : this.waitOrTimeOut(limit))
  }

  private waitOrTimeOut(limit: Duration.Duration): Effect.Effect<boolean> {
    return Effect.gen({ self: this }, function*() {
      const latch = Latch.makeUnsafe()
      this.waiting.add(latch)
      // A fiber of its own: the one that waits may be uninterruptible, and then no timeout could end its wait.
      const timer = yield* Effect.forkDetach(Effect.interruptible(Effect.andThen(Effect.sleep(limit), latch.open)))
      yield* latch.await
      this.waiting.delete(latch)
      yield* Fiber.interrupt(timer)
      return this.isIdle()
    })
  }
}
