/**
 * The unchanged protocol of the Rust crate `foundationdb` 0.11: one record for leader and lease, which every process reads serializably
 * and each renewal writes; leases by wall clocks; a resignation that removes the record.
 */
import { Transaction } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Records from "./records.ts"

/** The errors of the crate. They do not occur in the benchmarks. */
export class BaselineError extends Data.TaggedError("BaselineError")<{
  readonly reason: "NotInitialized" | "ElectionDisabled" | "UnregisteredCandidate" | "ProcessNotFound"
}> {
  override get message(): string {
    return `the baseline's election failed: ${this.reason}`
  }
}

const refuse = (reason: BaselineError["reason"]) => Effect.fail(new BaselineError({ reason }))

export const initialize = Effect.fnUntraced(function*(keys: Records.Keys, config: Records.Config) {
  const tx = yield* Transaction
  if ((yield* tx.get(keys.config)) === undefined) yield* tx.set(keys.config, Records.config.encode(config))
})

const readEnabledConfig = Effect.fnUntraced(function*(keys: Records.Keys) {
  const tx = yield* Transaction
  const bytes = yield* tx.get(keys.config)
  if (bytes === undefined) return yield* refuse("NotInitialized")
  const config = Records.config.decode(bytes)
  return config.electionEnabled ? config : yield* refuse("ElectionDisabled")
})

export const registerCandidate = Effect.fnUntraced(function*(keys: Records.Keys, id: string, priority: bigint) {
  const tx = yield* Transaction
  yield* readEnabledConfig(keys)
  const registration = Records.encodeRegistration(priority, yield* Clock.currentTimeNanos)
  yield* tx.setVersionstampedValue(keys.candidate(id), registration)
})

export const unregisterCandidate = (keys: Records.Keys, id: string) =>
  Effect.flatMap(Transaction, (tx) => tx.clear(keys.candidate(id)))

const heartbeatCandidate = Effect.fnUntraced(function*(keys: Records.Keys, id: string, priority: bigint) {
  const tx = yield* Transaction
  yield* readEnabledConfig(keys)
  const bytes = yield* tx.get(keys.candidate(id))
  if (bytes === undefined) return yield* refuse("ProcessNotFound")
  const { registration } = Records.candidate.decode(bytes)
  const lastHeartbeat = yield* Clock.currentTimeNanos
  yield* tx.set(keys.candidate(id), Records.candidate.encode({ priority, lastHeartbeat, registration }))
})

const readLeader = Effect.fnUntraced(function*(keys: Records.Keys) {
  const tx = yield* Transaction
  const bytes = yield* tx.get(keys.leader)
  return bytes === undefined ? undefined : Records.leader.decode(bytes)
})

/** Claims or renews, which are the same for a leader. Returns whether the process leads. */
const tryClaimLeadership = Effect.fnUntraced(function*(keys: Records.Keys, id: string, priority: bigint) {
  const tx = yield* Transaction
  const config = yield* readEnabledConfig(keys)
  const candidate = yield* tx.get(keys.candidate(id))
  if (candidate === undefined) return yield* refuse("UnregisteredCandidate")
  const leader = yield* readLeader(keys)
  const now = yield* Clock.currentTimeNanos
  const mayClaim = leader === undefined || leader.id === id || leader.leaseExpiry <= now ||
    (config.allowPreemption && priority > leader.priority)
  if (!mayClaim) return false
  const { registration } = Records.candidate.decode(candidate)
  const claimed: Records.Leader = {
    ballot: leader === undefined ? 1n : leader.ballot + 1n,
    id,
    priority,
    leaseExpiry: now + config.leaseDuration,
    registration: registration.bytes
  }
  yield* tx.set(keys.leader, Records.leader.encode(claimed))
  return true
})

/** Every process runs this at each heartbeat, by the crate's documentation. Returns whether the process leads. */
export const runElectionCycle = Effect.fnUntraced(function*(keys: Records.Keys, id: string, priority: bigint) {
  yield* heartbeatCandidate(keys, id, priority)
  if (yield* tryClaimLeadership(keys, id, priority)) return true
  yield* readLeader(keys)
  return false
})

export const resignLeadership = Effect.fnUntraced(function*(keys: Records.Keys, id: string) {
  const tx = yield* Transaction
  const leader = yield* readLeader(keys)
  if (leader?.id === id) yield* tx.clear(keys.leader)
})

/** Reads the leader's record, the only way to bind a transaction to leadership. Returns whether the process leads. */
export const isLeader = Effect.fnUntraced(function*(keys: Records.Keys, id: string) {
  yield* readEnabledConfig(keys)
  const leader = yield* readLeader(keys)
  return leader?.id === id && leader.leaseExpiry > (yield* Clock.currentTimeNanos)
})
