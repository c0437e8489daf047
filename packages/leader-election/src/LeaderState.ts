import { Versionstamp } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * The leader: its tenure, and the lease as last renewed.
 *
 * @since 0.1.0
 * @category models
 */
export class LeaderState extends Schema.Class<LeaderState>("@effect-fdb/leader-election/LeaderState")({
  /** The leader's id. */
  leaderId: Schema.String,
  /** The leader's priority when its tenure began. */
  priority: Schema.Int,
  /** The versionstamp of the leader's registration. Together with the id, it identifies the process. */
  registration: Schema.declare(Versionstamp.isVersionstamp),
  /** The fencing token: the ballot at which the tenure began. Constant for the tenure. */
  term: Schema.BigInt,
  /** The ballot of the last claim or renewal. It never decreases, not even across resignations. */
  ballot: Schema.BigInt,
  /** The duration of the lease from its last renewal on. */
  leaseDuration: Schema.Duration,
  /** The end of the lease by the leader's wall clock, in nanoseconds since the epoch. For people to read. */
  leaseExpiry: Schema.BigInt
}) {
  /** Whether the lease has not ended at `now`, in nanoseconds since the epoch. Compares the wall clocks of two processes. */
  isLeaseValid(now: bigint): boolean {
    return now < this.leaseExpiry
  }

  /** The rest of the lease at `now`, in nanoseconds since the epoch; `None` if it has ended. */
  remainingLease(now: bigint): Option.Option<Duration.Duration> {
    return this.isLeaseValid(now) ? Option.some(Duration.nanos(this.leaseExpiry - now)) : Option.none()
  }
}
