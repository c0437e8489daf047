/** Events as log lines and metrics. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import { differences } from "../../ElectionConfig.ts"
import type { ClockOutOfRange, StoreError } from "../../ElectionError.ts"
import { ElectionEvent } from "../../ElectionEvent.ts"
import type { ElectionMetrics } from "../../ElectionMetrics.ts"

/** The database's code, or what is wrong with the records. */
const errorName = (error: StoreError | ClockOutOfRange): string =>
  error._tag === "FdbError" ? String(error.code) : error._tag

/** How many of the candidates that were evicted a line names. */
const mostNamed = 5

const millisOf = (duration: Duration.Duration): string => `${Math.round(Duration.toMillis(duration))} ms`

/** A line for the log; its text is made only where somebody reads it. */
interface Line {
  readonly level: LogLevel.Severity
  readonly text: () => string
}

const line = (level: LogLevel.Severity, text: () => string): Line => ({ level, text })

const toLine: (event: ElectionEvent) => Line = ElectionEvent.$match({
  Registered: ({ again, candidate }) =>
    again
      ? line("Warn", () => `"${candidate}" was evicted and has registered again`)
      : line("Debug", () => `"${candidate}" is registered`),
  Superseded: ({ candidate }) =>
    line("Warn", () => `another process registered as "${candidate}": give each process its own id, or omit it`),
  ConfigDiffers: ({ candidate, given, inForce }) =>
    line("Warn", () => {
      const fields = differences(given, inForce).map(({ field, given, inForce }) =>
        `${field} is ${inForce}, not ${given}`
      )
      return `"${candidate}" was given a configuration that differs from the one in force: ${fields.join(", ")}; ` +
        "writeConfig changes it"
    }),
  Following: ({ candidate, enabled, leader, term }) =>
    line("Debug", () => {
      if (!enabled) return `"${candidate}" waits until the election is enabled`
      return leader === undefined
        ? `"${candidate}" sees no leader`
        : `"${candidate}" follows "${leader}" in term ${term}`
    }),
  Challenged: ({ candidate, term }) =>
    line("Info", () => `"${candidate}" has asked the leader of term ${term} to step down`),
  Elected: ({ candidate, cause, leaderless, term }) =>
    line("Info", () => `"${candidate}" leads in term ${term} (${cause}, leaderless for ${millisOf(leaderless)})`),
  Shortened: ({ candidate, leaseDuration, term }) =>
    line("Debug", () => `"${candidate}" shortens the lease of term ${term}: ${millisOf(leaseDuration)}`),
  Renewed: ({ ballot, candidate, latency, path, term }) =>
    line("Debug", () => `"${candidate}" has renewed term ${term}: ballot ${ballot}, ${path}, ${millisOf(latency)}`),
  RenewalFailed: ({ candidate, error, path, term }) =>
    path === "fast"
      ? line("Debug", () => `"${candidate}" could not renew term ${term} by the fast path: ${error.message}`)
      : line("Warn", () => `"${candidate}" could not renew term ${term} and tries again: ${error.message}`),
  Lost: ({ candidate, reason, term }) =>
    reason === "resigned"
      ? line("Debug", () => `"${candidate}" resigns from term ${term}`)
      : line("Warn", () => `"${candidate}" has lost the leadership of term ${term}: ${reason}`),
  Overrun: ({ candidate, term }) =>
    line(
      "Error",
      () =>
        `the work of "${candidate}" in term ${term} goes on though its lease has lapsed and another may lead: ` +
        "make it interruptible and its finalizers shorter than the safety margin"
    ),
  Resigned: ({ candidate, term }) => line("Info", () => `"${candidate}" has resigned from term ${term}`),
  Evicted: ({ candidate, candidates }) =>
    line("Info", () => {
      const named = candidates.slice(0, mostNamed).map((id) => `"${id}"`).join(", ")
      return `"${candidate}" has evicted ${candidates.length} dead candidates: ${named}` +
        (candidates.length > mostNamed ? ", …" : "")
    }),
  Retried: ({ candidate, error }) => line("Debug", () => `"${candidate}" tries again: ${error.message}`)
})

/** In seconds, from a millisecond to 65 seconds. The last one of the count is infinite. */
const boundaries = Metric.exponentialBoundaries({ start: 0.001, factor: 2, count: 18 })

/** Who keeps the same series, in each registry: two processes in a test, or the candidates of an election where none is named. */
interface Kept {
  telemetries: number
  /** Marks, and not the telemetries: a candidate that is never closed is not kept by them. */
  readonly leading: Set<object>
  /** Whether there has ever been more than one. */
  isShared: boolean
}

const keptIn = new WeakMap<Metric.MetricRegistry, Map<string, Kept>>()

const keepersIn = (registry: Metric.MetricRegistry): Map<string, Kept> => {
  const found = keptIn.get(registry) ?? new Map<string, Kept>()
  keptIn.set(registry, found)
  return found
}

/** In what context series were made. */
interface Made {
  readonly context: Context.Context<never>
  /** Whether other contexts have given them other attributes. */
  isVaried: boolean
  readonly kept: Kept
}

/** The metrics of one candidate, made once: to tag one anew costs many times what an update does. */
const makeMetrics = (attributes: Readonly<Record<string, string>>) => {
  const counter = (id: string, description: string) =>
    Metric.counter(id, { description, attributes, incremental: true })
  const counters = (id: string, label: string, description: string) => new Counters(id, label, description, attributes)
  const histogram = (id: string, description: string) =>
    Metric.histogram(id, { description, attributes: { ...attributes, unit: "seconds" }, boundaries })
  return {
    leading: Metric.gauge("fdb_election_leading", {
      description: "1 while the candidate leads, 0 otherwise",
      attributes
    }),
    witnesses: Metric.gauge("fdb_election_witnesses", {
      description: "How many other processes of the host would know at once if the process of the leader ended",
      attributes
    }),
    transitions: counters(
      "fdb_election_transitions_total",
      "cause",
      "Tenures that the candidate has begun, by cause"
    ),
    losses: counters("fdb_election_losses_total", "reason", "Tenures that were over for the candidate, by reason"),
    overruns: counter("fdb_election_overruns_total", "Tenures whose work went on when another could lead already"),
    evictions: counter("fdb_election_evictions_total", "Dead candidates that the leader has evicted"),
    renewals: counters("fdb_election_renewals_total", "path", "Renewals, by path"),
    failures: counters(
      "fdb_election_failures_total",
      "error",
      "Heartbeats of followers and leaders that failed and were tried again, by error"
    ),
    renewalLatency: histogram("fdb_election_renewal_latency_seconds", "How long a renewal took"),
    renewalHeadroom: histogram(
      "fdb_election_renewal_headroom_seconds",
      "How much was left of the leader's belief when it was renewed"
    ),
    leaderless: histogram(
      "fdb_election_leaderless_seconds",
      "How long nobody had been seen to lead when the candidate was elected"
    )
  }
}

/** The log lines and metrics of one candidate. */
export class Telemetry {
  private readonly about: { readonly election: string; readonly candidate: string }
  private readonly attributes: Readonly<Record<string, string>>
  private readonly metrics: ReturnType<typeof makeMetrics>
  /** Where its series are. */
  private readonly registries = new Map<Metric.MetricRegistry, Made>()
  private readonly mark = {}
  /** Whether the next renewal is the first one of an appointed tenure: its lease is short, which tells nothing of the pace. */
  private isAppointed = false
  private isClosed = false

  constructor(election: string, candidate: string, { candidateLabel }: typeof ElectionMetrics.Service) {
    this.about = { election, candidate }
    this.attributes = candidateLabel ? this.about : { election }
    this.metrics = makeMetrics(this.attributes)
  }

  /** Updates the metrics and logs the event. */
  record(event: ElectionEvent): Effect.Effect<void> {
    return Effect.contextWith((context: Context.Context<never>) => {
      this.measure(event, context)
      const { level, text } = toLine(event)
      return LogLevel.isGreaterThan(Context.get(context, References.MinimumLogLevel), level)
        ? Effect.void
        : Effect.annotateLogs(Effect.logWithLevel(level)(text()), this.about)
    })
  }

  /** Gives its series up, unless another candidate of this id keeps them, or they are of all candidates of the election. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    for (const [registry, { context, isVaried }] of this.registries) {
      const keepers = keepersIn(registry)
      const kept = keepers.get(this.key)
      if (kept === undefined) continue
      if (kept.leading.delete(this.mark)) this.metrics.leading.updateUnsafe(kept.leading.size, context)
      if (--kept.telemetries > 0 || !("candidate" in this.attributes)) continue
      keepers.delete(this.key)
      // A process may have thousands of candidates: none looks at the series of all others where it knows its own.
      if (kept.isShared || isVaried) this.search(registry)
      else for (const metric of this.series) Metric.removeUnsafe(metric, context)
    }
  }

  /** Removes its series wherever they are among all of a registry. */
  private search(registry: Metric.MetricRegistry): void {
    for (const [key, { attributes }] of registry) {
      if (attributes?.["election"] === this.about.election && attributes["candidate"] === this.about.candidate) {
        registry.delete(key)
      }
    }
  }

  private get series(): ReadonlyArray<Metric.Metric<never, unknown>> {
    return Object.values(this.metrics).flatMap((metric) => metric instanceof Counters ? metric.all : [metric])
  }

  private get key(): string {
    return JSON.stringify(this.attributes)
  }

  private keepIn(context: Context.Context<never>): Kept {
    const registry = Context.get(context, Metric.MetricRegistry)
    const made = this.registries.get(registry)
    if (made !== undefined) {
      const attributes = Context.get(made.context, Metric.CurrentMetricAttributes)
      if (Context.get(context, Metric.CurrentMetricAttributes) !== attributes) made.isVaried = true
      return made.kept
    }
    const keepers = keepersIn(registry)
    const found = keepers.get(this.key)
    const kept = found ?? { telemetries: 0, isShared: false, leading: new Set() }
    kept.isShared = found !== undefined
    kept.telemetries++
    keepers.set(this.key, kept)
    this.registries.set(registry, { context, isVaried: false, kept })
    return kept
  }

  private measure(event: ElectionEvent, context: Context.Context<never>): void {
    if (this.isClosed) return
    const kept = this.keepIn(context)
    switch (event._tag) {
      case "Registered":
        this.metrics.leading.updateUnsafe(kept.leading.size, context)
        if (kept.leading.size === 0) this.metrics.witnesses.updateUnsafe(0, context)
        return this.begin(context)
      case "Elected":
        this.isAppointed = event.cause === "appointed"
        this.metrics.leading.updateUnsafe(kept.leading.add(this.mark).size, context)
        this.metrics.witnesses.updateUnsafe(event.witnesses, context)
        this.metrics.transitions.count(event.cause, context)
        return this.metrics.leaderless.updateUnsafe(Duration.toSeconds(event.leaderless), context)
      case "Renewed":
        this.metrics.witnesses.updateUnsafe(event.witnesses, context)
        this.metrics.renewals.count(event.path, context)
        this.metrics.renewalLatency.updateUnsafe(Duration.toSeconds(event.latency), context)
        if (!this.isAppointed) this.metrics.renewalHeadroom.updateUnsafe(Duration.toSeconds(event.headroom), context)
        this.isAppointed = false
        return
      case "Lost":
        kept.leading.delete(this.mark)
        this.metrics.leading.updateUnsafe(kept.leading.size, context)
        if (kept.leading.size === 0) this.metrics.witnesses.updateUnsafe(0, context)
        return this.metrics.losses.count(event.reason, context)
      case "Overrun":
        return this.metrics.overruns.updateUnsafe(1, context)
      case "Evicted":
        return this.metrics.evictions.updateUnsafe(event.candidates.length, context)
      case "RenewalFailed":
      case "Retried":
        return this.metrics.failures.count(errorName(event.error), context)
    }
  }

  /**
   * What a change of leaders will tell is there from the start: a series that begins with its first event hides it from whoever
   * asks for its rate, and to begin one then would keep the successor waiting.
   */
  private begin(context: Context.Context<never>): void {
    this.metrics.transitions.begin("appointed", context)
    this.metrics.transitions.begin("vacant", context)
    this.metrics.transitions.begin("lapsed", context)
    this.metrics.transitions.begin("died", context)
    this.metrics.losses.begin("resigned", context)
    this.metrics.losses.begin("expired", context)
    this.metrics.losses.begin("stepped-down", context)
    this.metrics.losses.begin("preempted", context)
    this.metrics.overruns.valueUnsafe(context)
    this.metrics.leaderless.valueUnsafe(context)
  }
}

/** Counters of one name, one for each value of an attribute. */
class Counters {
  private readonly made = new Map<string, Metric.Metric<number, unknown>>()
  private readonly make: (value: string) => Metric.Metric<number, unknown>

  constructor(id: string, label: string, description: string, attributes: Readonly<Record<string, string>>) {
    this.make = (value) =>
      Metric.counter(id, { description, attributes: { ...attributes, [label]: value }, incremental: true })
  }

  get all(): ReadonlyArray<Metric.Metric<number, unknown>> {
    return [...this.made.values()]
  }

  begin(value: string, context: Context.Context<never>): void {
    this.of(value).valueUnsafe(context)
  }

  count(value: string, context: Context.Context<never>): void {
    this.of(value).updateUnsafe(1, context)
  }

  private of(value: string): Metric.Metric<number, unknown> {
    let counter = this.made.get(value)
    if (counter === undefined) this.made.set(value, counter = this.make(value))
    return counter
  }
}
