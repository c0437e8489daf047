/** Who is registered, who is dead, and when an id is free again (8, 12). */
import { Bytes } from "@effect-fdb/core"
import type { Step } from "./following.ts"
import { type CandidateRecord, type Identity, sameIdentity, type View } from "./records.ts"

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

/** What a superseded candidate does: it registers once the other's record is gone, or has not changed for `timeout` (8). */
export const awaitId = ({ since }: OtherRegistration, view: View, now: bigint, timeout: bigint): Step => {
  const isFree = view.candidate === undefined || now >= since + timeout
  return isFree ? { _tag: "Register" } : { _tag: "Follow", until: since + timeout }
}
