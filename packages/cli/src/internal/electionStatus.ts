/** The status of an election as text. */
import type { ElectionStatus } from "@effect-fdb/http/ElectionStatus"
import type { CandidateInfo, Challenge } from "@effect-fdb/leader-election"
import * as ConfigKeys from "./configKeys.ts"
import * as Durations from "./durations.ts"
import type { SelectedElection } from "./selectedElection.ts"
import { describe, type LaggingReader } from "./stores.ts"
import * as Table from "./table.ts"

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
  const span = Durations.formatNanos(left < 0n ? -left : left)
  const lapsed = "the leader is dead, stopped or cut off, and nobody has taken over yet"
  return [
    ["Leader", `${leader.leaderId}, priority ${leader.priority}`],
    ["Term", `${leader.term}${since}`],
    ["Ballot", String(leader.ballot)],
    [
      "Lease",
      left >= 0n ? `${span} left of ${Durations.format(leader.leaseDuration)}` : `lapsed ${span} ago: ${lapsed}`
    ]
  ]
}

const challengeText = ({ challengerId, priority, term }: Challenge): string =>
  challengerId === undefined
    ? `an operator has asked the leader of term ${term} to step down`
    : `"${challengerId}", priority ${priority}, has asked the leader of term ${term} to step down`

/** A table of candidates. The leader comes first, with a star. */
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

export const readerText = ({ commitsBehind, pid, state }: LaggingReader): string => {
  const commits = commitsBehind === 1 ? "1 commit" : `${commitsBehind} commits`
  const [what, remedy] = {
    stopped: [" (stopped)", "continue (SIGCONT) or end it"],
    running: ["", "its event loop is blocked; end it if this lasts"],
    unknown: [" (perhaps of another container)", "check it, and end it if this lasts"]
  }[state]
  return `The store grows: process ${pid}${what} reads a state ${commits} old, so pages cannot be reused; ${remedy}`
}

export interface StatusLines {
  readonly title: string
  /** The leader and everything else that is said in a line. */
  readonly facts: ReadonlyArray<string>
  /** Candidates, slots and shards: as many as fit. */
  readonly details: ReadonlyArray<string>
}

export type Facts = ReadonlyArray<ReadonlyArray<string>>

export const linesOf = (
  { name, store }: SelectedElection,
  facts: Facts,
  details: ReadonlyArray<string>
): StatusLines => {
  const [title = "", ...rest] = Table.lines([["Election", `${name.text} in ${describe(store)}`], ...facts])
  return { title, facts: rest, details }
}

export const facts = (status: ElectionStatus): Facts => [
  ...leaderRows(status),
  ...(status.challenge === undefined ? [] : [["Challenge", challengeText(status.challenge)]]),
  ["Config", ConfigKeys.inOneLine(status.config)],
  ["Candidates", status.candidates.length === 0 ? "none alive" : String(status.candidates.length)]
]

/** The lines while the store does not answer. */
export const unreachable = (selected: SelectedElection, problem: string): StatusLines =>
  linesOf(selected, [["Store", `does not answer: ${problem}`]], [])
