/**
 * A process's part in an election: registered once, it campaigns as often as it is asked to, and leaves with its scope.
 */
import type { Database, Subspace } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { CandidateOptions, LeadOptions } from "./CandidateOptions.ts"
import type { ElectionConfig } from "./ElectionConfig.ts"
import type { CampaignError, InvalidCandidate, InvalidConfig, LeadershipLost } from "./ElectionError.ts"
import type { Health } from "./Health.ts"
import type { Member } from "./internal/candidate/candidate.ts"
import { enrol } from "./internal/candidate/enrolment.ts"
import * as Candidate from "./internal/candidate/validation.ts"
import * as Reign from "./internal/leader/leadership.ts"
import type { Leadership } from "./Leadership.ts"

export type { CandidateOptions, LeadOptions } from "./CandidateOptions.ts"
export type { CampaignError } from "./ElectionError.ts"
export type { Health } from "./Health.ts"

/**
 * An election, as far as a candidacy in it has to know it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Election {
  readonly subspace: Subspace.Subspace
  /** What the election is set up with by the first that campaigns; the default unless set. */
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
   * Waits until elected. Closing the scope resigns; so does interrupting. Whoever uses it stops the work itself once
   * `lost` completes: `withLeadership` does that for you.
   *
   * The scope is the caller's, and the loss does not close it: what is forked in it goes on beside the next leader's work until
   * it is closed. Closing it releases first what was acquired in it since the election, in reverse order, then resigns, then
   * releases what was acquired before. So acquire what leading needs after the election, in this scope or in one that is closed
   * sooner, and close that as soon as `lost` completes.
   *
   * Where another process has registered under its id it fails with `CandidateSuperseded`, once: the next campaign waits until that
   * registration is gone, or has not shown for the candidate timeout that it lives.
   *
   * A candidacy has one tenure at a time: the next campaign waits until the last leadership was resigned, or its scope closed,
   * also where it was lost before. So each is given a scope of its own.
   */
  readonly campaign: Effect.Effect<Leadership, CampaignError, Scope.Scope>
  /**
   * Waits until elected and runs the work, which is interrupted when leadership is lost, even where this is called from a region
   * that nothing else can interrupt. The work is given its `Leadership` as an argument and as a service.
   *
   * Each tenure gives its work a `Scope` of its own: what the work acquires in it, layers that are built in it, and fibers that are
   * forked in it (`Effect.forkScoped`) end with the work. `Effect.forkDetach`, another scope and child processes do not; let a
   * finalizer of the work end them.
   *
   * The order at the end of a tenure: leadership is lost or the work is done; the work's finalizers run, and after them its scope is
   * closed, with how the work has ended; only then is the resignation written, if the tenure still stands; only then does it
   * campaign again, if it does. Meanwhile the lease is renewed, where it can be.
   */
  readonly withLeadership: <A, E, R>(
    work: (leadership: Leadership) => Effect.Effect<A, E, R>,
    options?: LeadOptions
  ) => Effect.Effect<A, E | CampaignError | LeadershipLost, Exclude<R, Leadership | Scope.Scope>>
  /** Changes the priority from the next heartbeat on, which comes at once; a tenure keeps the priority that it began with. */
  readonly setPriority: (priority: number) => Effect.Effect<void, InvalidCandidate>
  /** How it fares, without asking the database. */
  readonly health: Effect.Effect<Health>
}

/**
 * The candidacy of this process in an election. It registers with its first campaign; closing the scope unregisters it.
 *
 * A campaign that goes on then is interrupted. A tenure is lost; it is resigned after the work's finalizers, or, under
 * `campaign`, when that campaign's scope is closed, and only then does the candidate leave.
 *
 * **Example**
 *
 * ```ts
 * import { Subspace } from "@effect-fdb/core"
 * import { Candidacy, LeaderElection } from "@effect-fdb/leader-election"
 * import { Effect } from "effect"
 *
 * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
 *
 * export const main = Effect.scoped(Effect.gen(function*() {
 *   const candidacy = yield* Candidacy.make(election, { priority: 1 })
 *   yield* candidacy.withLeadership(({ term }) => Effect.log(`leads in term ${term}`))
 *   return yield* candidacy.health
 * }))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fnUntraced(function*(
  election: Election,
  options: CandidateOptions
): Effect.fn.Return<Candidacy, InvalidCandidate | InvalidConfig, Database | Scope.Scope> {
  return fromMember(yield* enrol(election, options))
})

/** @internal */
export const fromMember = (member: Member): Candidacy => {
  const { id } = member
  return {
    id,
    campaign: Reign.campaign(member),
    withLeadership: (work, options) => Reign.withLeadership(member, work, { ...options, once: false }),
    setPriority: (priority) =>
      Effect.andThen(
        Candidate.validate(id, priority),
        Effect.suspend(() => {
          member.priority = priority
          member.lastBeat = undefined
          return member.callUp
        })
      ),
    health: Effect.sync(() => member.health())
  }
}
