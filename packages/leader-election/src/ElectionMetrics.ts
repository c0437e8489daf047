import * as Context from "effect/Context"

/**
 * How the metrics of the candidates are labelled that are made while this is provided.
 *
 * `candidateLabel`: whether their series have the label `candidate`, as they do by default. Where each process has another id, as it has
 * unless ids are given, that makes new series with each start. Without the label, the candidates of a process in one election share
 * their series, which stay for the life of the process; the gauge tells how many of them lead.
 *
 * @example const led = Effect.provideService(election.withLeadership({}, () => Effect.never), ElectionMetrics, { candidateLabel: false })
 * @since 0.1.0
 * @category references
 */
export const ElectionMetrics = Context.Reference<{ readonly candidateLabel: boolean }>(
  "@effect-fdb/leader-election/ElectionMetrics",
  { defaultValue: () => ({ candidateLabel: true }) }
)
