/** What the page knows of an election: the last status, the tenures, the renewals seen, and what this process's candidate has told. */
import type { Lane, Lease, Mark, ReportData, Span } from "../../simulation/src/internal/reportData.ts"

export interface Leader {
  readonly id: string
  readonly term: string
  readonly priority: number
  readonly ballot: string
  readonly leaseMillis: number
  readonly remainingMillis: number
}

export interface Candidate {
  readonly id: string
  readonly priority: number
  readonly heartbeatAgoMillis: number
}

interface SlotOrShardLeader {
  readonly id: string
  readonly term: string
  readonly remainingMillis: number
}

/** As `/status` tells it. */
export interface Status {
  readonly time: string
  readonly election: string
  readonly unreachable?: string
  readonly leader?: Leader | null
  readonly challenge?: { readonly challenger: string | null; readonly term: string } | null
  readonly candidates?: ReadonlyArray<Candidate>
  readonly config?: { readonly enabled: boolean; readonly heartbeatMillis: number }
  readonly slots?: ReadonlyArray<{ readonly slot: number; readonly leader: SlotOrShardLeader | null }>
  readonly waiting?: ReadonlyArray<string>
  readonly shards?: ReadonlyArray<
    { readonly shard: number; readonly owner: string | null; readonly leader: SlotOrShardLeader | null }
  >
  readonly members?: ReadonlyArray<{ readonly id: string; readonly alive: boolean }>
}

/** As `/history` tells it. */
export interface Tenure {
  readonly term: string
  readonly leader: string
  readonly startMillis: number
  readonly endMillis: number | null
  readonly reason: string | null
}

/** An event of the candidate of the process that serves the page. */
export interface Told {
  readonly at: number
  readonly event: string
  readonly candidate: string
  readonly text: string
}

/** The lanes of processes that are drawn at most, of those that have not led, and the events and leases that are kept. */
const mostProcesses = 8
const mostOthers = 3
const mostKept = 2000

/** The events that have a mark, with the kind of the mark. */
const marks: { readonly [event: string]: string } = {
  Registered: "registered",
  Challenged: "challenged",
  Elected: "elected",
  Lost: "lost",
  Overrun: "overrun",
  RenewalFailed: "renewal-failed",
  Retried: "retried",
  Superseded: "lost"
}

export class Model {
  readonly name: string
  status: Status | undefined
  tenures: ReadonlyArray<Tenure> = []
  unreachable: string | undefined
  readonly told: Array<Told> = []
  private readonly leases: Array<Lease & { readonly id: string; readonly at: number }> = []
  private readonly places = new Map<string, number>()
  private readonly seen = new Map<string, { readonly from: number; to: number }>()

  constructor(name: string) {
    this.name = name
  }

  /** The colour of a process is its place. */
  placeOf(id: string): number {
    const known = this.places.get(id)
    if (known !== undefined) return known
    this.places.set(id, this.places.size)
    return this.places.size - 1
  }

  took(status: Status): void {
    const { candidates = [], leader } = status
    const before = this.status?.leader
    const now = Date.parse(status.time)
    this.status = status
    this.unreachable = undefined
    for (const { id } of candidates) {
      const seen = this.seen.get(id)
      if (seen === undefined) this.seen.set(id, { from: now, to: now })
      else seen.to = now
    }
    if (!leader || (before?.ballot === leader.ballot && before.term === leader.term)) return
    // The renewal was a while ago.
    const at = now - (leader.leaseMillis - leader.remainingMillis)
    const last = this.leases.at(-1)
    if (last !== undefined && last.id === leader.id) this.leases[this.leases.length - 1] = { ...last, to: at }
    const deadline = now + leader.remainingMillis
    const full = leader.leaseMillis / 1000
    this.leases.push({ id: leader.id, at, from: at, to: deadline, deadline, full, of: this.placeOf(leader.id) })
    if (this.leases.length > mostKept) this.leases.splice(0, mostKept / 2)
  }

  tells(told: Told): void {
    this.told.push(told)
    if (this.told.length > mostKept) this.told.splice(0, mostKept / 2)
  }

  /** The tenure of the leader. */
  get tenure(): Tenure | undefined {
    return this.tenures.find(({ term }) => term === this.status?.leader?.term)
  }

  /** Those that wait, the leader left out. */
  get waiting(): ReadonlyArray<Candidate> {
    return (this.status?.candidates ?? []).filter(({ id }) => id !== this.status?.leader?.id)
  }

  /** What the timeline draws at `now`, in milliseconds since the epoch. */
  toTimeline(now: number): ReportData {
    const starts = [
      ...this.tenures.map(({ startMillis }) => startMillis),
      ...[...this.seen.values()].map(({ from }) => from)
    ]
    const first = Math.min(now - 120_000, ...starts.filter((at) => at > now - 86_400_000))
    const seconds = (at: number): number => (at - first) / 1000
    const duration = seconds(now)

    const tenures = this.tenures.toReversed().filter(({ startMillis }) => startMillis >= first)
    const spans: Array<Span> = []
    // What was before the first tenure that is known is not.
    let reached = Number.POSITIVE_INFINITY
    const nobody = (to: number): void => {
      if (to - reached < 0.001) return
      spans.push({ kind: "nobody", from: reached, to, label: `nobody leads for ${(to - reached).toFixed(1)} s` })
    }
    for (const [index, tenure] of tenures.entries()) {
      const from = seconds(tenure.startMillis)
      const next = tenures[index + 1]
      const open = tenure.term === this.status?.leader?.term ? now : next?.startMillis ?? now
      const to = Math.max(from, seconds(tenure.endMillis ?? open))
      if (index > 0) nobody(from)
      const text = `${tenure.leader} · ${tenure.term}`
      const label = `${tenure.leader} leads in term ${tenure.term}${
        tenure.reason === null ? "" : `; it ended: ${tenure.reason}`
      }`
      spans.push({ kind: "leads", from, to, of: this.placeOf(tenure.leader), label, text })
      reached = index === 0 ? to : Math.max(reached, to)
    }
    nobody(duration)

    const leaders = [...new Set([this.status?.leader?.id, ...this.tenures.map(({ leader }) => leader)])]
    const led = leaders.filter((id) => id !== undefined).slice(0, mostProcesses)
    const others = [...this.seen.keys()].filter((id) => !led.includes(id)).slice(0, mostOthers)
    const ids = [...led, ...others].slice(0, mostProcesses)
    const processes = ids.map((id): Lane => this.processLane(id, seconds, duration))
    return {
      title: this.name,
      summary: "",
      duration,
      epoch: first,
      quietAt: duration,
      lanes: [{ name: "leader", kind: "leader", spans, marks: [] }, ...processes],
      promises: {},
      violations: [],
      log: []
    }
  }

  private processLane(id: string, seconds: (at: number) => number, duration: number): Lane {
    const place = this.placeOf(id)
    const seen = this.seen.get(id)
    const alive: ReadonlyArray<Span> = seen === undefined ? [] : [
      { kind: "alive", from: seconds(seen.from), to: seconds(seen.to), label: `${id} takes part` }
    ]
    const led = this.tenures.filter(({ leader }) => leader === id).flatMap((tenure): ReadonlyArray<Span> => {
      const from = seconds(tenure.startMillis)
      const lasts = tenure.term === this.status?.leader?.term
      if (tenure.endMillis === null && !lasts) return []
      const to = tenure.endMillis === null ? duration : seconds(tenure.endMillis)
      return [
        { kind: "believes", from, to, of: place, label: `${id} leads in term ${tenure.term}` },
        { kind: "works", from, to, of: place, label: "" }
      ]
    })
    const leases = this.leases.filter((lease) => lease.id === id).map(({ deadline, from, full, of, to }): Lease => ({
      from: seconds(from),
      to: Math.min(seconds(to), duration),
      deadline: seconds(deadline),
      full,
      of
    }))
    const marked = this.told.flatMap(({ at, candidate, event, text }): ReadonlyArray<Mark> => {
      const kind = marks[event]
      return candidate !== id || kind === undefined ? [] : [{ kind, at: seconds(at), of: place, text, label: text }]
    })
    return { name: id, kind: "process", place, spans: [...alive, ...led], marks: marked, leases }
  }
}
