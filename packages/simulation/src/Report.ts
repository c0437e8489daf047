/** A history as one page to look at: who leads, the database, a lane for each process, the weather and the operators. */
import type { Violation } from "./Checker.ts"
import * as Checkers from "./Checkers.ts"
import type { Detail, Event } from "./EventLog.ts"
import { second } from "./EventScheduler.ts"
import type { History } from "./History.ts"
import * as Analysis from "./internal/analysis.ts"
import { type Belief, beliefs } from "./internal/beliefs.ts"
import { plural } from "./internal/plural.ts"
import type { Lane, Lease, LogEntry, Mark, ReportData, Span } from "./internal/reportData.ts"
import { page } from "./internal/reportPage.ts"
import * as Transitions from "./internal/transitions.ts"
import { workRuns } from "./internal/workRuns.ts"

/** A history, and what the lanes need of it. */
interface Material {
  readonly analysis: Analysis.Analysis
  readonly beliefs: ReadonlyArray<Belief>
  readonly lines: ReadonlyMap<Event, number>
  /** The place of each process among the lanes. */
  readonly places: ReadonlyMap<string, number>
}

const seconds = (at: number): number => Math.round(at / 1000) / (second / 1000)
const hostOf = (process: string): string => process.split("#")[0]!

/** What is worth a mark in the lane of a process, and its text. */
const marked: { readonly [what: string]: (details: Event["details"]) => string | undefined } = {
  registered: ({ again }) => again === true ? "registers again" : "registers",
  challenged: () => "challenges",
  elected: ({ cause, term }) => `term ${term} (${cause})`,
  lost: ({ reason }) => String(reason),
  overrun: () => "overruns its lease",
  resigned: () => undefined,
  crashes: () => "crashes",
  exits: ({ reason }) => `exits: ${reason}`,
  stops: () => "is stopped",
  "renewal-failed": ({ error }) => `renewal: ${error}`,
  retried: () => undefined,
  conflict: () => "conflict",
  fault: ({ kind }) => String(kind),
  step: () => undefined,
  renewed: () => undefined,
  prioritizes: ({ priority }) => `priority ${priority}`,
  clock: () => undefined
}

const processLane = ({ beliefs, analysis, lines, places }: Material, host: string): Lane => {
  const spans: Array<Span> = []
  const marks: Array<Mark> = []
  const leases: Array<Lease> = []
  const place = places.get(host) ?? 0
  const own = beliefs.filter(({ who }) => hostOf(who) === host)
  const lives = [...analysis.processes.values()].filter(({ name }) => hostOf(name) === host)
  for (const [index, process] of lives.entries()) {
    const reborn = lives[index + 1]?.born ?? analysis.history.endedAt
    if (reborn > process.died) {
      const label = `${process.name} is dead, and nothing runs on its host`
      spans.push({ kind: "dead", from: seconds(process.died), to: seconds(reborn), label })
    }
    spans.push({
      kind: "alive",
      from: seconds(process.born),
      to: seconds(process.died),
      label: `${process.name} runs as candidate "${process.id}"`
    })
    for (const event of process.events) {
      const text = marked[event.what]
      if (text === undefined || (event.what === "clock" && event.at === process.born)) continue
      const { at, details, what } = event
      marks.push({ kind: what, at: seconds(at), of: place, text: text(details), line: lines.get(event) })
    }
    const confirmed = process.events.filter(({ what }) => what === "elected" || what === "renewed")
    confirmed.forEach(({ at, details }, index) => {
      const belief = own.find((belief) => belief.who === process.name && belief.from <= at && at <= belief.to)
      if (belief === undefined) return
      const until = Number(details["until"])
      const shown = Analysis.whenShown(process, "monotonic", until, at)
      // It may have died before.
      const deadline = Number.isFinite(shown)
        ? shown
        : at + (until - Analysis.shownAt(process, "monotonic", at)) / (process.clock[0]?.rate ?? 1)
      const next = confirmed[index + 1]?.at ?? Number.POSITIVE_INFINITY
      const full = deadline - at
      if (full <= 0) return
      const to = seconds(Math.min(next, belief.to))
      leases.push({ from: seconds(at), to, deadline: seconds(deadline), full: seconds(full), of: place })
    })
  }
  for (const { from, term, to, who } of own) {
    const label = `${who} believes that it leads, in term ${term}`
    spans.push({ kind: "believes", from: seconds(from), to: seconds(to), of: place, label })
  }
  for (const { begins, ended, ends, process, term } of workRuns(analysis)) {
    if (hostOf(process.name) !== host) continue
    const over = ended ?? process.died
    const stopped = ends ?? over
    const work = `the work of ${process.name} in term ${term}`
    spans.push({ kind: "works", from: seconds(begins), to: seconds(stopped), of: place, label: work })
    if (over > stopped) {
      const label = `the finalizers of ${work}`
      spans.push({ kind: "finalizes", from: seconds(stopped), to: seconds(over), of: place, label })
    }
  }
  for (const { from, kind, to, who } of analysis.faults) {
    if (hostOf(who) !== host) continue
    spans.push({ kind, from: seconds(from), to: seconds(to), label: `${who}: ${kind}` })
  }
  return { name: host, kind: "process", place, spans, marks, leases: leases.toSorted((a, b) => a.from - b.from) }
}

/** Who believes that it leads: nobody at times, and never two. */
const leaderLane = ({ beliefs, analysis, places }: Material): Lane => {
  const spans: Array<Span> = []
  let reached = 0
  const nobody = (to: number): void => {
    if (to <= reached) return
    const label = `nobody leads for ${((to - reached) / second).toFixed(3)} s`
    spans.push({ kind: "nobody", from: seconds(reached), to: seconds(to), label })
  }
  for (const { from, term, to, who } of beliefs.toSorted((a, b) => a.from - b.from)) {
    nobody(from)
    const label = `${who} believes that it leads, in term ${term}`
    const text = `${hostOf(who)} · ${term}`
    spans.push({ kind: "leads", from: seconds(from), to: seconds(to), of: places.get(hostOf(who)), label, text })
    if (from < reached - 1000) {
      const over = Math.min(to, reached)
      const label = `two believe that they lead, for ${((over - from) / second).toFixed(6)} s`
      spans.push({ kind: "overlap", from: seconds(from), to: seconds(over), label })
    }
    reached = Math.max(reached, to)
  }
  nobody(analysis.history.endedAt)
  return { name: "leader", kind: "leader", spans, marks: [] }
}

const databaseLane = ({ analysis, places }: Material): Lane => {
  const spans: Array<Span> = []
  const marks: Array<Mark> = []
  let open: { readonly from: number; readonly term: bigint; readonly by: string | undefined } | undefined
  const close = (at: number): void => {
    if (open === undefined) return
    const { by, from, term } = open
    const stretch = { from: seconds(from), to: seconds(at) }
    if (by === undefined) spans.push({ kind: "vacant", ...stretch, label: `vacant after term ${term}` })
    else {
      const text = `term ${term} · ${by}`
      spans.push({ kind: "tenure", ...stretch, of: places.get(hostOf(by)), label: `S("leader"): ${text}`, text })
    }
  }
  for (const { entry: { after, before, commit }, verdict } of Transitions.name(analysis)) {
    const { leader, lease } = after
    const what = "transition" in verdict ? verdict.transition : `illegal: ${verdict.illegal}`
    if (before.leader !== leader) {
      close(commit.at)
      const held = typeof leader === "object" && leader.held
      const by = held ? analysis.owners.get(leader.who.registration) ?? commit.by : undefined
      open = typeof leader === "object" ? { from: commit.at, term: leader.term, by } : undefined
    }
    if (what === "heartbeat") continue
    const ballot = typeof lease === "object" ? lease.ballot : undefined
    marks.push({
      kind: "illegal" in verdict ? "illegal" : what === "renew" ? "renew" : "commit",
      at: seconds(commit.at),
      of: places.get(hostOf(commit.by)),
      text: what === "renew" && ballot !== undefined ? String(ballot) : what,
      label: `${commit.by}: ${what}${ballot === undefined ? "" : `, ballot ${ballot}`}`
    })
  }
  close(analysis.history.endedAt)
  return { name: "database", kind: "database", spans, marks }
}

const otherLane = ({ analysis, lines }: Material, who: "simulation" | "operator"): Lane => ({
  name: who === "simulation" ? "faults" : "operators",
  kind: who,
  spans: analysis.faults.filter((fault) => fault.who === who).map(({ from, kind, to }) => ({
    kind,
    from: seconds(from),
    to: seconds(to),
    label: kind
  })),
  marks: analysis.history.events
    .filter((event) => event.who === who && !unmarked.has(event.what))
    .map((event) => ({ kind: "act", at: seconds(event.at), text: event.what, line: lines.get(event) }))
})

/** What the lanes of the weather and of operators show otherwise, or not at all. */
const unmarked: ReadonlySet<string> = new Set([
  "batch",
  "fault",
  "fault-begins",
  "fault-ends",
  "done",
  "begins",
  "quiet",
  "ends"
])

/** How many to a second there are of what spans and instants are told in; the log tells each as it has it. */
const perSecond: ReadonlyMap<string, number> = new Map([
  ...["leaderless", "until", "latency", "duration", "begun", "monotonic", "wall"].map((name) =>
    [name, second] as const
  ),
  ["margin", 1000],
  ...["guardTimeout", "finalizer", "by", "lease", "heartbeat", "candidateTimeout"].map((name) => [name, 1] as const)
])

const toText = (name: string, detail: Detail): string => {
  const unit = perSecond.get(name)
  return unit === undefined ? `${name}=${String(detail)}` : `${name}=${Number((Number(detail) / unit).toFixed(6))}s`
}

/** An event for the list: when, who, what, and the rest. */
const toEntry = ({ at, details, what, who }: Event): LogEntry => {
  const rest = Object.entries(details).filter(([, detail]) => detail !== undefined)
  return [seconds(at), who, what, rest.map(([name, detail]) => toText(name, detail)).join(" ")]
}

/** JSON that may stand in a script. */
const embed = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c")

/** The page. */
export const toHtml = (history: History, violations: ReadonlyArray<Violation>): string => {
  const analysis = Analysis.analyze(history)
  // Doubles come last.
  const own = history.scenario.processes.map(({ id }) => id)
  const hosts = [...new Set([...own, ...[...analysis.processes.keys()].map(hostOf)])]
  const material: Material = {
    analysis,
    beliefs: beliefs(analysis),
    lines: new Map(history.events.map((event, line) => [event, line])),
    places: new Map(hosts.map((host, place) => [host, place]))
  }
  const { duration, processes, profile, quietAt, seed } = history.scenario
  const elections = history.events.filter(({ what }) => what === "elected").length
  const title = `${profile}, seed ${seed}`
  const data: ReportData = {
    title,
    summary: `${plural(processes.length, "process", "processes")}, ${duration} s, ${plural(elections, "election")}, ` +
      `${plural(history.record.length, "commit")}, ${plural(history.scenario.faults.length, "fault")}`,
    duration,
    quietAt,
    lanes: [
      leaderLane(material),
      databaseLane(material),
      ...hosts.map((host) => processLane(material, host)),
      otherLane(material, "simulation"),
      otherLane(material, "operator")
    ],
    promises: Object.fromEntries(Checkers.all.map(({ name, promise }) => [name, promise])),
    violations: violations.map(({ at, checker, message, who }) => ({
      at: seconds(at),
      checker,
      message,
      lane: who === undefined ? undefined : hostOf(who)
    })),
    log: history.events.map(toEntry)
  }
  return page(title, embed(data))
}
