/**
 * An election: it decides which of many processes leads, through a subspace of the database.
 *
 * The handle is a plain value. The transaction-level operations run in the caller's transaction and take the wall time from
 * `Clock`; they are the recipe of the Rust crate `foundationdb`, method by method, without its known flaws.
 */
import {
  Database,
  type FdbError,
  type Subspace,
  type Transaction,
  type TransactionOptions,
  type Versionstamp,
  Witness
} from "@effect-fdb/core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Candidacy from "./Candidacy.ts"
import type { CandidateInfo } from "./CandidateInfo.ts"
import type { Challenge } from "./Challenge.ts"
import type { ElectionConfig } from "./ElectionConfig.ts"
import type {
  CandidateSuperseded,
  ClockOutOfRange,
  ElectionDisabled,
  InvalidCandidate,
  InvalidConfig,
  InvalidState,
  InvalidTerm,
  LeadershipLost,
  ProcessNotFound,
  StoreError,
  UnregisteredCandidate
} from "./ElectionError.ts"
import type { ElectionExport } from "./ElectionExport.ts"
import type { ElectionResult } from "./ElectionResult.ts"
import type { HistoryEntry } from "./HistoryEntry.ts"
import * as Candidate from "./internal/candidate/candidate.ts"
import { changes } from "./internal/follower/changes.ts"
import { singleton } from "./internal/leader/singleton.ts"
import { contender, withLeadership } from "./internal/leader/withLeadership.ts"
import * as Operations from "./internal/operations.ts"
import * as Keys from "./internal/storage/keys.ts"
import type * as Terms from "./internal/terms.ts"
import type { Leadership } from "./Leadership.ts"
import type { LeaderState } from "./LeaderState.ts"
import * as Shards from "./Shards.ts"
import * as Slots from "./Slots.ts"

type CampaignError = Candidacy.CampaignError
type CandidateOptions = Candidacy.CandidateOptions
type LeadOptions = Candidacy.LeadOptions

/**
 * The registration that the caller has. The default is the one that is stored under the id.
 *
 * @since 0.1.0
 * @category models
 */
export type IdentityOptions = Operations.IdentityOptions

/**
 * An election in a subspace. Elections in different subspaces are independent.
 *
 * `Requires` is what the supervised interface needs: the `Database`, or nothing if the election is a {@link Service}.
 * In the examples, `election` is `LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))`.
 *
 * @since 0.1.0
 * @category models
 */
export interface LeaderElection<Requires = Database> {
  readonly subspace: Subspace.Subspace
  /** The subspace in words, as in `app/mailer`: the `election` of events, log lines and metrics. */
  readonly name: string
  /** The configuration with which the election is created: see {@link ElectionOptions}. */
  readonly config: ElectionConfig | undefined

  // -- configuration

  /**
   * Creates the election with the given configuration; by default with that of `make`, or with the default configuration. If the
   * election exists, its configuration stays. Returns the configuration in force, which may differ from the one given. The supervised
   * interface calls this by itself.
   *
   * With `termsFrom`, every later term is that number at least, whether the election existed or not: see `raiseTerms`.
   *
   * @example const config = Database.transact(election.initialize())
   * @example const restored = Database.transact(election.initialize({ termsFrom: 5001n }))
   */
  readonly initialize: (
    config?: ElectionConfig | InitializeOptions
  ) => Effect.Effect<ElectionConfig, FdbError | InvalidState | InvalidConfig, Transaction>
  /** The configuration in force. */
  readonly readConfig: Effect.Effect<ElectionConfig, StoreError, Transaction>
  /**
   * Changes the configuration. Each process uses it from its next heartbeat on.
   *
   * @example const changed = Database.transact(election.writeConfig(ElectionConfig.withLeaseDuration("6 seconds")))
   */
  readonly writeConfig: (config: ElectionConfig) => Effect.Effect<void, StoreError | InvalidConfig, Transaction>

  /**
   * Lets every later term be greater than `above`, a number from 0 to 2^62: for receivers that remember greater terms than this
   * store, after a restore, a move or a loss. Terms never go down: if later terms are greater anyway, nothing changes. A leader in
   * office keeps its tenure, and its term. Returns the ballot, which later terms exceed.
   *
   * @example const raised = Database.transact(election.raiseTerms(5000n))
   */
  readonly raiseTerms: (above: bigint) => Effect.Effect<bigint, StoreError | InvalidTerm, Transaction>
  /**
   * Reads what is to survive a move to another store. Stop all processes that take part first: later terms are not in it.
   *
   * @example const exported = Database.transact(election.export)
   */
  readonly export: Effect.Effect<ElectionExport, StoreError, Transaction>
  /**
   * Creates the election with the configuration of an export, and lets every later term be greater than all of the exported election. If
   * the election exists, its configuration stays, and so does its history unless that is empty. Returns the configuration in force.
   *
   * @example const imported = (exported: ElectionExport) => Database.transact(election.import(exported))
   */
  readonly import: (
    exported: ElectionExport
  ) => Effect.Effect<
    ElectionConfig,
    FdbError | InvalidState | InvalidConfig | InvalidTerm | ClockOutOfRange,
    Transaction
  >

  // -- candidates

  /**
   * Registers a candidate. Call it once in each process. It supersedes another registration under the same id, whose process
   * notices that. Returns an effect to run after the commit, which returns the versionstamp of the registration.
   */
  readonly registerCandidate: (
    processId: string,
    priority?: number
  ) => Effect.Effect<
    Effect.Effect<Versionstamp.Versionstamp, FdbError>,
    StoreError | InvalidCandidate | ElectionDisabled | ClockOutOfRange,
    Transaction
  >
  /** Writes a heartbeat. Changes the priority if one is given. */
  readonly heartbeatCandidate: (
    processId: string,
    priority?: number,
    options?: IdentityOptions
  ) => Effect.Effect<
    void,
    StoreError | InvalidCandidate | ElectionDisabled | ProcessNotFound | CandidateSuperseded | ClockOutOfRange,
    Transaction
  >
  /** Removes the candidate, if it is registered. A candidate that leads also resigns. */
  readonly unregisterCandidate: (
    processId: string,
    options?: IdentityOptions
  ) => Effect.Effect<void, StoreError | CandidateSuperseded | ClockOutOfRange, Transaction>
  /** Reads a candidate, alive or not. */
  readonly getCandidate: (
    processId: string
  ) => Effect.Effect<Option.Option<CandidateInfo>, FdbError | InvalidState, Transaction>
  /**
   * Lists the candidates that are alive by the caller's wall clock, in the order of their ids. Causes no conflicts.
   *
   * @example const alive = Database.transact(election.listCandidates)
   */
  readonly listCandidates: Effect.Effect<Array<CandidateInfo>, StoreError, Transaction>
  /** Removes the candidates that are dead by the caller's wall clock, and returns their number. Never removes the leader. */
  readonly evictDeadCandidates: Effect.Effect<number, StoreError, Transaction>

  // -- leadership

  /**
   * Claims leadership if it is vacant, or if the lease has ended by the caller's *wall clock*. If preemption is allowed, it also
   * takes leadership from a leader of lower priority *at once*: that leader may believe that it leads for the rest of its lease,
   * so fence its work by the term.
   *
   * Renews a tenure of the candidate itself. Returns `None` if another process leads. The default priority is the registered one.
   *
   * @example const state = Database.transact(election.tryClaimLeadership("web-1"))
   */
  readonly tryClaimLeadership: (
    processId: string,
    priority?: number,
    options?: IdentityOptions
  ) => Effect.Effect<
    Option.Option<LeaderState>,
    | StoreError
    | InvalidCandidate
    | ElectionDisabled
    | UnregisteredCandidate
    | CandidateSuperseded
    | ClockOutOfRange,
    Transaction
  >
  /**
   * Renews the lease of exactly this tenure. Returns `None` if another tenure is stored, the registration of its leader is not,
   * or a challenge obliges it to end.
   */
  readonly refreshLease: (
    tenure: LeaderState
  ) => Effect.Effect<Option.Option<LeaderState>, StoreError | ElectionDisabled | ClockOutOfRange, Transaction>
  /** Ends exactly this tenure. Returns `false` if it has ended already. The ballot stays, so that no term repeats. */
  readonly resignLeadership: (
    tenure: LeaderState
  ) => Effect.Effect<boolean, StoreError | ClockOutOfRange, Transaction>
  /** Whether the process leads, with a lease that is valid by the caller's wall clock. */
  readonly isLeader: (
    processId: string,
    options?: IdentityOptions
  ) => Effect.Effect<boolean, StoreError | ElectionDisabled, Transaction>
  /**
   * The leader, if its lease is valid by the caller's wall clock.
   *
   * @example const leader = Database.transact(election.getLeader)
   */
  readonly getLeader: Effect.Effect<Option.Option<LeaderState>, StoreError, Transaction>
  /** The leader of the stored tenure, even if its lease has ended. `None` after a resignation. */
  readonly getLeaderRaw: Effect.Effect<Option.Option<LeaderState>, StoreError, Transaction>
  /** Writes a heartbeat, then claims or renews. Run it every heartbeat interval. The default priority is the registered one. */
  readonly runElectionCycle: (
    processId: string,
    priority?: number,
    options?: IdentityOptions
  ) => Effect.Effect<
    ElectionResult,
    | StoreError
    | InvalidCandidate
    | ElectionDisabled
    | ProcessNotFound
    | CandidateSuperseded
    | UnregisteredCandidate
    | ClockOutOfRange,
    Transaction
  >

  // -- for operators

  /**
   * Asks the leader to step down: its work is interrupted, it resigns, and it leaves the leadership to others for one heartbeat, whatever
   * its priority. A leader that does not respond cannot renew its lease. Returns the leader that was asked, if there is one.
   *
   * @example const asked = Database.transact(election.requestStepDown)
   */
  readonly requestStepDown: Effect.Effect<Option.Option<LeaderState>, StoreError, Transaction>
  /**
   * Ends the tenure of a candidate whose process has ended, if exactly this registration leads. The history says `died`. Returns whether
   * it did. The others lead at once, as after a resignation; nothing else changes.
   *
   * Call it only if the kernel has told that the process is gone with all of its threads, and no other has taken over its work: whoever
   * leads next works at once. A `Witness` tells that, and `Testimony.parse` what to pass. Processes that campaign with a `Witness`
   * take over by themselves: this is for one that does not campaign, on the host of the only candidate, for example.
   *
   * @example const end = (one: Versionstamp.Versionstamp) => Database.transact(election.endTenureOfDead("web-1", one))
   */
  readonly endTenureOfDead: (
    processId: string,
    registration: Versionstamp.Versionstamp
  ) => Effect.Effect<boolean, StoreError | ClockOutOfRange, Transaction>
  /** The challenge to the leader, if there is one. */
  readonly readChallenge: Effect.Effect<Option.Option<Challenge>, FdbError | InvalidState, Transaction>
  /**
   * The last tenures, newest first: all that are stored (about a hundred), or `limit` of them, an integer above zero. Causes no
   * conflicts.
   *
   * @example const lastTen = Database.transact(election.readHistory(10))
   */
  readonly readHistory: (limit?: number) => Effect.Effect<Array<HistoryEntry>, FdbError | InvalidState, Transaction>

  // -- for applications: the supervised interface, which creates the election if it does not exist

  /**
   * Campaigns until elected, and returns the leadership. Closing the scope resigns and unregisters the candidate. The scope and
   * the work are the caller's; the caller must end the work: see `Candidacy.campaign`.
   *
   * @example const work = Effect.scoped(Effect.flatMap(election.campaign({}), ({ lost }) => Effect.raceFirst(Effect.never, lost)))
   */
  readonly campaign: (
    candidate: CandidateOptions
  ) => Effect.Effect<Leadership, CampaignError, Requires | Scope.Scope>
  /**
   * Campaigns, and runs the work once elected, in a fiber that is interrupted when the leadership is lost. Then it fails with
   * `LeadershipLost`, or campaigns again with the option `again`.
   *
   * When the work ends, or this effect is interrupted, it resigns after the finalizers of the work. The `Scope` of the work is
   * that of the tenure, and closes before the resignation. The work takes its `Leadership` as an argument or as a service. See
   * `Candidacy.withLeadership`.
   *
   * @example const led = election.withLeadership({ priority: 1 }, ({ term }) => Effect.log(`leads in term ${term}`), { again: true })
   */
  readonly withLeadership: <A, E, R>(
    candidate: CandidateOptions,
    work: (leadership: Leadership) => Effect.Effect<A, E, R>,
    options?: LeadOptions
  ) => Effect.Effect<A, E | CampaignError | LeadershipLost, Requires | Exclude<R, Leadership | Scope.Scope>>
  /**
   * A background service that runs while this candidate leads, as a Layer. Each tenure gives it a new `Scope`, as
   * `withLeadership` does.
   *
   * If the leadership is lost, it campaigns again. If the service or the election fails, the failure is logged, and it tries
   * again after a pause: a tenth of a second, doubled with each failure up to ten seconds. The pauses start over once the service
   * has run for longer than ten seconds. If another process has registered under its id, it waits until that process is gone or
   * dead. A service that ends by itself is not started again.
   *
   * @example const MailLayer = election.singleton({}, Effect.forever(Effect.andThen(Effect.log("sends"), Effect.sleep("1 second"))))
   */
  readonly singleton: <A, E, R>(
    candidate: CandidateOptions,
    service: Effect.Effect<A, E, R> | ((leadership: Leadership) => Effect.Effect<A, E, R>)
  ) => Layer.Layer<never, InvalidCandidate | InvalidConfig, Requires | Exclude<R, Leadership | Scope.Scope>>
  /**
   * The candidacy of this process: campaigns more than once under one registration, and reports its health.
   *
   * @example const led = Effect.flatMap(election.candidacy({}), (candidacy) => candidacy.withLeadership(() => Effect.never))
   */
  readonly candidacy: (
    candidate: CandidateOptions
  ) => Effect.Effect<Candidacy.Candidacy, InvalidCandidate | InvalidConfig, Requires | Scope.Scope>
  /**
   * The current leader, then each change. `None` while nobody leads, as far as can be seen without comparing clocks, and while
   * the election does not exist; this stream does not create it. It uses a watch, and polls in case the watch is lost. It waits
   * for a database that is away.
   *
   * @example const ids = Stream.map(election.changes, Option.map(({ leaderId }) => leaderId))
   */
  readonly changes: Stream.Stream<Option.Option<LeaderState>, StoreError, Requires>
}

/**
 * A configuration, and from where terms begin. Omitted fields of the configuration are those of `make`, or have their defaults.
 *
 * @since 0.1.0
 * @category models
 */
export interface InitializeOptions extends Terms.InitializeOptions {
  /** The least term that may be given from now on: from 0 to 2^62. */
  readonly termsFrom?: bigint | undefined
}

/**
 * The options of an election.
 *
 * @since 0.1.0
 * @category models
 */
export interface ElectionOptions {
  /**
   * The configuration with which the first campaign or `initialize` creates the election; the default configuration unless set.
   * An existing election keeps its configuration: a candidate reports once that it differs (`ConfigDiffers`, a warning), and
   * `writeConfig` changes it.
   */
  readonly config?: ElectionConfig | undefined
}

/**
 * Makes the handle of the election in a subspace. The subspace must contain nothing else, not even another election.
 *
 * **Example**
 *
 * ```ts
 * import { Database, Subspace } from "@effect-fdb/core"
 * import { LeaderElection } from "@effect-fdb/leader-election"
 * import { Effect } from "effect"
 *
 * const election = LeaderElection.make(Subspace.fromTuple(["app", "election"]))
 *
 * export const work = election.withLeadership({ id: "a" }, ({ term }) => Effect.log(`leads in term ${term}`))
 *
 * export const leader = Database.transact(election.getLeader)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (subspace: Subspace.Subspace, { config }: ElectionOptions = {}): LeaderElection =>
  build(subspace, config, (candidate) => Candidate.make({ subspace, config }, candidate), (changes) => changes)

/**
 * Makes the handle of shards in a subspace: each has exactly one leader at a time, and the processes that take part share them
 * fairly. See the module `Shards`.
 *
 * @example const queues = LeaderElection.shards(Subspace.fromTuple(["app", "queues"]), { shards: 256 })
 * @since 0.1.0
 * @category constructors
 */
export const shards: (subspace: Subspace.Subspace, options: Shards.ShardsOptions) => Shards.Shards = Shards.make

/**
 * Makes the handle of an election with `count` slots, from 1 to 100: up to so many processes lead at the same time. See `Slots`.
 *
 * The subspace must contain nothing else. Each slot is an election in a subspace of its own.
 *
 * **Example**
 *
 * ```ts
 * import { Subspace } from "@effect-fdb/core"
 * import { LeaderElection } from "@effect-fdb/leader-election"
 * import { Effect } from "effect"
 *
 * const importers = LeaderElection.slots(Subspace.fromTuple(["app", "importers"]), 3)
 *
 * export const work = importers.withLeadership({}, ({ slot }) => Effect.log(`imports in slot ${slot}`))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const slots = (subspace: Subspace.Subspace, count: number, { config }: ElectionOptions = {}): Slots.Slots =>
  Slots.make({ subspace, count, config }, (subspace) => make(subspace, { config }))

const build = <Requires>(
  subspace: Subspace.Subspace,
  config: ElectionConfig | undefined,
  enter: (
    candidate: CandidateOptions
  ) => Effect.Effect<Candidate.Candidate, InvalidCandidate | InvalidConfig, Requires | Scope.Scope>,
  provide: <A, E>(stream: Stream.Stream<A, E, Database>) => Stream.Stream<A, E, Requires>
): LeaderElection<Requires> => {
  const keys = Keys.make(subspace)
  const candidacy = (candidate: CandidateOptions) => Effect.map(enter(candidate), Candidacy.fromCandidate)
  return {
    subspace,
    name: keys.name,
    config,
    ...Operations.make(keys, config),
    candidacy,
    campaign: (candidate) => Effect.flatMap(candidacy(candidate), ({ campaign }) => campaign),
    withLeadership: (candidate, work, options) =>
      Effect.scoped(
        Effect.flatMap(enter(candidate), (candidate) =>
          withLeadership(contender(candidate), work, { ...options, once: true }))
      ),
    singleton: (candidate, service) => singleton(candidacy(candidate), service),
    changes: provide(changes(keys))
  }
}

/**
 * An election as a service. Its supervised interface needs no `Database`, because its layer has one.
 *
 * @since 0.1.0
 * @category models
 */
export interface ElectionService extends LeaderElection<never> {
  /** Runs operations of the election, or any other body, in one transaction of its database. */
  readonly transact: <A, E, R>(
    body: Effect.Effect<A, E, R>,
    options?: TransactionOptions
  ) => Effect.Effect<A, E | FdbError, Exclude<R, Transaction>>
}

/**
 * The class that {@link Service} returns: the key of the service, and its layer.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceClass<Self, Id extends string> extends Context.ServiceClass<Self, Id, ElectionService> {
  /** The election on the `Database` that is provided to this layer. */
  readonly layer: Layer.Layer<Self, never, Database>
}

/**
 * The options of an election as a service.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceOptions extends ElectionOptions {
  /** The subspace of the election; see {@link make}. */
  readonly subspace: Subspace.Subspace
}

/**
 * Makes an election a service with a layer. The class is the key of the service: `yield* Mailer` returns the election.
 *
 * **Example**
 *
 * ```ts
 * import { MemoryDatabase, Subspace } from "@effect-fdb/core"
 * import { ElectionConfig, LeaderElection, Leadership } from "@effect-fdb/leader-election"
 * import { Effect, Layer } from "effect"
 *
 * class Mailer extends LeaderElection.Service<Mailer>()("app/Mailer", {
 *   subspace: Subspace.fromTuple(["app", "mailer"]),
 *   config: ElectionConfig.withLeaseDuration("6 seconds")
 * }) {}
 *
 * const program = Effect.gen(function*() {
 *   const mailer = yield* Mailer
 *   yield* mailer.withLeadership({}, () => Leadership.use(({ term }) => Effect.log(`leads in term ${term}`)))
 *   return yield* mailer.transact(mailer.readHistory(1))
 * })
 *
 * export const main = Effect.provide(program, Layer.provide(Mailer.layer, MemoryDatabase.layer))
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export const Service =
  <Self>() => <const Id extends string>(id: Id, { config, subspace }: ServiceOptions): ServiceClass<Self, Id> => {
    const service = Context.Service<Self, ElectionService>()(id)
    const layer = Layer.effect(
      service,
      Effect.gen(function*() {
        const database = yield* Database
        // That of the database, where its layer provides one.
        const witness = yield* Effect.serviceOption(Witness)
        const own = Context.make(Database, database)
        const context = Option.match(witness, {
          onNone: () => own,
          onSome: (witness) => Context.add(own, Witness, witness)
        })
        return {
          ...build<never>(
            subspace,
            config,
            (candidate) => Effect.provideContext(Candidate.make({ subspace, config }, candidate), context),
            (changes) => Stream.provideService(changes, Database, database)
          ),
          transact: (body, options) => database.transact(body, options)
        } satisfies ElectionService
      })
    )
    return Object.assign(service, { layer })
  }
