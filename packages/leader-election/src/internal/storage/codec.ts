/**
 * Records as bytes: tuples that begin with a schema version.
 *
 * What does not decode exactly is a problem to be reported, never a vacancy or a default (rule 5). So what would not decode is
 * not encoded either: one checks each field for both.
 */
import { Bytes, Tuple, Versionstamp } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ElectionConfig } from "../../ElectionConfig.ts"
import { ClockOutOfRange } from "../../ElectionError.ts"
import { RecordedReason } from "../../LossReason.ts"
import type {
  CallRecord,
  CandidateRecord,
  ChallengeRecord,
  HistoryRecord,
  LeaderRecord,
  LeaseRecord
} from "../protocol/records.ts"

/** The version of every record that this library writes, and the only one that it reads. */
const version = 1n

/** Something larger is no version: records of other programs may stand where ours are looked for. */
const newestConceivable = 1000n

/** Tells what is wrong with a field, if anything is. */
type Check<A, E = never> = {
  readonly is: (value: unknown) => value is A
  readonly expected: string
  /** The error of a value that is not to be stored, where that has one of its own. */
  readonly refused?: ((value: unknown) => E) | undefined
}

const between = (minimum: bigint, maximum: bigint): Check<bigint> => ({
  is: (value): value is bigint => typeof value === "bigint" && value >= minimum && value <= maximum,
  expected: `a whole number from ${minimum} to ${maximum}`
})
const max = 2n ** 63n - 1n
const Natural = between(0n, max)
/** A time by a wall clock, in nanoseconds since the epoch: from 1970 to 2262. */
const Time: Check<bigint, ClockOutOfRange> = {
  ...Natural,
  refused: (value) => new ClockOutOfRange({ time: typeof value === "bigint" ? value : undefined })
}
const Span = between(1n, max)
const Int32 = between(-(2n ** 31n), 2n ** 31n - 1n)
const Text: Check<string> = { is: (value) => typeof value === "string", expected: "a text" }
const Flag: Check<boolean> = { is: (value) => typeof value === "boolean", expected: "a truth value" }
const Stamp: Check<Versionstamp.Versionstamp> = { is: Versionstamp.isVersionstamp, expected: "a versionstamp" }
const Reason: Check<RecordedReason> = { is: Schema.is(RecordedReason), expected: "why a tenure ended" }
const orNull = <A, E>({ expected, is, refused }: Check<A, E>): Check<A | null, E> => ({
  is: (value): value is A | null => value === null || is(value),
  expected: `${expected}, or null`,
  refused
})

/**
 * Checks the tuple of a record, field by field after its version; its problem is told in one line. Written by hand, for it is
 * most of what a beat costs.
 */
const decoder = <const Fields extends ReadonlyArray<unknown>, A>(
  checks: { readonly [K in keyof Fields]: Check<Fields[K], unknown> },
  build: (...fields: Fields) => Result.Result<A, string>
) => {
  const decode = (bytes: Uint8Array): Result.Result<A, string> => {
    const unpacked = Tuple.unpack(bytes)
    if (Result.isFailure(unpacked)) return Result.fail(unpacked.failure.message)
    const [written, ...fields] = unpacked.success
    if (typeof written === "bigint" && written > version && written <= newestConceivable) {
      return Result.fail(`it has version ${written}, this library knows version ${version}: upgrade this process`)
    }
    if (written !== version) return Result.fail("it is no record of this library: it does not begin with a version")
    if (fields.length !== checks.length) {
      return Result.fail(`it has ${fields.length} fields after its version, not ${checks.length}`)
    }
    for (const [i, check] of checks.entries()) {
      if (!check.is(fields[i])) return Result.fail(`its field ${i + 1} is not ${check.expected}`)
    }
    return build(...fields as unknown as Fields)
  }
  // Most of what is read has been read before: configurations and leaders seldom change.
  let last: { readonly bytes: Uint8Array; readonly decoded: Result.Result<A, string> } | undefined
  return (bytes: Uint8Array): Result.Result<A, string> => {
    if (last === undefined || !Bytes.equals(last.bytes, bytes)) last = { bytes: bytes.slice(), decoded: decode(bytes) }
    return last.decoded
  }
}

/** The first field that would not decode: its own error, or what is wrong with it. */
const misfit = <E>(
  checks: ReadonlyArray<Check<unknown, E>>,
  fields: ReadonlyArray<unknown>
): E | string | undefined => {
  for (const [i, check] of checks.entries()) {
    if (check.is(fields[i])) continue
    return check.refused === undefined
      ? `its field ${i + 1} would be ${String(fields[i])}, which is not ${check.expected}`
      : check.refused(fields[i])
  }
  return undefined
}

/** Packs the fields of a record, if each is as {@link decoder} will ask for it. */
const encode = <E>(
  checks: ReadonlyArray<Check<unknown, E>>,
  fields: ReadonlyArray<Tuple.TupleElement>
): Result.Result<Uint8Array, E | string> => {
  const problem = misfit(checks, fields)
  return problem === undefined ? Result.succeed(Tuple.pack([version, ...fields])) : Result.fail(problem)
}

/** A priority as it is stored; what is no whole number is nothing that can be. */
const integer = (priority: number): bigint | null => Number.isInteger(priority) ? BigInt(priority) : null

/** A pair of fields that are there together or not at all. */
const identity = (id: string | null, registration: Versionstamp.Versionstamp | null) =>
  id === null || registration === null ? undefined : { id, registration }

const configFields = [Span, Span, Span, Flag, Flag] as const

export const decodeConfig = decoder(
  configFields,
  (lease, heartbeat, timeout, electionEnabled, allowPreemption) =>
    Result.succeed(
      new ElectionConfig({
        leaseDuration: Duration.nanos(lease),
        heartbeatInterval: Duration.nanos(heartbeat),
        candidateTimeout: Duration.nanos(timeout),
        electionEnabled,
        allowPreemption
      })
    )
)

export const encodeConfig = (config: ElectionConfig) =>
  encode(configFields, [
    Duration.toNanosUnsafe(config.leaseDuration),
    Duration.toNanosUnsafe(config.heartbeatInterval),
    Duration.toNanosUnsafe(config.candidateTimeout),
    config.electionEnabled,
    config.allowPreemption
  ])

/**
 * `(version, term, leader, priority, registration, other, other's registration)`; the other is the preferred successor of a vacancy, and
 * who has appointed the leader of a tenure.
 */
const leaderFields = [Natural, orNull(Text), Int32, orNull(Stamp), orNull(Text), orNull(Stamp)] as const

export const decodeLeader = decoder(
  leaderFields,
  (term, id, priority, registration, otherId, otherRegistration): Result.Result<LeaderRecord, string> => {
    const other = identity(otherId, otherRegistration)
    if (id === null) return Result.succeed({ _tag: "Vacant", term, successor: other })
    if (registration === null) return Result.fail("it names a leader without a registration")
    const leader = { _tag: "Held", term, id, priority: Number(priority), registration } as const
    return Result.succeed(other === undefined ? leader : { ...leader, appointedBy: other })
  }
)

export const encodeLeader = (record: LeaderRecord) => {
  const other = record._tag === "Held" ? record.appointedBy : record.successor
  const leader = record._tag === "Held" ? [record.id, integer(record.priority), record.registration] : [null, 0n, null]
  return encode(leaderFields, [record.term, ...leader, other?.id ?? null, other?.registration ?? null])
}

const leaseFields = [Natural, Span, Time] as const

export const decodeLease = decoder(
  leaseFields,
  (ballot, duration, expiry): Result.Result<LeaseRecord, string> => Result.succeed({ ballot, duration, expiry })
)

export const encodeLease = (record: LeaseRecord) => encode(leaseFields, [record.ballot, record.duration, record.expiry])

const challengeFields = [Natural, orNull(Text), Int32, orNull(Stamp)] as const

export const decodeChallenge = decoder(
  challengeFields,
  (term, id, priority, registration): Result.Result<ChallengeRecord, string> =>
    Result.succeed({ term, challenger: identity(id, registration), priority: Number(priority) })
)

export const encodeChallenge = (record: ChallengeRecord) =>
  encode(challengeFields, [
    record.term,
    record.challenger?.id ?? null,
    integer(record.priority),
    record.challenger?.registration ?? null
  ])

const candidateFields = [Int32, Time, Stamp] as const

export const decodeCandidate = decoder(
  candidateFields,
  (priority, lastHeartbeat, registration): Result.Result<CandidateRecord, string> =>
    Result.succeed({ priority: Number(priority), lastHeartbeat, registration })
)

export const encodeCandidate = (record: CandidateRecord) =>
  encode(candidateFields, [integer(record.priority), record.lastHeartbeat, record.registration])

/** The record of a candidate whose registration the commit is to give. */
export const encodeRegistration = (
  priority: number,
  lastHeartbeat: bigint
): Result.Result<Versionstamp.Versionstamped, ClockOutOfRange | string> => {
  const [Priority, Heartbeat] = candidateFields
  const fields = [integer(priority), lastHeartbeat]
  const problem = misfit<ClockOutOfRange>([Priority, Heartbeat], fields)
  return problem === undefined
    ? Result.succeed(Tuple.packVersionstamped([version, ...fields, Tuple.incompleteVersionstamp(0)]))
    : Result.fail(problem)
}

const callFields = [orNull(Natural), orNull(Int32), orNull(Flag)] as const

export const decodeCall = decoder(
  callFields,
  (term, rank, isVacancy): Result.Result<CallRecord, string> =>
    Result.succeed({
      call: term === null || rank === null || isVacancy === null
        ? undefined
        : { term, rank: Number(rank), isVacancy }
    })
)

export const encodeCall = ({ call }: CallRecord) =>
  encode(callFields, call === undefined ? [null, null, null] : [call.term, integer(call.rank), call.isVacancy])

const historyFields = [Text, Time, orNull(Time), orNull(Reason)] as const

export const decodeHistory = decoder(
  historyFields,
  (leaderId, start, end, reason): Result.Result<HistoryRecord, string> =>
    Result.succeed({ leaderId, start, end: end ?? undefined, reason: reason ?? undefined })
)

export const encodeHistory = (record: HistoryRecord) =>
  encode(historyFields, [record.leaderId, record.start, record.end ?? null, record.reason ?? null])
