/** A history as one page to look at: a lane for each process, the database, the weather and the operators. */
import type { Violation } from "./Checker.ts"
import { format } from "./EventLog.ts"
import type { History } from "./History.ts"
import { beliefs } from "./internal/beliefs.ts"
import * as Evidence from "./internal/evidence.ts"
import { page } from "./internal/reportPage.ts"
import * as Transitions from "./internal/transitions.ts"
import { works } from "./internal/works.ts"
import { second } from "./World.ts"

/** A stretch of a lane; times are seconds of the world. */
interface Span {
  readonly kind: string
  readonly from: number
  readonly to: number
  /** Whose colour it has: the place of a lane. */
  readonly of?: number | undefined
  readonly label: string
}

/** An instant of a lane. */
interface Mark {
  readonly kind: string
  readonly at: number
  readonly of?: number | undefined
  readonly label: string
}

interface Lane {
  readonly name: string
  readonly kind: "process" | "database" | "world" | "operator"
  readonly spans: ReadonlyArray<Span>
  readonly marks: ReadonlyArray<Mark>
}

const seconds = (at: number): number => Math.round(at / 1000) / (second / 1000)
const hostOf = (machine: string): string => machine.split("#")[0]!

/** What is worth a mark in the lane of a process. */
const marked: ReadonlySet<string> = new Set([
  "registered",
  "challenged",
  "elected",
  "lost",
  "overrun",
  "resigned",
  "crashes",
  "exits",
  "stops",
  "renewal-failed",
  "retried",
  "conflict",
  "fault",
  "step",
  "renewed",
  "prioritizes",
  "clock"
])

const processLane = (evidence: Evidence.Evidence, host: string, place: number): Lane => {
  const spans: Array<Span> = []
  const marks: Array<Mark> = []
  for (const life of evidence.machines.values()) {
    if (hostOf(life.name) !== host) continue
    spans.push({
      kind: "alive",
      from: seconds(life.born),
      to: seconds(life.died),
      label: `${life.name} runs as candidate "${life.id}"`
    })
    for (const event of life.events) {
      if (!marked.has(event.what)) continue
      if (event.what === "clock" && event.at === life.born) continue
      marks.push({ kind: event.what, at: seconds(event.at), of: place, label: format(event).slice(17) })
    }
  }
  for (const { from, term, to, who } of beliefs(evidence)) {
    if (hostOf(who) !== host) continue
    const label = `${who} believes that it leads, in term ${term}`
    spans.push({ kind: "believes", from: seconds(from), to: seconds(to), of: place, label })
  }
  for (const { begins, ended, ends, life, term } of works(evidence)) {
    if (hostOf(life.name) !== host) continue
    const over = ended ?? life.died
    const stopped = ends ?? over
    const work = `the work of ${life.name} in term ${term}`
    spans.push({ kind: "works", from: seconds(begins), to: seconds(stopped), of: place, label: work })
    if (over > stopped) {
      const label = `the finalizers of ${work}`
      spans.push({ kind: "finalizes", from: seconds(stopped), to: seconds(over), of: place, label })
    }
  }
  for (const { from, kind, to, who } of Evidence.faults(evidence.history)) {
    if (hostOf(who) !== host) continue
    spans.push({ kind, from: seconds(from), to: seconds(to), label: `${who}: ${kind}` })
  }
  return { name: host, kind: "process", spans, marks }
}

const databaseLane = (evidence: Evidence.Evidence, places: ReadonlyMap<string, number>): Lane => {
  const spans: Array<Span> = []
  const marks: Array<Mark> = []
  let open: { readonly from: number; readonly term: bigint; readonly by: string } | undefined
  const close = (at: number): void => {
    if (open === undefined) return
    const { by, from, term } = open
    const label = `term ${term}: ${by}`
    spans.push({ kind: "tenure", from: seconds(from), to: seconds(at), of: places.get(hostOf(by)), label })
    open = undefined
  }
  for (const { entry: { after, before, commit }, verdict } of Transitions.name(evidence)) {
    const { leader, lease } = after
    const what = "transition" in verdict ? verdict.transition : `illegal: ${verdict.illegal}`
    if (before.leader !== leader) {
      close(commit.at)
      if (typeof leader === "object" && leader.held) {
        open = { from: commit.at, term: leader.term, by: evidence.owners.get(leader.who.registration) ?? commit.by }
      }
    }
    if (what === "beat") continue
    const ballot = typeof lease === "object" ? `, ballot ${lease.ballot}` : ""
    marks.push({
      kind: "illegal" in verdict ? "illegal" : what === "renew" ? "renew" : "commit",
      at: seconds(commit.at),
      of: places.get(hostOf(commit.by)),
      label: `${commit.by}: ${what}${ballot}`
    })
  }
  close(evidence.history.endedAt)
  return { name: "database", kind: "database", spans, marks }
}

const otherLane = (evidence: Evidence.Evidence, who: "world" | "operator"): Lane => ({
  name: who === "world" ? "weather" : "operators",
  kind: who,
  spans: Evidence.faults(evidence.history).filter((fault) => fault.who === who).map(({ from, kind, to }) => ({
    kind,
    from: seconds(from),
    to: seconds(to),
    label: kind
  })),
  marks: evidence.history.events
    .filter((event) => event.who === who && !event.what.startsWith("fault") && event.what !== "done")
    .map((event) => ({ kind: "act", at: seconds(event.at), label: format(event).slice(17) }))
})

/** JSON that may stand in a script. */
const embed = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c")

/** The page. */
export const toHtml = (history: History, violations: ReadonlyArray<Violation>): string => {
  const evidence = Evidence.collect(history)
  // Doubles come last.
  const own = history.scenario.processes.map(({ id }) => id)
  const hosts = [...new Set([...own, ...[...evidence.machines.keys()].map(hostOf)])]
  const places = new Map(hosts.map((host, place) => [host, place]))
  const { duration, processes, profile, quietAt, seed } = history.scenario
  return page(
    `${profile}, seed ${seed}`,
    embed({
      title: `${profile}, seed ${seed}`,
      summary: `${processes.length} processes, ${duration} s, ${history.record.length} commits, ` +
        `${
          history.events.filter(({ what }) => what === "elected").length
        } elections, ${history.scenario.episodes.length} episodes`,
      duration,
      quietAt,
      lanes: [
        databaseLane(evidence, places),
        ...hosts.map((host, place) => processLane(evidence, host, place)),
        otherLane(evidence, "world"),
        otherLane(evidence, "operator")
      ],
      violations: violations.map(({ at, checker, message, who }) => ({
        at: seconds(at),
        checker,
        message,
        lane: who === undefined ? undefined : hostOf(who)
      })),
      log: history.events.map((event) => [seconds(event.at), format(event)])
    })
  )
}
