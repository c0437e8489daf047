/**
 * A process's part in an election: registered once, it campaigns as often as it is asked to, and leaves with its scope.
 */
import type { Database, FdbError } from "@effect-fdb/core"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type {
  CandidateSuperseded,
  InvalidCandidate,
  InvalidState,
  LeadershipLost,
  NotInitialized
} from "./ElectionError.ts"
import * as Candidate from "./internal/candidate.ts"
import { enrol } from "./internal/enrolment.ts"
import * as Reign from "./internal/reign.ts"
import type { LeaderElection } from "./LeaderElection.ts"
import type { Leadership } from "./Leadership.ts"

/** Who campaigns. */
export interface CandidateOptions {
  /** A name that no other process of the election has; at most 512 bytes. */
  readonly id: string
  /** Higher is preferred; 32 bits, signed; 0 unless set. */
  readonly priority?: number | undefined
  /**
   * By how much this process stops to believe in itself before its lease has ended; a tenth of the lease unless set. It has
   * to cover the difference of two hosts' clocks in rate over a lease, and the time that the work takes to be interrupted.
   *
   * Operators may change the lease. A margin that was set is not changed by that, and while it is not below the lease, campaigns
   * fail with `InvalidCandidate`; a function says what it is for the lease in force.
   */
  readonly safetyMargin?: Duration.Input | ((leaseDuration: Duration.Duration) => Duration.Duration) | undefined
}

/**
 * Why a campaign cannot go on. A database that is away is none of it: that is tried again for as long as it takes. An
 * `FdbError` is one that trying again cannot help, as of a key that the engine refuses.
 */
export type CampaignError = FdbError | NotInitialized | InvalidState | InvalidCandidate | CandidateSuperseded

/** How the work is led. */
export interface LeadOptions {
  /** Campaigns again when leadership was lost, instead of failing with `LeadershipLost`. */
  readonly again?: boolean | undefined
}

/** How a candidacy fares. */
export interface Health {
  readonly role: "Idle" | "Following" | "Leading"
  /** How long ago the database last answered; `undefined` where it never has. */
  readonly sinceContact: Duration.Duration | undefined
  /** How many attempts have failed since. */
  readonly failures: number
  /** Whether it has nothing to do, or the database has answered within the last three heartbeats. */
  readonly healthy: boolean
}

/** See the module. */
export interface Candidacy {
  readonly id: string
  /**
   * Waits until elected. Closing the scope resigns; so does interrupting. Whoever uses it stops the work itself once
   * `lost` completes: `withLeadership` does that for you.
   *
   * A candidacy has one tenure at a time: the next campaign waits until the last leadership was resigned, or its scope closed,
   * also where it was lost before. So each is given a scope of its own.
   */
  readonly campaign: Effect.Effect<Leadership, CampaignError, Scope.Scope>
  /**
   * Waits until elected and runs the work, which is interrupted when leadership is lost, even where this is called from a region
   * that nothing else can interrupt.
   *
   * The order at the end of a tenure: leadership is lost or the work is done; the work's finalizers run; only then is the
   * resignation written, if the tenure still stands; only then does it campaign again, if it does.
   */
  readonly withLeadership: <A, E, R>(
    work: (leadership: Leadership) => Effect.Effect<A, E, R>,
    options?: LeadOptions
  ) => Effect.Effect<A, E | CampaignError | LeadershipLost, R>
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
 */
export const make = Effect.fnUntraced(function*(
  election: Pick<LeaderElection, "subspace">,
  options: CandidateOptions
): Effect.fn.Return<Candidacy, InvalidCandidate, Database | Scope.Scope> {
  const member = yield* enrol(election, options)
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
})
