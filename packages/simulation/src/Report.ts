/** A history as one page: lanes for the leader, the database, each process, faults, and operators. */
import { readFileSync } from "node:fs"
import type { Violation } from "./Checker.ts"
import * as Checkers from "./Checkers.ts"
import type { Detail, Event } from "./EventLog.ts"
import { second } from "./EventScheduler.ts"
import type { History } from "./History.ts"
import { analyze, type ProcessRun, shownAt, whenShown } from "./internal/analysis.ts"
import { type Belief, beliefs } from "./internal/beliefs.ts"
import { beginningOf } from "./internal/ledger.ts"
import { plural } from "./internal/plural.ts"
import type { Lane, Lease, LogEntry, Mark, ReportData, Span } from "./internal/reportData.ts"
import * as Transitions from "./internal/transitions.ts"
import { workRuns } from "./internal/workRuns.ts"

const seconds = (at: number): number => Math.round(at / 1000) / (second / 1000)
const hostOf = (process: string): string => process.split("#")[0]!
const labelOf = ({ term, who }: Belief): string => `${who} believes that it leads, in term ${term}`

const span = (kind: string, from: number, to: number, label: string, more: Partial<Span> = {}): Span => ({
  kind,
  from: seconds(from),
  to: seconds(to),
  label,
  ...more
})

/** The texts of the events that have a mark in the lane of a process. */
const marked: { readonly [what: string]: (details: Event["details"]) => string | undefined } = {
  registered: ({ again }) => again === true ? "registers again" : "registers",
  challenged: () => "challenges",
  elected: ({ cause, term }) => `term ${term} (${cause})`,
  lost: ({ reason }) => reason,
  overrun: () => "overruns its lease",
  resigned: () => undefined,
  crashes: () => "crashes",
  exits: ({ reason }) => `exits: ${reason}`,
  stops: () => "is stopped",
  "renewal-failed": ({ error }) => `renewal: ${error}`,
  retried: () => undefined,
  conflict: () => "conflict",
  fault: ({ kind }) => kind,
  step: () => undefined,
  renewed: () => undefined,
  prioritizes: ({ priority }) => `priority ${priority}`,
  clock: () => undefined
}

/** The periods from each confirmation of a process's lease to the next, while it believes that it leads. */
const leasesOf = (process: ProcessRun, beliefs: ReadonlyArray<Belief>, place: number): Array<Lease> => {
  const confirmed = process.events.filter(({ what }) => what === "elected" || what === "renewed")
  return confirmed.flatMap(({ at, details }, index) => {
    const belief = beliefs.find(({ from, to, who }) => who === process.name && from <= at && at <= to)
    const shown = whenShown(process, "monotonic", details.until!, at)
    // The process may die before.
    const deadline = Number.isFinite(shown)
      ? shown
      : at + (details.until! - shownAt(process, "monotonic", at)) / (process.clock[0]?.rate ?? 1)
    if (belief === undefined || deadline <= at) return []
    const to = Math.min(confirmed[index + 1]?.at ?? Number.POSITIVE_INFINITY, belief.to)
    const [deadlineAt, full] = [seconds(deadline), seconds(deadline - at)]
    return [{ from: seconds(at), to: seconds(to), deadline: deadlineAt, full, of: place }]
  })
}

const processLane = ({ analysis, beliefs, lines, places }: Source, host: string): Lane => {
  const place = places.get(host) ?? 0
  const runs = [...analysis.processes.values()].filter(({ name }) => hostOf(name) === host)
  const lives = runs.flatMap(({ born, died, id, name }, index) => {
    const reborn = runs[index + 1]?.born ?? analysis.history.endedAt
    const dead = span("dead", died, reborn, `${name} is dead, and its host runs no process`)
    return [...(reborn > died ? [dead] : []), span("alive", born, died, `${name} runs as candidate "${id}"`)]
  })
  const believed = beliefs.filter(({ who }) => hostOf(who) === host).map((belief) =>
    span("believes", belief.from, belief.to, labelOf(belief), { of: place })
  )
  const works = workRuns(analysis).flatMap(({ begins, ended, ends, process: { died, name }, term }) => {
    if (hostOf(name) !== host) return []
    const over = ended ?? died
    const stopped = ends ?? over
    const work = `the work of ${name} in term ${term}`
    const finalizing = span("finalizes", stopped, over, `the finalizers of ${work}`, { of: place })
    return [span("works", begins, stopped, work, { of: place }), ...(over > stopped ? [finalizing] : [])]
  })
  const faults = analysis.faults.filter(({ who }) => hostOf(who) === host).map(({ from, kind, to, who }) =>
    span(kind, from, to, `${who}: ${kind}`)
  )
  const marks = runs.flatMap(({ born, events }) =>
    events.flatMap((event): Array<Mark> => {
      const { at, details, what } = event
      const text = marked[what]
      if (text === undefined || (what === "clock" && at === born)) return []
      return [{ kind: what, at: seconds(at), of: place, text: text(details), line: lines.get(event) }]
    })
  )
  const leases = runs.flatMap((process) => leasesOf(process, beliefs, place)).toSorted((a, b) => a.from - b.from)
  return { name: host, kind: "process", place, spans: [...lives, ...believed, ...works, ...faults], marks, leases }
}

/** The processes that believe that they lead. */
const leaderLane = ({ analysis, beliefs, places }: Source): Lane => {
  const spans: Array<Span> = []
  let reached = 0
  const nobody = (to: number): void => {
    if (to <= reached) return
    spans.push(span("nobody", reached, to, `nobody leads for ${((to - reached) / second).toFixed(3)} s`))
  }
  for (const belief of beliefs) {
    const { from, term, to, who } = belief
    nobody(from)
    const text = `${hostOf(who)} · ${term}`
    spans.push(span("leads", from, to, labelOf(belief), { of: places.get(hostOf(who)), text }))
    const over = Math.min(to, reached)
    const label = `two processes believe that they lead, for ${((over - from) / second).toFixed(6)} s`
    if (from < reached - 1000) spans.push(span("overlap", from, over, label))
    reached = Math.max(reached, to)
  }
  nobody(analysis.history.endedAt)
  return { name: "leader", kind: "leader", spans, marks: [] }
}

const databaseLane = ({ analysis, places }: Source): Lane => {
  const spans: Array<Span> = []
  const marks: Array<Mark> = []
  let open: { readonly from: number; readonly term: bigint; readonly by: string | undefined } | undefined
  const close = (at: number): void => {
    if (open === undefined) return
    const { by, from, term } = open
    const text = `term ${term} · ${by}`
    spans.push(
      by === undefined
        ? span("vacant", from, at, `vacant after term ${term}`)
        : span("tenure", from, at, `S("leader"): ${text}`, { of: places.get(hostOf(by)), text })
    )
  }
  for (const { entry, verdict } of Transitions.name(analysis)) {
    const { after: { leader, lease }, before, commit: { at, by } } = entry
    if (before.leader !== leader) {
      close(at)
      const claim = beginningOf(entry)
      const holder = claim && (analysis.owners.get(claim.who.registration) ?? by)
      open = typeof leader === "object" ? { from: at, term: leader.term, by: holder } : undefined
    }
    const what = "transition" in verdict ? verdict.transition : `illegal: ${verdict.illegal}`
    if (what === "heartbeat") continue
    const ballot = typeof lease === "object" ? lease.ballot : undefined
    marks.push({
      kind: "illegal" in verdict ? "illegal" : what === "renew" ? "renew" : "commit",
      at: seconds(at),
      of: places.get(hostOf(by)),
      text: what === "renew" && ballot !== undefined ? String(ballot) : what,
      label: `${by}: ${what}${ballot === undefined ? "" : `, ballot ${ballot}`}`
    })
  }
  close(analysis.history.endedAt)
  return { name: "database", kind: "database", spans, marks }
}

/** The events that the lanes of faults and operators show as spans, or not at all. */
const unmarked = new Set(["batch", "fault", "fault-begins", "fault-ends", "done", "begins", "quiet", "ends"])

const otherLane = ({ analysis, lines }: Source, kind: "simulation" | "operator", name: string): Lane => ({
  name,
  kind,
  spans: analysis.faults.filter(({ who }) => who === kind).map((fault) =>
    span(fault.kind, fault.from, fault.to, fault.kind)
  ),
  marks: analysis.history.events
    .filter((event) => event.who === kind && !unmarked.has(event.what))
    .map((event) => ({ kind: "act", at: seconds(event.at), text: event.what, line: lines.get(event) }))
})

const inNanoseconds = /^(leaderless|until|latency|duration|begun|monotonic|wall)$/
const inSeconds = /^(guardTimeout|finalizer|by|lease|heartbeat|candidateTimeout)$/

/** Durations and instants are shown in seconds. */
const toText = (name: string, detail: Detail): string => {
  const unit = inNanoseconds.test(name) ? second : inSeconds.test(name) ? 1 : name === "margin" ? 1000 : undefined
  return unit === undefined ? `${name}=${String(detail)}` : `${name}=${Number((Number(detail) / unit).toFixed(6))}s`
}

/** An event in the list. */
const toEntry = ({ at, details, what, who }: Event): LogEntry => {
  const rest = Object.entries(details).filter(([, detail]) => detail !== undefined)
  return [seconds(at), who, what, rest.map(([name, detail]) => toText(name, detail)).join(" ")]
}

/** What the lanes show of a history. */
const sourceOf = (history: History, election: string | undefined) => {
  const elections = analyze(history)
  const analysis = elections.find(({ election: { name } }) => name === election) ?? elections[0]!
  // Doubles come last.
  const planned = history.scenario.processes.map(({ id }) => id)
  const hosts = [...new Set([...planned, ...[...analysis.processes.keys()].map(hostOf)])]
  return {
    analysis,
    beliefs: beliefs(analysis),
    hosts,
    lines: new Map(history.events.map((event, line) => [event, line])),
    /** The index of each host among the lanes of processes. */
    places: new Map(hosts.map((host, place) => [host, place]))
  }
}

type Source = ReturnType<typeof sourceOf>

/** The page, which is bundled from `report/` when the package is built, with the data of a history. */
export const toHtml = (history: History, violations: ReadonlyArray<Violation>): string => {
  const source = sourceOf(history, violations[0]?.election)
  const { duration, faults, processes, profile, quietAt, seed } = history.scenario
  const elections = history.events.filter(({ what }) => what === "elected").length
  const title = `${profile}, seed ${seed}`
  const data: ReportData = {
    title,
    summary: `${plural(processes.length, "process", "processes")}, ${duration} s, ${plural(elections, "election")}, ` +
      `${plural(history.record.length, "commit")}, ${plural(faults.length, "fault")}`,
    duration,
    quietAt,
    lanes: [
      leaderLane(source),
      databaseLane(source),
      ...source.hosts.map((host) => processLane(source, host)),
      otherLane(source, "simulation", "faults"),
      otherLane(source, "operator", "operators")
    ],
    promises: Object.fromEntries(Checkers.all.map(({ name, promise }) => [name, promise])),
    violations: violations.map(({ at, checker, message, who }) => ({
      at: seconds(at),
      checker,
      message,
      lane: who && hostOf(who)
    })),
    log: history.events.map(toEntry)
  }
  const page = readFileSync(new URL("../dist/report.html", import.meta.url), "utf8")
  // The data are in a script, which they must not end.
  const json = JSON.stringify(data).replaceAll("<", "\\u003c")
  return page.replace("{{title}}", () => title).replace("{{data}}", () => json)
}
