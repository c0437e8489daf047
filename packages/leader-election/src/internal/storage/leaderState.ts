/** Leaders, as the two records S("leader") and S("lease") tell them together. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { LeaderState } from "../../LeaderState.ts"
import type { HeldRecord, LeaderRecord, LeaseRecord, TenureIdentity } from "../protocol/records.ts"

export const heldState = (leader: HeldRecord, lease: LeaseRecord): LeaderState =>
  new LeaderState({
    leaderId: leader.id,
    priority: leader.priority,
    registration: leader.registration,
    term: leader.term,
    ballot: lease.ballot,
    leaseDuration: Duration.nanos(lease.duration),
    leaseExpiry: lease.expiry
  })

/** Who leads, if anybody does. */
export const toState = (leader: LeaderRecord, lease: LeaseRecord): Option.Option<LeaderState> =>
  leader._tag === "Vacant" ? Option.none() : Option.some(heldState(leader, lease))

export const toTenure = (state: LeaderState): TenureIdentity => ({
  id: state.leaderId,
  registration: state.registration,
  term: state.term
})
