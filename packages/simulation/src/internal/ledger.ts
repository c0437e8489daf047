/**
 * The election's records as the commit-ordered record of the database tells them, decoded anew and on purpose without the
 * library's own codec: what is being checked must not vouch for itself.
 */
import { Bytes, type Subspace, Tuple, Versionstamp } from "@effect-fdb/core"
import * as Result from "effect/Result"
import type { CommitRecord } from "../SimulatedDatabase.ts"

/** A record that does not decode. */
export const invalid = "invalid"
/** See {@link invalid}. */
type Invalid = typeof invalid

interface Config {
  readonly lease: bigint
  readonly heartbeat: bigint
  readonly candidateTimeout: bigint
  readonly enabled: boolean
  readonly preemption: boolean
}

/** Who somebody is: the id, and the registration in hexadecimal. */
interface Identity {
  readonly id: string
  readonly registration: string
}

type Leader =
  | { readonly held: true; readonly term: bigint; readonly priority: number; readonly who: Identity }
  | { readonly held: false; readonly term: bigint; readonly successor: Identity | undefined }

interface Lease {
  readonly ballot: bigint
  readonly duration: bigint
  readonly expiry: bigint
}

interface Challenge {
  readonly term: bigint
  readonly challenger: Identity | undefined
  readonly priority: number
}

interface Candidate {
  readonly priority: number
  readonly registration: string
}

interface Tenure {
  readonly leader: string
  readonly ended: boolean
  readonly reason: string | undefined
}

/** What is stored after a commit; `undefined` where nothing is. */
export interface State {
  readonly config: Config | Invalid | undefined
  readonly leader: Leader | Invalid | undefined
  readonly lease: Lease | Invalid | undefined
  readonly challenge: Challenge | Invalid | undefined
  readonly candidates: ReadonlyMap<string, Candidate | Invalid>
  readonly history: ReadonlyMap<bigint, Tenure | Invalid>
}

/** One commit to the election, and what it has changed. */
export interface Entry {
  readonly commit: CommitRecord
  readonly before: State
  readonly after: State
  /** The single records that were written, changed or not. */
  readonly written: ReadonlySet<"config" | "leader" | "lease" | "challenge">
  /** The ids of the candidates, and the terms of the tenures, that were written. */
  readonly candidates: ReadonlySet<string>
  readonly tenures: ReadonlySet<bigint>
}

const version = 1n

type Fields = ReadonlyArray<Tuple.TupleElement>

/** Numbers and times have 63 bits. */
const isNatural = (field: unknown): field is bigint => typeof field === "bigint" && field >= 0n && field < 2n ** 63n
const isSpan = (field: unknown): field is bigint => isNatural(field) && field > 0n
const isStamp = (field: unknown): field is Versionstamp.Versionstamp => Versionstamp.isVersionstamp(field)

const fieldsOf = (bytes: Uint8Array, count: number): Fields | undefined => {
  const tuple = Tuple.unpack(bytes)
  return Result.isSuccess(tuple) && tuple.success.length === count && tuple.success[0] === version
    ? tuple.success
    : undefined
}

const identity = (id: unknown, registration: unknown): Identity | undefined =>
  typeof id === "string" && isStamp(registration) ? { id, registration: registration.toString() } : undefined

const decodeConfig = (bytes: Uint8Array): Config | Invalid => {
  const [, lease, heartbeat, timeout, enabled, preemption] = fieldsOf(bytes, 6) ?? []
  return isSpan(lease) && isSpan(heartbeat) && isSpan(timeout) && typeof enabled === "boolean" &&
      typeof preemption === "boolean"
    ? { lease, heartbeat, candidateTimeout: timeout, enabled, preemption }
    : invalid
}

const decodeLeader = (bytes: Uint8Array): Leader | Invalid => {
  const fields = fieldsOf(bytes, 7)
  if (fields === undefined) return invalid
  const [, term, id, priority, registration, successor, successorRegistration] = fields
  if (!isNatural(term)) return invalid
  if (id === null) return { held: false, term, successor: identity(successor, successorRegistration) }
  const who = identity(id, registration)
  return who === undefined ? invalid : { held: true, term, priority: Number(priority), who }
}

const decodeLease = (bytes: Uint8Array): Lease | Invalid => {
  const [, ballot, duration, expiry] = fieldsOf(bytes, 4) ?? []
  return isNatural(ballot) && isSpan(duration) && isNatural(expiry) ? { ballot, duration, expiry } : invalid
}

const decodeChallenge = (bytes: Uint8Array): Challenge | Invalid => {
  const fields = fieldsOf(bytes, 5)
  if (fields === undefined) return invalid
  const [, term, id, priority, registration] = fields
  return isNatural(term) ? { term, challenger: identity(id, registration), priority: Number(priority) } : invalid
}

const decodeCandidate = (bytes: Uint8Array): Candidate | Invalid => {
  const [, priority, heartbeat, registration] = fieldsOf(bytes, 4) ?? []
  return isStamp(registration) && isNatural(heartbeat)
    ? { priority: Number(priority), registration: registration.toString() }
    : invalid
}

const decodeTenure = (bytes: Uint8Array): Tenure | Invalid => {
  const fields = fieldsOf(bytes, 5)
  if (fields === undefined) return invalid
  const [, leader, start, end, reason] = fields
  return typeof leader === "string" && isNatural(start) && (end === null || isNatural(end))
    ? { leader, ended: end !== null, reason: typeof reason === "string" ? reason : undefined }
    : invalid
}

const nothing: State = {
  config: undefined,
  leader: undefined,
  lease: undefined,
  challenge: undefined,
  candidates: new Map(),
  history: new Map()
}

/** Replays the record, commit by commit, over the election that stands in `subspace`. */
export const replay = (record: ReadonlyArray<CommitRecord>, subspace: Subspace.Subspace): Array<Entry> => {
  const singles = new Map(
    (["config", "leader", "lease", "challenge"] as const).map((name) => [Bytes.toHex(subspace.pack([name])), name])
  )
  const candidates = subspace.subspace(["candidates"])
  const history = subspace.subspace(["history"])
  const entries: Array<Entry> = []
  let state = nothing
  for (const commit of record) {
    const before = state
    const written = new Set<"config" | "leader" | "lease" | "challenge">()
    const changedCandidates = new Set<string>()
    const changedTenures = new Set<bigint>()
    const put = (key: Uint8Array, value: Uint8Array | undefined): void => {
      const single = singles.get(Bytes.toHex(key))
      if (single !== undefined) {
        written.add(single)
        const decode = { config: decodeConfig, leader: decodeLeader, lease: decodeLease, challenge: decodeChallenge }
        state = { ...state, [single]: value === undefined ? undefined : decode[single](value) }
      } else if (candidates.contains(key)) {
        const id = Result.getOrThrow(candidates.unpack(key))[0] as string
        const next = new Map(state.candidates)
        if (value === undefined) next.delete(id)
        else next.set(id, decodeCandidate(value))
        changedCandidates.add(id)
        state = { ...state, candidates: next }
      } else if (history.contains(key)) {
        const term = Result.getOrThrow(history.unpack(key))[0] as bigint
        const next = new Map(state.history)
        if (value === undefined) next.delete(term)
        else next.set(term, decodeTenure(value))
        changedTenures.add(term)
        state = { ...state, history: next }
      }
    }
    for (const mutation of commit.mutations) {
      if (mutation._tag === "Set") put(mutation.key, mutation.value)
      else if (mutation._tag === "Clear") put(mutation.key, undefined)
      else if (mutation._tag === "ClearRange") {
        // Only the history is cleared by ranges.
        for (const term of state.history.keys()) {
          const key = history.pack([term])
          if (Bytes.compare(key, mutation.begin) >= 0 && Bytes.compare(key, mutation.end) < 0) put(key, undefined)
        }
      }
    }
    if (written.size > 0 || changedCandidates.size > 0 || changedTenures.size > 0) {
      entries.push({
        commit,
        before,
        after: state,
        written,
        candidates: changedCandidates,
        tenures: changedTenures
      })
    }
  }
  return entries
}
