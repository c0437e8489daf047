/**
 * A registered candidate.
 */
import { Versionstamp } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Protocol from "./internal/protocol/protocol.ts"

/**
 * See the fields.
 *
 * @since 0.1.0
 * @category models
 */
export class CandidateInfo extends Schema.Class<CandidateInfo>("@effect-fdb/leader-election/CandidateInfo")({
  processId: Schema.String,
  /** Higher is preferred; 32 bits, signed. */
  priority: Schema.Int,
  /** By the candidate's wall clock, in nanoseconds since the epoch. */
  lastHeartbeat: Schema.BigInt,
  /** When it registered, in the order of all commits; tells two processes of one id apart. */
  registration: Schema.declare(Versionstamp.isVersionstamp)
}) {
  /** Whether its last heartbeat is less than `timeout` ago at `now`, in nanoseconds since the epoch. */
  isAlive(now: bigint, timeout: Duration.Duration): boolean {
    return Protocol.isAlive(this, now, Duration.toNanosUnsafe(timeout))
  }
}
