/** Events as log lines and metrics. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { ElectionEvent, type Trouble } from "../ElectionEvent.ts"

const leading = Metric.gauge("fdb_election_leading", { description: "1 while the candidate leads, 0 otherwise" })
const transitions = Metric.counter("fdb_election_transitions_total", {
  description: "Tenures that the candidate has begun, by cause",
  incremental: true
})
const losses = Metric.counter("fdb_election_losses_total", {
  description: "Tenures that were over for the candidate, by reason",
  incremental: true
})
const overruns = Metric.counter("fdb_election_overruns_total", {
  description: "Tenures whose work went on when another could lead already",
  incremental: true
})
const renewals = Metric.counter("fdb_election_renewals_total", {
  description: "Renewals, by path",
  incremental: true
})
const failures = Metric.counter("fdb_election_failures_total", {
  description: "Beats of followers and leaders that failed and were tried again, by error",
  incremental: true
})
const millis = Metric.exponentialBoundaries({ start: 1, factor: 2, count: 15 })
const renewalLatency = Metric.histogram("fdb_election_renewal_latency_millis", {
  description: "How long a renewal took",
  boundaries: millis
})
const renewalHeadroom = Metric.histogram("fdb_election_renewal_headroom_millis", {
  description: "How much was left of the leader's belief when it was renewed",
  boundaries: millis
})
const leaderless = Metric.histogram("fdb_election_leaderless_millis", {
  description: "How long nobody had been seen to lead when the candidate was elected",
  boundaries: millis
})

/** The database's code, or what is wrong with the records. */
const errorName = (error: Trouble): string => error._tag === "FdbError" ? String(error.code) : error._tag

const measure = (event: ElectionEvent): Effect.Effect<void> => {
  const attributes = { election: event.election, candidate: event.candidate }
  const add = (metric: Metric.Metric<number, unknown>, value: number, more: Record<string, string> = {}) =>
    Metric.update(Metric.withAttributes(metric, { ...attributes, ...more }), value)
  switch (event._tag) {
    case "Elected":
      return Effect.all([
        add(leading, 1),
        add(transitions, 1, { cause: event.cause }),
        add(leaderless, Duration.toMillis(event.leaderless))
      ], { discard: true })
    case "Renewed":
      return Effect.all([
        add(renewals, 1, { path: event.path }),
        add(renewalLatency, Duration.toMillis(event.latency)),
        add(renewalHeadroom, Duration.toMillis(event.headroom))
      ], { discard: true })
    case "Lost":
      return Effect.andThen(add(leading, 0), add(losses, 1, { reason: event.reason }))
    case "Overrun":
      return add(overruns, 1)
    case "RenewalFailed":
    case "Retried":
      return add(failures, 1, { error: errorName(event.error) })
    default:
      return Effect.void
  }
}

const millisOf = (duration: Duration.Duration): string => `${Math.round(Duration.toMillis(duration))} ms`

const log: (event: ElectionEvent) => Effect.Effect<void> = ElectionEvent.$match({
  Registered: ({ again, candidate }) =>
    again
      ? Effect.logWarning(`"${candidate}" had been evicted and has registered again`)
      : Effect.logDebug(`"${candidate}" is registered`),
  Following: ({ candidate, leader, term }) =>
    Effect.logDebug(
      leader === undefined ? `"${candidate}" sees nobody lead` : `"${candidate}" follows "${leader}" in term ${term}`
    ),
  Challenged: ({ candidate, term }) =>
    Effect.logInfo(`"${candidate}" has asked the leader of term ${term} to step down`),
  Elected: ({ candidate, cause, leaderless, term }) =>
    Effect.logInfo(
      `"${candidate}" leads in term ${term} (${cause.toLowerCase()}, leaderless for ${millisOf(leaderless)})`
    ),
  Renewed: ({ ballot, candidate, latency, path, term }) =>
    Effect.logDebug(`"${candidate}" has renewed term ${term}: ballot ${ballot}, ${path}, ${millisOf(latency)}`),
  RenewalFailed: ({ candidate, error, path, term }) =>
    path === "fast"
      ? Effect.logDebug(`"${candidate}" could not renew term ${term} in one round trip: ${error.message}`)
      : Effect.logWarning(`"${candidate}" could not renew term ${term} and tries again: ${error.message}`),
  Lost: ({ candidate, reason, term }) =>
    reason === "Resigned"
      ? Effect.logDebug(`"${candidate}" ends term ${term} itself`)
      : Effect.logWarning(`"${candidate}" has lost the leadership of term ${term}: ${reason}`),
  Overrun: ({ candidate, term }) =>
    Effect.logError(
      `the work of "${candidate}" in term ${term} goes on though its lease has lapsed and another may lead: ` +
        "make it interruptible and its finalizers shorter than the safety margin"
    ),
  Resigned: ({ candidate, term }) => Effect.logInfo(`"${candidate}" has resigned from term ${term}`),
  Retried: ({ candidate, error }) => Effect.logDebug(`"${candidate}" tries again: ${error.message}`)
})

/** Logs the event and updates the metrics. */
export const record = (event: ElectionEvent): Effect.Effect<void> =>
  Effect.andThen(
    measure(event),
    Effect.annotateLogs(log(event), { election: event.election, candidate: event.candidate })
  )
