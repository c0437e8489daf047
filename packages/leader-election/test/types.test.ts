import { Database, type FdbError, Subspace, type Transaction } from "@effect-fdb/core"
import { expectTypeOf, it } from "@effect/vitest"
import { Context, Effect, type Layer, type Option, type Scope, type Stream } from "effect"
import {
  type Candidacy,
  type CandidateSuperseded,
  type ClockOutOfRange,
  type ElectionDisabled,
  type ElectionResult,
  type InvalidCandidate,
  type InvalidConfig,
  type InvalidShards,
  type InvalidState,
  LeaderElection,
  Leadership,
  type LeadershipLost,
  type LeaderState,
  type NotInitialized,
  type ProcessNotFound,
  type Shards,
  type UnregisteredCandidate
} from "../src/index.ts"

const election = LeaderElection.make(Subspace.fromTuple(["types"]))

type StoreError = FdbError | InvalidState | NotInitialized

class Mail extends Context.Service<Mail, { readonly send: Effect.Effect<void, "bounced"> }>()("test/Mail") {}

const work = (leadership: Leadership) =>
  Effect.gen(function*() {
    const mail = yield* Mail
    yield* mail.send
    return leadership.term
  })

it("operations need a transaction, and tell how they fail", () => {
  expectTypeOf(election.readConfig).toExtend<Effect.Effect<unknown, StoreError, Transaction>>()
  expectTypeOf(election.writeConfig).returns.toEqualTypeOf<
    Effect.Effect<void, StoreError | InvalidConfig, Transaction>
  >()
  expectTypeOf(election.heartbeatCandidate).returns.toEqualTypeOf<
    Effect.Effect<
      void,
      StoreError | InvalidCandidate | ElectionDisabled | ProcessNotFound | CandidateSuperseded | ClockOutOfRange,
      Transaction
    >
  >()
  expectTypeOf(election.tryClaimLeadership).returns.toEqualTypeOf<
    Effect.Effect<
      Option.Option<LeaderState>,
      StoreError | InvalidCandidate | ElectionDisabled | UnregisteredCandidate | CandidateSuperseded | ClockOutOfRange,
      Transaction
    >
  >()
  expectTypeOf(election.runElectionCycle).returns.toExtend<
    Effect.Effect<ElectionResult.ElectionResult, { readonly _tag: string }, Transaction>
  >()
})

it("a transaction discharges Transaction and requires Database", () => {
  expectTypeOf(Database.transact(election.getLeader)).toEqualTypeOf<
    Effect.Effect<Option.Option<LeaderState>, StoreError, Database>
  >()
})

it("leading keeps what the work needs, gives and fails with", () => {
  expectTypeOf(election.withLeadership({ id: "a" }, work)).toEqualTypeOf<
    Effect.Effect<bigint, "bounced" | Candidacy.CampaignError | LeadershipLost, Database | Mail>
  >()
  expectTypeOf(election.campaign({ id: "a" })).toEqualTypeOf<
    Effect.Effect<Leadership, Candidacy.CampaignError, Database | Scope.Scope>
  >()
  expectTypeOf(election.singleton({ id: "a" }, work)).toEqualTypeOf<
    Layer.Layer<never, InvalidCandidate | InvalidConfig, Database | Mail>
  >()
  expectTypeOf(election.changes).toEqualTypeOf<Stream.Stream<Option.Option<LeaderState>, StoreError, Database>>()
  expectTypeOf<Candidacy.CampaignError>().toEqualTypeOf<
    FdbError | NotInitialized | InvalidState | InvalidCandidate | InvalidConfig | CandidateSuperseded | ClockOutOfRange
  >()
})

it("leading provides the work's scope; a campaign keeps the caller's", () => {
  const scoped = (leadership: Leadership) => Effect.andThen(Effect.scope, work(leadership))
  expectTypeOf(election.withLeadership({ id: "a" }, scoped)).toEqualTypeOf<
    Effect.Effect<bigint, "bounced" | Candidacy.CampaignError | LeadershipLost, Database | Mail>
  >()
  expectTypeOf(election.singleton({ id: "a" }, scoped)).toEqualTypeOf<
    Layer.Layer<never, InvalidCandidate | InvalidConfig, Database | Mail>
  >()
  expectTypeOf(election.singleton({ id: "a" }, Effect.scope)).toEqualTypeOf<
    Layer.Layer<never, InvalidCandidate | InvalidConfig, Database>
  >()
  const candidacy = null as unknown as Candidacy.Candidacy
  expectTypeOf(() => candidacy.withLeadership(scoped)).returns.toEqualTypeOf<
    Effect.Effect<bigint, "bounced" | Candidacy.CampaignError | LeadershipLost, Mail>
  >()
  expectTypeOf<Candidacy.Candidacy["campaign"]>().toEqualTypeOf<
    Effect.Effect<Leadership, Candidacy.CampaignError, Scope.Scope>
  >()
})

it("a guard discharges Transaction and adds LeadershipLost", () => {
  const guard = (leadership: Leadership) => leadership.guard(election.readConfig)
  expectTypeOf(guard).returns.toExtend<Effect.Effect<unknown, StoreError | LeadershipLost>>()
  expectTypeOf<Leadership["lost"]>().toEqualTypeOf<Effect.Effect<LeadershipLost>>()
})

it("leading provides the Leadership to its work, and nothing else does", () => {
  const served = Effect.andThen(Leadership, Effect.andThen(Effect.scope, Mail))
  expectTypeOf(served).toEqualTypeOf<Effect.Effect<Mail["Service"], never, Leadership | Scope.Scope | Mail>>()
  expectTypeOf(election.withLeadership({ id: "a" }, () => served)).toEqualTypeOf<
    Effect.Effect<Mail["Service"], Candidacy.CampaignError | LeadershipLost, Database | Mail>
  >()
  expectTypeOf(election.singleton({ id: "a" }, served)).toEqualTypeOf<
    Layer.Layer<never, InvalidCandidate | InvalidConfig, Database | Mail>
  >()
  const candidacy = null as unknown as Candidacy.Candidacy
  expectTypeOf(() => candidacy.withLeadership(() => served)).returns.toEqualTypeOf<
    Effect.Effect<Mail["Service"], Candidacy.CampaignError | LeadershipLost, Mail>
  >()
  expectTypeOf(election.campaign({ id: "a" }).pipe(Effect.andThen(Leadership))).toEqualTypeOf<
    Effect.Effect<Leadership, Candidacy.CampaignError, Database | Scope.Scope | Leadership>
  >()
})

it("an election as a service requires itself, its layer the database", () => {
  class Mailer extends LeaderElection.Service<Mailer>()("types/Mailer", { subspace: Subspace.fromTuple(["types"]) }) {}
  expectTypeOf(Mailer.layer).toEqualTypeOf<Layer.Layer<Mailer, never, Database>>()
  expectTypeOf(Mailer.use((mailer) => mailer.withLeadership({}, work))).toEqualTypeOf<
    Effect.Effect<bigint, "bounced" | Candidacy.CampaignError | LeadershipLost, Mailer | Mail>
  >()
  expectTypeOf(Mailer.use((mailer) => mailer.transact(mailer.getLeader))).toEqualTypeOf<
    Effect.Effect<Option.Option<LeaderState>, StoreError, Mailer>
  >()
  const mailer = null as unknown as Mailer["Service"]
  expectTypeOf<typeof mailer.changes>().toEqualTypeOf<Stream.Stream<Option.Option<LeaderState>, StoreError>>()
  expectTypeOf<ReturnType<typeof mailer.campaign>>().toEqualTypeOf<
    Effect.Effect<Leadership, Candidacy.CampaignError, Scope.Scope>
  >()
  expectTypeOf(() => mailer.singleton({}, Effect.asVoid(Database))).returns.toEqualTypeOf<
    Layer.Layer<never, InvalidCandidate | InvalidConfig, Database>
  >()
})

it("the work of a shard may fail, and needs what is not of its tenure", () => {
  const shards = LeaderElection.shards(Subspace.fromTuple(["types"]), { shards: 4 })
  const sharded = shards.run({}, (_, leadership) => Effect.andThen(Effect.scope, work(leadership)))
  expectTypeOf(sharded).toEqualTypeOf<
    Effect.Effect<never, "bounced" | Shards.ShardsError | InvalidShards, Database | Mail>
  >()
})
