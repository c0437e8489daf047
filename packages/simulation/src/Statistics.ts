/** The elections, failovers, faults and transitions of the protocol in histories, as plain data. */
import { ElectionCause, LossReason } from "@effect-fdb/leader-election"
import type { Event } from "./EventLog.ts"
import { second } from "./EventScheduler.ts"
import type { History } from "./History.ts"
import { type Analysis, analyze } from "./internal/analysis.ts"
import { beliefs } from "./internal/beliefs.ts"
import * as Transitions from "./internal/transitions.ts"

type Counts = Readonly<Record<string, number>>

/** The statistics of no history. */
export const none = {
  histories: 0,
  simulatedSeconds: 0,
  tenures: 0,
  leaderlessSeconds: 0,
  commits: 0,
  /** The causes of elections, and the reasons of losses. */
  causes: {} as Counts,
  losses: {} as Counts,
  faults: {} as Counts,
  /** Those of {@link transitions} that were taken. */
  taken: [] as ReadonlyArray<string>,
  /** From a leader's crash to the next election, in lease durations, where no other fault was in force. */
  failovers: [] as ReadonlyArray<number>
}

/** Sums over any number of histories. */
export type Statistics = Readonly<typeof none>

/** Every transition of the protocol and of its supervision: of the stored state, and in the event log. */
export const transitions: ReadonlyArray<string> = [
  ...Transitions.stored.map((name) => `stored: ${name}`),
  ...[
    "follows",
    ...ElectionCause.literals.map((cause) => `elected-${cause}`),
    "renewed-fast",
    "renewed-full",
    "renewal-failed-fast",
    "renewal-failed-full",
    "retried",
    "overrun",
    "exits-CandidateSuperseded",
    "exits-InvalidState",
    ...LossReason.literals.map((reason) => `lost-${reason}`)
  ].map((name) => `event: ${name}`)
]

const transitionOf = ({ details: { cause, path, reason }, what }: Event): string =>
  `event: ${what === "following" ? "follows" : [what, cause ?? path ?? reason ?? []].flat().join("-")}`

/** The actions of operators that have no duration. */
const action = /^(configures|deploys|asks-to-step-down|evicts|raises-terms|forges|usurps|resigns-late)$/

const faultOf = ({ details: { kind }, what, who }: Event): string | undefined =>
  what === "fault" || what === "fault-begins" ? kind : who === "operator" && action.test(what) ? what : undefined

const count = (names: Iterable<string | undefined>): Counts => {
  const counts: Record<string, number> = {}
  for (const name of names) if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

const leaderlessNanos = (analysis: Analysis): number => {
  let reached = 0
  let leaderless = 0
  for (const { from, to } of beliefs(analysis)) {
    leaderless += Math.max(0, from - reached)
    reached = Math.max(reached, to)
  }
  return leaderless + Math.max(0, analysis.history.endedAt - reached)
}

const failoversOf = ({ election, faults, history: { events }, ledger }: Analysis): Array<number> =>
  events.flatMap((event, index) => {
    if (event.what !== "crashes" || !String(event.details["leading"]).split(" ").includes(election.name ?? "true")) {
      return []
    }
    const next = events.slice(index).find(({ what }) => what === "elected")
    const state = ledger.findLast(({ commit }) => commit.at <= event.at)?.after
    if (next === undefined || typeof state?.config !== "object" || typeof state.lease !== "object") return []
    if (!state.config.enabled || faults.some(({ from, to }) => from < next.at && to > event.at - 5 * second)) return []
    return [(next.at - event.at) / Number(state.lease.duration)]
  })

/** Of one history. */
export const of = (history: History): Statistics => {
  const elections = analyze(history)
  const { events } = history
  const elected = events.filter(({ what }) => what === "elected")
  const taken = new Set([
    ...elections.flatMap(Transitions.name).map(({ verdict }) =>
      "transition" in verdict ? `stored: ${verdict.transition}` : ""
    ),
    ...events.map(transitionOf)
  ])
  return {
    histories: 1,
    simulatedSeconds: history.endedAt / second,
    tenures: elected.length,
    // On average, where there are several elections.
    leaderlessSeconds: elections.reduce((sum, analysis) => sum + leaderlessNanos(analysis), 0) / elections.length /
      second,
    commits: history.record.length,
    causes: count(elected.map(({ details }) => details.cause)),
    losses: count(events.filter(({ what }) => what === "lost").map(({ details }) => details.reason)),
    faults: count(events.map(faultOf)),
    taken: transitions.filter((name) => taken.has(name)),
    failovers: elections.flatMap(failoversOf)
  }
}

const sum = (a: Counts, b: Counts): Counts =>
  Object.fromEntries(Object.keys({ ...a, ...b }).map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]))

/** The sum of both. */
export const merge = (a: Statistics, b: Statistics): Statistics => ({
  histories: a.histories + b.histories,
  simulatedSeconds: a.simulatedSeconds + b.simulatedSeconds,
  tenures: a.tenures + b.tenures,
  leaderlessSeconds: a.leaderlessSeconds + b.leaderlessSeconds,
  commits: a.commits + b.commits,
  causes: sum(a.causes, b.causes),
  losses: sum(a.losses, b.losses),
  faults: sum(a.faults, b.faults),
  taken: [...new Set([...a.taken, ...b.taken])],
  failovers: [...a.failovers, ...b.failovers]
})

/** The percentile of the failovers, in lease durations. `p` is between 0 and 1. */
export const percentile = ({ failovers }: Statistics, p: number): number | undefined => {
  const sorted = failovers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]
}
