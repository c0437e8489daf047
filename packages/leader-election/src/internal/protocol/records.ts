/** What is stored: the records of an election as values. No decision is taken here. */
import { Bytes, type Versionstamp } from "@effect-fdb/core"
import type { RecordedReason } from "../../LossReason.ts"

type Stamp = Versionstamp.Versionstamp

/** A process is its id *and* the versionstamp of its registration (rule 8). */
export interface Identity {
  readonly id: string
  readonly registration: Stamp
}

/** One uninterrupted time of leadership; nothing else may be renewed or resigned (rules 2 and 6). */
export interface TenureIdentity extends Identity {
  readonly term: bigint
}

/** S("leader") while somebody leads. */
export interface HeldRecord extends TenureIdentity {
  readonly _tag: "Held"
  readonly priority: number
  /** Whose tenure ended in the commit that began this one, if it was begun by an appointment and not by a claim. */
  readonly appointedBy?: Identity | undefined
}

/** S("leader"). A vacancy keeps the term of the tenure that ended. */
export type LeaderRecord =
  | HeldRecord
  | { readonly _tag: "Vacant"; readonly term: bigint; readonly successor: Identity | undefined }

/** S("lease"). Spans and times in nanoseconds. */
export interface LeaseRecord {
  readonly ballot: bigint
  readonly duration: bigint
  readonly expiry: bigint
}

/** S("challenge"). Without a challenger it is an operator's request to step down. */
export interface ChallengeRecord {
  readonly term: bigint
  readonly challenger: Identity | undefined
  readonly priority: number
}

/** S("candidates", id). */
export interface CandidateRecord {
  readonly priority: number
  readonly lastHeartbeat: bigint
  readonly registration: Stamp
}

/** What a candidate is told by the commit that ends a tenure: who leads next, or comes to claim. */
export interface Call {
  /** The term of the tenure that begins; that of the vacancy, if none does. */
  readonly term: bigint
  /** How many others come first. */
  readonly rank: number
  readonly isVacancy: boolean
}

/** S("calls", id): the candidate may be appointed. */
export interface CallRecord {
  /** What it was told last. */
  readonly call: Call | undefined
}

/** S("history", term). */
export interface HistoryRecord {
  readonly leaderId: string
  readonly start: bigint
  readonly end: bigint | undefined
  readonly reason: RecordedReason | undefined
}

export const sameIdentity = (a: Identity, b: Identity): boolean =>
  a.id === b.id && Bytes.equals(a.registration.bytes, b.registration.bytes)

/** Whether the stored tenure is exactly this one (2, 6, 10). */
export const isCurrent = (leader: LeaderRecord, tenure: TenureIdentity): boolean =>
  leader._tag === "Held" && leader.term === tenure.term && sameIdentity(leader, tenure)

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
  /** What the history tells of the tenure that the claimant has seen last, if that was read. */
  readonly tenure?: (Pick<HistoryRecord, "reason"> & { readonly term: bigint }) | undefined
}

/** A candidate, as it presents itself. */
export interface Claimant extends Identity {
  readonly priority: number
  /** Whether it leaves each vacancy to others for a lease. Not stored. */
  readonly isStandby?: boolean | undefined
  /** Whether it may lead a tenure to which it was appointed. Not stored. */
  readonly isAppointable?: boolean | undefined
}
