/**
 * Who leads: the tenure, and the lease as it was last renewed.
 */
import { Versionstamp } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * See the module.
 *
 * @since 0.1.0
 * @category models
 */
export class LeaderState extends Schema.Class<LeaderState>("@effect-fdb/leader-election/LeaderState")({
  /** The leader's id. */
  leaderId: Schema.String,
  /** The leader's priority when its tenure began. */
  priority: Schema.Int,
  /** The versionstamp of the leader's registration: with the id, who exactly it is. */
  registration: Schema.declare(Versionstamp.isVersionstamp),
  /** The ballot at which the tenure began: constant for the tenure, and the fencing token for the outside world. */
  term: Schema.BigInt,
  /** The ballot of the last claim or renewal; it never goes back, not even across resignations. */
  ballot: Schema.BigInt,
  /** How long the lease lasts from its last renewal on. */
  leaseDuration: Schema.Duration,
  /** When the lease ends by the leader's wall clock, in nanoseconds since the epoch: for people to read. */
  leaseExpiry: Schema.BigInt
}) {
  /** Whether the lease has not ended at `now`, in nanoseconds since the epoch. Compares wall clocks of two processes. */
  isLeaseValid(now: bigint): boolean {
    return now < this.leaseExpiry
  }

  /** What is left of the lease at `now`, in nanoseconds since the epoch; none when it has ended. */
  remainingLease(now: bigint): Option.Option<Duration.Duration> {
    return this.isLeaseValid(now) ? Option.some(Duration.nanos(this.leaseExpiry - now)) : Option.none()
  }
}
