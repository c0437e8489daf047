/**
 * Looks at the belief in time, on both clocks, whatever the renewal waits for (3). One timer looks at all tenures of a process that are
 * looked at as often. The work's scheduler and clock, the guard and the renewal look, too; `end.ts` ends the tenure.
 */
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import { Alarm } from "../candidate/alarm.ts"
import type { CandidateContext } from "../candidate/candidate.ts"
import { perDatabase } from "../candidate/perDatabase.ts"
import type { Tenure } from "./tenure.ts"

/** How long it looks away at most: for a margin, but not ever more often where that is next to nothing. */
const watchdogInterval = (leaseDuration: bigint, margin: bigint): bigint => {
  const least = leaseDuration / 100n
  return margin > least ? margin : least
}

interface Watched {
  readonly context: Context.Context<never>
  readonly over: (end: Effect.Effect<void>) => void
  /** The lease for which the interval was found. */
  lease: bigint
  interval: bigint
}

interface Look {
  readonly at: bigint
  readonly context: Context.Context<never>
}

/** The margin may be a function of the application: it is asked once for each lease. */
const intervalOf = ({ candidate: { marginOf }, lease: { duration } }: Tenure, watched: Watched): bigint => {
  if (watched.lease !== duration) {
    watched.lease = duration
    watched.interval = watchdogInterval(duration, marginOf(duration))
  }
  return watched.interval
}

export class Watchdog {
  private readonly clock: Clock.Clock
  private readonly alarm: Alarm
  private readonly watched = new Map<Tenure, Watched>()

  constructor(clock: Clock.Clock) {
    this.clock = clock
    this.alarm = new Alarm(clock, (slept) => this.lookAtAll(slept))
  }

  /**
   * Looks until the tenure is over. It notices a wall clock that jumps, and a tenure that has ended elsewhere, within an interval,
   * and so before the lease lapses.
   */
  watch(tenure: Tenure): Effect.Effect<void> {
    return Effect.contextWith((context: Context.Context<never>) =>
      Effect.callback<void>((resume) => {
        const watched: Watched = { context, over: resume, lease: 0n, interval: 0n }
        this.watched.set(tenure, watched)
        const next = this.look(tenure, watched)
        if (next !== undefined) this.alarm.ringAt(next.at, context)
        return Effect.sync(() => this.forget(tenure))
      })
    )
  }

  private lookAtAll(slept: Exit.Exit<void>): void {
    let next: Look | undefined
    for (const [tenure, watched] of this.watched) {
      const look = slept._tag === "Success" ? this.look(tenure, watched) : this.leave(tenure, watched, slept)
      if (look !== undefined && (next === undefined || look.at < next.at)) next = look
    }
    if (next !== undefined) this.alarm.ringAt(next.at, next.context)
  }

  /** Looks, and tells when to look again. What a tenure dies of must not keep the others from being looked at. */
  private look(tenure: Tenure, watched: Watched): Look | undefined {
    const { context } = watched
    const looked = Result.try(() => {
      if (!tenure.end.checkNow(context)) return undefined
      const remaining = tenure.belief.remaining()
      const longest = intervalOf(tenure, watched)
      return { at: this.clock.monotonicTimeNanosUnsafe() + (remaining < longest ? remaining : longest), context }
    })
    return Result.getOrUndefined(looked) ??
      this.leave(tenure, watched, Result.isFailure(looked) ? Effect.die(looked.failure) : Effect.void)
  }

  private leave(tenure: Tenure, { over }: Watched, end: Effect.Effect<void>): undefined {
    this.forget(tenure)
    over(end)
  }

  private forget(tenure: Tenure): void {
    this.watched.delete(tenure)
    if (this.watched.size === 0) this.alarm.cancel()
  }

  /** Makes sure that a belief that was shortened is looked at when it ends. */
  beliefShortened(tenure: Tenure): void {
    const watched = this.watched.get(tenure)
    if (watched !== undefined) this.alarm.ringAt(tenure.belief.monotonicUntil, watched.context)
  }
}

const watchdogsOf = perDatabase(() => new Map<bigint, Watchdog>())

/** The watchdog of a new tenure. Those that are looked at seldom have another, so that nobody looks at them more often. */
export const watchdogOf = (candidate: CandidateContext, leaseDuration: bigint, margin: bigint): Watchdog => {
  const watchdogs = watchdogsOf(candidate)
  const interval = watchdogInterval(leaseDuration, margin)
  const watchdog = watchdogs.get(interval) ?? new Watchdog(candidate.clock)
  watchdogs.set(interval, watchdog)
  return watchdog
}
