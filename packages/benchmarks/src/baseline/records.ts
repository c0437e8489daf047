/** The keys and records of the Rust crate 0.11: tuples without a version. */
import { type Subspace, Tuple, type Versionstamp } from "@effect-fdb/core"
import * as Result from "effect/Result"

/** Durations are in nanoseconds. */
export interface Config {
  readonly leaseDuration: bigint
  readonly heartbeatInterval: bigint
  readonly candidateTimeout: bigint
  readonly electionEnabled: boolean
  readonly allowPreemption: boolean
}

/** The leader's record, which each renewal writes. */
export interface Leader {
  readonly ballot: bigint
  readonly id: string
  readonly priority: bigint
  /** In nanoseconds since the epoch, by the leader's wall clock. */
  readonly leaseExpiry: bigint
  readonly registration: Uint8Array
}

export interface Candidate {
  readonly priority: bigint
  readonly lastHeartbeat: bigint
  readonly registration: Versionstamp.Versionstamp
}

export interface Keys {
  readonly config: Uint8Array
  readonly leader: Uint8Array
  readonly candidate: (id: string) => Uint8Array
}

export const makeKeys = (subspace: Subspace.Subspace): Keys => ({
  config: subspace.pack(["config"]),
  leader: subspace.pack(["leader"]),
  candidate: (id) => subspace.pack(["candidates", id])
})

/** The codec of a record: a tuple of these fields. */
const codec = <A>(...fields: ReadonlyArray<keyof A>) => ({
  encode: (record: A): Uint8Array => Tuple.pack(fields.map((field) => record[field] as Tuple.TupleElement)),
  decode: (bytes: Uint8Array): A => {
    const elements = Result.getOrThrow(Tuple.unpack(bytes))
    return Object.fromEntries(fields.map((field, index) => [field, elements[index]])) as A
  }
})

export const config = codec<Config>(
  "leaseDuration",
  "heartbeatInterval",
  "candidateTimeout",
  "electionEnabled",
  "allowPreemption"
)
export const leader = codec<Leader>("ballot", "id", "priority", "leaseExpiry", "registration")
export const candidate = codec<Candidate>("priority", "lastHeartbeat", "registration")

/** A candidate. The commit fills in the registration. */
export const encodeRegistration = (priority: bigint, lastHeartbeat: bigint): Versionstamp.Versionstamped =>
  Tuple.packVersionstamped([priority, lastHeartbeat, Tuple.incompleteVersionstamp(0)])
