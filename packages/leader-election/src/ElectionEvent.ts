/**
 * What happens to a candidate, told as it happens: for logs, for metrics, for demonstrations and for proofs.
 */
import type { Versionstamp } from "@effect-fdb/core"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type { ElectionConfig } from "./ElectionConfig.ts"
import type { ClockOutOfRange, StoreError } from "./ElectionError.ts"
import type { ElectionCause, LossReason } from "./LossReason.ts"

/** Who an event is about. */
interface About {
  /** The election's subspace, printable. */
  readonly election: string
  /** The candidate's id. */
  readonly candidate: string
}

/** What an event about a tenure adds. */
interface AboutTenure extends About {
  readonly term: bigint
}

/** What an event adds that changes what a leader believes. */
interface AboutBelief extends AboutTenure {
  readonly leaseDuration: Duration.Duration
  readonly believesUntil: bigint
}

/**
 * What can happen to a candidate.
 *
 * - `Registered`: it is a candidate now; `again` where it was one before and had been evicted
 * - `Superseded`: another process has registered under its id; it campaigns no more, or waits until that is gone
 * - `ConfigDiffers`: another configuration is in force than `LeaderElection.make` was `given`; told once a candidacy
 * - `Following`: another leads, or nobody does; or the election is not `enabled`, and nobody can claim it
 * - `Challenged`: it has asked the leader of `term` to step down
 * - `Elected`: it leads, for a `cause`. `leaderless`: how long nobody has been seen to lead. `believesUntil`: until when it believes in itself, in nanoseconds
 *   of its own monotonic clock
 * - `Shortened`: a shorter lease is about to be written; it believes no longer than that allows, whatever comes of it
 * - `Renewed`: by the `fast` path of one round trip, or the `full` one; `headroom` was left of the belief
 * - `RenewalFailed`: an attempt did; others follow until the belief is over
 * - `Lost`: the tenure is over for its leader; its work is being interrupted
 * - `Overrun`: the work goes on though another may lead by now; it is fenced, but it should end
 * - `Resigned`: after the work had ended, the tenure was ended in the database too
 * - `Evicted`: as the leader, it has removed the records of `candidates` that had been dead for ten candidate timeouts
 * - `Retried`: a follower's beat failed with `error` and is tried again
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
  Elected: AboutBelief & {
    readonly cause: ElectionCause
    readonly leaderless: Duration.Duration
  }
  Shortened: AboutBelief
  Renewed: AboutBelief & {
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
 * **Example**
 *
 * ```ts
 * import { ElectionEvent, ElectionObserver } from "@effect-fdb/leader-election"
 * import { Effect } from "effect"
 *
 * const isLost = ElectionEvent.$is("Lost")
 *
 * export const observed = Effect.provideService(ElectionObserver, (event) => {
 *   if (isLost(event)) console.log(event.candidate, event.reason)
 * })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const ElectionEvent = Data.taggedEnum<ElectionEvent>()
