/** The records of the election after each commit, decoded without the library's codec, which is what the checkers check. */
import { Bytes, type Subspace, Tuple, Versionstamp } from "@effect-fdb/core"
import * as Result from "effect/Result"
import type { CommitRecord } from "../SimulatedDatabase.ts"

/** A record that does not decode. */
export const invalid = "invalid"

/** Numbers and durations have 63 bits. */
const isNatural = (field: unknown): field is bigint => typeof field === "bigint" && field >= 0n && field < 2n ** 63n
const isDuration = (field: unknown): field is bigint => isNatural(field) && field > 0n

/** The id of a candidate, and its registration in hexadecimal. */
const identity = (id: unknown, registration: unknown) =>
  typeof id === "string" && Versionstamp.isVersionstamp(registration)
    ? { id, registration: registration.toString() }
    : undefined

/** Decodes the fields after the version. */
const decoder =
  <A>(count: number, decode: (...fields: ReadonlyArray<unknown>) => A | undefined) =>
  (bytes: Uint8Array): A | typeof invalid => {
    const [version, ...fields] = Result.getOrElse(Tuple.unpack(bytes), () => [])
    return version === 1n && fields.length === count ? decode(...fields) ?? invalid : invalid
  }

const decode = {
  config: decoder(5, (lease, heartbeat, candidateTimeout, enabled, preemption) => {
    if (!isDuration(lease) || !isDuration(heartbeat) || !isDuration(candidateTimeout)) return undefined
    if (typeof enabled !== "boolean" || typeof preemption !== "boolean") return undefined
    return { lease, heartbeat, candidateTimeout, enabled, preemption }
  }),
  leader: decoder(6, (term, id, priority, registration, successor, successorRegistration) => {
    if (!isNatural(term)) return undefined
    if (id === null) return { held: false, term, successor: identity(successor, successorRegistration) } as const
    const who = identity(id, registration)
    if (who === undefined) return undefined
    // In a tenure that was begun by an appointment, the other is who has appointed its leader.
    const appointedBy = identity(successor, successorRegistration)
    return { held: true, term, priority: Number(priority), who, appointedBy } as const
  }),
  lease: decoder(3, (ballot, duration, expiry) => {
    if (!isNatural(ballot) || !isDuration(duration) || !isNatural(expiry)) return undefined
    return { ballot, duration, expiry }
  }),
  challenge: decoder(4, (term, id, priority, registration) => {
    if (!isNatural(term)) return undefined
    return { term, challenger: identity(id, registration), priority: Number(priority) }
  }),
  candidate: decoder(3, (priority, heartbeat, registration) => {
    if (!Versionstamp.isVersionstamp(registration) || !isNatural(heartbeat)) return undefined
    return { priority: Number(priority), registration: registration.toString() }
  }),
  /** What a candidate that may be appointed is told: of which tenure or vacancy, and how many come before it. */
  call: decoder(3, (term, rank, isVacancy) => ({ term, rank, isVacancy })),
  tenure: decoder(4, (leader, start, end, reason) => {
    if (typeof leader !== "string" || !isNatural(start) || (end !== null && !isNatural(end))) return undefined
    return { leader, ended: end !== null, reason: typeof reason === "string" ? reason : undefined }
  })
}

type Decoded = { readonly [name in keyof typeof decode]: ReturnType<(typeof decode)[name]> }
type Single = "config" | "leader" | "lease" | "challenge"

/** The stored records after a commit. */
export type State = { readonly [name in Single]: Decoded[name] | undefined } & {
  readonly candidates: ReadonlyMap<string, Decoded["candidate"]>
  readonly calls: ReadonlyMap<string, Decoded["call"]>
  readonly history: ReadonlyMap<bigint, Decoded["tenure"]>
}

/** The leader's record, unless it is a vacancy. */
export const holderOf = ({ leader }: State) => typeof leader === "object" && leader.held ? leader : undefined

/** The record of the tenure that a commit begins. */
export const beginningOf = ({ after, written }: Entry) => written.has("leader") ? holderOf(after) : undefined

/** The same, where the leader itself begins it, by a claim. */
export const claimOf = (entry: Entry) => {
  const begun = beginningOf(entry)
  return begun?.appointedBy === undefined ? begun : undefined
}

/** The record of the tenure that a commit ends with a vacancy, or by appointing a successor. */
export const resignationOf = (entry: Entry) => {
  const { after: { leader }, before, written } = entry
  const resigns = typeof leader === "object" && (!leader.held || leader.appointedBy !== undefined)
  return written.has("leader") && resigns ? holderOf(before) : undefined
}

const updated = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V | undefined): ReadonlyMap<K, V> => {
  const next = new Map(map)
  if (value === undefined) next.delete(key)
  else next.set(key, value)
  return next
}

/** Replays the record over the election in `subspace`, commit by commit. */
export const replay = (record: ReadonlyArray<CommitRecord>, subspace: Subspace.Subspace) => {
  const singles = new Map(
    (["config", "leader", "lease", "challenge"] as const).map((name) => [Bytes.toHex(subspace.pack([name])), name])
  )
  const [candidates, calls, history] = [
    subspace.subspace(["candidates"]),
    subspace.subspace(["calls"]),
    subspace.subspace(["history"])
  ]
  let state: State = {
    config: undefined,
    leader: undefined,
    lease: undefined,
    challenge: undefined,
    candidates: new Map(),
    calls: new Map(),
    history: new Map()
  }
  return record.flatMap((commit) => {
    const before = state
    /** The records that were written, changed or not: the single ones, candidates by id, tenures by term. */
    const changed = { written: new Set<Single>(), candidates: new Set<string>(), tenures: new Set<bigint>() }
    const put = (key: Uint8Array, value: Uint8Array | undefined): void => {
      const single = singles.get(Bytes.toHex(key))
      if (single !== undefined) {
        changed.written.add(single)
        state = { ...state, [single]: value === undefined ? undefined : decode[single](value) }
      } else if (candidates.contains(key)) {
        const id = Result.getOrThrow(candidates.unpack(key))[0] as string
        changed.candidates.add(id)
        const candidate = value === undefined ? undefined : decode.candidate(value)
        state = { ...state, candidates: updated(state.candidates, id, candidate) }
      } else if (calls.contains(key)) {
        const id = Result.getOrThrow(calls.unpack(key))[0] as string
        state = { ...state, calls: updated(state.calls, id, value === undefined ? undefined : decode.call(value)) }
      } else if (history.contains(key)) {
        const term = Result.getOrThrow(history.unpack(key))[0] as bigint
        changed.tenures.add(term)
        const tenure = value === undefined ? undefined : decode.tenure(value)
        state = { ...state, history: updated(state.history, term, tenure) }
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
    const isOurs = Object.values(changed).some(({ size }) => size > 0)
    return isOurs ? [{ commit, before, after: state, ...changed }] : []
  })
}

/** One commit to the election, and its changes. */
export type Entry = ReturnType<typeof replay>[number]
