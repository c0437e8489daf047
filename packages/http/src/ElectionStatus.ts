/** The status of an election, read in one transaction, as JSON. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ConfigJson from "./ConfigJson.ts"
import { millisOf } from "./internal/millis.ts"
import { type SelectedElection, transact } from "./SelectedElection.ts"

/**
 * Reads the leader, its challenge, the live candidates, the configuration and the newest tenure. Fails with `NotInitialized` if
 * the election does not exist.
 *
 * @since 0.1.0
 * @category operations
 */
export const read = ({ election }: SelectedElection) =>
  transact(Effect.all({
    config: election.readConfig,
    leader: Effect.map(election.getLeaderRaw, Option.getOrUndefined),
    challenge: Effect.map(election.readChallenge, Option.getOrUndefined),
    candidates: election.listCandidates,
    /** The newest tenure: the leader's if there is one. */
    newest: Effect.map(election.readHistory(1), ([newest]) => newest),
    /** By this process's wall clock, in nanoseconds since the epoch. */
    now: Clock.currentTimeNanos
  }))

/**
 * See {@link read}.
 *
 * @since 0.1.0
 * @category models
 */
export type ElectionStatus = Effect.Success<ReturnType<typeof read>>

/**
 * The status as JSON. Terms and ballots are strings, because they have 64 bits.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toJson = (
  { name }: SelectedElection,
  { candidates, challenge, config, leader, newest, now }: ElectionStatus
) => ({
  election: name.text,
  leader: leader === undefined ? null : {
    id: leader.leaderId,
    priority: leader.priority,
    term: String(leader.term),
    ballot: String(leader.ballot),
    leaseMillis: Duration.toMillis(leader.leaseDuration),
    /** Negative if the lease has lapsed. */
    remainingMillis: millisOf(leader.leaseExpiry - now)
  },
  lastTerm: newest === undefined ? null : String(newest.term),
  challenge: challenge === undefined ? null : {
    term: String(challenge.term),
    challenger: challenge.challengerId ?? null,
    priority: challenge.priority
  },
  candidates: candidates.map((candidate) => ({
    id: candidate.processId,
    priority: candidate.priority,
    leads: candidate.processId === leader?.leaderId,
    heartbeatAgoMillis: millisOf(now - candidate.lastHeartbeat)
  })),
  config: ConfigJson.toJson(config)
})

/**
 * The part of the JSON that heartbeats and renewals do not change.
 *
 * @since 0.1.0
 * @category encoding
 */
export const lasting = (selected: SelectedElection, status: ElectionStatus) => {
  const { candidates, leader, ...rest } = toJson(selected, status)
  return {
    ...rest,
    leader: leader === null ? null : { id: leader.id, priority: leader.priority, term: leader.term },
    lapsed: leader !== null && leader.remainingMillis < 0,
    candidates: candidates.map(({ id, leads, priority }) => ({ id, priority, leads }))
  }
}
