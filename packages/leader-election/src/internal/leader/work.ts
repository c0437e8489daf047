/** The work of a tenure: run while the belief holds, and interrupted with it (3, 6). */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import { LeadershipLost } from "../../ElectionError.ts"
import { Leadership } from "../../Leadership.ts"
import * as Span from "../candidate/span.ts"
import type { Tenure } from "./tenure.ts"

/** A fiber of the work looks at the belief when it goes on after a wait, and then every so many operations. */
const operationsPerLook = 32

/**
 * The scheduler of the work: no fiber goes on after a wait, nor runs for long, before the belief has been looked at. Where it is
 * over, the work is interrupted within the look, and the fiber yields before its step: where a loop was blocked, a socket's data
 * may come before any timer.
 *
 * It stops to look once the tenure is over, for finalizers have to go on. A fiber that `neverYields` yields for this only.
 */
const workScheduler = ({ end }: Tenure, base: Scheduler.Scheduler, neverYields: boolean): Scheduler.Scheduler => {
  // Counted from the last look: the count leaves numbers out, and begins anew when a fiber goes on after a wait.
  let looked: Fiber.Fiber<unknown, unknown> | undefined
  let at = 0
  const isDue = (fiber: Fiber.Fiber<unknown, unknown>): boolean => {
    const count = fiber.currentOpCount
    if (fiber === looked && count > at && count - at < operationsPerLook) return false
    looked = fiber
    at = count
    return true
  }
  return {
    executionMode: base.executionMode,
    makeDispatcher: () => base.makeDispatcher(),
    shouldYield: (fiber) =>
      (end.reason === undefined && isDue(fiber) && !end.checkNow(fiber.context)) ||
      (!neverYields && base.shouldYield(fiber))
  }
}

/** Runs the work by its scheduler, also where the caller keeps its fibers from yielding. */
const scheduled = (tenure: Tenure) => <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.contextWith((context: Context.Context<R>) => {
    const base = Context.get(context, Scheduler.Scheduler)
    return work.pipe(
      Effect.provideService(
        Scheduler.Scheduler,
        workScheduler(tenure, base, Context.get(context, Scheduler.PreventSchedulerYield))
      ),
      Effect.provideService(Scheduler.PreventSchedulerYield, false)
    )
  })

/** The clock of the work: no sleep returns before the belief has been looked at. It never waits itself, for finalizers use it too. */
const workClock = ({ candidate: { clock }, end }: Tenure): Clock.Clock => ({
  // What else it can do, as a test clock can be set.
  ...clock,
  currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
  currentTimeMillis: clock.currentTimeMillis,
  currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
  currentTimeNanos: clock.currentTimeNanos,
  monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: clock.monotonicTimeNanos,
  sleep: (duration) => Effect.andThen(clock.sleep(duration), Effect.asVoid(end.check))
})

/** The loss of this very tenure, where the exit tells nothing else. It may come from a guard within the work, too. */
const lossIn = ({ end }: Tenure, exit: Exit.Exit<unknown, unknown>): LeadershipLost | undefined => {
  if (Exit.isSuccess(exit) || exit.cause.reasons.length !== 1) return undefined
  const [reason] = exit.cause.reasons
  return reason !== undefined && Cause.isFailReason(reason) && end.isLoss(reason.error) ? reason.error : undefined
}

/** What came of a work. */
export interface Worked<A, E> {
  readonly exit: Exit.Exit<A, E | LeadershipLost>
  /** Whether it failed with the loss of its leadership. */
  readonly isLost: boolean
}

/**
 * Runs the work of a tenure to its end, its finalizers included. Its scope is its own, and is closed in its fiber: what is
 * acquired and forked there belongs to the work. `begun` runs when the work has begun, with what is to be run when the belief is over.
 */
export const runWork = Effect.fnUntraced(function*<A, E, R>(
  tenure: Tenure,
  leadership: Leadership,
  work: (leadership: Leadership) => Effect.Effect<A, E, R>,
  restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>,
  begun: (whenOver: Effect.Effect<void>) => Effect.Effect<void>
) {
  const { belief, candidate, end, term } = tenure
  let overrunTold = false
  const tellOverrun = Effect.suspend(() => {
    if (overrunTold) return Effect.void
    overrunTold = true
    return candidate.events.tell({ _tag: "Overrun", term })
  })
  const watchOverrun = Effect.suspend(() => Effect.sleep(Duration.nanos(belief.untilLapse()))).pipe(
    // Its resignation may take long.
    Effect.andThen(Effect.suspend(() => end.isWorking ? tellOverrun : Effect.void))
  )
  const supervised = Effect.withFiber((fiber) => {
    end.supervise(fiber)
    return Effect.flatMap(end.check, (held) => held ? work(leadership) : Effect.never)
  }).pipe(Effect.provideService(Leadership, leadership)) as Effect.Effect<
    A,
    E,
    Exclude<R, Leadership | Scope.Scope> | Scope.Scope
  >
  let working: Fiber.Fiber<A, E> | undefined
  const worked = Effect.gen(function*() {
    working = yield* Effect.scoped(supervised).pipe(
      Effect.provideService(Clock.Clock, workClock(tenure)),
      scheduled(tenure),
      Span.within("LeaderElection.lead", candidate, { term: String(term) }),
      // Wherever it was called from: a work that cannot be interrupted would go on beside the next leader's.
      Effect.interruptible,
      Effect.forkChild({ startImmediately: true, uninterruptible: true })
    )
    yield* begun(watchOverrun)
    const waited = yield* Effect.exit(restore(Fiber.join(working)))
    // Whoever interrupts this waits for the work's finalizers.
    if (Exit.hasInterrupts(waited)) yield* Fiber.interrupt(working)
    const ended = working.pollUnsafe() ?? waited
    // What a finalizer dies of would otherwise be lost with the interruption.
    const exit = Exit.hasDies(ended) ? ended : end.cutShortBy === undefined ? waited : Exit.fail(end.cutShortBy)
    const overran = end.reason === undefined ? 0n : belief.sinceLapse()
    // Also where it has ended before anybody looked, as after the process was frozen.
    if (overran > 0n) yield* tellOverrun
    const loss = lossIn(tenure, exit)
    const result: Worked<A, E> = {
      isLost: loss !== undefined,
      exit: loss === undefined || (overran === 0n && !end.isInDoubt)
        ? exit
        : Exit.fail(
          new LeadershipLost({
            processId: candidate.id,
            term,
            reason: loss.reason,
            ...(overran === 0n ? {} : { overran: Duration.nanos(overran) }),
            ...(end.isInDoubt ? { maybeCommitted: true } : {})
          })
        )
    }
    return result
  })
  // Also where this has died, as of watches that cannot be taken away: no work outlives it.
  return yield* Effect.ensuring(
    worked,
    Effect.suspend(() => working === undefined ? Effect.void : Effect.asVoid(Fiber.interrupt(working)))
  )
})
