/** The periods in which processes believe that they lead, from events, clocks and stored leases. */
import type { Event } from "../EventLog.ts"
import * as Analysis from "./analysis.ts"

/** See the module. Instants are nanoseconds of simulated time. */
export interface Belief {
  readonly who: string
  readonly term: bigint
  readonly from: number
  readonly to: number
}

/** The stored lease durations by ballot, in nanoseconds. */
export const leases = ({ ledger }: Analysis.Analysis): Map<bigint, number> => {
  const durations = new Map<bigint, number>()
  for (const { after: { lease }, written } of ledger) {
    if (!written.has("lease") || typeof lease !== "object" || durations.has(lease.ballot)) continue
    durations.set(lease.ballot, Number(lease.duration))
  }
  return durations
}

const trusted = ({ margin }: Analysis.ProcessRun, lease: number): number => lease - (margin ?? Math.floor(lease / 10))

/** The time within which a leader that runs checks both clocks. */
const longestLook = ({ margin }: Analysis.ProcessRun, lease: number): number =>
  1.2 * Math.max(margin ?? lease / 10, lease / 100)

/**
 * When the wall clock ends the belief of an attempt that was started at `attempt`, as the process knows from `at` on. Where the wall
 * clock was set back since, and the leader has checked it, the belief ends when it shows what the monotonic clock had left then.
 */
const wallEnd = (process: Analysis.ProcessRun, attempt: number, until: number, lease: number, at: number): number =>
  Math.min(
    Analysis.whenShown(process, "wall", Analysis.shownAt(process, "wall", attempt) + trusted(process, lease), at),
    ...Analysis.setBacks(process, attempt, longestLook(process, lease)).map(({ from, monotonic, wall }) =>
      Analysis.whenShown(process, "wall", wall + until - monotonic, Math.max(at, from))
    )
  )

/** The end of a belief that an election or renewal confirmed, by each clock of its process. */
export const confirmed = (process: Analysis.ProcessRun, { at, details }: Event, lease: number) => {
  const attempt = Analysis.lastShown(process, details.until! - trusted(process, lease), at)
  return {
    monotonic: Analysis.whenShown(process, "monotonic", details.until!, at),
    wall: wallEnd(process, attempt, details.until!, lease, at)
  }
}

/** The end of a belief that was limited before a renewal that shortens the lease. */
export const shortened = (process: Analysis.ProcessRun, { at, details }: Event) => {
  const due = Analysis.shownAt(process, "wall", at) + trusted(process, details.duration!)
  return {
    monotonic: Analysis.whenShown(process, "monotonic", details.until!, at),
    wall: Analysis.whenShown(process, "wall", due, at)
  }
}

/** All beliefs in the order of their beginnings. */
export const beliefs = (analysis: Analysis.Analysis): Array<Belief> => {
  const stored = leases(analysis)
  const spans: Array<Belief> = []
  for (const process of analysis.processes.values()) {
    let open: { readonly term: bigint; readonly from: number; to: number } | undefined
    const close = (at: number): void => {
      if (open !== undefined) spans.push({ who: process.name, ...open, to: Math.min(open.to, at) })
      open = undefined
    }
    for (const event of process.events) {
      const { at, details, what } = event
      if (what === "elected" || what === "renewed") {
        // A ballot that was never stored has no lease worth naming.
        const { monotonic, wall } = confirmed(process, event, stored.get(details.ballot ?? details.term!) ?? 1)
        const to = Math.min(monotonic, wall)
        if (what === "elected" || (open !== undefined && open.to < at)) close(at)
        if (open === undefined) open = { term: details.term!, from: at, to }
        else open.to = to
      } else if (what === "shortened" && open !== undefined) {
        const { monotonic, wall } = shortened(process, event)
        open.to = Math.min(open.to, monotonic, wall)
      } else if (what === "lost") close(at)
    }
    close(process.died)
  }
  return spans.toSorted((a, b) => a.from - b.from)
}
