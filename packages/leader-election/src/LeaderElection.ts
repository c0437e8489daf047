/**
 * An election: who of many processes leads, agreed upon through a subspace of the database.
 *
 * The handle is a plain value. Its operations run in the caller's transaction and take the wall time from `Clock`: they are
 * the recipe of the Rust crate `foundationdb`, method by method, with its known flaws repaired.
 */
import {
  Database,
  type FdbError,
  type Subspace,
  type Transaction,
  type TransactionOptions,
  type Versionstamp
} from "@effect-fdb/core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Candidacy from "./Candidacy.ts"
import type { CandidateInfo } from "./CandidateInfo.ts"
import type { Challenge } from "./Challenge.ts"
import { ElectionConfig } from "./ElectionConfig.ts"
import type {
  CandidateSuperseded,
  ClockOutOfRange,
  ElectionDisabled,
  InvalidCandidate,
  InvalidConfig,
  InvalidState,
  LeadershipLost,
  ProcessNotFound,
  StoreError,
  UnregisteredCandidate
} from "./ElectionError.ts"
import type { ElectionResult } from "./ElectionResult.ts"
import type { HistoryEntry } from "./HistoryEntry.ts"
import type { Member } from "./internal/candidate/candidate.ts"
import { enrol } from "./internal/candidate/enrolment.ts"
import { changes } from "./internal/follower/changes.ts"
import * as Reign from "./internal/leader/leadership.ts"
import { singleton } from "./internal/leader/singleton.ts"
import * as Keys from "./internal/storage/keys.ts"
import * as Operations from "./internal/storage/operations.ts"
import * as Store from "./internal/storage/reads.ts"
import type { Leadership } from "./Leadership.ts"
import type { LeaderState } from "./LeaderState.ts"

type CampaignError = Candidacy.CampaignError
type CandidateOptions = Candidacy.CandidateOptions
type LeadOptions = Candidacy.LeadOptions

/**
 * Which registration a caller claims to be; without it, the one that stands under the id.
 *
 * @since 0.1.0
 * @category models
 */
export type IdentityOptions = Operations.IdentityOptions

/**
 * An election in a subspace. Elections in different subspaces are independent.
 *
 * `Requires` is what its supervised interface needs: the `Database`, or nothing where the election is a {@link Service}.
 *
 * @since 0.1.0
 * @category models
 */
export interface LeaderElection<Requires = Database> {
  readonly subspace: Subspace.Subspace
  /** What it is set up with where nobody has: see {@link ElectionOptions}. */
  readonly config: ElectionConfig | undefined

  // -- configuration

  /**
   * Sets the election up, once; with the configuration that `make` was given, or the default, where it is given none. Where it is
   * set up already nothing changes, and the configuration in force is returned, which may differ from the one given. The
   * supervised interface does this by itself.
   *
   * **Example**
   *
   * ```ts
   * import { Database, Subspace } from "@effect-fdb/core"
   * import { LeaderElection } from "@effect-fdb/leader-election"
   * import { Effect } from "effect"
   *
   * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
   *
   * export const main = Effect.tap(Database.transact(election.initialize()), ({ leaseDuration }) => Effect.log(leaseDuration))
   * ```
   */
  readonly initialize: (
    config?: ElectionConfig
  ) => Effect.Effect<ElectionConfig, FdbError | InvalidState | InvalidConfig, Transaction>
  /** The configuration in force. */
  readonly readConfig: Effect.Effect<ElectionConfig, StoreError, Transaction>
  /**
   * Puts another configuration in force, for everybody, from each one's next heartbeat on.
   *
   * **Example**
   *
   * ```ts
   * import { Database, Subspace } from "@effect-fdb/core"
   * import { ElectionConfig, LeaderElection } from "@effect-fdb/leader-election"
   *
   * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
   *
   * const config = ElectionConfig.withLeaseDuration("6 seconds")
   *
   * export const main = Database.transact(election.writeConfig(config))
   * ```
   */
  readonly writeConfig: (config: ElectionConfig) => Effect.Effect<void, StoreError | InvalidConfig, Transaction>

  // -- candidates

  /**
   * Registers a candidate, once a process. Another registration under the same id is superseded by it, and finds that out.
   * Gives an effect to be run after the commit, that tells the registration.
   */
  readonly registerCandidate: (
    processId: string,
    priority?: number
  ) => Effect.Effect<
    Effect.Effect<Versionstamp.Versionstamp, FdbError>,
    StoreError | InvalidCandidate | ElectionDisabled | ClockOutOfRange,
    Transaction
  >
  /** Shows that the candidate lives; may change its priority, which stays as it is where none is given. */
  readonly heartbeatCandidate: (
    processId: string,
    priority?: number,
    options?: IdentityOptions
  ) => Effect.Effect<
    void,
    StoreError | InvalidCandidate | ElectionDisabled | ProcessNotFound | CandidateSuperseded | ClockOutOfRange,
    Transaction
  >
  /** Removes the candidate, if it is there. One that leads resigns with it. */
  readonly unregisterCandidate: (
    processId: string,
    options?: IdentityOptions
  ) => Effect.Effect<void, StoreError | CandidateSuperseded | ClockOutOfRange, Transaction>
  /** A candidate, alive or not. */
  readonly getCandidate: (
    processId: string
  ) => Effect.Effect<Option.Option<CandidateInfo>, FdbError | InvalidState, Transaction>
  /**
   * The candidates that are alive, by the caller's wall clock, in the order of their ids. Causes no conflict.
   *
   * **Example**
   *
   * ```ts
   * import { Database, Subspace } from "@effect-fdb/core"
   * import { LeaderElection } from "@effect-fdb/leader-election"
   *
   * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
   *
   * export const main = Database.transact(election.listCandidates)
   * ```
   */
  readonly listCandidates: Effect.Effect<Array<CandidateInfo>, StoreError, Transaction>
  /** Removes the candidates that are dead, by the caller's wall clock, and tells how many. Never removes who leads. */
  readonly evictDeadCandidates: Effect.Effect<number, StoreError, Transaction>

  // -- leadership

  /**
   * Claims leadership if it is vacant, if the lease has ended by the caller's *wall clock*, or, where preemption is allowed,
   * over a leader of lower priority *at once*: that leader may believe in itself for the rest of its lease, so its work
   * has to be fenced by the term. Renews a tenure that is the candidate's own. `None` when another leads. Without a priority it
   * claims with the one that the candidate has.
   *
   * **Example**
   *
   * ```ts
   * import { Database, Subspace } from "@effect-fdb/core"
   * import { LeaderElection } from "@effect-fdb/leader-election"
   * import { Effect } from "effect"
   *
   * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
   *
   * export const main = Effect.gen(function*() {
   *   yield* Effect.flatten(Database.transact(election.registerCandidate("web-1")))
   *   return yield* Database.transact(election.tryClaimLeadership("web-1"))
   * })
   * ```
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
   * Renews the lease of exactly this tenure. `None` when it stands no more, when its leader's registration does not, or
   * when a challenge obliges it to end.
   */
  readonly refreshLease: (
    tenure: LeaderState
  ) => Effect.Effect<Option.Option<LeaderState>, StoreError | ElectionDisabled | ClockOutOfRange, Transaction>
  /** Ends exactly this tenure; `false` when it has ended already. The ballot stays, so that no term comes twice. */
  readonly resignLeadership: (
    tenure: LeaderState
  ) => Effect.Effect<boolean, StoreError | ClockOutOfRange, Transaction>
  /** Whether the process leads, with a lease that is valid by the caller's wall clock. */
  readonly isLeader: (
    processId: string,
    options?: IdentityOptions
  ) => Effect.Effect<boolean, StoreError | ElectionDisabled, Transaction>
  /**
   * Who leads, with a lease that is valid by the caller's wall clock.
   *
   * **Example**
   *
   * ```ts
   * import { Database, Subspace } from "@effect-fdb/core"
   * import { LeaderElection } from "@effect-fdb/leader-election"
   *
   * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
   *
   * export const main = Database.transact(election.getLeader)
   * ```
   */
  readonly getLeader: Effect.Effect<Option.Option<LeaderState>, StoreError, Transaction>
  /** Who led last and has not resigned, whatever has become of its lease. */
  readonly getLeaderRaw: Effect.Effect<Option.Option<LeaderState>, StoreError, Transaction>
  /**
   * A heartbeat and a claim or renewal in one, to be run every heartbeat interval. Without a priority it keeps the one that was
   * shown last.
   */
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
   * Asks whoever leads to step down: its work is interrupted, it resigns, and it leaves the vacancy to others for a
   * heartbeat. A leader that does not obey cannot renew its lease. Tells who was asked, if anybody leads.
   *
   * **Example**
   *
   * ```ts
   * import { Database, Subspace } from "@effect-fdb/core"
   * import { LeaderElection } from "@effect-fdb/leader-election"
   *
   * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
   *
   * export const main = Database.transact(election.requestStepDown)
   * ```
   */
  readonly requestStepDown: Effect.Effect<Option.Option<LeaderState>, StoreError, Transaction>
  /** The challenge that stands against the leader, if one does. */
  readonly readChallenge: Effect.Effect<Option.Option<Challenge>, FdbError | InvalidState, Transaction>
  /**
   * The newest tenures, newest first: all that are kept, which are about a hundred, or `limit` of them, a whole number above
   * zero. Causes no conflict.
   *
   * **Example**
   *
   * ```ts
   * import { Database, Subspace } from "@effect-fdb/core"
   * import { LeaderElection } from "@effect-fdb/leader-election"
   *
   * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
   *
   * export const lastTen = Database.transact(election.readHistory(10))
   * ```
   */
  readonly readHistory: (limit?: number) => Effect.Effect<Array<HistoryEntry>, FdbError | InvalidState, Transaction>

  // -- for applications: supervised, and requiring only the database, or nothing. An election that nobody has set up, they set up themselves

  /**
   * Campaigns: waits until elected, and gives the leadership. Closing the scope resigns and unregisters the candidate. The scope is
   * the caller's, and its work is for the caller to end: see `Candidacy.campaign` for what follows.
   *
   * **Example**
   *
   * ```ts
   * import { Subspace } from "@effect-fdb/core"
   * import { LeaderElection } from "@effect-fdb/leader-election"
   * import { Effect } from "effect"
   *
   * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
   *
   * const work = Effect.scoped(Effect.gen(function*() {
   *   const leadership = yield* election.campaign({})
   *   // Work that ends by itself once the leadership is lost.
   *   yield* Effect.raceFirst(Effect.never, leadership.lost)
   * }))
   *
   * export const main = Effect.forever(work)
   * ```
   */
  readonly campaign: (
    candidate: CandidateOptions
  ) => Effect.Effect<Leadership, CampaignError, Requires | Scope.Scope>
  /**
   * Campaigns, and runs the work once elected, in a fiber that is interrupted when leadership is lost. It then fails with
   * `LeadershipLost`, or campaigns again if asked to. When the work ends, or this is interrupted, it resigns: after the
   * work's finalizers, and before anything else. The work's `Scope` is the tenure's, and is closed before the resignation. The work
   * may take its `Leadership` as an argument or as a service. See `Candidacy.withLeadership`.
   *
   * **Example**
   *
   * ```ts
   * import { Subspace } from "@effect-fdb/core"
   * import { LeaderElection } from "@effect-fdb/leader-election"
   * import { Effect } from "effect"
   *
   * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
   *
   * export const main = election.withLeadership(
   *   { priority: 1 },
   *   ({ term }) => Effect.andThen(Effect.log(`leads in term ${term}`), Effect.never),
   *   { again: true }
   * )
   * ```
   */
  readonly withLeadership: <A, E, R>(
    candidate: CandidateOptions,
    work: (leadership: Leadership) => Effect.Effect<A, E, R>,
    options?: LeadOptions
  ) => Effect.Effect<A, E | CampaignError | LeadershipLost, Requires | Exclude<R, Leadership | Scope.Scope>>
  /**
   * A background service that runs wherever this candidate leads, as a Layer. Each tenure gives it a `Scope` of its own, as
   * `withLeadership` does. Leadership that is lost is campaigned for again; a service or an election that fails is logged and tried
   * again after a pause: a tenth of a second, doubled with each failure up to ten, and from the beginning again once the service has
   * run for longer than that. Where another process has registered under its id, it comes back when that is gone or dead. A service
   * that ends by itself has ended.
   *
   * **Example**
   *
   * ```ts
   * import { Subspace } from "@effect-fdb/core"
   * import { LeaderElection } from "@effect-fdb/leader-election"
   * import { Effect, Layer } from "effect"
   *
   * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
   *
   * const sendMail = Effect.forever(Effect.andThen(Effect.log("sends mail"), Effect.sleep("1 second")))
   *
   * export const main = Layer.launch(election.singleton({}, sendMail))
   * ```
   */
  readonly singleton: <A, E, R>(
    candidate: CandidateOptions,
    service: Effect.Effect<A, E, R> | ((leadership: Leadership) => Effect.Effect<A, E, R>)
  ) => Layer.Layer<never, InvalidCandidate | InvalidConfig, Requires | Exclude<R, Leadership | Scope.Scope>>
  /**
   * The candidacy of this process, to campaign more than once under one registration, and to ask for its health.
   *
   * **Example**
   *
   * ```ts
   * import { Subspace } from "@effect-fdb/core"
   * import { LeaderElection } from "@effect-fdb/leader-election"
   * import { Effect } from "effect"
   *
   * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
   *
   * export const main = Effect.scoped(Effect.gen(function*() {
   *   const candidacy = yield* election.candidacy({})
   *   yield* Effect.forkScoped(candidacy.withLeadership(() => Effect.never, { again: true }))
   *   yield* Effect.sleep("1 minute")
   *   yield* candidacy.setPriority(1)
   * }))
   * ```
   */
  readonly candidacy: (
    candidate: CandidateOptions
  ) => Effect.Effect<Candidacy.Candidacy, InvalidCandidate | InvalidConfig, Requires | Scope.Scope>
  /**
   * Who leads: the current leader first, and each that follows; `None` while nobody does, as far as can be seen without
   * comparing clocks, and while nobody has set the election up, which this does not. Driven by a watch, and by polling where that is lost. A database that is away is waited for.
   *
   * **Example**
   *
   * ```ts
   * import { Subspace } from "@effect-fdb/core"
   * import { LeaderElection } from "@effect-fdb/leader-election"
   * import { Effect, Option, Stream } from "effect"
   *
   * const election = LeaderElection.make(Subspace.fromTuple(["app", "mailer"]))
   *
   * export const main = Stream.runForEach(election.changes, (leader) =>
   *   Effect.log(Option.match(leader, { onNone: () => "nobody leads", onSome: ({ leaderId }) => `${leaderId} leads` })))
   * ```
   */
  readonly changes: Stream.Stream<Option.Option<LeaderState>, StoreError, Requires>
}

/**
 * How an election is set up.
 *
 * @since 0.1.0
 * @category models
 */
export interface ElectionOptions {
  /**
   * What it is set up with by the first that campaigns or calls `initialize`; the default unless set. Where another configuration
   * is in force already, that stays in force: a candidate tells once that it differs (`ConfigDiffers`, a warning), and
   * `writeConfig` puts another in force.
   */
  readonly config?: ElectionConfig | undefined
}

/**
 * The election in a subspace, which is its own: neither another election nor anything else may stand in it or below it.
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
  build(subspace, config, (candidate) => enrol({ subspace, config }, candidate), (changes) => changes)

const build = <Requires>(
  subspace: Subspace.Subspace,
  config: ElectionConfig | undefined,
  enrolled: (
    candidate: CandidateOptions
  ) => Effect.Effect<Member, InvalidCandidate | InvalidConfig, Requires | Scope.Scope>,
  provide: <A, E>(stream: Stream.Stream<A, E, Database>) => Stream.Stream<A, E, Requires>
): LeaderElection<Requires> => {
  const keys = Keys.make(subspace)
  const none: IdentityOptions = {}
  const candidacy = (candidate: CandidateOptions) => Effect.map(enrolled(candidate), Candidacy.fromMember)
  return {
    subspace,
    config,
    initialize: (given = config ?? new ElectionConfig({})) => Operations.initialize(keys, given),
    readConfig: Operations.readConfig(keys),
    writeConfig: (config) => Operations.writeConfig(keys, config),
    registerCandidate: (processId, priority = 0) => Operations.registerCandidate(keys, processId, priority),
    heartbeatCandidate: (processId, priority, options = none) =>
      Operations.heartbeatCandidate(keys, processId, priority, options),
    unregisterCandidate: (processId, options = none) => Operations.unregisterCandidate(keys, processId, options),
    getCandidate: (processId) => Operations.getCandidate(keys, processId),
    listCandidates: Operations.listCandidates(keys),
    evictDeadCandidates: Operations.evictDeadCandidates(keys),
    tryClaimLeadership: (processId, priority, options = none) =>
      Operations.tryClaimLeadership(keys, processId, priority, options),
    refreshLease: (tenure) => Operations.refreshLease(keys, tenure),
    resignLeadership: (tenure) => Operations.resignLeadership(keys, tenure),
    isLeader: (processId, options = none) => Operations.isLeader(keys, processId, options),
    getLeader: Operations.getLeader(keys),
    getLeaderRaw: Operations.getLeaderRaw(keys),
    runElectionCycle: (processId, priority, options = none) =>
      Operations.runElectionCycle(keys, processId, priority, options),
    requestStepDown: Operations.requestStepDown(keys),
    readChallenge: Operations.readChallenge(keys),
    readHistory: (limit = Store.historyLength) => Operations.readHistory(keys, limit),
    candidacy,
    campaign: (candidate) => Effect.flatMap(candidacy(candidate), ({ campaign }) => campaign),
    withLeadership: (candidate, work, options) =>
      Effect.scoped(
        Effect.flatMap(enrolled(candidate), (member) => Reign.withLeadership(member, work, { ...options, once: true }))
      ),
    singleton: (candidate, service) => singleton(candidacy(candidate), service),
    changes: provide(changes(keys))
  }
}

/**
 * An election as a service: its supervised interface needs no `Database` any more, for the layer has taken it.
 *
 * @since 0.1.0
 * @category models
 */
export interface ElectionService extends LeaderElection<never> {
  /** Runs operations of the election, or anything else, in one transaction of its database. */
  readonly transact: <A, E, R>(
    body: Effect.Effect<A, E, R>,
    options?: TransactionOptions
  ) => Effect.Effect<A, E | FdbError, Exclude<R, Transaction>>
}

/**
 * The class that {@link Service} makes: the key of the service, and its layer.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceClass<Self, Id extends string> extends Context.ServiceClass<Self, Id, ElectionService> {
  /** The election on the `Database` that is provided to this layer. */
  readonly layer: Layer.Layer<Self, never, Database>
}

/**
 * What an election as a service is made of.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServiceOptions extends ElectionOptions {
  /** The election's own part of the database; see {@link make}. */
  readonly subspace: Subspace.Subspace
}

/**
 * An election as a service, with its layer. The class is the key of the service: `yield* Mailer` gives the election.
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
      Effect.map(Database, (database): ElectionService => ({
        ...build<never>(
          subspace,
          config,
          (candidate) => Effect.provideService(enrol({ subspace, config }, candidate), Database, database),
          (changes) => Stream.provideService(changes, Database, database)
        ),
        transact: (body, options) => database.transact(body, options)
      }))
    )
    return Object.assign(service, { layer })
  }
