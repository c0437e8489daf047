/** What histories were like: elections, failovers, faults, and which transitions of the protocol they have taken. */
import { ElectionCause, LossReason } from "@effect-fdb/leader-election"
import { second } from "./EventScheduler.ts"
import type { History } from "./History.ts"
import * as Analysis from "./internal/analysis.ts"
import { beliefs } from "./internal/beliefs.ts"
import * as Transitions from "./internal/transitions.ts"

/** The transitions that the event log tells of, beside those of the stored state. */
const told = [
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
]

/** Every transition of the protocol and of its supervision. */
export const transitions: ReadonlyArray<string> = [
  ...Transitions.stored.map((name) => `stored: ${name}`),
  ...told.map((name) => `told: ${name}`)
]

/** What operators do, beside the faults that they cause for a time. */
const acts: ReadonlySet<string> = new Set(["configures", "deploys", "asks-to-step-down", "evicts", "forges"])

/** See the module. Sums over any number of histories. */
export class Statistics {
  histories = 0
  simulatedSeconds = 0
  tenures = 0
  leaderlessSeconds = 0
  commits = 0
  readonly causes: Record<string, number> = {}
  readonly losses: Record<string, number> = {}
  readonly faults: Record<string, number> = {}
  readonly taken = new Set<string>()
  /** From a leader's crash to the next election, in lease durations, where no other fault was in force. */
  readonly failovers: Array<number> = []

  /** Adds a history. */
  add(history: History): void {
    const analysis = Analysis.analyze(history)
    this.histories++
    this.simulatedSeconds += history.endedAt / second
    this.commits += history.record.length
    this.addEvents(history)
    for (const { verdict } of Transitions.name(analysis)) {
      if ("transition" in verdict) this.taken.add(`stored: ${verdict.transition}`)
    }
    this.addLeaderless(analysis)
    this.addFailovers(analysis)
  }

  /** Adds what another has gathered. */
  merge(other: Summary): void {
    this.histories += other.histories
    this.simulatedSeconds += other.simulatedSeconds
    this.tenures += other.tenures
    this.leaderlessSeconds += other.leaderlessSeconds
    this.commits += other.commits
    const merge = (into: Record<string, number>, from: Readonly<Record<string, number>>): void => {
      for (const [name, count] of Object.entries(from)) into[name] = (into[name] ?? 0) + count
    }
    merge(this.causes, other.causes)
    merge(this.losses, other.losses)
    merge(this.faults, other.faults)
    for (const transition of other.taken) this.taken.add(transition)
    this.failovers.push(...other.failovers)
  }

  /** As plain data, to be sent elsewhere. */
  get summary(): Summary {
    const { causes, commits, failovers, faults, histories, leaderlessSeconds, losses, simulatedSeconds, tenures } = this
    const taken = [...this.taken]
    return {
      histories,
      simulatedSeconds,
      tenures,
      leaderlessSeconds,
      commits,
      causes,
      losses,
      faults,
      taken,
      failovers
    }
  }

  /** Those of {@link transitions} that no history has taken. */
  get missing(): ReadonlyArray<string> {
    return transitions.filter((name) => !this.taken.has(name))
  }

  /** The share `p` of failovers was not longer than this, in lease durations. */
  percentile(p: number): number | undefined {
    const sorted = this.failovers.toSorted((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]
  }

  private addEvents({ events }: History): void {
    const count = (into: Record<string, number>, name: string): void => {
      into[name] = (into[name] ?? 0) + 1
    }
    for (const { details, what, who } of events) {
      switch (what) {
        case "elected":
          this.tenures++
          count(this.causes, String(details["cause"]))
          this.taken.add(`told: elected-${details["cause"]}`)
          break
        case "lost":
          count(this.losses, String(details["reason"]))
          this.taken.add(`told: lost-${details["reason"]}`)
          break
        case "renewed":
        case "renewal-failed":
          this.taken.add(`told: ${what}-${details["path"]}`)
          break
        case "exits":
          this.taken.add(`told: exits-${details["reason"]}`)
          break
        case "following":
          this.taken.add("told: follows")
          break
        case "retried":
        case "overrun":
          this.taken.add(`told: ${what}`)
          break
        case "fault":
        case "fault-begins":
          count(this.faults, String(details["kind"]))
          break
        default:
          if (who === "operator" && acts.has(what)) count(this.faults, what)
      }
    }
  }

  private addLeaderless(analysis: Analysis.Analysis): void {
    let reached = 0
    let leaderless = 0
    for (const { from, to } of beliefs(analysis).toSorted((a, b) => a.from - b.from)) {
      if (from > reached) leaderless += from - reached
      reached = Math.max(reached, to)
    }
    this.leaderlessSeconds += (leaderless + Math.max(0, analysis.history.endedAt - reached)) / second
  }

  private addFailovers(analysis: Analysis.Analysis): void {
    const { events } = analysis.history
    const faults = Analysis.faults(analysis.history)
    events.forEach((event, index) => {
      if (event.what !== "crashes" || event.details["leading"] !== true) return
      const next = events.slice(index).find(({ what }) => what === "elected")
      if (next === undefined) return
      const state = analysis.ledger.findLast(({ commit }) => commit.at <= event.at)?.after
      if (typeof state?.config !== "object" || !state.config.enabled || typeof state.lease !== "object") return
      if (faults.some(({ from, to }) => from < next.at && to > event.at - 5 * second)) return
      this.failovers.push((next.at - event.at) / Number(state.lease.duration))
    })
  }
}

/** See {@link Statistics}. */
export interface Summary {
  readonly histories: number
  readonly simulatedSeconds: number
  readonly tenures: number
  readonly leaderlessSeconds: number
  readonly commits: number
  readonly causes: Readonly<Record<string, number>>
  readonly losses: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
  readonly taken: ReadonlyArray<string>
  readonly failovers: ReadonlyArray<number>
}
