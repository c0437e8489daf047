/**
 * How many campaigns of a process look at once at one database. Thousands that begin together would otherwise keep those that are elected
 * first from renewing in time: who waits has nothing to lose.
 */
import type { DatabaseService } from "@effect-fdb/core"
import * as Effect from "effect/Effect"

const mostAtOnce = 64

/** Turns, in the order in which they are asked for. Unlike those of Effect's `Semaphore`, they take no longer the more wait. */
class Turns {
  private free = mostAtOnce
  private readonly waiting = new Set<() => void>()

  /** To be run uninterruptibly: only the wait for a turn can be interrupted. */
  readonly take: Effect.Effect<void> = Effect.suspend(() => {
    if (this.free === 0) return Effect.interruptible(this.wait)
    this.free--
    return Effect.void
  })

  private readonly wait: Effect.Effect<void> = Effect.callback((resume) => {
    const go = () => resume(Effect.void)
    this.waiting.add(go)
    return Effect.sync(() => {
      // Its turn may have come before it was interrupted.
      if (!this.waiting.delete(go)) this.pass()
    })
  })

  /**
   * Gives a turn back in the next turn of the event loop. Rounds that need not wait for a database would otherwise all run in this one,
   * before any timer.
   */
  readonly give: Effect.Effect<void> = Effect.withFiber(({ currentDispatcher }) =>
    Effect.sync(() => currentDispatcher.scheduleTask(() => this.pass(), 0))
  )

  private pass(): void {
    const [next] = this.waiting
    if (next === undefined) {
      this.free++
      return
    }
    this.waiting.delete(next)
    next()
  }
}

const turns = new WeakMap<DatabaseService, Turns>()

/** Runs a round of a campaign when it is its turn. */
export const throttled = <A, E, R>(
  database: DatabaseService,
  round: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const ofDatabase = turns.get(database) ?? new Turns()
  turns.set(database, ofDatabase)
  return Effect.acquireUseRelease(ofDatabase.take, () => round, () => ofDatabase.give)
}
