import type * as Duration from "effect/Duration"

/**
 * The options of a candidate.
 *
 * @since 0.1.0
 * @category models
 */
export interface CandidateOptions {
  /**
   * A name that no other process of the election has, at most 512 bytes. The default is unique for each candidacy: host, process
   * number and eight random letters, as in `web-1-4711-kfjwqzab`.
   *
   * If two processes use the same id, the one that registered last is the candidate, as after a restart. The other loses its
   * tenure, if it has one, and fails with `CandidateSuperseded`.
   */
  readonly id?: string | undefined
  /**
   * A signed integer of 32 bits; higher is preferred. The default is 0. If preemption is allowed, a candidate asks a leader of
   * lower priority to step down.
   *
   * After preemptions whose winners ended within about a lease, whoever they were, it first waits: one lease, doubled with each
   * of them in a row, at most 64 leases. It does not wait for a vacancy.
   */
  readonly priority?: number | undefined
  /**
   * The time by which this process stops before its lease ends. The default is a tenth of the lease. It must cover the difference
   * of two hosts' clocks in rate over a lease, and the time in which the work is interrupted.
   *
   * Operators may change the lease, which does not change a margin given as a duration. While it is not below the lease,
   * campaigns fail with `InvalidCandidate` before they register, challenge or claim. A function returns the margin for the lease
   * in force. Its result must be below the lease and not negative, for every lease; otherwise, or if it throws, a tenure ends and
   * campaigns fail.
   */
  readonly safetyMargin?: Duration.Input | ((leaseDuration: Duration.Duration) => Duration.Duration) | undefined
}

/**
 * The options of `withLeadership`.
 *
 * @since 0.1.0
 * @category models
 */
export interface LeadOptions {
  /**
   * Campaigns again when the leadership is lost, instead of failing with `LeadershipLost`. If another process has registered
   * under its id, it waits until that registration is gone, or has shown no heartbeat for the candidate timeout, instead of
   * failing with `CandidateSuperseded`.
   */
  readonly again?: boolean | undefined
}
