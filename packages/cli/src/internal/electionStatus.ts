/** The status of an election at one instant: read at once, shown to people or to programs. */
import type { CandidateInfo, Challenge } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ConfigKeys from "./configKeys.ts"
import * as Durations from "./durations.ts"
import { type SelectedElection, transact } from "./selectedElection.ts"
import { describe, type LaggingReader } from "./stores.ts"
import * as Table from "./table.ts"

export const read = ({ election }: SelectedElection) =>
  transact(Effect.all({
    config: election.readConfig,
    leader: Effect.map(election.getLeaderRaw, Option.getOrUndefined),
    challenge: Effect.map(election.readChallenge, Option.getOrUndefined),
    /** Those that are alive. */
    candidates: election.listCandidates,
    /** The newest tenure, which is the leader's where one leads. */
    newest: Effect.map(election.readHistory(1), ([newest]) => newest),
    /** By this process's wall clock, in nanoseconds since the epoch. */
    now: Clock.currentTimeNanos
  }))

export type ElectionStatus = Effect.Success<ReturnType<typeof read>>

const millis = (nanos: bigint): number => Math.round(Number(nanos) / 1e6)

/** For programs. Terms and ballots are strings, for they have 64 bits. */
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
export const lasting = (selected: SelectedElection, status: ElectionStatus) => {
  const { candidates, leader, ...rest } = toJson(selected, status)
  return {
    ...rest,
    leader: leader === null ? null : { id: leader.id, priority: leader.priority, term: leader.term },
    lapsed: leader !== null && leader.remainingMillis < 0,
    candidates: candidates.map(({ id, leads, priority }) => ({ id, priority, leads }))
  }
}

/** The wall clock's time, to be read. */
export const instantText = (nanos: bigint): string =>
  new Date(Number(nanos / 1_000_000n)).toISOString().replace("T", " ").replace(/\.\d+/, "")

const leaderRows = ({ config, leader, newest, now }: ElectionStatus): ReadonlyArray<ReadonlyArray<string>> => {
  if (leader === undefined) {
    const last = newest === undefined
      ? "nobody has led yet"
      : `the last was "${newest.leaderId}" in term ${newest.term}, ${newest.reason ?? "gone"}`
    return [["Leader", `none${config.electionEnabled ? "" : " (the election is disabled)"}; ${last}`]]
  }
  const since = newest?.term === leader.term
    ? `, since ${instantText(newest.start)} (${Durations.formatNanos(now - newest.start)})`
    : ""
  const left = leader.leaseExpiry - now
  return [
    ["Leader", `${leader.leaderId}, priority ${leader.priority}`],
    ["Term", `${leader.term}${since}`],
    ["Ballot", String(leader.ballot)],
    [
      "Lease",
      left >= 0n
        ? `${Durations.formatNanos(left)} left of ${Durations.format(leader.leaseDuration)}`
        : `lapsed ${
          Durations.formatNanos(-left)
        } ago: the leader is dead, stopped or cut off, and nobody has taken over yet`
    ]
  ]
}

const challengeText = ({ challengerId, priority, term }: Challenge): string =>
  challengerId === undefined
    ? `an operator has asked the leader of term ${term} to step down`
    : `"${challengerId}", priority ${priority}, has asked the leader of term ${term} to step down`

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

/** The status in lines for people. */
export interface StatusLines {
  /** Which election it is. */
  readonly title: string
  /** Who leads, and whatever else is so. */
  readonly facts: ReadonlyArray<string>
  /** The leader first. */
  readonly candidates: ReadonlyArray<string>
}

const linesOf = (
  { name, store }: SelectedElection,
  facts: ReadonlyArray<ReadonlyArray<string>>,
  candidates: ReadonlyArray<string>
): StatusLines => {
  const [title = "", ...rest] = Table.lines([["Election", `${name.text} in ${describe(store)}`], ...facts])
  return { title, facts: rest, candidates: candidates.map((line) => `  ${line}`) }
}

export const toLines = (selected: SelectedElection, status: ElectionStatus): StatusLines =>
  linesOf(selected, [
    ...leaderRows(status),
    ...(status.challenge === undefined ? [] : [["Challenge", challengeText(status.challenge)]]),
    ["Config", ConfigKeys.inOneLine(status.config)],
    ["Candidates", status.candidates.length === 0 ? "none alive" : String(status.candidates.length)]
  ], candidateLines(status))

/** What there is to show while the store does not answer. */
export const unreachable = (selected: SelectedElection, problem: string): StatusLines =>
  linesOf(selected, [["Store", `does not answer: ${problem}`]], [])
