import { Versionstamp } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Protocol from "./internal/protocol/protocol.ts"

/**
 * A registered candidate, as it is stored.
 *
 * @since 0.1.0
 * @category models
 */
export class CandidateInfo extends Schema.Class<CandidateInfo>("@effect-fdb/leader-election/CandidateInfo")({
  processId: Schema.String,
  /** A signed integer of 32 bits; higher is preferred. */
  priority: Schema.Int,
  /** The time of its last heartbeat by its own wall clock, in nanoseconds since the epoch. */
  lastHeartbeat: Schema.BigInt,
  /** The versionstamp of its registration: the place in the order of all commits. It distinguishes two processes of one id. */
  registration: Schema.declare(Versionstamp.isVersionstamp)
}) {
  /** Whether the last heartbeat is less than `timeout` before `now`, in nanoseconds since the epoch. */
  isAlive(now: bigint, timeout: Duration.Duration): boolean {
    return Protocol.isAlive(this, now, Duration.toNanosUnsafe(timeout))
  }
}
