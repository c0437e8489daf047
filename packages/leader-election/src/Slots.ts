/**
 * Up to n leaders: an election with several slots, each of which one process holds at a time. For "at most three importers".
 *
 * Each slot is an election of its own, with its own lease, term and history. So what is guaranteed of a leader is guaranteed of the
 * holder of a slot, and operators have the same means: see `elections`.
 */
import type { Database, Subspace, Transaction } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { CampaignError, CandidateOptions, Health, LeadOptions } from "./Candidacy.ts"
import type { ElectionConfig } from "./ElectionConfig.ts"
import type { InvalidCandidate, InvalidConfig, LeadershipLost, StoreError } from "./ElectionError.ts"
import { remembering } from "./internal/leader/currentLeadership.ts"
import { singleton } from "./internal/leader/singleton.ts"
import { campaign, withLeadership } from "./internal/leader/withLeadership.ts"
import { isCount, mostSlots, slotSubspace, validateCount } from "./internal/slots/layout.ts"
import { SlotCandidate, type SlotElections } from "./internal/slots/slotCandidate.ts"
import type { LeaderElection } from "./LeaderElection.ts"
import type { Leadership } from "./Leadership.ts"
import type { LeaderState } from "./LeaderState.ts"

/**
 * The greatest number of slots. Who waits follows all of them; for more, see `Shards`.
 *
 * @example Slots.maxCount // => 100
 * @since 0.1.0
 * @category constants
 */
export const maxCount: number = mostSlots

/**
 * The leadership of one slot. Its `term` is the fencing token of this slot: it grows with each holder of the slot, and says nothing of the
 * holders of others. So a receiver keeps the greatest term of each slot, or the slots have separate receivers.
 *
 * @since 0.1.0
 * @category models
 */
export interface SlotLeadership extends Leadership {
  /** The slot, from 0 to n − 1. No two processes hold the same one. */
  readonly slot: number
}

/**
 * The holder of a slot.
 *
 * @since 0.1.0
 * @category models
 */
export interface SlotHolder {
  readonly slot: number
  readonly state: LeaderState
}

/**
 * The part of one process in the slots: as `Candidacy` is in an election. It holds one slot at a time.
 *
 * @since 0.1.0
 * @category models
 */
export interface SlotCandidacy {
  readonly id: string
  /** Campaigns until it holds a slot: see `Candidacy.campaign`. */
  readonly campaign: Effect.Effect<SlotLeadership, CampaignError, Scope.Scope>
  /** Campaigns until it holds a slot, then runs the work: see `Candidacy.withLeadership`. */
  readonly withLeadership: <A, E, R>(
    work: (leadership: SlotLeadership) => Effect.Effect<A, E, R>,
    options?: LeadOptions
  ) => Effect.Effect<A, E | CampaignError | LeadershipLost, Exclude<R, Leadership | Scope.Scope>>
  /** Changes the priority. A tenure keeps the priority that it began with. */
  readonly setPriority: (priority: number) => Effect.Effect<void, InvalidCandidate>
  /** The leadership of the slot that it holds: see `Candidacy.leadership`. */
  readonly leadership: Effect.Effect<Option.Option<SlotLeadership>>
  /** The health of the slot that it holds, or the worst of those for which it waits. Does not ask the database. */
  readonly health: Effect.Effect<Health>
}

/**
 * An election with `count` slots.
 *
 * A process that campaigns takes a vacant slot at once, and otherwise waits for any. It claims one at a time, so that it never holds two. A
 * holder that ends its work is replaced at once; one that dies, when its lease has lapsed. Who has led goes to the end of the queue.
 *
 * **Preemption.** If all slots are held, and preemption is allowed, a candidate of higher priority asks the holder of the lowest
 * priority to step down. It asks one at a time, and takes no other slot until that holder has answered, or its lease has lapsed.
 *
 * **Another number of slots.** A program takes slots below its own `count` only, and disturbs no holder of one above. If a new version has
 * more slots, the additional ones are free at once. If it has fewer, processes of the old version hold theirs until they end; until
 * then there may be as many holders as the greater number. If two programs always have different numbers, both compete for the slots
 * below the smaller.
 *
 * @since 0.1.0
 * @category models
 */
export interface Slots {
  readonly subspace: Subspace.Subspace
  /** The number of slots, from 1 to 100. With another number, campaigns fail with `InvalidConfig`. */
  readonly count: number
  /**
   * The elections of the slots, for operators, in the order of the slots.
   *
   * @example const asked = slots.elections[0]!.requestStepDown
   */
  readonly elections: ReadonlyArray<LeaderElection>
  /** Writes a configuration for all slots, and creates their elections where they do not exist. */
  readonly writeConfig: (config: ElectionConfig) => Effect.Effect<void, StoreError | InvalidConfig, Transaction>
  /**
   * The holders whose leases are valid by the caller's wall clock, in the order of the slots: also those of slots that a program with a
   * greater number has.
   *
   * @example const holders = Database.transact(slots.readHolders)
   */
  readonly readHolders: Effect.Effect<Array<SlotHolder>, StoreError, Transaction>
  /** Campaigns until it holds a slot, and returns the leadership of it: see `LeaderElection.campaign`. */
  readonly campaign: (
    candidate: CandidateOptions
  ) => Effect.Effect<SlotLeadership, CampaignError, Database | Scope.Scope>
  /**
   * Campaigns, and runs the work once it holds a slot, in a fiber that is interrupted when the slot is lost: see
   * `LeaderElection.withLeadership`. With the option `again` it may get another slot.
   *
   * @example const led = slots.withLeadership({}, ({ slot, term }) => Effect.log(`imports in slot ${slot}, term ${term}`), { again: true })
   */
  readonly withLeadership: <A, E, R>(
    candidate: CandidateOptions,
    work: (leadership: SlotLeadership) => Effect.Effect<A, E, R>,
    options?: LeadOptions
  ) => Effect.Effect<A, E | CampaignError | LeadershipLost, Database | Exclude<R, Leadership | Scope.Scope>>
  /**
   * A background service that runs while this process holds a slot, as a Layer: see `LeaderElection.singleton`.
   *
   * @example const ImportLayer = slots.singleton({}, ({ slot }) => Effect.andThen(Effect.log(`imports in slot ${slot}`), Effect.never))
   */
  readonly singleton: <A, E, R>(
    candidate: CandidateOptions,
    service: Effect.Effect<A, E, R> | ((leadership: SlotLeadership) => Effect.Effect<A, E, R>)
  ) => Layer.Layer<never, InvalidCandidate | InvalidConfig, Database | Exclude<R, Leadership | Scope.Scope>>
  /** The candidacy of this process: campaigns more than once, and reports its health. */
  readonly candidacy: (
    candidate: CandidateOptions
  ) => Effect.Effect<SlotCandidacy, InvalidCandidate | InvalidConfig, Database | Scope.Scope>
}

const fromCandidate = (candidate: SlotCandidate): SlotCandidacy => {
  const { contender, leadership } = remembering(candidate)
  return {
    id: candidate.id,
    campaign: campaign(contender),
    withLeadership: (work, options) => withLeadership(contender, work, { ...options, once: false }),
    setPriority: (priority) => candidate.setPriority(priority),
    leadership,
    health: Effect.sync(() => candidate.health)
  }
}

/** @internal */
export const make = (
  elections: SlotElections,
  election: (subspace: Subspace.Subspace) => LeaderElection
): Slots => {
  const { count, subspace } = elections
  const enter = (candidate: CandidateOptions) => SlotCandidate.make(elections, candidate)
  const candidacy = (candidate: CandidateOptions) => Effect.map(enter(candidate), fromCandidate)
  const electionsOf = (count: number) =>
    Array.from({ length: count }, (_, slot) => election(slotSubspace(subspace, slot)))
  const own = isCount(count) ? electionsOf(count) : []
  return {
    subspace,
    count,
    elections: own,
    writeConfig: (config) =>
      Effect.andThen(
        validateCount(count),
        Effect.forEach(
          own,
          ({ initialize, writeConfig }) => Effect.andThen(initialize(config), writeConfig(config)),
          { concurrency: "unbounded", discard: true }
        )
      ),
    readHolders: Effect.suspend(() =>
      Effect.forEach(electionsOf(mostSlots), ({ getLeader }, slot) =>
        getLeader.pipe(
          Effect.catchTag("NotInitialized", () => Effect.succeed(Option.none<LeaderState>())),
          Effect.map((leader) => Option.toArray(leader).map((state): SlotHolder => ({ slot, state })))
        ), { concurrency: "unbounded" })
    ).pipe(Effect.map((holders) => holders.flat())),
    candidacy,
    campaign: (candidate) => Effect.flatMap(candidacy(candidate), ({ campaign }) => campaign),
    withLeadership: (candidate, work, options) =>
      Effect.scoped(
        Effect.flatMap(enter(candidate), (candidate) => withLeadership(candidate, work, { ...options, once: true }))
      ),
    singleton: (candidate, service) => singleton(candidacy(candidate), service)
  }
}
