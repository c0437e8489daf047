/** Reads the records of an election in a transaction: what does not decode is refused as `InvalidState`. */
import {
  Bytes,
  type FdbError,
  KeySelector,
  type KeyValue,
  type RangeOptions,
  type Reads,
  type Subspace
} from "@effect-fdb/core"
import * as FdbErrors from "@effect-fdb/core/FdbError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { ElectionConfig } from "../../ElectionConfig.ts"
import { InvalidState, NotInitialized, type StoreError } from "../../ElectionError.ts"
import type * as Protocol from "../protocol/protocol.ts"
import type { CallRecord, CandidateRecord, HistoryRecord } from "../protocol/records.ts"
import * as Codec from "./codec.ts"
import type { ElectionKeys } from "./keys.ts"

/** How many tenures the history keeps. */
export const historyLength = 100

/** A view, with the configuration that it was read with. */
export interface ElectionView extends Protocol.View {
  readonly config: ElectionConfig
  /** What the history tells of the tenure that was asked for. */
  readonly tenure: HistoryEntry | undefined
  /** What S("calls", id) tells, if that was asked for; nothing where it cannot be read. */
  readonly called: CallRecord | undefined
}

/** A record to be read: where it stands, and what its bytes mean, or that there are none. */
interface StoredRecord<A, E> {
  readonly key: Uint8Array
  readonly decode: (bytes: Uint8Array | undefined) => Result.Result<A, E>
}

type Decode<A> = (bytes: Uint8Array) => Result.Result<A, string>

export const invalid = (key: Uint8Array, problem: string): InvalidState =>
  new InvalidState({ key: Bytes.toPrintable(key), problem })

const decodeAt = <A>(key: Uint8Array, bytes: Uint8Array, decode: Decode<A>): Result.Result<A, InvalidState> =>
  Result.mapError(decode(bytes), (problem) => invalid(key, problem))

const optional = <A>(key: Uint8Array, decode: Decode<A>): StoredRecord<A | undefined, InvalidState> => ({
  key,
  decode: (bytes) => bytes === undefined ? Result.succeed(undefined) : decodeAt(key, bytes, decode)
})

const required = <A>(key: Uint8Array, decode: Decode<A>): StoredRecord<A, InvalidState> => ({
  key,
  decode: (bytes) =>
    bytes === undefined
      ? Result.fail(invalid(key, "it is missing, although the election is initialised"))
      : decodeAt(key, bytes, decode)
})

export const configIfAny = (keys: ElectionKeys) => optional(keys.config, Codec.decodeConfig)

export const config = (keys: ElectionKeys): StoredRecord<ElectionConfig, InvalidState | NotInitialized> => ({
  key: keys.config,
  decode: (bytes) =>
    bytes === undefined
      ? Result.fail(new NotInitialized({ election: keys.name }))
      : decodeAt(keys.config, bytes, Codec.decodeConfig)
})

export const leaderIfAny = (keys: ElectionKeys) => optional(keys.leader, Codec.decodeLeader)

export const leader = (keys: ElectionKeys) => required(keys.leader, Codec.decodeLeader)

export const lease = (keys: ElectionKeys) => required(keys.lease, Codec.decodeLease)

export const challenge = (keys: ElectionKeys) => optional(keys.challenge, Codec.decodeChallenge)

export const candidate = (keys: ElectionKeys, id: string) => optional(keys.candidate(id), Codec.decodeCandidate)

export const historyOf = (keys: ElectionKeys, term: bigint): StoredRecord<HistoryEntry | undefined, InvalidState> =>
  optional(
    keys.historyEntry(term),
    (bytes) => Result.map(Codec.decodeHistory(bytes), (record) => ({ ...record, term }))
  )

const callOf = (keys: ElectionKeys, id: string): StoredRecord<CallRecord | undefined, never> => ({
  key: keys.call(id),
  decode: (bytes) => Result.succeed(bytes && Result.getOrUndefined(Codec.decodeCall(bytes)))
})

/** Reads a record. */
export const read = <A, E>(reads: Reads, { decode, key }: StoredRecord<A, E>): Effect.Effect<A, FdbError | E> =>
  Effect.flatMap(reads.get(key), (bytes) => Effect.fromResult(decode(bytes)))

type Decoded<Records extends ReadonlyArray<StoredRecord<unknown, unknown>>> = Result.Result<
  { -readonly [K in keyof Records]: Records[K] extends StoredRecord<infer A, unknown> ? A : never },
  Records[number] extends StoredRecord<unknown, infer E> ? E : never
>

/** Where several cannot be used, the first of them is told. */
const decodeAll = <const Records extends ReadonlyArray<StoredRecord<unknown, unknown>>>(
  records: Records,
  values: ReadonlyArray<Uint8Array | undefined>
): Decoded<Records> => Result.all(records.map(({ decode }, index) => decode(values[index]))) as never

/** Reads records in one wave. */
export const readAll = <const Records extends ReadonlyArray<StoredRecord<unknown, unknown>>>(
  reads: Reads,
  records: Records
): Effect.Effect<Result.Result.Success<Decoded<Records>>, FdbError | Result.Result.Failure<Decoded<Records>>> =>
  Effect.flatMap(
    reads.getAll(records.map(({ key }) => key)),
    (values) => Effect.fromResult(decodeAll(records, values))
  ) as never

/**
 * Which view of which election is to be read: that of the candidate `id`, with the history of the tenure of `term`, if that may have to end,
 * and with what S("calls", id) tells, if that `isCalled`.
 */
export interface ViewOf {
  readonly keys: ElectionKeys
  readonly id: string
  readonly term?: bigint | undefined
  readonly isCalled?: boolean | undefined
}

/** Nothing is read. */
const none: StoredRecord<undefined, never> = { key: new Uint8Array(0), decode: () => Result.succeed(undefined) }

const recordsOf = ({ id, isCalled = false, keys, term }: ViewOf) =>
  [
    config(keys),
    leader(keys),
    lease(keys),
    challenge(keys),
    candidate(keys, id),
    term === undefined ? none : historyOf(keys, term),
    isCalled ? callOf(keys, id) : none
  ] as const

/** Everything that decisions need, in one wave of reads. */
export const readViews = (
  reads: Reads,
  views: ReadonlyArray<ViewOf>
): Effect.Effect<ReadonlyArray<Result.Result<ElectionView, InvalidState | NotInitialized>>, FdbError> => {
  const wanted = views.map(recordsOf)
  const asked = wanted.flat().filter((record) => record !== none)
  return Effect.map(reads.getAll(asked.map(({ key }) => key)), (values) => {
    let next = 0
    return wanted.map((records) => {
      const read = records.map((record) => record === none ? undefined : values[next++])
      const decoded = decodeAll(records, read)
      return Result.map(decoded, ([config, leader, lease, challenge, candidate, tenure, called]): ElectionView => ({
        config,
        enabled: config.electionEnabled,
        allowPreemption: config.allowPreemption,
        leaseDuration: Duration.toNanosUnsafe(config.leaseDuration),
        leader,
        lease,
        challenge,
        candidate,
        tenure,
        called
      }))
    })
  })
}

/** One such view. */
export const readView = (
  reads: Reads,
  keys: ElectionKeys,
  id: string,
  term?: bigint,
  isCalled?: boolean
): Effect.Effect<ElectionView, StoreError> =>
  Effect.flatMap(readViews(reads, [{ keys, id, term, isCalled }]), ([view]) => Effect.fromResult(view!))

/** Decodes a pair of a subspace: what its key ends in, and its record. */
const decodeEntry = <Tail, A, B>(
  subspace: Subspace.Subspace,
  is: (element: unknown) => element is Tail,
  expected: string,
  decode: Decode<A>,
  build: (tail: Tail, record: A) => B
) =>
({ key, value }: KeyValue): Result.Result<B, InvalidState> =>
  Result.map(
    Result.all([
      decodeAt(key, key, (bytes) =>
        Result.flatMap(
          Result.mapError(subspace.unpack(bytes), (error) => error.message),
          ([tail]) => is(tail) ? Result.succeed(tail) : Result.fail(`its key does not end in ${expected}`)
        )),
      decodeAt(key, value, decode)
    ]),
    ([tail, record]) => build(tail, record)
  )

/** Reads what stands in a subspace, decoded. */
const readEntries = <A>(
  reads: Reads,
  subspace: Subspace.Subspace,
  options: RangeOptions,
  decode: (pair: KeyValue) => Result.Result<A, InvalidState>
): Effect.Effect<Array<A>, FdbError | InvalidState> =>
  Effect.flatMap(
    reads.getRange(subspace.range(), options),
    (pairs) => Effect.fromResult(Result.all(pairs.map(decode)))
  )

/** A tenure in the history. */
export interface HistoryEntry extends HistoryRecord {
  readonly term: bigint
}

const historyEntry = ({ history }: ElectionKeys) =>
  decodeEntry(history, Predicate.isBigInt, "a term", Codec.decodeHistory, (term, record) => ({ ...record, term }))

/** The newest tenures, newest first. */
export const readHistory = (
  reads: Reads,
  keys: ElectionKeys,
  limit: number
): Effect.Effect<Array<HistoryEntry>, FdbError | InvalidState> =>
  readEntries(reads, keys.history, { limit, reverse: true }, historyEntry(keys))

/** The greatest term of the history, told by its key alone; 0 if there is none. */
export const readNewestTerm = (reads: Reads, keys: ElectionKeys): Effect.Effect<bigint, FdbError> => {
  const { end } = keys.history.range()
  return Effect.map(reads.getKey(KeySelector.lastLessThan(end)), (key) => {
    const [term] = Result.getOrElse(keys.history.unpack(key), () => [])
    return typeof term === "bigint" ? term : 0n
  })
}

/** The newest tenure that is not kept any longer, if there is one. */
export const readOutdated = (reads: Reads, keys: ElectionKeys): Effect.Effect<Uint8Array | undefined, FdbError> => {
  const { begin, end } = keys.history.range()
  return Effect.map(
    reads.getKey(KeySelector.move(KeySelector.lastLessThan(end), -historyLength)),
    (key) => Bytes.compare(key, begin) < 0 ? undefined : key
  )
}

/** A candidate's record, with the id that its key tells. */
export interface CandidateEntry extends CandidateRecord {
  readonly id: string
}

const candidateEntry = ({ candidates }: ElectionKeys) =>
  decodeEntry(candidates, Predicate.isString, "an id", Codec.decodeCandidate, (id, record) => ({ ...record, id }))

/** The first candidates, in the order of their ids. */
export const readCandidates = (
  reads: Reads,
  keys: ElectionKeys,
  limit: number
): Effect.Effect<Array<CandidateEntry>, FdbError | InvalidState> =>
  readEntries(reads, keys.candidates, { limit }, candidateEntry(keys))

/** Some candidates, and where those after them begin; there are none where that is not known. */
export interface CandidatePage {
  readonly candidates: ReadonlyArray<CandidateEntry>
  readonly next: Uint8Array | undefined
}

/** The first candidates from a key on, without those whose record cannot be read. */
export const readCandidatePage = (
  reads: Reads,
  keys: ElectionKeys,
  from: Uint8Array | undefined,
  limit: number
): Effect.Effect<CandidatePage, FdbError> => {
  const { begin, end } = keys.candidates.range()
  return Effect.map(reads.getRange({ begin: from ?? begin, end }, { limit }), (pairs) => ({
    candidates: pairs.map(candidateEntry(keys)).flatMap((entry) => Result.isSuccess(entry) ? [entry.success] : []),
    next: pairs.length < limit ? undefined : Bytes.successor(pairs[pairs.length - 1]!.key)
  }))
}

/** The records of candidates, in one wave; a record that cannot be read counts as none. */
export const readCandidatesOf = (
  reads: Reads,
  keys: ElectionKeys,
  ids: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<CandidateRecord | undefined>, FdbError> =>
  Effect.map(
    reads.getAll(ids.map((id) => keys.candidate(id))),
    (found) => found.map((bytes) => bytes && Result.getOrUndefined(Codec.decodeCandidate(bytes)))
  )

/** How many candidates are considered as successors. */
const mostConsidered = 100

/** The pairs of S("calls") and of S("candidates"), the first of each. They are neighbours: one read gives both, unless there are very many. */
const readWaiting = (
  reads: Reads,
  { calls, candidates }: ElectionKeys
): Effect.Effect<readonly [calls: ReadonlyArray<KeyValue>, candidates: ReadonlyArray<KeyValue>], FdbError> => {
  const limit = mostConsidered
  const range = { begin: calls.range().begin, end: candidates.range().end }
  return Effect.flatMap(reads.getRange(range, { limit: 2 * limit }), (pairs) => {
    const first = pairs.findIndex(({ key }) => candidates.contains(key))
    const called = first < 0 ? pairs.length : first
    return pairs.length < 2 * limit && called <= limit && pairs.length - called <= limit
      ? Effect.succeed([pairs.slice(0, called), pairs.slice(called)] as const)
      : Effect.all([reads.getRange(calls.range(), { limit }), reads.getRange(candidates.range(), { limit })], {
        concurrency: "unbounded"
      })
  })
}

/** Who may be appointed: the candidates with a readable record and with an S("calls", id). Nobody whom this very transaction registers. */
export const readNominees = (
  reads: Reads,
  keys: ElectionKeys
): Effect.Effect<ReadonlyArray<Protocol.Nominee>, FdbError> => {
  const decode = candidateEntry(keys)
  const idOf = ({ key }: KeyValue, { prefix }: Subspace.Subspace) => key.subarray(prefix.length)
  return readWaiting(reads, keys).pipe(
    Effect.map(([calls, candidates]) => {
      const nominees: Array<Protocol.Nominee> = []
      let next = 0
      // Both are in the order of the ids.
      for (const candidate of candidates) {
        const id = idOf(candidate, keys.candidates)
        let order = 1
        while (next < calls.length && (order = Bytes.compare(idOf(calls[next]!, keys.calls), id)) < 0) next++
        if (next === calls.length) break
        if (order > 0) continue
        const entry = decode(candidate)
        if (Result.isSuccess(entry)) nominees.push(entry.success)
      }
      return nominees
    }),
    Effect.catchIf((error) => error.code === FdbErrors.codes.accessedUnreadable, () => Effect.succeed([]))
  )
}

/** All candidates, page by page, in the order of their ids. */
export const streamCandidates = (
  reads: Reads,
  keys: ElectionKeys
): Stream.Stream<CandidateEntry, FdbError | InvalidState> => {
  const decode = candidateEntry(keys)
  return Stream.mapEffect(reads.streamRange(keys.candidates.range()), (pair) => Effect.fromResult(decode(pair)))
}

/** The history of the tenure that a claim ends, if it ends one. */
export const readEnded = (
  reads: Reads,
  keys: ElectionKeys,
  view: ElectionView,
  { ends }: Protocol.Claim
): Effect.Effect<HistoryEntry | undefined, FdbError | InvalidState> =>
  ends === undefined || ends.term === view.tenure?.term
    ? Effect.succeed(view.tenure)
    : read(reads, historyOf(keys, ends.term))
