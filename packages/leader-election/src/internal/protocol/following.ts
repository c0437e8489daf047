/** What a follower does after each look at the election, and what it remembers (4, 5, 7, 8, 9). */
import type { ElectionCause } from "../../LossReason.ts"
import type { Instant } from "../candidate/instant.ts"
import { isAppointment } from "./appointment.ts"
import { shouldChallenge, stepDownReason } from "./challenge.ts"
import { type Call, type ChallengeRecord, type Claimant, type Identity, sameIdentity, type View } from "./records.ts"
import { observeOther, type OtherRegistration, registrationStatus } from "./registration.ts"
import { type Claim, claim, hasLapsed, lapsesAt, type Observation, observe } from "./takeover.ts"

/** What a follower keeps from one cycle to the next. All times are of its own clocks. */
export interface Memory {
  readonly observation: Observation | undefined
  /** Since when it has seen the leadership vacant. */
  readonly vacantSince: bigint | undefined
  /** Until when it leaves a vacancy, and whoever leads, to others, having stepped down itself. */
  readonly yieldsUntil: bigint | undefined
  /** From when on it may challenge the leader of `term`; not known before it would challenge that leader. */
  readonly challenges: { readonly term: bigint; readonly from: bigint } | undefined
  /** The registration that has superseded it, once it has been told so: it waits for that to be gone. */
  readonly supersededBy: OtherRegistration | undefined
  /**
   * Before its last look began that did not show a tenure of its own id: if it is appointed, its belief counts from then. Before a heartbeat
   * at whose version that look read.
   */
  readonly lookedAt: Instant | undefined
  /** The greatest term that it has led: it does not lead it again. */
  readonly led: bigint | undefined
  /** What it was told last of a tenure that has ended. */
  readonly call: Call | undefined
}

/** A follower that has seen nothing yet. */
export const blank: Memory = {
  observation: undefined,
  vacantSince: undefined,
  yieldsUntil: undefined,
  challenges: undefined,
  supersededBy: undefined,
  lookedAt: undefined,
  led: undefined,
  call: undefined
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

/** What the candidate `id` keeps of a look that has shown the view, and that began after `lookedAt`. */
export const rememberLook = (memory: Memory, { leader }: View, id: string, lookedAt: Instant): Memory =>
  leader._tag === "Held" && leader.id === id ? memory : { ...memory, lookedAt }

/** What a follower does after it has read. */
export type Step =
  | { readonly _tag: "Register" }
  | { readonly _tag: "Superseded" }
  | { readonly _tag: "Claim"; readonly claim: Claim; readonly cause: ElectionCause }
  /** It was appointed: it leads the tenure, or accepts it first where its belief is over. */
  | { readonly _tag: "Appointed" }
  /** A challenge asks for a tenure of its own, in which it does not work. */
  | { readonly _tag: "Resign" }
  | { readonly _tag: "Challenge"; readonly challenge: ChallengeRecord }
  /** Nothing, until `until` on its monotonic clock, or until something changes. */
  | { readonly _tag: "Follow"; readonly until: bigint | undefined }

const latest = (...instants: ReadonlyArray<bigint>): bigint => instants.reduce((a, b) => a > b ? a : b)

/** How long one that was called lets those claim first that come before it; they may be dead. Safety does not depend on it. */
const claimDelay = (before: number): bigint => BigInt(before > 2 ? 2 : before) * 5_000_000n

/**
 * Until when a vacancy is left to others: to the preferred successor, by a standby, after one's own stepping down, and to those that were
 * called first. A standby leaves none that the owner was asked for.
 */
const vacancyOpensAt = (
  { call, led, vacantSince = 0n, yieldsUntil = 0n }: Memory,
  { leader: { term }, leaseDuration, tenure }: View,
  preferred: Identity | undefined,
  me: Claimant,
  heartbeat: bigint
): bigint => {
  const isAskedFor = tenure?.term === term && tenure.reason === "stepped-down"
  const isForOther = !isAskedFor && (preferred === undefined ? me.isStandby === true : !sameIdentity(preferred, me))
  const forOther = isForOther ? vacantSince + (me.isStandby === true ? leaseDuration : heartbeat) : 0n
  const isCalled = preferred === undefined && call?.isVacancy === true && call.term === term
  const inTurn = isCalled ? vacantSince + claimDelay(call.rank) : 0n
  // Its own resignation may have come late.
  const afterOwn = isAskedFor && led === term ? vacantSince + heartbeat : 0n
  return latest(forOther, yieldsUntil, inTurn, afterOwn)
}

/** How long the lapse of an appointment that nobody has accepted is left to those that were called before this candidate. */
const lapseDelay = ({ call }: Memory, { leader, lease }: View): bigint =>
  call !== undefined && !call.isVacancy && call.term === leader.term && lease.ballot === leader.term && call.rank > 1
    ? claimDelay(call.rank - 1)
    : 0n

/**
 * What a follower does, `memory` being what it keeps after this very view, at `now` on its monotonic clock. `died`: the process of the
 * leader that the view shows was witnessed to have ended.
 *
 * A tenure stored under its own identity is one to which it was appointed; or one that it has lost belief in, or whose claim it was never
 * told the outcome of: nobody works in that, so it is ended and claimed anew at once, in a term of its own. Where a challenge asks for it, it
 * resigns from it.
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
    const opensAt = vacancyOpensAt(memory, view, view.leader.successor, me, heartbeat)
    if (now < opensAt) return { _tag: "Follow", until: opensAt }
  }
  const own = view.leader._tag === "Held" && sameIdentity(view.leader, me)
  if (own && stepDownReason(view) !== undefined) return { _tag: "Resign" }
  const delay = lapseDelay(memory, view)
  const lapsed = hasLapsed(memory.observation, view, now - delay)
  if (own && !lapsed && me.isAppointable === true && isAppointment(view, memory.led)) return { _tag: "Appointed" }
  const claimed = claim(view, me, { lapsed: lapsed || own, died, preempt: false })
  if (claimed !== undefined) {
    const cause = claimed.ends === undefined ? "vacant" : died ? "died" : lapsed ? "lapsed" : "own"
    return { _tag: "Claim", claim: claimed, cause }
  }
  const lapse = memory.observation === undefined ? undefined : lapsesAt(memory.observation) + delay
  if (!shouldChallenge(view, me)) return { _tag: "Follow", until: lapse }
  const from = latest(
    memory.challenges?.term === view.leader.term ? memory.challenges.from : 0n,
    memory.yieldsUntil ?? 0n
  )
  if (now < from) return { _tag: "Follow", until: lapse === undefined || from < lapse ? from : lapse }
  return {
    _tag: "Challenge",
    challenge: {
      term: view.leader.term,
      challenger: { id: me.id, registration: me.registration },
      priority: me.priority
    }
  }
}
