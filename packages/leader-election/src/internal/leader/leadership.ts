/** From a campaign to the end of the tenure, in the order that keeps two leaders' works apart (3, 6). */
import { Transaction } from "@effect-fdb/core"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import type { LeadOptions } from "../../CandidateOptions.ts"
import { type CampaignError, LeadershipLost } from "../../ElectionError.ts"
import { Leadership } from "../../Leadership.ts"
import type { Member } from "../candidate/candidate.ts"
import * as Log from "../candidate/log.ts"
import * as Registration from "../candidate/registration.ts"
import * as Span from "../candidate/span.ts"
import { WakeUp } from "../candidate/watches.ts"
import * as Follower from "../follower/campaign.ts"
import * as Operations from "../storage/operations.ts"
import * as Store from "../storage/reads.ts"
import * as Eviction from "./eviction.ts"
import * as Renewal from "./renewal.ts"
import { Tenure } from "./tenure.ts"

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** A tenure that has begun. */
interface Reign {
  readonly tenure: Tenure
  /**
   * Keeps it up from now on, and runs `afterLoss` when it is over for its leader, until it ends. To be run once, and at once.
   */
  readonly keepUp: (afterLoss: Effect.Effect<void>) => Effect.Effect<void>
  /** Ends it, once, however often it is asked to. */
  readonly end: Effect.Effect<void>
}

/**
 * Campaigns until it leads and still believes so: a claim whose commit took a lease is none. To be run uninterruptibly, but
 * for what it `restore`s: an interruption of that leaves nothing behind.
 */
const begin = Effect.fnUntraced(function*(member: Member, restore: Restore) {
  while (true) {
    const reign = yield* beginOnce(member, restore)
    if (yield* Effect.onError(reign.tenure.isHeld, () => reign.end)) return reign
    yield* reign.end
    // Where the margin leaves next to nothing of the lease, this would go on without a pause.
    Follower.yieldToOthers(member, 0n)
  }
})

/** Keeps the history short, if that can be done now. */
const trimHistory = ({ database, keys, patience }: Member): Effect.Effect<void> => {
  const body = Effect.flatMap(Transaction, (tx) =>
    Effect.flatMap(
      Store.readOutdated(tx.snapshot, keys),
      (outdated) => Operations.trimHistory(tx, keys, outdated)
    ))
  return Effect.ignoreCause(Effect.suspend(() => database.transact(body, { retryLimit: 0, timeout: patience })))
}

/** The end of a candidacy, after which nothing happens to it any more. */
const leave = (member: Member): Effect.Effect<void> => Effect.ensuring(Registration.unregister(member), member.left)

/** What ends with a campaign or a tenure, whatever has ended that: its watches and fibers, a candidacy that is closed, the turn. */
const finish = (member: Member, scope: Scope.Closeable): Effect.Effect<void> =>
  Scope.close(scope, Exit.void).pipe(
    Effect.ensuring(Effect.suspend(() => {
      member.role = "Idle"
      member.callUp = Effect.void
      member.abdicate = Effect.void
      return member.closed ? leave(member) : Effect.void
    })),
    Effect.ensuring(member.turn.release(1)),
    Effect.catchDefect((defect) => Log.error(`the watches of "${member.id}" could not be released`, defect))
  )

/** Campaigns once, whatever has become of the belief in the tenure meanwhile. */
const beginOnce = Effect.fnUntraced(function*(member: Member, restore: Restore) {
  yield* restore(member.turn.take(1))
  const scope = yield* Scope.make()
  return yield* Effect.onError(
    elect(member, restore, scope),
    () => Effect.ensuring(member.claiming ? Registration.relinquish(member) : Effect.void, finish(member, scope))
  )
})

/** Campaigns until elected; what it is to be ended with is in the scope. */
const elect = Effect.fnUntraced(function*(member: Member, restore: Restore, scope: Scope.Closeable) {
  const following = yield* Scope.provide(WakeUp.make, scope)
  member.role = "Following"
  const elected = yield* restore(Follower.campaign(member, following))
  const tenure = new Tenure(member, elected)
  member.claiming = false
  member.role = "Leading"
  yield* member.tell((about) => ({
    _tag: "Elected",
    ...about,
    term: tenure.term,
    cause: elected.cause,
    leaderless: Duration.nanos(elected.leaderless),
    leaseDuration: Duration.nanos(elected.lease.duration),
    believesUntil: tenure.belief.monotonicUntil
  }))
  member.abdicate = tenure.lose("resigned")
  if (member.closed) yield* member.abdicate
  const keepUp = (afterLoss: Effect.Effect<void>) =>
    Effect.gen(function*() {
      yield* Effect.forkIn(Effect.andThen(Renewal.watchdog(tenure), afterLoss), scope)
      yield* following.disarm
      yield* Effect.forkIn(Renewal.upkeep(tenure, yield* Scope.provide(WakeUp.make, scope)), scope)
      yield* Effect.forkIn(Eviction.patrol(tenure), scope)
    })
  const resign = Effect.gen(function*() {
    const { reason } = tenure
    yield* tenure.lose("resigned")
    // Others wait for this, and nobody for the watches and fibers to be put away, with which it finishes.
    const asked = member.now()
    const answers = yield* tenure.resign
    const took = member.now() - asked
    // Where the work ends before its upkeep has come to it, and does so again and again, nobody else keeps the history short.
    if (answers && !tenure.isSettled) yield* trimHistory(member)
    if (reason === "resigned" || reason === "stepped-down") Follower.yieldToOthers(member, answers ? took : 0n)
  })
  const end = yield* Effect.cached(Effect.uninterruptible(Effect.ensuring(resign, finish(member, scope))))
  const reign: Reign = { tenure, keepUp, end }
  return reign
})

/**
 * Ends the candidacy. A campaign or tenure that still goes on is ended by its own fiber, in the order of its end, and the
 * candidate is unregistered after it: it must not be waited for here, for it may be what closes the scope.
 */
export const close = (member: Member): Effect.Effect<void> =>
  Effect.suspend(() => {
    member.closed = true
    return member.role === "Idle" ? leave(member) : Effect.andThen(member.abdicate, member.callUp)
  })

/** See `Candidacy.campaign`. */
export const campaign = (member: Member): Effect.Effect<Leadership, CampaignError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const { end, keepUp, tenure } = yield* begin(member, restore)
      yield* Effect.addFinalizer(() => end)
      yield* Effect.onError(keepUp(Effect.void), () => end)
      return tenure.leadership(Effect.andThen(tenure.lose("resigned"), end))
    })
  ).pipe(Span.within("LeaderElection.campaign", member))

/** Tells, once, that the work went on when its lease had run out and another could lead. */
const tellOverrun = (tenure: Tenure): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (tenure.overrunTold) return Effect.void
    tenure.overrunTold = true
    return tenure.member.tell((about) => ({ _tag: "Overrun", ...about, term: tenure.term }))
  })

/** Reports a work that goes on when its lease has lapsed. */
const reportOverrun = (tenure: Tenure): Effect.Effect<void> =>
  Effect.suspend(() => Effect.sleep(Duration.nanos(tenure.belief.untilLapse()))).pipe(
    // Its resignation may take long.
    Effect.andThen(Effect.suspend(() => tenure.isWorking ? tellOverrun(tenure) : Effect.void))
  )

/** Runs the work by the tenure's scheduler, which is asked also where the caller's was not to be. */
const supervisedBy = (tenure: Tenure) => <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.contextWith((context: Context.Context<R>) => {
    const base = Context.get(context, Scheduler.Scheduler)
    const scheduler = tenure.scheduler(base, Context.get(context, Scheduler.PreventSchedulerYield))
    return work.pipe(
      Effect.provideService(Scheduler.Scheduler, scheduler),
      Effect.provideService(Scheduler.PreventSchedulerYield, false)
    )
  })

/** The loss of this very tenure, where the exit tells nothing else: it may come from a guard within the work, too. */
const lossIn = (tenure: Tenure, exit: Exit.Exit<unknown, unknown>): LeadershipLost | undefined => {
  if (Exit.isSuccess(exit) || exit.cause.reasons.length !== 1) return undefined
  const [reason] = exit.cause.reasons
  return reason !== undefined && Cause.isFailReason(reason) && tenure.isLoss(reason.error) ? reason.error : undefined
}

/** How the work is led, and whether the candidacy ends with it. */
export interface ReignOptions extends LeadOptions {
  readonly once: boolean
}

/**
 * Runs the work of one tenure to its end, and ends the tenure after it. The work has a scope of its own, which is closed in the
 * work's fiber: what is acquired and forked in it belongs to the work, and so do its finalizers.
 */
const lead = Effect.fnUntraced(function*<A, E, R>(
  { end, keepUp, tenure }: Reign,
  restore: Restore,
  work: (leadership: Leadership) => Effect.Effect<A, E, R>,
  { again = false, once }: ReignOptions
) {
  const { belief, member, term } = tenure
  const leadership = tenure.leadership(tenure.lose("resigned"))
  const supervised = Effect.withFiber((fiber) => {
    tenure.supervise(fiber)
    return Effect.flatMap(tenure.isHeld, (held) => held ? work(leadership) : Effect.never)
  }).pipe(Effect.provideService(Leadership, leadership)) as Effect.Effect<
    A,
    E,
    Exclude<R, Leadership | Scope.Scope> | Scope.Scope
  >
  let working: Fiber.Fiber<A, E> | undefined
  const led = Effect.gen(function*() {
    working = yield* Effect.scoped(supervised).pipe(
      Effect.provideService(Clock.Clock, tenure.clock),
      supervisedBy(tenure),
      Span.within("LeaderElection.lead", member, { term: String(term) }),
      // Wherever it was called from: a work that cannot be interrupted would go on beside the next leader's.
      Effect.interruptible,
      Effect.forkChild({ startImmediately: true, uninterruptible: true })
    )
    yield* keepUp(reportOverrun(tenure))
    const waited = yield* Effect.exit(restore(Fiber.join(working)))
    // Whoever interrupts this waits for the work's finalizers.
    if (Exit.hasInterrupts(waited)) yield* Fiber.interrupt(working)
    const worked = working.pollUnsafe() ?? waited
    // What a finalizer dies of would otherwise be lost with the interruption.
    const exit = Exit.hasDies(worked) ? worked : tenure.cutShortBy === undefined ? waited : Exit.fail(tenure.cutShortBy)
    const { reason } = tenure
    const overran = reason === undefined ? 0n : belief.sinceLapse()
    // Also where it has ended before anybody looked, as after the process was frozen.
    if (overran > 0n) yield* tellOverrun(tenure)
    const loss = lossIn(tenure, exit)
    const goesOn = loss !== undefined && again
    // It leaves with its resignation.
    if (once && !goesOn) member.closed = true
    return {
      goesOn,
      exit: loss === undefined || (overran === 0n && !tenure.isInDoubt)
        ? exit
        : Exit.fail(
          new LeadershipLost({
            processId: member.id,
            term,
            reason: loss.reason,
            ...(overran === 0n ? {} : { overran: Duration.nanos(overran) }),
            ...(tenure.isInDoubt ? { maybeCommitted: true } : {})
          })
        )
    }
  })
  return yield* Effect.ensuring(
    led,
    // Also where this has died, as of watches that cannot be taken away: no work outlives it.
    Effect.suspend(() => Effect.andThen(working === undefined ? Effect.void : Fiber.interrupt(working), end))
  )
})

/** See `Candidacy.withLeadership`. */
export const withLeadership = <A, E, R>(
  member: Member,
  work: (leadership: Leadership) => Effect.Effect<A, E, R>,
  options: ReignOptions
): Effect.Effect<A, E | CampaignError | LeadershipLost, Exclude<R, Leadership | Scope.Scope>> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      while (true) {
        const begun = yield* Effect.result(begin(member, restore))
        if (Result.isSuccess(begun)) {
          const { exit, goesOn } = yield* lead(begun.success, restore, work, options)
          if (!goesOn) return yield* exit
        } else if (!(options.again === true && begun.failure._tag === "CandidateSuperseded")) {
          return yield* begun.failure
        }
      }
    })
  )
