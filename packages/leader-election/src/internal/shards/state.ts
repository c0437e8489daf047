/** What is stored of shards, for those who look at them: read without knowing their number. */
import { type FdbError, type Reads as CoreReads, type Subspace, Transaction } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { ElectionConfig } from "../../ElectionConfig.ts"
import type { InvalidState } from "../../ElectionError.ts"
import type { LeaderState } from "../../LeaderState.ts"
import * as Protocol from "../protocol/protocol.ts"
import * as ElectionCodec from "../storage/codec.ts"
import * as ElectionKeys from "../storage/keys.ts"
import { heldState } from "../storage/leaderState.ts"
import * as Reads from "../storage/reads.ts"
import * as Codec from "./codec.ts"
import type { ShardKeys } from "./keys.ts"
import * as Table from "./table.ts"

/** A process that takes part, as it is stored. */
export interface ShardMember {
  readonly id: string
  readonly weight: number
  /** When it joined or changed its weight, by its own wall clock, in nanoseconds since the epoch. */
  readonly since: bigint
  /** The time of its last heartbeat, likewise; `undefined` if it was evicted as dead. */
  readonly lastHeartbeat: bigint | undefined
  /**
   * Whether its last heartbeat is not older than the candidate timeout, by the caller's wall clock. The record of a dead member is
   * removed only some time after its shards have moved.
   */
  readonly isAlive: boolean
}

/** A shard in the table, with its tenure and lease. */
export interface ShardState {
  readonly shard: number
  /** The member that is to lead it. */
  readonly owner: string | undefined
  /** The member that takes over if the owner dies. */
  readonly standby: string | undefined
  /** Who leads it by its election, also with a lease that has lapsed. For a time that may be another than the owner. */
  readonly leader: LeaderState | undefined
}

/** All that is stored. */
export interface ShardsState {
  /** Who writes the table, if anybody does. */
  readonly coordinator: LeaderState | undefined
  /** In the order of their ids; without those whose record is damaged. */
  readonly members: ReadonlyArray<ShardMember>
  /** All shards, ascending; none if there is no table. */
  readonly shards: ReadonlyArray<ShardState>
}

/** Who leads each of these elections; one whose records are missing or cannot be read is led by nobody. */
const readStates = (
  reads: CoreReads,
  elections: ReadonlyArray<ElectionKeys.ElectionKeys>
): Effect.Effect<ReadonlyArray<LeaderState | undefined>, FdbError> =>
  Effect.map(
    reads.getAll(elections.flatMap(({ leader, lease }) => [leader, lease])),
    (values) =>
      elections.map((_, i) => {
        const [leaderBytes, leaseBytes] = [values[2 * i], values[2 * i + 1]]
        if (leaderBytes === undefined || leaseBytes === undefined) return undefined
        const leader = Result.getOrUndefined(ElectionCodec.decodeLeader(leaderBytes))
        const lease = Result.getOrUndefined(ElectionCodec.decodeLease(leaseBytes))
        return leader?._tag === "Held" && lease !== undefined ? heldState(leader, lease) : undefined
      })
  )

const idIn = (subspace: Subspace.Subspace, key: Uint8Array): string | undefined => {
  const [id] = Result.getOrElse(subspace.unpack(key), () => [])
  return typeof id === "string" ? id : undefined
}

const readMembers = Effect.fnUntraced(function*(reads: CoreReads, { coordinatorKeys, members }: ShardKeys) {
  const { candidates } = coordinatorKeys
  const [memberPairs, candidatePairs, config] = yield* Effect.all([
    reads.getRange(members.range()),
    reads.getRange(candidates.range()),
    Effect.catchTag(Reads.read(reads, Reads.configIfAny(coordinatorKeys)), "InvalidState", () => Effect.undefined)
  ], { concurrency: "unbounded" })
  const timeout = Duration.toNanosUnsafe((config ?? new ElectionConfig({})).candidateTimeout)
  const now = yield* Clock.currentTimeNanos
  const candidateOf = new Map(candidatePairs.map(({ key, value }) => [idIn(candidates, key), value]))
  return memberPairs.flatMap(({ key, value }): ReadonlyArray<ShardMember> => {
    const id = idIn(members, key)
    const member = Result.getOrUndefined(Codec.decodeMember(value))
    if (id === undefined || member === undefined) return []
    const bytes = candidateOf.get(id)
    const candidate = bytes === undefined ? undefined : Result.getOrUndefined(ElectionCodec.decodeCandidate(bytes))
    const isAlive = candidate !== undefined && Protocol.isAlive(candidate, now, timeout)
    return [{ id, ...member, lastHeartbeat: candidate?.lastHeartbeat, isAlive }]
  })
})

/** See `Shards.readState`. */
export const readState = Effect.fnUntraced(function*(
  keys: ShardKeys
): Effect.fn.Return<ShardsState, FdbError | InvalidState, Transaction> {
  const { snapshot } = yield* Transaction
  const [headBytes, members, [coordinator]] = yield* Effect.all([
    snapshot.get(keys.table),
    readMembers(snapshot, keys),
    readStates(snapshot, [keys.coordinatorKeys])
  ], { concurrency: "unbounded" })
  if (headBytes === undefined) return { coordinator, members, shards: [] }
  const head = yield* Effect.fromResult(
    Result.mapError(Codec.decodeHead(headBytes), (problem) => Reads.invalid(keys.table, problem))
  )
  const elections = Array.from({ length: head.shards }, (_, shard) => ElectionKeys.make(keys.shard(shard)))
  const [{ owners, standbys }, leaders] = yield* Effect.all([
    Table.readAssignment(snapshot, keys, head),
    readStates(snapshot, elections)
  ], { concurrency: "unbounded" })
  return {
    coordinator,
    members,
    shards: owners.map((owner, shard) => ({ shard, owner, standby: standbys[shard], leader: leaders[shard] }))
  }
})
