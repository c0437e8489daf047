/**
 * Records as bytes: tuples that begin with a schema version.
 *
 * What does not decode exactly is a problem to be reported, never a vacancy or a default (rule 5).
 */
import { Tuple, Versionstamp } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ElectionConfig } from "../ElectionConfig.ts"
import { EndReason } from "../HistoryEntry.ts"
import type { CandidateRecord, ChallengeRecord, HistoryRecord, LeaderRecord, LeaseRecord } from "./records.ts"

/** The version of every record that this library writes, and the only one that it reads. */
const version = 1n

const max = 2n ** 63n - 1n
const Natural = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: max }))
const Span = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 1n, maximum: max }))
const Int32 = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -(2n ** 31n), maximum: 2n ** 31n - 1n }))
const Stamp = Schema.declare(Versionstamp.isVersionstamp)
const Version = Schema.Literal(version)

/** Checks the tuple of a record; its problem is told in one line. */
const decoder = <T extends ReadonlyArray<unknown>, A>(
  schema: Schema.Codec<T, unknown>,
  build: (tuple: T) => Result.Result<A, string>
) => {
  const decode = Schema.decodeUnknownResult(schema)
  return (bytes: Uint8Array): Result.Result<A, string> => {
    const tuple = Tuple.unpack(bytes)
    if (Result.isFailure(tuple)) return Result.fail(tuple.failure.message)
    const written = tuple.success[0]
    if (typeof written === "bigint" && written > version) {
      return Result.fail(`it has version ${written}, this library knows version ${version}: upgrade this process`)
    }
    const decoded = decode(tuple.success)
    return Result.isFailure(decoded)
      ? Result.fail(String(decoded.failure).replaceAll(/\s+/g, " "))
      : build(decoded.success)
  }
}

/** A pair of fields that are there together or not at all. */
const identity = (id: string | null, registration: Versionstamp.Versionstamp | null) =>
  id === null || registration === null ? undefined : { id, registration }

export const decodeConfig = decoder(
  Schema.Tuple([Version, Span, Span, Span, Schema.Boolean, Schema.Boolean]),
  ([, lease, heartbeat, timeout, electionEnabled, allowPreemption]) =>
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
  Schema.Tuple([
    Version,
    Natural,
    Schema.NullOr(Schema.String),
    Int32,
    Schema.NullOr(Stamp),
    Schema.NullOr(Schema.String),
    Schema.NullOr(Stamp)
  ]),
  ([, term, id, priority, registration, successorId, successorRegistration]): Result.Result<LeaderRecord, string> => {
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
    ? Tuple.pack([version, record.term, record.id, record.priority, record.registration, null, null])
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
  Schema.Tuple([Version, Natural, Span, Natural]),
  ([, ballot, duration, expiry]): Result.Result<LeaseRecord, string> => Result.succeed({ ballot, duration, expiry })
)

export const encodeLease = (record: LeaseRecord): Uint8Array =>
  Tuple.pack([version, record.ballot, record.duration, record.expiry])

export const decodeChallenge = decoder(
  Schema.Tuple([Version, Natural, Schema.NullOr(Schema.String), Int32, Schema.NullOr(Stamp)]),
  ([, term, id, priority, registration]): Result.Result<ChallengeRecord, string> =>
    Result.succeed({ term, challenger: identity(id, registration), priority: Number(priority) })
)

export const encodeChallenge = (record: ChallengeRecord): Uint8Array =>
  Tuple.pack([
    version,
    record.term,
    record.challenger?.id ?? null,
    record.priority,
    record.challenger?.registration ?? null
  ])

export const decodeCandidate = decoder(
  Schema.Tuple([Version, Int32, Natural, Stamp]),
  ([, priority, lastHeartbeat, registration]): Result.Result<CandidateRecord, string> =>
    Result.succeed({ priority: Number(priority), lastHeartbeat, registration })
)

export const encodeCandidate = (record: CandidateRecord): Uint8Array =>
  Tuple.pack([version, record.priority, record.lastHeartbeat, record.registration])

/** The record of a candidate whose registration the commit is to give. */
export const encodeRegistration = (priority: number, lastHeartbeat: bigint): Versionstamp.Versionstamped =>
  Tuple.packVersionstamped([version, priority, lastHeartbeat, Tuple.incompleteVersionstamp(0)])

export const decodeHistory = decoder(
  Schema.Tuple([
    Version,
    Schema.String,
    Natural,
    Schema.NullOr(Natural),
    Schema.NullOr(EndReason)
  ]),
  ([, leaderId, start, end, reason]): Result.Result<HistoryRecord, string> =>
    Result.succeed({ leaderId, start, end: end ?? undefined, reason: reason ?? undefined })
)

export const encodeHistory = (record: HistoryRecord): Uint8Array =>
  Tuple.pack([version, record.leaderId, record.start, record.end ?? null, record.reason ?? null])
