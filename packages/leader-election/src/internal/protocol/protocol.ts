/**
 * The protocol: pure functions from what was read to what is to be written. No Effect, no clock, no input or output.
 *
 * Numbers in brackets are the rules of `docs/protocol.md`. All times are nanoseconds; a *monotonic* time is of the process
 * that passes it, and is never stored or compared with another process's.
 */
import { Bytes } from "@effect-fdb/core"
import type { ElectionCause, LossReason, RecordedReason } from "../../LossReason.ts"
import type {
  CandidateRecord,
  ChallengeRecord,
  HistoryRecord,
  Identity,
  LeaderRecord,
  LeaseRecord,
  Tenure
} from "./records.ts"
import { sameIdentity } from "./records.ts"

/** What one transaction has read. */
export interface View {
  readonly enabled: boolean
  readonly allowPreemption: boolean
  readonly leaseDuration: bigint
  readonly leader: LeaderRecord
  readonly lease: LeaseRecord
  readonly challenge: ChallengeRecord | undefined
  /** The record under this process's own id. */
  readonly candidate: CandidateRecord | undefined
}

/** A candidate, as it presents itself. */
export interface Claimant extends Identity {
  readonly priority: number
}

// -- identity (8) ------------------------------------------------------------------------------------------------------

/** Whether the process is the candidate registered under its id. */
export const registrationStatus = (view: View, me: Identity): "registered" | "evicted" | "superseded" => {
  if (view.candidate === undefined) return "evicted"
  return sameIdentity(me, { id: me.id, registration: view.candidate.registration }) ? "registered" : "superseded"
}

/**
 * The record of another registration under one's own id, and since when it has been seen unchanged, on one's own monotonic clock.
 */
export interface OtherRegistration {
  readonly record: CandidateRecord
  readonly since: bigint
}

/** Whether a candidate has not written its record between two looks at it. */
export const sameRecord = (a: CandidateRecord, b: CandidateRecord): boolean =>
  a.lastHeartbeat === b.lastHeartbeat && Bytes.equals(a.registration.bytes, b.registration.bytes)

/** Goes on with what was seen while the record stays as it is. In a disabled election no candidate shows that it lives. */
export const observeOther = (
  previous: OtherRegistration | undefined,
  view: View,
  readAt: bigint
): OtherRegistration | undefined =>
  view.candidate === undefined ||
    (previous !== undefined && view.enabled && sameRecord(previous.record, view.candidate))
    ? previous
    : { record: view.candidate, since: readAt }

/** Whether a superseded candidate may register over what stands under its id now: what it waited for is gone, or still silent. */
export const isFree = ({ record }: OtherRegistration, candidate: CandidateRecord | undefined): boolean =>
  candidate === undefined || sameRecord(record, candidate)

/** Whether a candidate's last heartbeat is less than `timeout` ago at `now`, on the wall clock of whoever asks. */
export const isAlive = (
  { lastHeartbeat }: Pick<CandidateRecord, "lastHeartbeat">,
  now: bigint,
  timeout: bigint
): boolean => now - lastHeartbeat < timeout

/** For how many candidate timeouts a leader has to see a candidate's record unchanged, before it evicts it. */
const timeoutsUntilEviction = 10n

/**
 * How long a leader has to see a candidate's record unchanged, on its own monotonic clock, before it evicts it (12). A candidate
 * that lives writes its record several times in each timeout, whatever its wall clock says.
 */
export const evictionDelay = (candidateTimeout: bigint): bigint => timeoutsUntilEviction * candidateTimeout

/** Whether the stored tenure is exactly this one (2, 6, 10). */
export const isCurrent = (leader: LeaderRecord, tenure: Tenure): boolean =>
  leader._tag === "Held" && leader.term === tenure.term && sameIdentity(leader, tenure)

// -- observation and takeover (4) --------------------------------------------------------------------------------------

/** The newest ballot that a follower has seen, and when it knew of it at the earliest, on its own monotonic clock. */
export interface Observation {
  readonly term: bigint
  readonly ballot: bigint
  readonly duration: bigint
  /** Read *after* the read that first showed the ballot. */
  readonly since: bigint
}

/** Whether the lease in the view is the observed one, unchanged. */
const isOf = (observation: Observation | undefined, view: View): observation is Observation =>
  observation !== undefined &&
  observation.ballot === view.lease.ballot &&
  observation.term === view.leader.term &&
  observation.duration === view.lease.duration

/** Goes on with an observation while the lease stays as it is; begins a new one at `readAt` when it has changed. */
export const observe = (previous: Observation | undefined, view: View, readAt: bigint): Observation =>
  isOf(previous, view)
    ? previous
    : { term: view.leader.term, ballot: view.lease.ballot, duration: view.lease.duration, since: readAt }

/** When the lease observed has lapsed, on the observer's monotonic clock. */
export const lapsesAt = (observation: Observation): bigint => observation.since + observation.duration

/** Whether the lease in the view is the observed one, unchanged for its whole duration at `now`. */
export const hasLapsed = (observation: Observation | undefined, view: View, now: bigint): boolean =>
  isOf(observation, view) && now >= lapsesAt(observation)

// -- claiming (1, 4, 5, 7) ---------------------------------------------------------------------------------------------

/** A claim that may be written. */
export interface Claim {
  /** Ballot and term in one: the ballot at which the tenure begins. */
  readonly term: bigint
  /** The tenure that the claim ends, and how; none when it was vacant. */
  readonly ends: { readonly term: bigint; readonly reason: RecordedReason } | undefined
}

/**
 * Whether leadership may be claimed. `lapsed` is the caller's judgement of the lease: by observation (4) in the supervised
 * interface, by the wall clock in the transaction-level one. `preempt` allows taking a live lease by priority, which only the
 * transaction-level interface does.
 */
export const claim = (
  view: View,
  claimant: Claimant,
  judgement: { readonly lapsed: boolean; readonly preempt: boolean }
): Claim | undefined => {
  const term = view.lease.ballot + 1n
  if (view.leader._tag === "Vacant") return { term, ends: undefined }
  if (judgement.lapsed) return { term, ends: { term: view.leader.term, reason: "expired" } }
  return judgement.preempt && view.allowPreemption && claimant.priority > view.leader.priority
    ? { term, ends: { term: view.leader.term, reason: "preempted" } }
    : undefined
}

// -- challenges (7) ----------------------------------------------------------------------------------------------------

/** Whether a challenge obliges the leader of the view to step down, and by whose wish. */
export const stepDownReason = (
  view: Pick<View, "leader" | "challenge" | "allowPreemption">
): "preempted" | "stepped-down" | undefined => {
  const { allowPreemption, challenge, leader } = view
  if (leader._tag === "Vacant" || challenge === undefined || challenge.term !== leader.term) return undefined
  if (challenge.challenger === undefined) return "stepped-down"
  return allowPreemption && challenge.priority > leader.priority ? "preempted" : undefined
}

/** Whether the claimant should ask the leader of the view to step down: no equal or better request stands already. */
export const shouldChallenge = (view: View, claimant: Claimant): boolean => {
  const { challenge, leader } = view
  if (!view.allowPreemption || leader._tag === "Vacant" || claimant.priority <= leader.priority) return false
  return challenge === undefined || challenge.term !== leader.term ||
    (challenge.challenger !== undefined && challenge.priority < claimant.priority)
}

/** A tenure of the history. */
export interface PastTenure extends Pick<HistoryRecord, "leaderId" | "reason"> {
  readonly term: bigint
}

/** How many tenures of the history tell whether to wait before a challenge. */
export const tenuresConsidered = 32

/** However many preemptions have failed, a challenge is made after so many doublings of the lease. */
const mostDoublings = 6

/**
 * How many preemptions in a row have come to nothing: the tenures that were won by one, and that their leaders ended within
 * about a lease, by failing, dying or giving up. One that lasted ends the row, and so does any of the candidate `id` that
 * lasted. `history` has the newest tenure first, that of the leader to be challenged, which has renewed it up to `ballot`.
 *
 * Asks no clock: a term is the ballot at which its tenure begins, so the next term tells how often a tenure was renewed.
 */
export const failedPreemptions = (
  history: ReadonlyArray<PastTenure>,
  ballot: bigint,
  id: string,
  renewalsInLease: bigint
): number => {
  let failed = 0
  for (const [i, { leaderId, reason, term }] of history.entries()) {
    const last = i === 0 ? ballot : history[i - 1]!.term - 1n
    const lasted = last - term > renewalsInLease
    const preempted = history[i + 1]?.reason === "preempted"
    if (lasted && (preempted || leaderId === id)) return failed
    if (preempted && (reason === "resigned" || reason === "expired")) failed++
  }
  return failed
}

/** How long a leader is left unchallenged after so many preemptions in a row that failed: a lease, doubled with each. */
export const challengeDelay = (failed: number, lease: bigint): bigint =>
  failed === 0 ? 0n : lease << BigInt(Math.min(failed - 1, mostDoublings))

// -- following (4, 7, 8, 9) --------------------------------------------------------------------------------------------

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

/** Until when a vacancy is left to others: to the preferred successor, and after one's own stepping down. */
const vacancyOpensAt = (
  { vacantSince = 0n, yieldsUntil = 0n }: Memory,
  preferred: Identity | undefined,
  me: Identity,
  heartbeat: bigint
): bigint => {
  const forOther = preferred === undefined || sameIdentity(preferred, me) ? 0n : vacantSince + heartbeat
  return forOther > yieldsUntil ? forOther : yieldsUntil
}

/** What a superseded candidate does: it registers once the other's record is gone, or has not changed for `timeout` (8). */
export const awaitId = ({ since }: OtherRegistration, view: View, now: bigint, timeout: bigint): Step => {
  const isFree = view.candidate === undefined || now >= since + timeout
  return isFree ? { _tag: "Register" } : { _tag: "Follow", until: since + timeout }
}

/**
 * What a follower does, `memory` being what it keeps after this very view, at `now` on its monotonic clock.
 *
 * A tenure stored under its own identity is one that it has lost belief in, or whose claim it was never told the outcome of:
 * nobody works in it, so it is ended and claimed anew at once, in a term of its own. Where a challenge asks it to go, it waits for
 * the lease as others do, who then come first.
 */
export const step = (memory: Memory, view: View, me: Claimant, now: bigint, heartbeat: bigint): Step => {
  if (!view.enabled) return { _tag: "Follow", until: undefined }
  switch (registrationStatus(view, me)) {
    case "evicted":
      return { _tag: "Register" }
    case "superseded":
      return { _tag: "Superseded" }
    case "registered":
  }
  if (view.leader._tag === "Vacant") {
    const opensAt = vacancyOpensAt(memory, view.leader.successor, me, heartbeat)
    if (now < opensAt) return { _tag: "Follow", until: opensAt }
  }
  const lapsed = hasLapsed(memory.observation, view, now)
  const own = view.leader._tag === "Held" && sameIdentity(view.leader, me) && stepDownReason(view) === undefined
  const claimed = claim(view, me, { lapsed: lapsed || own, preempt: false })
  if (claimed !== undefined) {
    return { _tag: "Claim", claim: claimed, cause: claimed.ends === undefined ? "vacant" : lapsed ? "lapsed" : "own" }
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

// -- renewal (2, 9) ----------------------------------------------------------------------------------------------------

/** What becomes of an attempt to renew. */
export type Renewal =
  | { readonly _tag: "Renew"; readonly ballot: bigint }
  | {
    readonly _tag: "Refuse"
    readonly because: Exclude<LossReason, "resigned" | "expired" | "clock-jumped" | "broken">
  }

/** Renews exactly this tenure, unless the election is disabled or a challenge stands against it. */
export const renew = (view: View, tenure: Tenure): Renewal => {
  if (!isCurrent(view.leader, tenure)) return { _tag: "Refuse", because: "replaced" }
  const registered = registrationStatus(view, tenure)
  if (registered !== "registered") return { _tag: "Refuse", because: registered }
  const because = stepDownReason(view)
  // Nobody could succeed a leader that steps down for a challenger now; an operator may want just that.
  if (!view.enabled && because !== "stepped-down") return { _tag: "Refuse", because: "disabled" }
  return because === undefined ? { _tag: "Renew", ballot: view.lease.ballot + 1n } : { _tag: "Refuse", because }
}

// -- resignation (1, 6, 7) ---------------------------------------------------------------------------------------------

/** How a tenure that resigns has ended, and who is to be preferred after it: the challenger to whom it yields. */
export const resignation = (
  view: Pick<View, "leader" | "challenge" | "allowPreemption">
): { readonly reason: RecordedReason; readonly successor: Identity | undefined } => {
  const asked = stepDownReason(view)
  return { reason: asked ?? "resigned", successor: asked === "preempted" ? view.challenge?.challenger : undefined }
}

// -- belief (3) --------------------------------------------------------------------------------------------------------

/**
 * Until when a leader believes in itself, on the clock that told `attemptStart`: from the *start* of its last confirmed
 * attempt, for the lease less the margin.
 */
export const believesUntil = (attemptStart: bigint, leaseDuration: bigint, margin: bigint): bigint =>
  attemptStart + leaseDuration - margin

/** A tenth of the lease: each clock may then go wrong by one part in nineteen, 5.2 per cent. See `docs/protocol.md`. */
export const defaultMargin = (leaseDuration: bigint): bigint => leaseDuration / 10n
