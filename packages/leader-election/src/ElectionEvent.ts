import type { Versionstamp } from "@effect-fdb/core"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type { ElectionConfig } from "./ElectionConfig.ts"
import type { ClockOutOfRange, StoreError } from "./ElectionError.ts"
import type { ElectionCause, LossReason } from "./LossReason.ts"

/** The candidate of an event. */
interface About {
  /** The subspace of the election in words: `LeaderElection.name`. */
  readonly election: string
  /** The candidate's id. */
  readonly candidate: string
}

/** The tenure of an event. */
interface AboutTenure extends About {
  readonly term: bigint
}

/** The belief that an event changes. */
interface AboutBelief extends AboutTenure {
  readonly leaseDuration: Duration.Duration
  readonly believesUntil: bigint
}

/** A tenure that goes on. */
interface AboutLeadership extends AboutBelief {
  readonly witnesses: number
}

/**
 * The events of a candidate.
 *
 * - `Registered`: it has registered; `again` if it was evicted before
 * - `Superseded`: another process registered under its id; its campaign fails, or waits until that process is gone
 * - `ConfigDiffers`: the configuration in force differs from the one `given` to `LeaderElection.make`; once per candidacy
 * - `Following`: another process leads, or none does; if the election is not `enabled`, nobody can claim. Told at the candidate's next look
 * - `Challenged`: it has asked the leader of `term` to step down
 * - `Elected`: it leads, for a `cause`. `ballot`: the term, or one more if it has accepted an appointment by a renewal. `leaderless`: the time for which no leader was seen. `believesUntil`: the end of its
 *   belief, in nanoseconds of its own monotonic clock. `witnesses`: how many other processes of the host would know of its end at once
 * - `Shortened`: it is about to write a shorter lease, and has shortened its belief to what that allows
 * - `Renewed`: by the `fast` path of one round trip, or the `full` path; `headroom` was left of the belief
 * - `RenewalFailed`: an attempt failed; others follow until the belief is over
 * - `Lost`: its tenure is over for the leader, and its work is being interrupted
 * - `Overrun`: its work goes on although another process may lead; the work is fenced, but should end
 * - `Resigned`: after its work had ended, the tenure was ended in the database too
 * - `Evicted`: as the leader, it has removed the records of `candidates` that were dead for ten candidate timeouts
 * - `Retried`: an attempt of a follower failed with `error` and is tried again
 *
 * @since 0.1.0
 * @category models
 */
export type ElectionEvent = Data.TaggedEnum<{
  Registered: About & { readonly registration: Versionstamp.Versionstamp; readonly again: boolean }
  Superseded: About
  ConfigDiffers: About & { readonly given: ElectionConfig; readonly inForce: ElectionConfig }
  Following: About & { readonly leader: string | undefined; readonly term: bigint; readonly enabled: boolean }
  Challenged: AboutTenure
  Elected: AboutLeadership & {
    readonly ballot: bigint
    readonly cause: ElectionCause
    readonly leaderless: Duration.Duration
  }
  Shortened: AboutBelief
  Renewed: AboutLeadership & {
    readonly ballot: bigint
    readonly path: "fast" | "full"
    readonly latency: Duration.Duration
    readonly headroom: Duration.Duration
  }
  RenewalFailed: AboutTenure & { readonly path: "fast" | "full"; readonly error: StoreError | ClockOutOfRange }
  Lost: AboutTenure & { readonly reason: LossReason }
  Overrun: AboutTenure
  Resigned: AboutTenure
  Evicted: AboutTenure & { readonly candidates: ReadonlyArray<string> }
  Retried: About & { readonly error: StoreError }
}>

/**
 * Constructors and matchers.
 *
 * @example const isLost = ElectionEvent.$is("Lost")
 * @since 0.1.0
 * @category models
 */
export const ElectionEvent = Data.taggedEnum<ElectionEvent>()
