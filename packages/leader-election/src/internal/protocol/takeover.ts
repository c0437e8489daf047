/**
 * When leadership may be taken: a vacancy, a lease that has lapsed, or a leader whose process has ended (1, 4, 5). `following.ts` asks after each look of a candidacy, and
 * `operations.ts` for a claim by the caller.
 */
import type { RecordedReason } from "../../LossReason.ts"
import type { Claimant, View } from "./records.ts"

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

/** A claim that may be written. */
export interface Claim {
  /** Ballot and term in one: the ballot at which the tenure begins. */
  readonly term: bigint
  /** The tenure that the claim ends, and how; none when it was vacant. */
  readonly ends: { readonly term: bigint; readonly reason: RecordedReason } | undefined
}

/** What a caller knows of the tenure that stands, besides the records. */
export interface Judgement {
  /** Of its lease: by observation (4) in the supervised interface, by the wall clock in the transaction-level one. */
  readonly lapsed: boolean
  /** That the process which has registered its identity was witnessed to have ended (4). */
  readonly died: boolean
  /** Allows taking a live lease by priority, which only the transaction-level interface does. */
  readonly preempt: boolean
}

/** Whether leadership may be claimed. */
export const claim = (
  view: View,
  claimant: Claimant,
  judgement: Judgement
): Claim | undefined => {
  const term = view.lease.ballot + 1n
  if (view.leader._tag === "Vacant") return { term, ends: undefined }
  if (judgement.died) return { term, ends: { term: view.leader.term, reason: "died" } }
  if (judgement.lapsed) return { term, ends: { term: view.leader.term, reason: "expired" } }
  return judgement.preempt && view.allowPreemption && claimant.priority > view.leader.priority
    ? { term, ends: { term: view.leader.term, reason: "preempted" } }
    : undefined
}
