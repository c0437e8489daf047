/**
 * Shards: each has exactly one leader at a time, and all of them are shared fairly among the processes that take part.
 *
 * Each shard is an election of its own: its leader has a lease, a term and a guard as everywhere here. Which process campaigns for
 * which shard comes from a table. One of the processes, elected as usual, keeps it: the coordinator. The table only proposes, so a
 * wrong or an old one costs time, and never makes two processes work on one shard.
 */
import { type Database, type FdbError, type Subspace, Transaction } from "@effect-fdb/core"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { CandidateOptions } from "./CandidateOptions.ts"
import { type ElectionConfig, validate as validateConfig } from "./ElectionConfig.ts"
import {
  type CampaignError,
  type InvalidCandidate,
  type InvalidConfig,
  InvalidShards,
  type InvalidState,
  type LeadershipLost,
  type ShardsDiffer
} from "./ElectionError.ts"
import { defaultId } from "./internal/candidate/defaultId.ts"
import { toMargin, validate } from "./internal/protocol/validation.ts"
import { assignments, type ShardAssignment } from "./internal/shards/assignments.ts"
import { maxShards } from "./internal/shards/codec.ts"
import * as Keys from "./internal/shards/keys.ts"
import { Member, validateWeight } from "./internal/shards/member.ts"
import {
  readState as readStateAt,
  type ShardMember,
  type ShardsState,
  type ShardState
} from "./internal/shards/state.ts"
import { clearTable } from "./internal/shards/table.ts"
import type { Leadership } from "./Leadership.ts"

/**
 * The greatest number of shards.
 *
 * @example Shards.maxCount // => 16384
 * @since 0.1.0
 * @category constants
 */
export const maxCount: number = maxShards

/**
 * A shard in the table, and who leads it.
 *
 * @since 0.1.0
 * @category models
 */
export type { ShardAssignment } from "./internal/shards/assignments.ts"

/**
 * What is stored of shards: the members, and each shard with its tenure and lease. See {@link readState}.
 *
 * @since 0.1.0
 * @category models
 */
export type { ShardMember, ShardsState, ShardState }

/**
 * The options of a process that takes part.
 *
 * @since 0.1.0
 * @category models
 */
export interface ShardCandidateOptions {
  /** A name that no other process that takes part has; see `CandidateOptions.id`. */
  readonly id?: string | undefined
  /**
   * Its share: a number from 0 to 1,000,000. A process of weight 2 gets twice as many shards as one of weight 1, which is the default.
   * One of weight 0 hands over the shards that it has, and gets none.
   */
  readonly weight?: number | undefined
  /** For each of its shards; see `CandidateOptions.safetyMargin`. */
  readonly safetyMargin?: CandidateOptions["safetyMargin"]
}

/**
 * The errors that end a `run`, besides those of a work. `LeadershipLost` is here as it is in the type of `withLeadership`: the loss
 * of one shard does not end a run.
 *
 * @since 0.1.0
 * @category errors
 */
export type ShardsError = CampaignError | LeadershipLost | ShardsDiffer

/**
 * The part of one process, with a weight that can be changed.
 *
 * @since 0.1.0
 * @category models
 */
export interface ShardCandidacy {
  readonly id: string
  /** See {@link Shards.run}. A candidacy has one run at a time: the next one waits for it. */
  readonly run: <A, E, R>(
    work: (shard: number, leadership: Leadership) => Effect.Effect<A, E, R>
  ) => Effect.Effect<never, E | ShardsError, Database | Exclude<R, Leadership | Scope.Scope>>
  /**
   * Changes the weight; see {@link ShardCandidateOptions}. It is told to the others at once, or when the database answers again.
   * Returns before shards have moved: {@link led} tells.
   */
  readonly setWeight: (weight: number) => Effect.Effect<void, InvalidCandidate>
  /** The shards that this process leads now, ascending. Does not ask the database. */
  readonly led: Effect.Effect<ReadonlyArray<number>>
}

/**
 * Shards in a subspace. In the examples, `queues` is
 * `LeaderElection.shards(Subspace.fromTuple(["app", "queues"]), { shards: 256 })`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Shards {
  readonly subspace: Subspace.Subspace
  /** The number of shards. They are counted from 0 on. */
  readonly shards: number
  readonly config: ElectionConfig | undefined
  /**
   * Takes part: campaigns for the shards that the table gives to this process, and runs the work for each one that it leads. Runs
   * until it is interrupted or fails. Then it leaves: the works end, their finalizers run, each shard is resigned after them, and
   * those who stood by lead them at once.
   *
   * Each living process gets its weighted mean of the shards, rounded up or down, and as few shards move as that allows. A shard
   * that moves does so as a tenure ends: its work is interrupted, its finalizers run, its scope closes, and only then the next
   * process leads it. The shards of a process that died are led by others once their leases have lapsed.
   *
   * The work is as that of `withLeadership`: it takes its `Leadership` as an argument or as a service, and has a `Scope` of its own.
   * A work that ends by itself keeps its shard, and is run again when another tenure begins. A work that fails, or a finalizer
   * that dies, ends the run with that; so catch what concerns one shard only.
   *
   * Fails with `InvalidState` where the table or a record of the coordinator's election is damaged. Damaged records of one shard
   * are logged as an error, and tried again after a pause: the other shards go on. Fails with `ShardsDiffer` where another number
   * of shards is stored.
   *
   * @example const led = queues.run({}, (shard, { term }) => Effect.log(`leads shard ${shard} in term ${term}`))
   */
  readonly run: <A, E, R>(
    candidate: ShardCandidateOptions,
    work: (shard: number, leadership: Leadership) => Effect.Effect<A, E, R>
  ) => Effect.Effect<never, E | ShardsError | InvalidShards, Database | Exclude<R, Leadership | Scope.Scope>>
  /**
   * The part of this process, where its weight is to be changed.
   *
   * @example const drained = Effect.flatMap(queues.candidacy({ weight: 2 }), ({ setWeight }) => setWeight(0))
   */
  readonly candidacy: (
    candidate: ShardCandidateOptions
  ) => Effect.Effect<ShardCandidacy, InvalidCandidate | InvalidConfig | InvalidShards>
  /**
   * All shards, ascending, with the owner, the standby and the leader of each: now, and after each change. A change of the table is
   * told at once, one of who leads within a heartbeat. While there is no table, nobody owns a shard. Waits for a database that is away.
   *
   * @example const owners = Stream.map(queues.assignments, (all) => all.map(({ owner }) => owner))
   */
  readonly assignments: Stream.Stream<
    ReadonlyArray<ShardAssignment>,
    FdbError | InvalidState | ShardsDiffer | InvalidShards,
    Database
  >
  /**
   * The subspace of the election of a shard. `LeaderElection.make` of it gives an election to look at, and to ask its leader to step
   * down: then the standby leads at once, for a heartbeat at least, and the owner after it. Do not campaign in it.
   */
  readonly subspaceOf: (shard: number) => Subspace.Subspace
  /**
   * Removes the table, with the number of shards in it. The elections, and their terms, stay. To change the number of shards, stop
   * all processes that take part, run this, and start them with the new number. If processes do take part, the table is written
   * anew.
   *
   * @example const reset = Database.transact(queues.reset)
   */
  readonly reset: Effect.Effect<void, FdbError, Transaction>
}

/**
 * The options of shards.
 *
 * @since 0.1.0
 * @category models
 */
export interface ShardsOptions {
  /**
   * The number of shards: an integer from 1 to 16,384. Each costs its leader and its standby an election. It should be some
   * times the number of processes, and cannot be changed while processes take part: see {@link Shards.reset}.
   */
  readonly shards: number
  /**
   * The configuration with which each of the elections is created. See `LeaderElection.ElectionOptions`. Allow preemption: without
   * it, shards that standbys have taken over may stay unbalanced until a process joins, leaves or changes its weight.
   */
  readonly config?: ElectionConfig | undefined
}

const validateShards = (shards: number): Effect.Effect<void, InvalidShards> =>
  Number.isInteger(shards) && shards >= 1 && shards <= maxShards
    ? Effect.void
    : Effect.fail(new InvalidShards({ problem: `is ${shards}; it must be an integer from 1 to ${maxShards}` }))

/**
 * Makes the handle of the shards in a subspace. The subspace must contain nothing else.
 *
 * **Example**
 *
 * ```ts
 * import { Subspace } from "@effect-fdb/core"
 * import { LeaderElection } from "@effect-fdb/leader-election"
 * import { Effect } from "effect"
 *
 * const queues = LeaderElection.shards(Subspace.fromTuple(["app", "queues"]), { shards: 256 })
 *
 * export const consumer = queues.run({}, (shard, { term }) =>
 *   Effect.andThen(Effect.log(`consumes queue ${shard} in term ${term}`), Effect.never))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (subspace: Subspace.Subspace, { config, shards }: ShardsOptions): Shards => {
  const keys = Keys.make(subspace)
  const candidacy = Effect.fnUntraced(function*({ id: given, safetyMargin, weight = 1 }: ShardCandidateOptions) {
    yield* validateShards(shards)
    const id = given ?? (yield* defaultId)
    yield* validate(id, 0)
    yield* validateWeight(weight)
    yield* toMargin(safetyMargin)
    if (config !== undefined) yield* validateConfig(config)
    const member = new Member({ id, weight, safetyMargin, shards, config, keys })
    const result: ShardCandidacy = {
      id,
      run: (work) => member.run(work),
      setWeight: (weight) => member.setWeight(weight),
      led: Effect.sync(() => member.ledShards)
    }
    return result
  })
  return {
    subspace,
    shards,
    config,
    candidacy,
    run: (candidate, work) => Effect.flatMap(candidacy(candidate), ({ run }) => run(work)),
    assignments: Stream.unwrap(Effect.as(validateShards(shards), assignments(keys, shards))),
    subspaceOf: (shard) => keys.shard(shard),
    reset: Effect.flatMap(Transaction, (tx) => clearTable(tx, keys))
  }
}

/**
 * Reads what is stored of the shards in a subspace, without knowing their number: for operators, who look from outside. If no process
 * has ever taken part, there are neither members nor shards. Damaged records of one shard or member count as missing. Fails with
 * `InvalidState` where the table is damaged.
 *
 * @example const weights = Database.transact(Effect.map(Shards.readState(queues.subspace), ({ members }) => members))
 *
 * @since 0.1.0
 * @category operations
 */
export const readState = (
  subspace: Subspace.Subspace
): Effect.Effect<ShardsState, FdbError | InvalidState, Transaction> => readStateAt(Keys.make(subspace))
