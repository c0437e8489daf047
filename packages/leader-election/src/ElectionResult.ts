import * as Option from "effect/Option"
import type { LeaderState } from "./LeaderState.ts"

/**
 * This process leads.
 *
 * @since 0.1.0
 * @category models
 */
export interface Leader {
  readonly _tag: "Leader"
  readonly state: LeaderState
}

/**
 * Another process leads, or no process does.
 *
 * @since 0.1.0
 * @category models
 */
export interface Follower {
  readonly _tag: "Follower"
  readonly leader: Option.Option<LeaderState>
}

/**
 * The result of an election cycle: this process leads or follows.
 *
 * @since 0.1.0
 * @category models
 */
export type ElectionResult = Leader | Follower

/**
 * Makes the result of a process that leads.
 *
 * @since 0.1.0
 * @category constructors
 */
export const leader = (state: LeaderState): ElectionResult => ({ _tag: "Leader", state })

/**
 * Makes the result of a process that follows.
 *
 * @since 0.1.0
 * @category constructors
 */
export const follower = (current: Option.Option<LeaderState>): ElectionResult => ({ _tag: "Follower", leader: current })

/**
 * Whether this process leads.
 *
 * @example const leads = Effect.map(Database.transact(election.runElectionCycle("web-1")), ElectionResult.isLeader)
 * @since 0.1.0
 * @category predicates
 */
export const isLeader = (result: ElectionResult): result is Leader => result._tag === "Leader"

/**
 * The leader, this process or another.
 *
 * @example ElectionResult.leaderState(ElectionResult.follower(Option.none())) // => Option.none()
 * @since 0.1.0
 * @category conversions
 */
export const leaderState = (result: ElectionResult): Option.Option<LeaderState> =>
  isLeader(result) ? Option.some(result.state) : result.leader
