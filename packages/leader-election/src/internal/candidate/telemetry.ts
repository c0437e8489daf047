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

const toLine: (event: ElectionEvent) => Line = ElectionEvent.$match({
  Registered: ({ again, candidate }): Line =>
    again
      ? { level: "Warn", text: () => `"${candidate}" was evicted and has registered again` }
      : { level: "Debug", text: () => `"${candidate}" is registered` },
  Superseded: ({ candidate }): Line => ({
    level: "Warn",
    text: () => `another process registered as "${candidate}": give each process its own id, or omit it`
  }),
  ConfigDiffers: ({ candidate, given, inForce }): Line => ({
    level: "Warn",
    text: () =>
      `"${candidate}" was given a configuration that differs from the one in force: ` +
      differences(given, inForce).map(({ field, given, inForce }) => `${field} is ${inForce}, not ${given}`).join(
        ", "
      ) +
      "; writeConfig changes it"
  }),
  Following: ({ candidate, enabled, leader, term }): Line => ({
    level: "Debug",
    text: () =>
      !enabled
        ? `"${candidate}" waits until the election is enabled`
        : leader === undefined
        ? `"${candidate}" sees no leader`
        : `"${candidate}" follows "${leader}" in term ${term}`
  }),
  Challenged: ({ candidate, term }): Line => ({
    level: "Info",
    text: () => `"${candidate}" has asked the leader of term ${term} to step down`
  }),
  Elected: ({ candidate, cause, leaderless, term }): Line => ({
    level: "Info",
    text: () => `"${candidate}" leads in term ${term} (${cause}, leaderless for ${millisOf(leaderless)})`
  }),
  Shortened: ({ candidate, leaseDuration, term }): Line => ({
    level: "Debug",
    text: () => `"${candidate}" shortens the lease of term ${term}: ${millisOf(leaseDuration)}`
  }),
  Renewed: ({ ballot, candidate, latency, path, term }): Line => ({
    level: "Debug",
    text: () => `"${candidate}" has renewed term ${term}: ballot ${ballot}, ${path}, ${millisOf(latency)}`
  }),
  RenewalFailed: ({ candidate, error, path, term }): Line =>
    path === "fast"
      ? {
        level: "Debug",
        text: () => `"${candidate}" could not renew term ${term} by the fast path: ${error.message}`
      }
      : { level: "Warn", text: () => `"${candidate}" could not renew term ${term} and tries again: ${error.message}` },
  Lost: ({ candidate, reason, term }): Line =>
    reason === "resigned"
      ? { level: "Debug", text: () => `"${candidate}" resigns from term ${term}` }
      : { level: "Warn", text: () => `"${candidate}" has lost the leadership of term ${term}: ${reason}` },
  Overrun: ({ candidate, term }): Line => ({
    level: "Error",
    text: () =>
      `the work of "${candidate}" in term ${term} goes on though its lease has lapsed and another may lead: ` +
      "make it interruptible and its finalizers shorter than the safety margin"
  }),
  Resigned: ({ candidate, term }): Line => ({
    level: "Info",
    text: () => `"${candidate}" has resigned from term ${term}`
  }),
  Evicted: ({ candidate, candidates }): Line => ({
    level: "Info",
    text: () => {
      const named = candidates.slice(0, mostNamed).map((id) => `"${id}"`).join(", ")
      return `"${candidate}" has evicted ${candidates.length} dead candidates: ${named}` +
        (candidates.length > mostNamed ? ", …" : "")
    }
  }),
  Retried: ({ candidate, error }): Line => ({
    level: "Debug",
    text: () => `"${candidate}" tries again: ${error.message}`
  })
})

const millis = Metric.exponentialBoundaries({ start: 1, factor: 2, count: 15 })

/** Who keeps the series of a candidate, in each registry: two processes may share one in a test. */
interface Kept {
  telemetries: number
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
}

/** The telemetry of one candidate. Its metrics are made once: to tag one anew costs many times what an update does. */
export class Telemetry {
  private readonly about: { readonly election: string; readonly candidate: string }
  private readonly leading: Metric.Metric<number, unknown>
  private readonly transitions: Counters
  private readonly losses: Counters
  private readonly overruns: Metric.Metric<number, unknown>
  private readonly evictions: Metric.Metric<number, unknown>
  private readonly renewals: Counters
  private readonly failures: Counters
  private readonly renewalLatency: Metric.Metric<number, unknown>
  private readonly renewalHeadroom: Metric.Metric<number, unknown>
  private readonly leaderless: Metric.Metric<number, unknown>
  /** Where its series are. */
  private readonly registries = new Map<Metric.MetricRegistry, Made>()
  private isClosed = false

  constructor(election: string, candidate: string) {
    const attributes = this.about = { election, candidate }
    const histogram = (id: string, description: string) =>
      Metric.histogram(id, { description, attributes, boundaries: millis })
    const counters = (id: string, label: string, description: string) =>
      new Counters(id, label, description, attributes)
    this.leading = Metric.gauge("fdb_election_leading", {
      description: "1 while the candidate leads, 0 otherwise",
      attributes
    })
    this.transitions = counters(
      "fdb_election_transitions_total",
      "cause",
      "Tenures that the candidate has begun, by cause"
    )
    this.losses = counters("fdb_election_losses_total", "reason", "Tenures that were over for the candidate, by reason")
    this.overruns = Metric.counter("fdb_election_overruns_total", {
      description: "Tenures whose work went on when another could lead already",
      attributes,
      incremental: true
    })
    this.evictions = Metric.counter("fdb_election_evictions_total", {
      description: "Dead candidates that the leader has evicted",
      attributes,
      incremental: true
    })
    this.renewals = counters("fdb_election_renewals_total", "path", "Renewals, by path")
    this.failures = counters(
      "fdb_election_failures_total",
      "error",
      "Beats of followers and leaders that failed and were tried again, by error"
    )
    this.renewalLatency = histogram("fdb_election_renewal_latency_millis", "How long a renewal took")
    this.renewalHeadroom = histogram(
      "fdb_election_renewal_headroom_millis",
      "How much was left of the leader's belief when it was renewed"
    )
    this.leaderless = histogram(
      "fdb_election_leaderless_millis",
      "How long nobody had been seen to lead when the candidate was elected"
    )
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

  /** Gives its series up, unless another candidate of this id keeps them: they would be there for ever. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    for (const [registry, { context, isVaried }] of this.registries) {
      const keepers = keepersIn(registry)
      const kept = keepers.get(this.key)
      if (kept === undefined || --kept.telemetries > 0) continue
      keepers.delete(this.key)
      // A process may have thousands of candidates: none looks at the series of all others where it knows its own.
      if (kept.isShared || isVaried) this.search(registry)
      else for (const metric of this.metrics) Metric.removeUnsafe(metric, context)
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

  private get metrics(): ReadonlyArray<Metric.Metric<number, unknown>> {
    const { evictions, failures, leaderless, leading, losses, overruns, renewalHeadroom, renewalLatency } = this
    const counters = [this.transitions, losses, this.renewals, failures].flatMap((counters) => counters.all)
    return [leading, overruns, evictions, renewalLatency, renewalHeadroom, leaderless, ...counters]
  }

  private get key(): string {
    return JSON.stringify([this.about.election, this.about.candidate])
  }

  private keepIn(context: Context.Context<never>): void {
    const registry = Context.get(context, Metric.MetricRegistry)
    const made = this.registries.get(registry)
    if (made !== undefined) {
      const attributes = Context.get(made.context, Metric.CurrentMetricAttributes)
      if (Context.get(context, Metric.CurrentMetricAttributes) !== attributes) made.isVaried = true
      return
    }
    this.registries.set(registry, { context, isVaried: false })
    const keepers = keepersIn(registry)
    const kept = keepers.get(this.key)
    if (kept === undefined) keepers.set(this.key, { telemetries: 1, isShared: false })
    else {
      kept.telemetries++
      kept.isShared = true
    }
  }

  private measure(event: ElectionEvent, context: Context.Context<never>): void {
    if (this.isClosed) return
    this.keepIn(context)
    switch (event._tag) {
      case "Registered":
        return this.begin(context)
      case "Elected":
        this.leading.updateUnsafe(1, context)
        this.transitions.count(event.cause, context)
        return this.leaderless.updateUnsafe(Duration.toMillis(event.leaderless), context)
      case "Renewed":
        this.renewals.count(event.path, context)
        this.renewalLatency.updateUnsafe(Duration.toMillis(event.latency), context)
        return this.renewalHeadroom.updateUnsafe(Duration.toMillis(event.headroom), context)
      case "Lost":
        this.leading.updateUnsafe(0, context)
        return this.losses.count(event.reason, context)
      case "Overrun":
        return this.overruns.updateUnsafe(1, context)
      case "Evicted":
        return this.evictions.updateUnsafe(event.candidates.length, context)
      case "RenewalFailed":
      case "Retried":
        return this.failures.count(errorName(event.error), context)
    }
  }

  /**
   * What a change of leaders will tell is there from the start: a series that begins with its first event hides it from whoever
   * asks for its rate, and to begin one then would keep the successor waiting.
   */
  private begin(context: Context.Context<never>): void {
    this.leading.updateUnsafe(0, context)
    this.transitions.begin("vacant", context)
    this.transitions.begin("lapsed", context)
    this.losses.begin("resigned", context)
    this.leaderless.valueUnsafe(context)
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
