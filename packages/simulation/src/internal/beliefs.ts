/** When who believed in its leadership, in the time of the world: derived from events, clocks and stored leases. */
import type { Event } from "../EventLog.ts"
import * as Evidence from "./evidence.ts"
import { invalid } from "./ledger.ts"

/** See the module. Instants are nanoseconds of the world. */
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
  evidence: Evidence.Evidence
): Map<bigint, { readonly duration: number; readonly at: number }> => {
  const durations = new Map<bigint, { readonly duration: number; readonly at: number }>()
  for (const { after, commit, written } of evidence.ledger) {
    if (!written.has("lease") || after.lease === undefined || after.lease === invalid) continue
    if (!durations.has(after.lease.ballot)) {
      durations.set(after.lease.ballot, { duration: Number(after.lease.duration), at: commit.at })
    }
  }
  return durations
}

/** When the belief that a confirmation gives is over, on each clock of the machine. */
export const deadlines = (
  life: Evidence.MachineLife,
  { at, details }: Pick<Event, "at" | "details">,
  lease: number
): { readonly monotonic: number; readonly wall: number } => {
  const until = Number(details["until"])
  const span = lease - (life.margin ?? Math.floor(lease / 10))
  const attempt = Evidence.lastShown(life, until - span, at)
  return {
    monotonic: Evidence.whenShown(life, "monotonic", until, at),
    wall: Evidence.whenShown(life, "wall", Evidence.wallAt(life, attempt) + span, at)
  }
}

/** All beliefs, machine by machine. */
export const beliefs = (evidence: Evidence.Evidence): Array<Belief> => {
  const stored = leases(evidence)
  const spans: Array<Belief> = []
  for (const life of evidence.machines.values()) {
    let open: { readonly term: bigint; readonly from: number; to: number } | undefined
    const close = (at: number): void => {
      if (open === undefined) return
      spans.push({ who: life.name, term: open.term, from: open.from, to: Math.min(open.to, at) })
      open = undefined
    }
    for (const { at, details, what } of life.events) {
      if (what === "elected" || what === "renewed") {
        const term = BigInt(String(details["term"]))
        const ballot = what === "elected" ? term : BigInt(String(details["ballot"]))
        const lease = stored.get(ballot)?.duration ?? anyLease
        const ends = deadlines(life, { at, details }, lease)
        const to = Math.min(ends.monotonic, ends.wall)
        if (what === "elected") close(at)
        if (open === undefined || open.to < at) {
          close(at)
          open = { term, from: at, to }
        } else {
          open.to = to
        }
      } else if (what === "shortened" && open !== undefined) {
        const { monotonic, wall } = shortened(life, { at, details })
        open.to = Math.min(open.to, monotonic, wall)
      } else if (what === "lost") close(at)
    }
    close(life.died)
  }
  return spans
}

/** When a belief is over that was limited, for an attempt is about to be made that shortens the lease; on each clock. */
export const shortened = (
  life: Evidence.MachineLife,
  { at, details }: Pick<Event, "at" | "details">
): { readonly monotonic: number; readonly wall: number } => {
  const duration = Number(details["duration"])
  const span = duration - (life.margin ?? Math.floor(duration / 10))
  return {
    monotonic: Evidence.whenShown(life, "monotonic", Number(details["until"]), at),
    wall: Evidence.whenShown(life, "wall", Evidence.wallAt(life, at) + span, at)
  }
}
