/** What a follower does after each look at the election, and what it remembers (4, 5, 7, 8, 9). */
import type { ElectionCause } from "../../LossReason.ts"
import { shouldChallenge, stepDownReason } from "./challenge.ts"
import { type ChallengeRecord, type Claimant, type Identity, sameIdentity, type View } from "./records.ts"
import { observeOther, type OtherRegistration, registrationStatus } from "./registration.ts"
import { type Claim, claim, hasLapsed, lapsesAt, type Observation, observe } from "./takeover.ts"

/** What a follower keeps from one cycle to the next. All times on its own monotonic clock. */
export interface Memory {
  readonly observation: Observation | undefined
  /** Since when it has seen the leadership vacant. */
  readonly vacantSince: bigint | undefined
  /** Until when it leaves a vacancy to others, having stepped down itself. */
  readonly yieldsUntil: bigint | undefined
  /** From when on it may challenge the leader of `term`; not known before it would challenge that leader. */
  readonly challenges: { readonly term: bigint; readonly from: bigint } | undefined
  /** The registration that has superseded it, once it has been told so: it waits for that to be gone. */
  readonly supersededBy: OtherRegistration | undefined
}

/** A follower that has seen nothing yet. */
export const blank: Memory = {
  observation: undefined,
  vacantSince: undefined,
  yieldsUntil: undefined,
  challenges: undefined,
  supersededBy: undefined
}

/** What it keeps after a view that was read at `readAt`. */
export const remember = (memory: Memory, view: View, readAt: bigint): Memory => {
  // The same vacancy as before, for a tenure that came and went unseen has left another term.
  const since = memory.observation?.term === view.leader.term ? memory.vacantSince : undefined
  return {
    ...memory,
    observation: observe(memory.observation, view, readAt),
    vacantSince: view.leader._tag === "Held" ? undefined : since ?? readAt,
    supersededBy: memory.supersededBy === undefined ? undefined : observeOther(memory.supersededBy, view, readAt)
  }
}

/** What a follower does after it has read. */
export type Step =
  | { readonly _tag: "Register" }
  | { readonly _tag: "Superseded" }
  | { readonly _tag: "Claim"; readonly claim: Claim; readonly cause: ElectionCause }
  | { readonly _tag: "Challenge"; readonly challenge: ChallengeRecord }
  /** Nothing, until `until` on its monotonic clock, or until something changes. */
  | { readonly _tag: "Follow"; readonly until: bigint | undefined }

/** Until when a vacancy is left to others: to the preferred successor, by a standby, and after one's own stepping down. */
const vacancyOpensAt = (
  { vacantSince = 0n, yieldsUntil = 0n }: Memory,
  preferred: Identity | undefined,
  me: Claimant,
  heartbeat: bigint,
  lease: bigint
): bigint => {
  const isForOther = preferred === undefined ? me.isStandby === true : !sameIdentity(preferred, me)
  const forOther = isForOther ? vacantSince + (me.isStandby === true ? lease : heartbeat) : 0n
  return forOther > yieldsUntil ? forOther : yieldsUntil
}

/**
 * What a follower does, `memory` being what it keeps after this very view, at `now` on its monotonic clock. `died`: the process of the
 * leader that the view shows was witnessed to have ended.
 *
 * A tenure stored under its own identity is one that it has lost belief in, or whose claim it was never told the outcome of:
 * nobody works in it, so it is ended and claimed anew at once, in a term of its own. Where a challenge asks it to go, it waits for
 * the lease as others do, who then come first.
 */
export const step = (
  memory: Memory,
  view: View,
  me: Claimant,
  now: bigint,
  heartbeat: bigint,
  died: boolean
): Step => {
  if (!view.enabled) return { _tag: "Follow", until: undefined }
  switch (registrationStatus(view, me)) {
    case "evicted":
      return { _tag: "Register" }
    case "superseded":
      return { _tag: "Superseded" }
    case "registered":
  }
  if (view.leader._tag === "Vacant") {
    const opensAt = vacancyOpensAt(memory, view.leader.successor, me, heartbeat, view.leaseDuration)
    if (now < opensAt) return { _tag: "Follow", until: opensAt }
  }
  const lapsed = hasLapsed(memory.observation, view, now)
  const own = view.leader._tag === "Held" && sameIdentity(view.leader, me) && stepDownReason(view) === undefined
  const claimed = claim(view, me, { lapsed: lapsed || own, died, preempt: false })
  if (claimed !== undefined) {
    const cause = claimed.ends === undefined ? "vacant" : died ? "died" : lapsed ? "lapsed" : "own"
    return { _tag: "Claim", claim: claimed, cause }
  }
  const lapse = memory.observation === undefined ? undefined : lapsesAt(memory.observation)
  if (!shouldChallenge(view, me)) return { _tag: "Follow", until: lapse }
  const from = memory.challenges?.term === view.leader.term ? memory.challenges.from : undefined
  if (from !== undefined && now < from) {
    return { _tag: "Follow", until: lapse === undefined || from < lapse ? from : lapse }
  }
  return {
    _tag: "Challenge",
    challenge: {
      term: view.leader.term,
      challenger: { id: me.id, registration: me.registration },
      priority: me.priority
    }
  }
}
