/**
 * How an election can fail. Every error is tagged and stays in the error channel.
 */
import type { FdbError } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { LossReason } from "./LossReason.ts"

/**
 * Leadership was claimed for a process that is not registered as a candidate.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnregisteredCandidate
  extends Schema.TaggedError<UnregisteredCandidate>()("UnregisteredCandidate", { processId: Schema.String })
{
  override get message(): string {
    return `"${this.processId}" is not registered as a candidate: call registerCandidate first`
  }
}

/**
 * A heartbeat or a removal named a process that is not registered, or not any more: it may have been evicted.
 *
 * @since 0.1.0
 * @category errors
 */
export class ProcessNotFound
  extends Schema.TaggedError<ProcessNotFound>()("ProcessNotFound", { processId: Schema.String })
{
  override get message(): string {
    return `no candidate "${this.processId}" is registered; it may have been evicted, and has to register again`
  }
}

/**
 * The election was never initialised; or it is not any more, if a campaign fails with this, for its records were cleared.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotInitialized
  extends Schema.TaggedError<NotInitialized>()("NotInitialized", { election: Schema.String })
{
  override get message(): string {
    return `the election under ${this.election} is not initialised: call initialize once, unless its records were cleared, which begins its terms anew`
  }
}

/**
 * The election is disabled: nobody registers, claims or renews.
 *
 * @since 0.1.0
 * @category errors
 */
export class ElectionDisabled
  extends Schema.TaggedError<ElectionDisabled>()("ElectionDisabled", { election: Schema.String })
{
  override get message(): string {
    return `the election under ${this.election} is disabled; an operator has to enable it`
  }
}

/**
 * A stored record cannot be understood: it is damaged, or of a newer version of this library.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidState extends Schema.TaggedError<InvalidState>()("InvalidState", {
  /** The record's key, printable. */
  key: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `the election's record at ${this.key} is not valid: ${this.problem}`
  }
}

/** The last time that a record can hold: 63 bits of nanoseconds since the epoch. */
const lastTime = 2n ** 63n - 1n

const toText = (nanos: bigint): string => {
  const millis = Number(nanos / 1_000_000n)
  return Math.abs(millis) <= 8.64e15 ? new Date(millis).toISOString() : `${nanos} ns since 1970`
}

/**
 * The wall clock of this process tells a time that no record can hold: it is before 1970, or so late that a lease would end after
 * 2262. Nothing was written: others could not read it.
 *
 * @since 0.1.0
 * @category errors
 */
export class ClockOutOfRange extends Schema.TaggedError<ClockOutOfRange>()("ClockOutOfRange", {
  /** The time that would have been recorded, in nanoseconds since the epoch: now, or the end of a lease. */
  time: Schema.UndefinedOr(Schema.BigInt)
}) {
  override get message(): string {
    const time = this.time === undefined ? "no time at all" : `a time of ${toText(this.time)}`
    return `by the wall clock of this process ${time} would have to be recorded, and records hold times from 1970 to ` +
      `${toText(lastTime)}: set the clock`
  }
}

/**
 * A configuration with which no election can be run.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>()("InvalidConfig", {
  field: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `the configuration's ${this.field} ${this.problem}`
  }
}

/**
 * A candidate's id or priority that cannot be stored, or a safety margin that leaves nothing of the lease.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidCandidate extends Schema.TaggedError<InvalidCandidate>()("InvalidCandidate", {
  field: Schema.Literals(["id", "priority", "safetyMargin"]),
  problem: Schema.String
}) {
  override get message(): string {
    return `the candidate's ${this.field} ${this.problem}`
  }
}

/**
 * Another process has registered under the same id since; this one is not a candidate any more.
 *
 * @since 0.1.0
 * @category errors
 */
export class CandidateSuperseded
  extends Schema.TaggedError<CandidateSuperseded>()("CandidateSuperseded", { processId: Schema.String })
{
  override get message(): string {
    return `another process has registered as "${this.processId}" since: give each process an id of its own, or none`
  }
}

/**
 * The leadership of a tenure is over.
 *
 * **Example**
 *
 * ```ts
 * import { Subspace } from "@effect-fdb/core"
 * import { LeaderElection } from "@effect-fdb/leader-election"
 * import { Effect } from "effect"
 *
 * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
 *
 * export const main = election.withLeadership({}, () => Effect.never).pipe(
 *   Effect.catchTag("LeadershipLost", ({ reason, term }) => Effect.log(`lost term ${term}: ${reason}`))
 * )
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class LeadershipLost extends Schema.TaggedError<LeadershipLost>()("LeadershipLost", {
  processId: Schema.String,
  term: Schema.BigInt,
  reason: LossReason,
  /** How long its work went on after its lease had lapsed, when another could lead already. */
  overran: Schema.optionalKey(Schema.Duration),
  /** True where the loss has cut a guarded transaction of its work short that may have been committed. */
  maybeCommitted: Schema.optionalKey(Schema.Boolean)
}) {
  override get message(): string {
    const overran = this.overran === undefined
      ? ""
      : `; its work overran the lease by ${Duration.format(this.overran)}`
    const inDoubt = this.maybeCommitted === true ? "; a guarded transaction may have been committed all the same" : ""
    return `"${this.processId}" does not lead any more in term ${this.term}: ${this.reason}${overran}${inDoubt}`
  }
}

/**
 * What every operation can fail with: the database, or records that are missing or damaged.
 *
 * @since 0.1.0
 * @category errors
 */
export type StoreError = FdbError | InvalidState | NotInitialized

/**
 * Why a campaign cannot go on. A database that is away is none of it: that is tried again for as long as it takes. An
 * `FdbError` is one that trying again cannot help, as of a key that the engine refuses. `InvalidConfig` is of the configuration that
 * the election was to be set up with.
 *
 * @since 0.1.0
 * @category errors
 */
export type CampaignError = StoreError | InvalidCandidate | InvalidConfig | CandidateSuperseded | ClockOutOfRange
