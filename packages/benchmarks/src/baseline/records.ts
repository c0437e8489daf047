/** Where the protocol of the Rust crate 0.11 keeps its records, and their bytes: tuples without a version. */
import { type Subspace, Tuple, type Versionstamp } from "@effect-fdb/core"
import * as Result from "effect/Result"

/** Spans are nanoseconds. */
export interface Config {
  readonly leaseDuration: bigint
  readonly heartbeatInterval: bigint
  readonly candidateTimeout: bigint
  readonly electionEnabled: boolean
  readonly allowPreemption: boolean
}

/** The one record of who leads, written anew by each renewal. */
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

const unpack = (bytes: Uint8Array): ReadonlyArray<Tuple.TupleElement> => Result.getOrThrow(Tuple.unpack(bytes))

export const encodeConfig = (config: Config): Uint8Array =>
  Tuple.pack([
    config.leaseDuration,
    config.heartbeatInterval,
    config.candidateTimeout,
    config.electionEnabled,
    config.allowPreemption
  ])

export const decodeConfig = (bytes: Uint8Array): Config => {
  const [leaseDuration, heartbeatInterval, candidateTimeout, electionEnabled, allowPreemption] = unpack(bytes)
  return { leaseDuration, heartbeatInterval, candidateTimeout, electionEnabled, allowPreemption } as Config
}

export const encodeLeader = ({ ballot, id, leaseExpiry, priority, registration }: Leader): Uint8Array =>
  Tuple.pack([ballot, id, priority, leaseExpiry, registration])

export const decodeLeader = (bytes: Uint8Array): Leader => {
  const [ballot, id, priority, leaseExpiry, registration] = unpack(bytes)
  return { ballot, id, priority, leaseExpiry, registration } as Leader
}

export const encodeCandidate = ({ lastHeartbeat, priority, registration }: Candidate): Uint8Array =>
  Tuple.pack([priority, lastHeartbeat, registration])

/** With a registration that the commit fills in. */
export const encodeRegistration = (priority: bigint, lastHeartbeat: bigint): Versionstamp.Versionstamped =>
  Tuple.packVersionstamped([priority, lastHeartbeat, Tuple.incompleteVersionstamp(0)])

export const decodeCandidate = (bytes: Uint8Array): Candidate => {
  const [priority, lastHeartbeat, registration] = unpack(bytes)
  return { priority, lastHeartbeat, registration } as Candidate
}
