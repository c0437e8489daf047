/** The shards of an election, read in one transaction, as JSON. */
import { type LeaderState, Shards } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { millisOf } from "./internal/millis.ts"
import { type SelectedElection, transact } from "./SelectedElection.ts"

/**
 * The members and the shards of an election.
 *
 * @since 0.1.0
 * @category models
 */
export interface ShardStatus extends Shards.ShardsState {
  /** By this process's wall clock, in nanoseconds since the epoch. */
  readonly now: bigint
}

/**
 * Reads the shards; `undefined` if no process has ever taken part in shards, or if one slot is selected.
 *
 * @since 0.1.0
 * @category operations
 */
export const read = Effect.fnUntraced(function*({ name, slot }: SelectedElection) {
  if (slot !== undefined) return undefined
  const { now, state } = yield* transact(
    Effect.all({ state: Shards.readState(name.subspace), now: Clock.currentTimeNanos })
  )
  const status: ShardStatus = { ...state, now }
  return state.members.length + state.shards.length === 0 ? undefined : status
})

const leaderToJson = (leader: LeaderState | undefined, now: bigint) =>
  leader === undefined ? null : {
    id: leader.leaderId,
    term: String(leader.term),
    /** Negative if the lease has lapsed. */
    remainingMillis: millisOf(leader.leaseExpiry - now)
  }

/**
 * The shards as JSON.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toJson = ({ coordinator, members, now, shards }: ShardStatus) => ({
  coordinator: leaderToJson(coordinator, now),
  members: members.map(({ id, isAlive, lastHeartbeat, since, weight }) => ({
    id,
    weight,
    alive: isAlive,
    sinceMillis: millisOf(since),
    heartbeatAgoMillis: lastHeartbeat === undefined ? null : millisOf(now - lastHeartbeat)
  })),
  shards: shards.map(({ leader, owner, shard, standby }) => ({
    shard,
    owner: owner ?? null,
    standby: standby ?? null,
    leader: leaderToJson(leader, now)
  }))
})

const lastingLeader = (leader: LeaderState | undefined, now: bigint) =>
  leader === undefined ? null : {
    id: leader.leaderId,
    term: String(leader.term),
    lapsed: !leader.isLeaseValid(now)
  }

/**
 * The part of the JSON that heartbeats and renewals do not change.
 *
 * @since 0.1.0
 * @category encoding
 */
export const lasting = (status: ShardStatus) => {
  const { members, shards, ...rest } = toJson(status)
  return {
    ...rest,
    coordinator: lastingLeader(status.coordinator, status.now),
    members: members.map(({ alive, id, sinceMillis, weight }) => ({ id, weight, alive, sinceMillis })),
    shards: shards.map((shard, i) => ({ ...shard, leader: lastingLeader(status.shards[i]?.leader, status.now) }))
  }
}
