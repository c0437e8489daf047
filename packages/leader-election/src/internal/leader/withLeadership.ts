/** From a campaign to the end of the tenure: `campaign` for the caller's work, `withLeadership` for a work that is supervised. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { LeadOptions } from "../../CandidateOptions.ts"
import type { CampaignError, LeadershipLost } from "../../ElectionError.ts"
import type { Leadership } from "../../Leadership.ts"
import { type Candidate, yieldToOthers } from "../candidate/candidate.ts"
import * as Lock from "../candidate/lock.ts"
import * as Span from "../candidate/span.ts"
import { Watches } from "../candidate/watches.ts"
import { untilElected } from "../follower/campaign.ts"
import { heldState } from "../storage/leaderState.ts"
import { release } from "./end.ts"
import * as Eviction from "./eviction.ts"
import { guard } from "./guard.ts"
import { keepRenewing } from "./renewalLoop.ts"
import { Tenure } from "./tenure.ts"
import { runWork } from "./work.ts"

export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** A tenure, and the watches of the campaign that has won it: for `keepUp`. */
export interface Won {
  readonly tenure: Tenure
  readonly following: Watches
}

/** Campaigns until elected. The belief in the new tenure may be over already; `elect` checks it. */
const electOnce = Effect.fnUntraced(function*(candidate: Candidate, restore: Restore) {
  const { campaignLock, events, lifecycle, registration, witnessed } = candidate
  yield* Lock.take(campaignLock, restore)
  const scope = yield* Scope.make()
  const elect = Effect.gen(function*() {
    const following = yield* Scope.provide(Watches.make, scope)
    if (!lifecycle.campaign(following.wake)) return yield* Effect.interrupt
    const elected = yield* restore(untilElected(candidate, following))
    const { cause, leaderless, lease } = elected
    const tenure = new Tenure(candidate, elected, scope)
    lifecycle.elected(tenure.term, tenure.end.lose("resigned"))
    yield* events.tell({
      _tag: "Elected",
      term: tenure.term,
      ballot: lease.ballot,
      cause,
      leaderless: Duration.nanos(leaderless),
      witnesses: witnessed.witnesses,
      leaseDuration: Duration.nanos(lease.duration),
      believesUntil: tenure.belief.monotonicUntil
    })
    if (lifecycle.isClosing) yield* lifecycle.stepDown
    return { tenure, following }
  })
  return yield* Effect.onError(elect, () => {
    // Who leaves resigns with that, if it has been appointed.
    const mayLead = lifecycle.mayHaveClaimed || (registration.isCalled && !lifecycle.isClosing)
    lifecycle.end()
    return Effect.ensuring(mayLead ? registration.resignIfLeading : Effect.void, release(candidate, scope))
  })
})

/**
 * Campaigns until it leads and still believes so: a claim whose commit took a lease is none. To be run uninterruptibly, but
 * for what it `restore`s: an interruption of that leaves nothing behind.
 */
export const elect = Effect.fnUntraced(function*(candidate: Candidate, restore: Restore) {
  while (true) {
    const won = yield* electOnce(candidate, restore)
    const { check, complete } = won.tenure.end
    if (yield* Effect.onError(check, () => complete)) return won
    yield* complete
    // Where the margin leaves next to nothing of the lease, this would go on without a pause.
    yieldToOthers(candidate, 0n)
  }
})

/** Begins what keeps a tenure up, until it ends. `whenOver` runs when the belief is over. */
const keepUp = Effect.fnUntraced(function*({ following, tenure }: Won, whenOver: Effect.Effect<void>) {
  const { end, scope, watchdog } = tenure
  const watched = end.losingByDefect("watchdog")(watchdog.watch(tenure))
  yield* Effect.forkIn(Effect.andThen(watched, whenOver), scope)
  yield* following.cancel
  yield* Effect.forkIn(keepRenewing(tenure, yield* Scope.provide(Watches.make, scope)), scope)
  yield* Effect.forkIn(Eviction.patrol(tenure), scope)
})

/** What the application is given; how it resigns depends on who runs the work. */
const toLeadership = (tenure: Tenure, resign: Effect.Effect<void>): Leadership => ({
  term: tenure.term,
  state: Effect.sync(() => heldState(tenure.leader, tenure.lease)),
  isHeld: Effect.sync(() => tenure.isHeld),
  lost: tenure.end.lost,
  guard: (body, options) => guard(tenure, body, options),
  resign
})

/** What campaigns: a candidate, or several of which one is elected. */
export interface Contender<L extends Leadership> {
  readonly about: Span.About
  /** To be run uninterruptibly, but for what it `restore`s: an interruption of that leaves nothing behind. */
  readonly elect: (restore: Restore) => Effect.Effect<Won, CampaignError>
  /** What the application is given of the leadership of a candidate. */
  readonly present: (leadership: Leadership, candidate: Candidate) => L
}

/** A candidate that campaigns for itself. */
export const contender = (candidate: Candidate): Contender<Leadership> => ({
  about: candidate,
  elect: (restore) => elect(candidate, restore),
  present: (leadership) => leadership
})

/** See `Candidacy.campaign`. */
export const campaign = <L extends Leadership>(
  { about, elect, present }: Contender<L>
): Effect.Effect<L, CampaignError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const won = yield* elect(restore)
      const { candidate, end } = won.tenure
      yield* Effect.addFinalizer(() => end.complete)
      yield* Effect.onError(keepUp(won, Effect.void), () => end.complete)
      return present(toLeadership(won.tenure, Effect.andThen(end.lose("resigned"), end.complete)), candidate)
    })
  ).pipe(Span.within("LeaderElection.campaign", about))

/** See `Candidacy.withLeadership`. A candidate that leads `once` leaves with its resignation. */
export const withLeadership = <L extends Leadership, A, E, R>(
  { elect, present }: Contender<L>,
  work: (leadership: L) => Effect.Effect<A, E, R>,
  { again = false, once }: LeadOptions & { readonly once: boolean }
): Effect.Effect<A, E | CampaignError | LeadershipLost, Exclude<R, Leadership | Scope.Scope>> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      while (true) {
        const elected = yield* Effect.result(elect(restore))
        if (Result.isFailure(elected)) {
          if (again && elected.failure._tag === "CandidateSuperseded") continue
          return yield* elected.failure
        }
        const won = elected.success
        const { candidate, end } = won.tenure
        const leadership = present(toLeadership(won.tenure, end.lose("resigned")), candidate)
        const led = Effect.map(
          runWork(won.tenure, leadership, () => work(leadership), restore, (whenOver) => keepUp(won, whenOver)),
          ({ exit, isLost }) => {
            const campaignsAgain = isLost && again
            // It leaves with its resignation.
            if (once && !campaignsAgain) candidate.lifecycle.close()
            return { exit, campaignsAgain }
          }
        )
        const { campaignsAgain, exit } = yield* Effect.ensuring(led, end.complete)
        if (!campaignsAgain) return yield* exit
      }
    })
  )
