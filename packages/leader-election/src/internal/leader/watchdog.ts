/**
 * Looks at the belief in time, on both clocks, whatever the renewal waits for (3). The work's scheduler and clock, the guard and the
 * renewal look, too; `end.ts` ends the tenure.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Tenure } from "./tenure.ts"

/** How long it looks away at most: for a margin, but not ever more often where that is next to nothing. */
const watchdogInterval = (leaseDuration: bigint, margin: bigint): bigint => {
  const least = leaseDuration / 100n
  return margin > least ? margin : least
}

export class Watchdog {
  private readonly tenure: Tenure
  /** When it looks again, on the monotonic clock. */
  private looksAt = 0n

  constructor(tenure: Tenure) {
    this.tenure = tenure
  }

  /**
   * Looks until the tenure is over. It notices a wall clock that jumps, and a tenure that has ended elsewhere, within an interval,
   * and so before the lease lapses.
   */
  readonly run: Effect.Effect<void> = Effect.suspend(() => {
    const { tenure } = this
    const { belief, candidate: { marginOf, now }, end } = tenure
    const watch: Effect.Effect<void> = Effect.flatMap(end.check, (held) => {
      if (!held) return Effect.void
      const remaining = belief.remaining()
      const longest = watchdogInterval(tenure.lease.duration, marginOf(tenure.lease.duration))
      const pause = remaining < longest ? remaining : longest
      this.looksAt = now() + pause
      return Effect.andThen(Effect.sleep(Duration.nanos(pause)), watch)
    })
    return end.losingByDefect("watchdog")(watch)
  })

  /** Makes sure that a belief that was shortened is looked at when it ends. */
  readonly beliefShortened: Effect.Effect<void> = Effect.suspend(() =>
    this.tenure.belief.monotonicUntil >= this.looksAt
      ? Effect.void
      : Effect.asVoid(Effect.forkDetach(this.run, { startImmediately: true }))
  )
}
