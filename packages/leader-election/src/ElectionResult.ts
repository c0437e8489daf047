/**
 * What an election cycle tells the process that ran it.
 */
import * as Option from "effect/Option"
import type { LeaderState } from "./LeaderState.ts"

/** This process leads. */
export interface Leader {
  readonly _tag: "Leader"
  readonly state: LeaderState
}

/** Another process leads, or none. */
export interface Follower {
  readonly _tag: "Follower"
  readonly leader: Option.Option<LeaderState>
}

/** See the module. */
export type ElectionResult = Leader | Follower

/** This process leads. */
export const leader = (state: LeaderState): ElectionResult => ({ _tag: "Leader", state })

/** This process follows. */
export const follower = (current: Option.Option<LeaderState>): ElectionResult => ({ _tag: "Follower", leader: current })

/** Whether this process leads. */
export const isLeader = (result: ElectionResult): result is Leader => result._tag === "Leader"

/** Who leads, this process or another. */
export const leaderState = (result: ElectionResult): Option.Option<LeaderState> =>
  isLeader(result) ? Option.some(result.state) : result.leader
