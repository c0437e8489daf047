/** A history, prepared for the checkers: each looks at the parts that it needs. */
import type { Event } from "../EventLog.ts"
import type { History } from "../History.ts"
import { electionSubspace } from "../Nemesis.ts"
import * as Ledger from "./ledger.ts"

/** A stretch of time in which a process's clocks ran evenly; instants are nanoseconds of simulated time. */
interface Stretch {
  readonly from: number
  readonly to: number
  readonly monotonic: number
  readonly wall: number
  /** Of both clocks; the monotonic one stands still where it does not run. */
  readonly rate: number
  readonly runs: boolean
}

/** A process, as the event log tells of it. */
export interface ProcessRun {
  readonly name: string
  readonly id: string
  readonly born: number
  /** When it ended, or the history. */
  readonly died: number
  /** The safety margin that was asked for, in nanoseconds. */
  readonly margin: number | undefined
  readonly stretches: ReadonlyArray<Stretch>
  readonly events: ReadonlyArray<Event>
}

/** See the module. */
export interface Analysis {
  readonly history: History
  readonly ledger: ReadonlyArray<Ledger.Entry>
  readonly processes: ReadonlyMap<string, ProcessRun>
  /** The process that a registration belongs to. */
  readonly owners: ReadonlyMap<string, string>
}

const livesOf = (history: History): Map<string, ProcessRun> => {
  const events = new Map<string, Array<Event>>()
  for (const event of history.events) {
    if (!event.who.includes("#")) continue
    const own = events.get(event.who)
    if (own === undefined) events.set(event.who, [event])
    else own.push(event)
  }
  const lives = new Map<string, ProcessRun>()
  for (const [name, own] of events) {
    const start = own.find(({ what }) => what === "starts")
    if (start === undefined) continue
    const end = own.find(({ what }) => what === "exits" || what === "crashes")
    const died = end?.at ?? history.endedAt
    const clocks = own.filter(({ what }) => what === "clock")
    lives.set(name, {
      name,
      id: String(start.details["id"]),
      born: start.at,
      died,
      margin: start.details["margin"] === undefined ? undefined : Number(start.details["margin"]) * 1e6,
      stretches: clocks.map(({ at, details }, index): Stretch => ({
        from: at,
        to: clocks[index + 1]?.at ?? died,
        monotonic: Number(details["monotonic"]),
        wall: Number(details["wall"]),
        rate: Number(start.details["rate"]),
        runs: details["runs"] === true
      })),
      events: own
    })
  }
  return lives
}

/** Prepares a history. */
export const analyze = (history: History): Analysis => {
  const ledger = Ledger.replay(history.record, electionSubspace)
  const processes = livesOf(history)
  const owners = new Map<string, string>()
  for (const { after, candidates, commit } of ledger) {
    for (const id of candidates) {
      const candidate = after.candidates.get(id)
      if (candidate === undefined || candidate === Ledger.invalid || owners.has(candidate.registration)) continue
      owners.set(candidate.registration, commit.by)
    }
  }
  return { history, ledger, processes, owners }
}

/** What a process's monotonic clock shows at an instant. */
export const monotonicAt = ({ stretches }: ProcessRun, at: number): number => {
  const stretch = stretches.findLast(({ from }) => from <= at) ?? stretches[0]!
  return stretch.runs ? stretch.monotonic + (at - stretch.from) * stretch.rate : stretch.monotonic
}

/** What its wall clock shows at an instant, since the epoch of the world. */
export const wallAt = ({ stretches }: ProcessRun, at: number): number => {
  const stretch = stretches.findLast(({ from }) => from <= at) ?? stretches[0]!
  return stretch.wall + (at - stretch.from) * stretch.rate
}

/** The first instant from `from` on at which a process's clock of a kind shows `due` or more. */
export const whenShown = (
  process: ProcessRun,
  clock: "monotonic" | "wall",
  due: number,
  from: number
): number => {
  for (const stretch of process.stretches) {
    if (stretch.to <= from) continue
    const begin = Math.max(from, stretch.from)
    const shown = clock === "monotonic" ? monotonicAt(process, begin) : wallAt(process, begin)
    if (shown >= due) return begin
    if (clock === "monotonic" && !stretch.runs) continue
    const at = begin + (due - shown) / stretch.rate
    if (at < stretch.to) return at
  }
  return Number.POSITIVE_INFINITY
}

/** The last instant up to `until` at which its monotonic clock showed `shown` or less. */
export const lastShown = (process: ProcessRun, shown: number, until: number): number => {
  for (let index = process.stretches.length - 1; index >= 0; index--) {
    const stretch = process.stretches[index]!
    if (stretch.from > until) continue
    const end = Math.min(until, stretch.to)
    if (monotonicAt(process, stretch.from) > shown) continue
    return stretch.runs ? Math.min(end, stretch.from + (shown - stretch.monotonic) / stretch.rate) : end
  }
  return process.born
}

/** When one of the lasting faults was in force, with the begin and end of each. */
export const faults = (
  history: History
): Array<{ readonly who: string; readonly kind: string; readonly from: number; readonly to: number }> => {
  const open = new Map<string, Event>()
  const spans: Array<{ who: string; kind: string; from: number; to: number }> = []
  for (const event of history.events) {
    const number = String(event.details["number"])
    if (event.what === "fault-begins") open.set(number, event)
    else if (event.what === "fault-ends") {
      const begin = open.get(number)
      if (begin === undefined) continue
      open.delete(number)
      spans.push({ who: begin.who, kind: String(begin.details["kind"]), from: begin.at, to: event.at })
    }
  }
  for (const begin of open.values()) {
    spans.push({ who: begin.who, kind: String(begin.details["kind"]), from: begin.at, to: history.endedAt })
  }
  return spans
}
