/** A history, prepared for the checkers. */
import type { Event } from "../EventLog.ts"
import type { History } from "../History.ts"
import { type Election, electionsOf, historyOf } from "./elections.ts"
import * as Ledger from "./ledger.ts"

/** The process of some events, from its start to its end. Instants are nanoseconds of simulated time. */
const processOf = (name: string, events: ReadonlyArray<Event>, endedAt: number) => {
  const start = events.find(({ what }) => what === "starts")
  if (start === undefined) return []
  const died = events.find(({ what }) => what === "exits" || what === "crashes")?.at ?? endedAt
  const { id, machine, margin, rate } = start.details
  /** The periods in which the clocks ran at one rate. The monotonic clock stands still where it does not run. */
  const clock = events.filter(({ what }) => what === "clock").map(({ at, details }, index, all) => ({
    from: at,
    to: all[index + 1]?.at ?? died,
    monotonic: details.monotonic!,
    wall: details.wall!,
    rate: rate!,
    runs: details.runs!
  }))
  // In nanoseconds, unless it is the default.
  const nanos = margin === undefined ? undefined : Number(margin) * 1e6
  return [{ name, id: id!, machine, born: start.at, died, margin: nanos, clock, events }]
}

export type ProcessRun = ReturnType<typeof processOf>[number]

/** The faults with a duration, in the order of their ends. */
const faultsOf = ({ endedAt, events }: History) => {
  const ends = new Map(
    events.filter(({ what }) => what === "fault-ends").map(({ at, details }) => [details["number"], at])
  )
  const begins = events.filter(({ what }) => what === "fault-begins").map(
    ({ at: from, details: { kind, number }, who }) => {
      return { who, kind: kind!, from, to: ends.get(number) ?? endedAt }
    }
  )
  return begins.toSorted((a, b) => a.to - b.to)
}

const analyzeOne = (whole: History, election: Election) => {
  const history = historyOf(whole, election)
  const ledger = Ledger.replay(history.record, election.subspace)
  const eventsOf = new Map<string, Array<Event>>()
  for (const event of history.events) {
    if (event.who.includes("#")) eventsOf.set(event.who, eventsOf.get(event.who) ?? [])
    eventsOf.get(event.who)?.push(event)
  }
  const runs = [...eventsOf].flatMap(([name, events]) => processOf(name, events, history.endedAt))
  const processes: ReadonlyMap<string, ProcessRun> = new Map(runs.map((process) => [process.name, process]))
  /** The process that a registration belongs to. */
  const owners = new Map<string, string>()
  for (const { after, candidates, commit } of ledger) {
    for (const id of candidates) {
      const candidate = after.candidates.get(id)
      if (typeof candidate !== "object" || owners.has(candidate.registration)) continue
      owners.set(candidate.registration, commit.by)
    }
  }
  return { election, history, ledger, processes, owners, faults: faultsOf(history) }
}

/** What a history tells of one of its elections. */
export type Analysis = ReturnType<typeof analyzeOne>

/** Prepares a history: each of its elections by itself. */
export const analyze = (history: History): ReadonlyArray<Analysis> =>
  electionsOf(history.scenario).map((election) => analyzeOne(history, election))

/** The time of a clock at an instant: nanoseconds since the boot of the host, or wall time since the simulation began. */
export const shownAt = ({ clock }: ProcessRun, kind: "monotonic" | "wall", at: number): number => {
  const segment = clock.findLast(({ from }) => from <= at) ?? clock[0]!
  return segment[kind] + (kind === "wall" || segment.runs ? (at - segment.from) * segment.rate : 0)
}

/** The segments after an instant that begin with a wall clock that was set back, and last for so long at least. */
export const setBacks = (process: ProcessRun, since: number, lasting: number): ProcessRun["clock"] =>
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
