/** When who believed in its leadership, in the time of the world: derived from events, clocks and stored leases. */
import type { Event } from "../EventLog.ts"
import * as Analysis from "./analysis.ts"
import { invalid } from "./ledger.ts"

/** See the module. Instants are nanoseconds of simulated time. */
export interface Belief {
  readonly who: string
  readonly term: bigint
  readonly from: number
  readonly to: number
}

/** Any lease; the one of a ballot that was never stored. */
const anyLease = 1

/** The leases that were written, by ballot. */
export const leases = (
  analysis: Analysis.Analysis
): Map<bigint, { readonly duration: number; readonly at: number }> => {
  const durations = new Map<bigint, { readonly duration: number; readonly at: number }>()
  for (const { after, commit, written } of analysis.ledger) {
    if (!written.has("lease") || after.lease === undefined || after.lease === invalid) continue
    if (!durations.has(after.lease.ballot)) {
      durations.set(after.lease.ballot, { duration: Number(after.lease.duration), at: commit.at })
    }
  }
  return durations
}

/** When the belief that a confirmation gives is over, on each clock of the process. */
export const deadlines = (
  process: Analysis.ProcessRun,
  { at, details }: Pick<Event, "at" | "details">,
  lease: number
): { readonly monotonic: number; readonly wall: number } => {
  const until = Number(details["until"])
  const span = lease - (process.margin ?? Math.floor(lease / 10))
  const attempt = Analysis.lastShown(process, until - span, at)
  return {
    monotonic: Analysis.whenShown(process, "monotonic", until, at),
    wall: Analysis.whenShown(process, "wall", Analysis.wallAt(process, attempt) + span, at)
  }
}

/** All beliefs, process by process. */
export const beliefs = (analysis: Analysis.Analysis): Array<Belief> => {
  const stored = leases(analysis)
  const spans: Array<Belief> = []
  for (const process of analysis.processes.values()) {
    let open: { readonly term: bigint; readonly from: number; to: number } | undefined
    const close = (at: number): void => {
      if (open === undefined) return
      spans.push({ who: process.name, term: open.term, from: open.from, to: Math.min(open.to, at) })
      open = undefined
    }
    for (const { at, details, what } of process.events) {
      if (what === "elected" || what === "renewed") {
        const term = BigInt(String(details["term"]))
        const ballot = what === "elected" ? term : BigInt(String(details["ballot"]))
        const lease = stored.get(ballot)?.duration ?? anyLease
        const ends = deadlines(process, { at, details }, lease)
        const to = Math.min(ends.monotonic, ends.wall)
        if (what === "elected") close(at)
        if (open === undefined || open.to < at) {
          close(at)
          open = { term, from: at, to }
        } else {
          open.to = to
        }
      } else if (what === "shortened" && open !== undefined) {
        const { monotonic, wall } = shortened(process, { at, details })
        open.to = Math.min(open.to, monotonic, wall)
      } else if (what === "lost") close(at)
    }
    close(process.died)
  }
  return spans
}

/** When a belief is over that was limited, for an attempt is about to be made that shortens the lease; on each clock. */
export const shortened = (
  process: Analysis.ProcessRun,
  { at, details }: Pick<Event, "at" | "details">
): { readonly monotonic: number; readonly wall: number } => {
  const duration = Number(details["duration"])
  const span = duration - (process.margin ?? Math.floor(duration / 10))
  return {
    monotonic: Analysis.whenShown(process, "monotonic", Number(details["until"]), at),
    wall: Analysis.whenShown(process, "wall", Analysis.wallAt(process, at) + span, at)
  }
}
