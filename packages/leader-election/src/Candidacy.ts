/** The part of one process in an election. It registers once, campaigns any number of times, and leaves with its scope. */
import type { Database, Subspace } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { CandidateOptions, LeadOptions } from "./CandidateOptions.ts"
import type { ElectionConfig } from "./ElectionConfig.ts"
import type { CampaignError, InvalidCandidate, InvalidConfig, LeadershipLost } from "./ElectionError.ts"
import type { Health } from "./Health.ts"
import * as Candidate from "./internal/candidate/candidate.ts"
import { remembering } from "./internal/leader/currentLeadership.ts"
import { campaign, contender as contenderOf, withLeadership } from "./internal/leader/withLeadership.ts"
import { validate } from "./internal/protocol/validation.ts"
import type { Leadership } from "./Leadership.ts"

export type { CandidateOptions, LeadOptions } from "./CandidateOptions.ts"
export type { CampaignError } from "./ElectionError.ts"
export type { Health } from "./Health.ts"

/**
 * What a candidacy needs of an election.
 *
 * @since 0.1.0
 * @category models
 */
export interface Election {
  readonly subspace: Subspace.Subspace
  /** The configuration with which the first campaign creates the election; the default configuration unless set. */
  readonly config?: ElectionConfig | undefined
}

/**
 * See the module.
 *
 * @since 0.1.0
 * @category models
 */
export interface Candidacy {
  readonly id: string
  /**
   * Campaigns until elected. Closing the scope resigns. The caller must stop its work when `lost` completes; `withLeadership`
   * does that for you.
   *
   * The scope is the caller's, and the loss of the leadership does not close it: fibers forked in it run beside the work of the
   * next leader until it closes. Closing it releases what was acquired in it after the election, in reverse order; then it
   * resigns; then it releases what was acquired before. So acquire what the work needs after the election, in this scope or in an
   * inner one, and close that as soon as `lost` completes.
   *
   * If another process has registered under its id, it fails with `CandidateSuperseded`, once. The next campaign waits until that
   * registration is gone, or has shown no heartbeat for the candidate timeout.
   *
   * A candidacy has one tenure at a time. The next campaign waits until the last leadership is resigned or its scope closed, even
   * if it was lost before. So give each campaign its own scope.
   */
  readonly campaign: Effect.Effect<Leadership, CampaignError, Scope.Scope>
  /**
   * Campaigns until elected, then runs the work. The work is interrupted when the leadership is lost, even if this is called in
   * an uninterruptible region. The work takes its `Leadership` as an argument or as a service.
   *
   * Each tenure gives its work a new `Scope`: resources that the work acquires in it, layers built in it, and fibers forked in it
   * (`Effect.forkScoped`) end with the work. Fibers of `Effect.forkDetach` or of another scope, and child processes, do not; end
   * them in a finalizer of the work.
   *
   * A tenure ends in this order: the leadership is lost or the work is done; the finalizers of the work run; its scope closes,
   * with the exit of the work; the resignation is written, if the tenure is still stored; the next campaign begins, if there is
   * one. Meanwhile the lease is renewed if possible.
   */
  readonly withLeadership: <A, E, R>(
    work: (leadership: Leadership) => Effect.Effect<A, E, R>,
    options?: LeadOptions
  ) => Effect.Effect<A, E | CampaignError | LeadershipLost, Exclude<R, Leadership | Scope.Scope>>
  /** Changes the priority with a heartbeat that is written at once. A tenure keeps the priority that it began with. */
  readonly setPriority: (priority: number) => Effect.Effect<void, InvalidCandidate>
  /**
   * The leadership that it believes in at this instant, as `Leadership.isHeld` tells; `None` while it does not lead. For those who
   * ask about it beside the work, such as a health check. Does not ask the database.
   *
   * @example const leads = (candidacy: Candidacy.Candidacy) => Effect.map(candidacy.leadership, Option.isSome)
   */
  readonly leadership: Effect.Effect<Option.Option<Leadership>>
  /** The health of the candidacy. Does not ask the database. */
  readonly health: Effect.Effect<Health>
}

/**
 * Makes the candidacy of this process in an election. It registers with its first campaign; closing the scope unregisters it.
 *
 * Closing the scope also interrupts a campaign and ends a tenure. The tenure resigns after the finalizers of the work or, under
 * `campaign`, when the scope of that campaign closes. Only then does the candidate unregister.
 *
 * @example const led = Effect.flatMap(Candidacy.make(election, { priority: 1 }), ({ withLeadership }) => withLeadership(() => Effect.never))
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function*(
  election: Election,
  options: CandidateOptions
): Effect.fn.Return<Candidacy, InvalidCandidate | InvalidConfig, Database | Scope.Scope> {
  return fromCandidate(yield* Candidate.make(election, options))
})

/** @internal */
export const fromCandidate = (candidate: Candidate.Candidate): Candidacy => {
  const { id, lifecycle, registration } = candidate
  const { contender, leadership } = remembering(contenderOf(candidate))
  return {
    id,
    campaign: campaign(contender),
    withLeadership: (work, options) => withLeadership(contender, work, { ...options, once: false }),
    leadership,
    setPriority: (priority) =>
      Effect.andThen(
        validate(id, priority),
        Effect.suspend(() => {
          registration.setPriority(priority)
          return lifecycle.wake
        })
      ),
    health: Effect.sync(() => Candidate.health(candidate))
  }
}
