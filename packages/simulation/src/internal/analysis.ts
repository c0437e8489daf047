/** A history, prepared for the checkers. */
import type { Event } from "../EventLog.ts"
import type { History } from "../History.ts"
import { electionSubspace } from "../Nemesis.ts"
import * as Ledger from "./ledger.ts"

/** A period in which the clocks of a process ran at one rate. Instants are nanoseconds of simulated time. */
interface ClockSegment {
  readonly from: number
  readonly to: number
  readonly monotonic: number
  readonly wall: number
  /** Of both clocks; the monotonic one stands still where it does not run. */
  readonly rate: number
  readonly runs: boolean
}

/** A process, from its start to its end. */
export interface ProcessRun {
  readonly name: string
  readonly id: string
  readonly born: number
  /** The end of the process, or of the history. */
  readonly died: number
  /** Its safety margin, in nanoseconds, unless it is the default. */
  readonly margin: number | undefined
  readonly clock: ReadonlyArray<ClockSegment>
  readonly events: ReadonlyArray<Event>
}

/** A fault with a duration. */
interface FaultSpan {
  readonly who: string
  readonly kind: string
  readonly from: number
  readonly to: number
}

export interface Analysis {
  readonly history: History
  readonly ledger: ReadonlyArray<Ledger.Entry>
  readonly processes: ReadonlyMap<string, ProcessRun>
  /** The process that a registration belongs to. */
  readonly owners: ReadonlyMap<string, string>
  readonly faults: ReadonlyArray<FaultSpan>
}

const processesOf = (history: History): Map<string, ProcessRun> => {
  const eventsOf = new Map<string, Array<Event>>()
  for (const event of history.events) {
    if (event.who.includes("#")) eventsOf.set(event.who, eventsOf.get(event.who) ?? [])
    eventsOf.get(event.who)?.push(event)
  }
  const processes = new Map<string, ProcessRun>()
  for (const [name, events] of eventsOf) {
    const start = events.find(({ what }) => what === "starts")
    if (start === undefined) continue
    const died = events.find(({ what }) => what === "exits" || what === "crashes")?.at ?? history.endedAt
    const { id, margin, rate } = start.details
    const clock = events.filter(({ what }) => what === "clock").map(({ at, details }, index, all): ClockSegment => ({
      from: at,
      to: all[index + 1]?.at ?? died,
      monotonic: details.monotonic!,
      wall: details.wall!,
      rate: rate!,
      runs: details.runs!
    }))
    const nanos = margin === undefined ? undefined : Number(margin) * 1e6
    processes.set(name, { name, id: id!, born: start.at, died, margin: nanos, clock, events })
  }
  return processes
}

const faultsOf = ({ endedAt, events }: History): Array<FaultSpan> => {
  const open = new Map<unknown, Event>()
  const spans: Array<FaultSpan> = []
  const close = ({ at: from, details: { kind }, who }: Event, to: number) => spans.push({ who, kind: kind!, from, to })
  for (const event of events) {
    const number = event.details["number"]
    const begin = open.get(number)
    if (event.what === "fault-begins") open.set(number, event)
    else if (event.what === "fault-ends" && begin !== undefined) {
      open.delete(number)
      close(begin, event.at)
    }
  }
  for (const begin of open.values()) close(begin, endedAt)
  return spans
}

/** Prepares a history. */
export const analyze = (history: History): Analysis => {
  const ledger = Ledger.replay(history.record, electionSubspace)
  const owners = new Map<string, string>()
  for (const { after, candidates, commit } of ledger) {
    for (const id of candidates) {
      const candidate = after.candidates.get(id)
      if (typeof candidate !== "object" || owners.has(candidate.registration)) continue
      owners.set(candidate.registration, commit.by)
    }
  }
  return { history, ledger, processes: processesOf(history), owners, faults: faultsOf(history) }
}

/** The time of a clock at an instant: nanoseconds since the boot of the host, or wall time since the simulation began. */
export const shownAt = ({ clock }: ProcessRun, kind: "monotonic" | "wall", at: number): number => {
  const segment = clock.findLast(({ from }) => from <= at) ?? clock[0]!
  return segment[kind] + (kind === "wall" || segment.runs ? (at - segment.from) * segment.rate : 0)
}

/** The segments after an instant that begin with a wall clock that was set back, and last for so long at least. */
export const setBacks = (process: ProcessRun, since: number, lasting: number): ReadonlyArray<ClockSegment> =>
  process.clock.filter(({ from, to, wall }, index) =>
    index > 0 && from > since && to - from >= lasting && wall < shownAt(process, "wall", from - 1)
  )

/** The first instant from `from` on at which a process's clock shows `due` or more. */
export const whenShown = (process: ProcessRun, kind: "monotonic" | "wall", due: number, from: number): number => {
  for (const segment of process.clock) {
    if (segment.to <= from) continue
    const begin = Math.max(from, segment.from)
    const shown = shownAt(process, kind, begin)
    if (shown >= due) return begin
    if (kind === "monotonic" && !segment.runs) continue
    const at = begin + (due - shown) / segment.rate
    if (at < segment.to) return at
  }
  return Number.POSITIVE_INFINITY
}

/** The last instant up to `until` at which its monotonic clock showed `shown` or less. */
export const lastShown = (process: ProcessRun, shown: number, until: number): number => {
  const segment = process.clock.findLast(({ from, monotonic }) => from <= until && monotonic <= shown)
  if (segment === undefined) return process.born
  const end = Math.min(until, segment.to)
  return segment.runs ? Math.min(end, segment.from + (shown - segment.monotonic) / segment.rate) : end
}
