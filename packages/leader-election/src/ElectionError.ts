/** The errors of an election. Each is tagged and stays in the error channel. */
import type { FdbError } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { LossReason } from "./LossReason.ts"

/**
 * A process that is not registered as a candidate has claimed leadership.
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
 * A heartbeat or a removal names a process that is not registered, or no longer: it may have been evicted.
 *
 * @since 0.1.0
 * @category errors
 */
export class ProcessNotFound
  extends Schema.TaggedError<ProcessNotFound>()("ProcessNotFound", { processId: Schema.String })
{
  override get message(): string {
    return `"${this.processId}" is not registered as a candidate; it may have been evicted: register it again`
  }
}

/**
 * The election was never initialised. If a campaign fails with this error, the records of the election were cleared.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotInitialized
  extends Schema.TaggedError<NotInitialized>()("NotInitialized", { election: Schema.String })
{
  override get message(): string {
    return `the election under ${this.election} is not initialised: call initialize once. If its records were cleared, its terms begin at 1 again`
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
    return `the election under ${this.election} is disabled: an operator must enable it`
  }
}

/**
 * A stored record is damaged, or of a newer version of this library.
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
    return `the record of the election at ${this.key} is not valid: ${this.problem}`
  }
}

/** The last time that a record can hold: 63 bits of nanoseconds since the epoch. */
const lastTime = 2n ** 63n - 1n

const toText = (nanos: bigint): string => {
  const millis = Number(nanos / 1_000_000n)
  return Math.abs(millis) <= 8.64e15 ? new Date(millis).toISOString() : `${nanos} ns since 1970`
}

/**
 * The wall clock of this process shows a time that no record can hold: before 1970, or so late that a lease would end after 2262.
 * Nothing was written, because other processes could not read it.
 *
 * @since 0.1.0
 * @category errors
 */
export class ClockOutOfRange extends Schema.TaggedError<ClockOutOfRange>()("ClockOutOfRange", {
  /** The time that would have been recorded, in nanoseconds since the epoch: now, or the end of a lease. */
  time: Schema.UndefinedOr(Schema.BigInt)
}) {
  override get message(): string {
    const time = this.time === undefined ? "a time that is not a number" : toText(this.time)
    return `by the wall clock of this process, ${time} would be recorded; set the clock to a time from 1970 to ${
      toText(lastTime)
    }`
  }
}

/**
 * A configuration with which an election cannot run.
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
 * A number that terms cannot begin from: negative, above 2^62 (the rest of the 63 bits is left to later ballots), or less than a term of
 * the same export.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidTerm extends Schema.TaggedError<InvalidTerm>()("InvalidTerm", { problem: Schema.String }) {
  override get message(): string {
    return `the term ${this.problem}`
  }
}

/**
 * A candidate's id, priority or weight that cannot be stored, or a safety margin that leaves nothing of the lease.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidCandidate extends Schema.TaggedError<InvalidCandidate>()("InvalidCandidate", {
  field: Schema.Literals(["id", "priority", "safetyMargin", "weight"]),
  problem: Schema.String
}) {
  override get message(): string {
    return `the candidate's ${this.field} ${this.problem}`
  }
}

/**
 * A number of shards that is not an integer from 1 to 16,384.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidShards extends Schema.TaggedError<InvalidShards>()("InvalidShards", { problem: Schema.String }) {
  override get message(): string {
    return `the number of shards ${this.problem}`
  }
}

/**
 * The shards are stored with another number of them. Two processes that count differently would work on the same data at the same
 * time, so this one takes no part.
 *
 * @since 0.1.0
 * @category errors
 */
export class ShardsDiffer extends Schema.TaggedError<ShardsDiffer>()("ShardsDiffer", {
  /** The shards, in words. */
  name: Schema.String,
  given: Schema.Int,
  stored: Schema.Int
}) {
  override get message(): string {
    return `${this.name} has ${this.stored} shards, not ${this.given}: to change their number, stop every process that takes part, ` +
      "run reset, and start them with the new number"
  }
}

/**
 * Another process registered under the same id. This process is no longer a candidate.
 *
 * @since 0.1.0
 * @category errors
 */
export class CandidateSuperseded
  extends Schema.TaggedError<CandidateSuperseded>()("CandidateSuperseded", { processId: Schema.String })
{
  override get message(): string {
    return `another process registered as "${this.processId}": give each process its own id, or omit it`
  }
}

/**
 * The leadership of a tenure is lost.
 *
 * @example const led = Effect.catchTag(election.withLeadership({}, () => Effect.never), "LeadershipLost", ({ reason }) => Effect.log(reason))
 * @since 0.1.0
 * @category errors
 */
export class LeadershipLost extends Schema.TaggedError<LeadershipLost>()("LeadershipLost", {
  processId: Schema.String,
  term: Schema.BigInt,
  reason: LossReason,
  /** The time for which its work went on after its lease had lapsed, when another process could lead. */
  overran: Schema.optionalKey(Schema.Duration),
  /** `true` if the loss interrupted a guarded transaction of the work that may have been committed. */
  maybeCommitted: Schema.optionalKey(Schema.Boolean)
}) {
  override get message(): string {
    const overran = this.overran === undefined
      ? ""
      : `; its work overran the lease by ${Duration.format(this.overran)}`
    const inDoubt = this.maybeCommitted === true ? "; a guarded transaction may have been committed" : ""
    return `"${this.processId}" no longer leads in term ${this.term}: ${this.reason}${overran}${inDoubt}`
  }
}

/**
 * The errors of every operation: those of the database, and records that are missing or damaged.
 *
 * @since 0.1.0
 * @category errors
 */
export type StoreError = FdbError | InvalidState | NotInitialized

/**
 * The errors that end a campaign. An unreachable database does not end it: the campaign tries again without a limit. An
 * `FdbError` here is permanent, such as a key that the engine refuses. `InvalidConfig` concerns the configuration with which the
 * election was to be created.
 *
 * @since 0.1.0
 * @category errors
 */
export type CampaignError = StoreError | InvalidCandidate | InvalidConfig | CandidateSuperseded | ClockOutOfRange
