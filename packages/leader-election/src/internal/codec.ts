/**
 * Records as bytes: tuples that begin with a schema version.
 *
 * What does not decode exactly is a problem to be reported, never a vacancy or a default (rule 5).
 */
import { Bytes, Tuple, Versionstamp } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ElectionConfig } from "../ElectionConfig.ts"
import { EndReason } from "../HistoryEntry.ts"
import type { CandidateRecord, ChallengeRecord, HistoryRecord, LeaderRecord, LeaseRecord } from "./records.ts"

/** The version of every record that this library writes, and the only one that it reads. */
const version = 1n

/** Something larger is no version: records of other programs may stand where ours are looked for. */
const newestConceivable = 1000n

/** Tells what is wrong with a field, if anything is. */
type Check<A> = { readonly is: (value: unknown) => value is A; readonly expected: string }

const between = (minimum: bigint, maximum: bigint): Check<bigint> => ({
  is: (value): value is bigint => typeof value === "bigint" && value >= minimum && value <= maximum,
  expected: `a whole number from ${minimum} to ${maximum}`
})
const max = 2n ** 63n - 1n
const Natural = between(0n, max)
const Span = between(1n, max)
const Int32 = between(-(2n ** 31n), 2n ** 31n - 1n)
const Text: Check<string> = { is: (value) => typeof value === "string", expected: "a text" }
const Flag: Check<boolean> = { is: (value) => typeof value === "boolean", expected: "a truth value" }
const Stamp: Check<Versionstamp.Versionstamp> = { is: Versionstamp.isVersionstamp, expected: "a versionstamp" }
const Reason: Check<EndReason> = { is: Schema.is(EndReason), expected: "why a tenure ended" }
const orNull = <A>({ expected, is }: Check<A>): Check<A | null> => ({
  is: (value): value is A | null => value === null || is(value),
  expected: `${expected}, or null`
})

/**
 * Checks the tuple of a record, field by field after its version; its problem is told in one line. Written by hand, for it is
 * most of what a beat costs.
 */
const decoder = <const Fields extends ReadonlyArray<unknown>, A>(
  checks: { readonly [K in keyof Fields]: Check<Fields[K]> },
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

/** A priority as a tuple takes it: minus zero is no integer there. */
const int32 = (priority: number): number => priority | 0

/** A pair of fields that are there together or not at all. */
const identity = (id: string | null, registration: Versionstamp.Versionstamp | null) =>
  id === null || registration === null ? undefined : { id, registration }

export const decodeConfig = decoder(
  [Span, Span, Span, Flag, Flag],
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

export const encodeConfig = (config: ElectionConfig): Uint8Array =>
  Tuple.pack([
    version,
    Duration.toNanosUnsafe(config.leaseDuration),
    Duration.toNanosUnsafe(config.heartbeatInterval),
    Duration.toNanosUnsafe(config.candidateTimeout),
    config.electionEnabled,
    config.allowPreemption
  ])

/** `(version, term, leader, priority, registration, successor, successor's registration)` */
export const decodeLeader = decoder(
  [Natural, orNull(Text), Int32, orNull(Stamp), orNull(Text), orNull(Stamp)],
  (term, id, priority, registration, successorId, successorRegistration): Result.Result<LeaderRecord, string> => {
    if (id === null) {
      return Result.succeed({ _tag: "Vacant", term, successor: identity(successorId, successorRegistration) })
    }
    return registration === null
      ? Result.fail("it names a leader without a registration")
      : Result.succeed({ _tag: "Held", term, id, priority: Number(priority), registration })
  }
)

export const encodeLeader = (record: LeaderRecord): Uint8Array =>
  record._tag === "Held"
    ? Tuple.pack([version, record.term, record.id, int32(record.priority), record.registration, null, null])
    : Tuple.pack([
      version,
      record.term,
      null,
      0,
      null,
      record.successor?.id ?? null,
      record.successor?.registration ?? null
    ])

export const decodeLease = decoder(
  [Natural, Span, Natural],
  (ballot, duration, expiry): Result.Result<LeaseRecord, string> => Result.succeed({ ballot, duration, expiry })
)

export const encodeLease = (record: LeaseRecord): Uint8Array =>
  Tuple.pack([version, record.ballot, record.duration, record.expiry])

export const decodeChallenge = decoder(
  [Natural, orNull(Text), Int32, orNull(Stamp)],
  (term, id, priority, registration): Result.Result<ChallengeRecord, string> =>
    Result.succeed({ term, challenger: identity(id, registration), priority: Number(priority) })
)

export const encodeChallenge = (record: ChallengeRecord): Uint8Array =>
  Tuple.pack([
    version,
    record.term,
    record.challenger?.id ?? null,
    int32(record.priority),
    record.challenger?.registration ?? null
  ])

export const decodeCandidate = decoder(
  [Int32, Natural, Stamp],
  (priority, lastHeartbeat, registration): Result.Result<CandidateRecord, string> =>
    Result.succeed({ priority: Number(priority), lastHeartbeat, registration })
)

export const encodeCandidate = (record: CandidateRecord): Uint8Array =>
  Tuple.pack([version, int32(record.priority), record.lastHeartbeat, record.registration])

/** The record of a candidate whose registration the commit is to give. */
export const encodeRegistration = (priority: number, lastHeartbeat: bigint): Versionstamp.Versionstamped =>
  Tuple.packVersionstamped([version, int32(priority), lastHeartbeat, Tuple.incompleteVersionstamp(0)])

export const decodeHistory = decoder(
  [Text, Natural, orNull(Natural), orNull(Reason)],
  (leaderId, start, end, reason): Result.Result<HistoryRecord, string> =>
    Result.succeed({ leaderId, start, end: end ?? undefined, reason: reason ?? undefined })
)

export const encodeHistory = (record: HistoryRecord): Uint8Array =>
  Tuple.pack([version, record.leaderId, record.start, record.end ?? null, record.reason ?? null])
