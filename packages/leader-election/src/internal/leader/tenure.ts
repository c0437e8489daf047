/** One tenure as its leader knows it: the lease as it was last renewed, and the belief in it. How it ends: `end.ts`. */
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { LossReason } from "../../LossReason.ts"
import type { Candidate } from "../candidate/candidate.ts"
import type { Instant } from "../candidate/instant.ts"
import { isFresh, type KnownVersion } from "../candidate/knownVersion.ts"
import type { Elected } from "../follower/campaign.ts"
import type { HeldRecord, LeaseRecord } from "../protocol/records.ts"
import * as Codec from "../storage/codec.ts"
import { Belief } from "./belief.ts"
import { TenureEnd } from "./end.ts"
import { type Watchdog, watchdogOf } from "./watchdog.ts"

/** What keeps the tenure from being renewed, and may pass before the belief is over. */
type Obstacle = Extract<LossReason, "disabled" | "broken" | "clock-jumped">

export class Tenure {
  readonly candidate: Candidate
  readonly term: bigint
  /** The record at S("leader") for as long as the tenure stands, and its bytes. */
  readonly leader: HeldRecord
  readonly record: Uint8Array
  readonly belief: Belief
  readonly watchdog: Watchdog
  readonly end: TenureEnd
  /** Its fibers and watches. */
  readonly scope: Scope.Closeable
  /** Whether it begins with a renewal: its lease is that of an appointment. */
  readonly isToBeRenewed: boolean
  /** From the start of the claim's attempt until it was confirmed, in nanoseconds. */
  readonly claimTook: bigint
  /** When it began, as its history tells. */
  readonly start: bigint

  private written: { readonly lease: LeaseRecord; readonly version: KnownVersion }
  private hindered: Obstacle | undefined = undefined
  private finished = false

  constructor(
    candidate: Candidate,
    { attempt, isToBeRenewed, leader, lease, since, version }: Elected,
    scope: Scope.Closeable
  ) {
    this.candidate = candidate
    this.term = leader.term
    this.leader = leader
    this.record = Result.getOrThrow(Codec.encodeLeader(leader))
    const margin = candidate.marginOf(lease.duration)
    this.belief = new Belief(candidate.clock, since, lease.duration, margin)
    this.isToBeRenewed = isToBeRenewed
    this.scope = scope
    this.claimTook = candidate.now() - attempt.monotonic
    this.start = lease.expiry - lease.duration
    this.written = { lease, version: { version, at: attempt.monotonic } }
    this.watchdog = watchdogOf(candidate, lease.duration, margin)
    this.end = new TenureEnd(this)
  }

  /** The lease as it was last written and confirmed. */
  get lease(): LeaseRecord {
    return this.written.lease
  }

  /** The version of the last claim or renewal, or that has shown the appointment, and the start of its attempt. */
  get version(): KnownVersion {
    return this.written.version
  }

  /** Whether a transaction may rest on what the last claim or renewal has left, without a read. */
  get isFresh(): boolean {
    return this.hindered === undefined && isFresh(this.version, this.candidate.now())
  }

  /** Why it is not being renewed, where trying again may help until the belief is over. */
  get obstacle(): Obstacle | undefined {
    return this.hindered
  }

  /** Whether what its claim has left for later is done: the watches, and the history. */
  get isFinished(): boolean {
    return this.finished
  }

  electionFinished(): void {
    this.finished = true
  }

  /** Which clock says that the belief is over, if one does. Clocks that throw end it too: nothing would tell when it is over. */
  beliefOver(): Extract<LossReason, "expired" | "clock-jumped" | "broken"> | undefined {
    return Result.getOrElse(Result.try(() => this.belief.over()), () => "broken" as const)
  }

  /** Whether the leader still believes in it. Asks, and ends nothing: see `TenureEnd.check`. */
  get isHeld(): boolean {
    return this.end.reason === undefined && this.beliefOver() === undefined
  }

  /** An attempt to renew, started at `attempt`, has been committed. */
  renewed(attempt: Instant, lease: LeaseRecord, version: bigint): void {
    const { contact, marginOf, registration } = this.candidate
    this.written = { lease, version: { version, at: attempt.monotonic } }
    this.hindered = undefined
    this.belief.confirm(attempt, lease.duration, marginOf(lease.duration))
    registration.writtenAt(attempt.monotonic)
    contact.answered()
  }

  hinderedBy(obstacle: Obstacle): void {
    this.hindered = obstacle
  }
}
