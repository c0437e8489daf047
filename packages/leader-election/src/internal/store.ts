/**
 * Reading and writing records in a transaction. What is read is decoded or refused as `InvalidState`; what is to be
 * written has been decided elsewhere.
 */
import { Bytes, type FdbError, KeySelector, type Reads, type TransactionService } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { ElectionConfig } from "../ElectionConfig.ts"
import { InvalidState, NotInitialized } from "../ElectionError.ts"
import * as Codec from "./codec.ts"
import type { ElectionKeys } from "./keys.ts"
import type * as Protocol from "./protocol.ts"
import type { CandidateRecord, ChallengeRecord, HistoryRecord, LeaderRecord, LeaseRecord } from "./records.ts"

/** How many tenures the history keeps. */
export const historyLength = 100

/** A view, and the configuration that it was read with. */
export interface ElectionView extends Protocol.View {
  readonly config: ElectionConfig
}

const decodeAt = <A>(
  key: Uint8Array,
  bytes: Uint8Array,
  decode: (bytes: Uint8Array) => Result.Result<A, string>
): Effect.Effect<A, InvalidState> => {
  const decoded = decode(bytes)
  return Result.isSuccess(decoded)
    ? Effect.succeed(decoded.success)
    : Effect.fail(new InvalidState({ key: Bytes.toPrintable(key), problem: decoded.failure }))
}

const read = <A>(
  reads: Reads,
  key: Uint8Array,
  decode: (bytes: Uint8Array) => Result.Result<A, string>
): Effect.Effect<A | undefined, FdbError | InvalidState> =>
  Effect.flatMap(reads.get(key), (bytes) => bytes === undefined ? Effect.undefined : decodeAt(key, bytes, decode))

const readOrInvalid = <A>(
  reads: Reads,
  key: Uint8Array,
  decode: (bytes: Uint8Array) => Result.Result<A, string>
): Effect.Effect<A, FdbError | InvalidState> =>
  Effect.flatMap(reads.get(key), (bytes) =>
    bytes === undefined
      ? Effect.fail(
        new InvalidState({ key: Bytes.toPrintable(key), problem: "it is missing though the election is initialised" })
      )
      : decodeAt(key, bytes, decode))

export const findConfig = (
  reads: Reads,
  keys: ElectionKeys
): Effect.Effect<ElectionConfig | undefined, FdbError | InvalidState> => read(reads, keys.config, Codec.decodeConfig)

export const readConfig = (
  reads: Reads,
  keys: ElectionKeys
): Effect.Effect<ElectionConfig, FdbError | InvalidState | NotInitialized> =>
  Effect.filterOrFail(
    findConfig(reads, keys),
    (config) => config !== undefined,
    () => new NotInitialized({ election: keys.name })
  )

export const readCandidate = (
  reads: Reads,
  keys: ElectionKeys,
  id: string
): Effect.Effect<CandidateRecord | undefined, FdbError | InvalidState> =>
  read(reads, keys.candidate(id), Codec.decodeCandidate)

export const findLeader = (
  reads: Reads,
  keys: ElectionKeys
): Effect.Effect<LeaderRecord | undefined, FdbError | InvalidState> => read(reads, keys.leader, Codec.decodeLeader)

export const readLeader = (reads: Reads, keys: ElectionKeys): Effect.Effect<LeaderRecord, FdbError | InvalidState> =>
  readOrInvalid(reads, keys.leader, Codec.decodeLeader)

export const readLease = (reads: Reads, keys: ElectionKeys): Effect.Effect<LeaseRecord, FdbError | InvalidState> =>
  readOrInvalid(reads, keys.lease, Codec.decodeLease)

export const readChallenge = (
  reads: Reads,
  keys: ElectionKeys
): Effect.Effect<ChallengeRecord | undefined, FdbError | InvalidState> =>
  read(reads, keys.challenge, Codec.decodeChallenge)

/** Everything that a decision needs, in one wave of reads. The configuration comes first where several are missing. */
export const readView = (
  reads: Reads,
  keys: ElectionKeys,
  id: string
): Effect.Effect<ElectionView, FdbError | InvalidState | NotInitialized> =>
  Effect.all([
    readConfig(reads, keys),
    Effect.result(readLeader(reads, keys)),
    Effect.result(readLease(reads, keys)),
    readChallenge(reads, keys),
    readCandidate(reads, keys, id)
  ], { concurrency: "unbounded" }).pipe(
    Effect.flatMap(([config, leader, lease, challenge, candidate]) =>
      Effect.map(
        Effect.all([Effect.fromResult(leader), Effect.fromResult(lease)]),
        ([leader, lease]): ElectionView => ({
          config,
          enabled: config.electionEnabled,
          allowPreemption: config.allowPreemption,
          leaseDuration: Duration.toNanosUnsafe(config.leaseDuration),
          leader,
          lease,
          challenge,
          candidate
        })
      )
    )
  )

/** A tenure in the history. */
export interface HistoryEntry extends HistoryRecord {
  readonly term: bigint
}

/** The newest tenures, newest first. */
export const readHistory = (
  reads: Reads,
  keys: ElectionKeys,
  limit: number
): Effect.Effect<Array<HistoryEntry>, FdbError | InvalidState> =>
  Effect.flatMap(
    reads.getRange(keys.history.range(), { limit, reverse: true }),
    (pairs) =>
      Effect.forEach(pairs, ({ key, value }) =>
        Effect.map(
          Effect.zip(
            decodeAt(key, key, (bytes) =>
              Result.flatMap(
                Result.mapError(keys.history.unpack(bytes), (error) => error.message),
                ([term]) =>
                  typeof term === "bigint" ? Result.succeed(term) : Result.fail("its key does not end in a term")
              )),
            decodeAt(key, value, Codec.decodeHistory)
          ),
          ([term, record]) => ({ ...record, term })
        ))
  )

/** What a claim has to know of the history. */
export interface HistoryEnds {
  readonly newest: HistoryEntry | undefined
  /** The key of the oldest tenure to be kept when one more is added; none where none has to go. */
  readonly oldestKept: Uint8Array | undefined
}

export const readHistoryEnds = (
  reads: Reads,
  keys: ElectionKeys
): Effect.Effect<HistoryEnds, FdbError | InvalidState> => {
  const { begin, end } = keys.history.range()
  return Effect.map(
    Effect.all([
      readHistory(reads, keys, 1),
      reads.getKey(KeySelector.move(KeySelector.lastLessThan(end), 2 - historyLength))
    ], { concurrency: "unbounded" }),
    ([[newest], key]) => ({ newest, oldestKept: Bytes.compare(key, begin) < 0 ? undefined : key })
  )
}

/** All candidates, page by page, in the order of their ids. */
export const streamCandidates = (
  reads: Reads,
  keys: ElectionKeys
): Stream.Stream<CandidateRecord & { readonly id: string }, FdbError | InvalidState> =>
  Stream.mapEffect(reads.streamRange(keys.candidates.range()), ({ key, value }) =>
    Effect.map(
      Effect.zip(
        decodeAt(key, key, (bytes) =>
          Result.flatMap(
            Result.mapError(keys.candidates.unpack(bytes), (error) => error.message),
            ([id]) => typeof id === "string" ? Result.succeed(id) : Result.fail("its key does not end in an id")
          )),
        decodeAt(key, value, Codec.decodeCandidate)
      ),
      ([id, record]) => ({ ...record, id })
    ))

/** Makes the transaction conflict with everything that a decision to claim, renew or resign rests on. */
export const addDecisionConflicts = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ElectionKeys,
  id: string
) {
  yield* tx.addReadConflictKey(keys.config)
  yield* tx.addReadConflictKey(keys.leader)
  yield* tx.addReadConflictKey(keys.lease)
  yield* tx.addReadConflictKey(keys.challenge)
  yield* tx.addReadConflictKey(keys.candidate(id))
})
