/** An election at one instant: read at once, shown to people or to programs. */
import { type Database, type FdbError } from "@effect-fdb/core"
import type {
  CandidateInfo,
  Challenge,
  ElectionConfig,
  HistoryEntry,
  InvalidState,
  LeaderState,
  NotInitialized
} from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ConfigKeys from "./configKeys.ts"
import * as Durations from "./durations.ts"
import { describe, type LaggingReader, type Target, transact } from "./selectedElection.ts"
import * as StatusLines from "./statusLines.ts"
import * as Table from "./table.ts"

export interface ElectionStatus {
  /** By this process's wall clock, in nanoseconds since the epoch. */
  readonly now: bigint
  readonly config: ElectionConfig
  readonly leader: LeaderState | undefined
  readonly challenge: Challenge | undefined
  /** Those that are alive. */
  readonly candidates: ReadonlyArray<CandidateInfo>
  /** The newest tenure, which is the leader's where one leads. */
  readonly newest: HistoryEntry | undefined
}

/** Reads it. */
export const read = (
  { election }: Target
): Effect.Effect<ElectionStatus, FdbError | InvalidState | NotInitialized, Database> =>
  transact(Effect.gen(function*() {
    const [config, leader, challenge, candidates, [newest]] = yield* Effect.all([
      election.readConfig,
      election.getLeaderRaw,
      election.readChallenge,
      election.listCandidates,
      election.readHistory(1)
    ])
    return {
      now: yield* Clock.currentTimeNanos,
      config,
      leader: Option.getOrUndefined(leader),
      challenge: Option.getOrUndefined(challenge),
      candidates,
      newest
    }
  }))

const millis = (nanos: bigint): number => Math.round(Number(nanos) / 1e6)

/** For programs. Terms and ballots are strings, for they have 64 bits. */
export const toJson = ({ name }: Target, { candidates, challenge, config, leader, newest, now }: ElectionStatus) => ({
  election: name.text,
  leader: leader === undefined ? null : {
    id: leader.leaderId,
    priority: leader.priority,
    term: String(leader.term),
    ballot: String(leader.ballot),
    leaseMillis: Duration.toMillis(leader.leaseDuration),
    /** Negative where the lease has lapsed. */
    remainingMillis: millis(leader.leaseExpiry - now)
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
    heartbeatAgoMillis: millis(now - candidate.lastHeartbeat)
  })),
  config: ConfigKeys.toJson(config)
})

/** What stays the same while nothing happens but heartbeats and renewals. */
export const lasting = (target: Target, status: ElectionStatus) => {
  const { candidates, challenge, config, election, lastTerm, leader } = toJson(target, status)
  return {
    election,
    leader: leader === null ? null : { id: leader.id, priority: leader.priority, term: leader.term },
    lapsed: leader !== null && leader.remainingMillis < 0,
    lastTerm,
    challenge,
    candidates: candidates.map(({ id, leads, priority }) => ({ id, priority, leads })),
    config
  }
}

const yesNo = (on: boolean, yes: string, no: string): string => on ? yes : no

const leaseText = (leader: LeaderState, now: bigint): string => {
  const left = leader.leaseExpiry - now
  const duration = Durations.format(leader.leaseDuration)
  return left >= 0n
    ? `${Durations.formatNanos(left)} left of ${duration}`
    : `lapsed ${
      Durations.formatNanos(-left)
    } ago: the leader is dead, stopped or cut off, and nobody has taken over yet`
}

/** The wall clock's time, to be read. */
export const instantText = (nanos: bigint): string => {
  const iso = new Date(Number(nanos / 1_000_000n)).toISOString()
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`
}

const leaderLines = ({ config, leader, newest, now }: ElectionStatus): Array<ReadonlyArray<string>> => {
  if (leader === undefined) {
    const last = newest === undefined
      ? "nobody has led yet"
      : `the last was "${newest.leaderId}" in term ${newest.term}, ${newest.reason ?? "gone"}`
    return [["Leader", `none${config.electionEnabled ? "" : " (the election is disabled)"}; ${last}`]]
  }
  const since = newest?.term === leader.term
    ? `, since ${instantText(newest.start)} (${Durations.formatNanos(now - newest.start)})`
    : ""
  return [
    ["Leader", `${leader.leaderId}, priority ${leader.priority}`],
    ["Term", `${leader.term}${since}`],
    ["Ballot", String(leader.ballot)],
    ["Lease", leaseText(leader, now)]
  ]
}

const challengeText = (challenge: Challenge): string =>
  challenge.challengerId === undefined
    ? `an operator has asked the leader of term ${challenge.term} to step down`
    : `"${challenge.challengerId}", priority ${challenge.priority}, has asked the leader of term ${challenge.term} to step down`

/** The configuration in one line. */
export const configText = (config: ElectionConfig): string =>
  `lease ${Durations.format(config.leaseDuration)}, heartbeat ${Durations.format(config.heartbeatInterval)}, ` +
  `candidate timeout ${Durations.format(config.candidateTimeout)}, ${
    yesNo(config.electionEnabled, "enabled", "disabled")
  }, ` +
  `preemption ${yesNo(config.allowPreemption, "on", "off")}`

/** A table of candidates; the leader comes first, and is starred. */
export const candidateLines = ({ candidates, leader, now }: ElectionStatus): Array<string> => {
  const leads = (candidate: CandidateInfo) => candidate.processId === leader?.leaderId
  return Table.lines(
    candidates.toSorted((a, b) => Number(leads(b)) - Number(leads(a))).map((candidate) => [
      leads(candidate) ? "*" : " ",
      candidate.processId,
      `priority ${candidate.priority}`,
      `heartbeat ${Durations.formatNanos(now - candidate.lastHeartbeat)} ago`
    ])
  )
}

/** What a process does to the store by a read that does not end, and what to do about it. */
export const readerText = ({ commitsBehind, pid, state }: LaggingReader): string => {
  const commits = commitsBehind === 1 ? "1 commit" : `${commitsBehind} commits`
  const [what, remedy] = {
    stopped: [" (stopped)", "let it go on (SIGCONT) or end it"],
    running: ["", "its event loop is blocked; end it if that lasts"],
    unknown: [" (not of this container, perhaps)", "see what it does, and end it if that lasts"]
  }[state]
  return `The store grows: process ${pid}${what} has been reading since ${commits} ago, so no space is used again; ${remedy}`
}

/** For people. */
export const toLines = (target: Target, status: ElectionStatus): StatusLines.StatusLines =>
  StatusLines.make(
    [
      ["Election", `${target.name.text} in ${describe(target.store)}`],
      ...leaderLines(status),
      ...(status.challenge === undefined ? [] : [["Challenge", challengeText(status.challenge)]]),
      ["Config", configText(status.config)],
      ["Candidates", status.candidates.length === 0 ? "none alive" : String(status.candidates.length)]
    ],
    candidateLines(status).map((line) => `  ${line}`)
  )
