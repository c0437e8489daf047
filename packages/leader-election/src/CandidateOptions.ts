/**
 * Who campaigns, and how.
 */
import type * as Duration from "effect/Duration"

/**
 * Who campaigns.
 *
 * @since 0.1.0
 * @category models
 */
export interface CandidateOptions {
  /**
   * A name that no other process of the election has, at most 512 bytes. Unless it is set: host, process number and eight random
   * letters, as in `web-1-4711-kfjwqzab`, another for each candidacy.
   *
   * Of two processes that take one id the one that has registered last is the candidate, as when a process was started again.
   * The other loses its tenure, if it had one, and fails with `CandidateSuperseded`.
   */
  readonly id?: string | undefined
  /**
   * Higher is preferred; 32 bits, signed; 0 unless set. Where preemption is allowed, a candidate asks a leader of lower priority to
   * step down. After preemptions whose winners ended within about a lease, whoever they were, it first waits: a lease, doubled
   * with each of them in a row, and 64 leases at most. A vacancy is not waited for.
   */
  readonly priority?: number | undefined
  /**
   * By how much this process stops to believe in itself before its lease has ended; a tenth of the lease unless set. It has
   * to cover the difference of two hosts' clocks in rate over a lease, and the time that the work takes to be interrupted.
   *
   * Operators may change the lease. A margin that was set is not changed by that, and while it is not below the lease, campaigns
   * fail with `InvalidCandidate` before they register, challenge or claim; a function says what it is for the lease in force. It
   * has to give a span below that, and not a negative one, for every lease: where it does not, or throws, a tenure ends and
   * campaigns fail.
   */
  readonly safetyMargin?: Duration.Input | ((leaseDuration: Duration.Duration) => Duration.Duration) | undefined
}

/**
 * How the work is led.
 *
 * @since 0.1.0
 * @category models
 */
export interface LeadOptions {
  /**
   * Campaigns again when leadership was lost, instead of failing with `LeadershipLost`. Where another process has registered under
   * its id, it waits until that registration is gone, or has not shown for the candidate timeout that it lives, instead of failing
   * with `CandidateSuperseded`.
   */
  readonly again?: boolean | undefined
}
