/**
 * The shards of one member: one candidacy for each shard that the table gives it, as its owner or as its standby. Each is a candidacy as
 * any other; only when it begins and ends comes from here.
 */
import type { Database } from "@effect-fdb/core"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { CandidateOptions } from "../../CandidateOptions.ts"
import type { ElectionConfig } from "../../ElectionConfig.ts"
import type { CampaignError, LeadershipLost } from "../../ElectionError.ts"
import type { Leadership } from "../../Leadership.ts"
import * as Candidate from "../candidate/candidate.ts"
import * as Log from "../candidate/log.ts"
import { contender, withLeadership } from "../leader/withLeadership.ts"
import type { Assignment } from "./assignment.ts"
import type { ShardKeys } from "./keys.ts"

type Role = "owner" | "standby"

/** An owner asks a standby that leads to step down. */
const priorityOf = (role: Role): number => role === "owner" ? 1 : 0

/** What is run for each shard that is led. */
export type ShardWork<A, E, R> = (shard: number, leadership: Leadership) => Effect.Effect<A, E, R>

/** What the candidacies of one member have in common. */
export interface HoldingsOptions {
  readonly id: string
  readonly safetyMargin: CandidateOptions["safetyMargin"]
  readonly keys: ShardKeys
  readonly config: ElectionConfig | undefined
}

/** One candidacy, from its beginning until all of it has ended. */
interface Holding {
  readonly shard: number
  /** `undefined` once it is to end. */
  role: Role | undefined
  candidate: Candidate.Candidate | undefined
  leadership: Leadership | undefined
  fiber: Fiber.Fiber<never, unknown> | undefined
}

const shortest = Duration.millis(100)
const longest = Duration.seconds(10)

/** After failures of a shard's election, one soon after the other. */
const afterFailure = Schedule.exponential(shortest).pipe(
  Schedule.jittered,
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, longest)))
)

/** Why a shard's candidacy ends, other than by being given up. */
export type HoldingError<E> = E | CampaignError | LeadershipLost

export class Holdings<A, E, R> {
  private readonly options: HoldingsOptions
  /** The heartbeat in force, in nanoseconds. */
  private readonly heartbeat: () => bigint
  private readonly work: ShardWork<A, E, R>
  private readonly context: Context.Context<Exclude<R, Leadership | Scope.Scope> | Database>
  private readonly holdings = new Map<number, Holding>()
  /** What the table says. */
  private wanted: ReadonlyMap<number, Role> = new Map()
  /** Until when a shard is left to others, having resigned from it: another candidacy of this member leaves it to them for as long. */
  private readonly yieldsUntil = new Map<number, bigint>()
  private isLeaving = false
  private readonly failing = Deferred.makeUnsafe<never, HoldingError<E>>()

  constructor(
    options: HoldingsOptions,
    heartbeat: () => bigint,
    work: ShardWork<A, E, R>,
    context: Context.Context<Exclude<R, Leadership | Scope.Scope> | Database>
  ) {
    this.options = options
    this.heartbeat = heartbeat
    this.work = work
    this.context = context
  }

  /** Fails when a work has failed, or an election for good. */
  get failed(): Effect.Effect<never, HoldingError<E>> {
    return Deferred.await(this.failing)
  }

  /** The shards that are led now. */
  get led(): ReadonlyArray<number> {
    return [...this.holdings.values()].flatMap(({ leadership, shard }) => leadership === undefined ? [] : [shard])
      .toSorted((a, b) => a - b)
  }

  /** Campaigns for what the table gives to this member, and gives up all else. */
  follow({ owners, standbys }: Assignment): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.isLeaving) return Effect.void
      const { id } = this.options
      const wanted = new Map<number, Role>()
      for (const [shard, standby] of standbys.entries()) if (standby === id) wanted.set(shard, "standby")
      for (const [shard, owner] of owners.entries()) if (owner === id) wanted.set(shard, "owner")
      this.wanted = wanted
      const changed = [...this.holdings.values()].filter(({ role, shard }) =>
        role !== undefined && role !== wanted.get(shard)
      )
      // Those first that are to lead.
      const begun = [...wanted].filter(([shard]) => !this.holdings.has(shard))
        .toSorted(([, a], [, b]) => priorityOf(b) - priorityOf(a))
      return Effect.andThen(
        Effect.forEach(changed, (holding) => this.change(holding, wanted.get(holding.shard)), { discard: true }),
        Effect.sync(() => {
          for (const [shard, role] of begun) if (!this.holdings.has(shard)) this.begin(shard, role)
        })
      )
    })
  }

  /** Gives up everything, and waits until all of it has ended. */
  readonly release: Effect.Effect<void> = Effect.suspend(() => {
    this.isLeaving = true
    this.wanted = new Map()
    const holdings = [...this.holdings.values()]
    for (const holding of holdings) holding.role = undefined
    return Fiber.interruptAll(holdings.flatMap(({ fiber }) => fiber ?? []))
  })

  /** Where many shards move, what is to lead comes first: a standby begins a third of a heartbeat to a heartbeat later. */
  private readonly standbyDelay = Effect.flatMap(
    Random.nextBetween(1 / 3, 1),
    (part) => Effect.sleep(Duration.nanos(BigInt(Math.round(Number(this.heartbeat()) * part))))
  )

  private begin(shard: number, role: Role): void {
    const holding: Holding = { shard, role, candidate: undefined, leadership: undefined, fiber: undefined }
    this.holdings.set(shard, holding)
    const fiber = Effect.runForkWith(this.context)(this.hold(holding))
    holding.fiber = fiber
    fiber.addObserver((exit) => this.ended(holding, exit))
  }

  /** A shard that is given back before its candidacy has ended begins anew: no process has two candidacies for a shard. */
  private ended({ candidate, role, shard }: Holding, exit: Exit.Exit<never, unknown>): void {
    this.holdings.delete(shard)
    const until = candidate?.memory.current.yieldsUntil
    if (until !== undefined) this.yieldsUntil.set(shard, until)
    else if (candidate !== undefined) this.yieldsUntil.delete(shard)
    // Not given up, but failed; or given up, and a finalizer has died.
    if (role !== undefined || Exit.hasDies(exit)) {
      Deferred.doneUnsafe(this.failing, exit as Exit.Exit<never, HoldingError<E>>)
      return
    }
    const wanted = this.wanted.get(shard)
    if (wanted !== undefined) this.begin(shard, wanted)
  }

  private change(holding: Holding, role: Role | undefined): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { candidate, leadership } = holding
      // A standby that has not begun yet begins at once as the owner.
      holding.role = candidate === undefined && role === "owner" ? undefined : role
      if (holding.role === undefined) {
        holding.fiber?.interruptUnsafe()
        return Effect.void
      }
      candidate?.registration.setPriority(priorityOf(holding.role))
      // The standby of yesterday leads on as the owner.
      if (leadership !== undefined) return holding.role === "standby" ? leadership.resign : Effect.void
      return candidate?.lifecycle.wake ?? Effect.void
    })
  }

  private hold(
    holding: Holding
  ): Effect.Effect<never, HoldingError<E>, Exclude<R, Leadership | Scope.Scope> | Database> {
    const { config, id, keys, safetyMargin } = this.options
    const { shard } = holding
    let workError: unknown
    const lead = (leadership: Leadership) =>
      Effect.gen({ self: this }, function*() {
        holding.leadership = leadership
        yield* Effect.addFinalizer(() => Effect.sync(() => void (holding.leadership = undefined)))
        // Claimed as the owner, in the moment in which it became the standby: the owner would not ask for it.
        const { priority } = yield* leadership.state
        if (holding.role === "standby" && priority === priorityOf("owner")) yield* leadership.resign
        yield* Effect.tapError(this.work(shard, leadership), (error) => Effect.sync(() => void (workError = error)))
        // A work that is done does not give its shard away: the next one would only do it again.
        return yield* Effect.never
      })
    const isOfElection = (error: HoldingError<E>) => error !== workError && isOfRecords(error)
    return Effect.scoped(Effect.gen({ self: this }, function*() {
      if (holding.role === "standby") yield* this.standbyDelay
      const candidate = yield* Candidate.make(
        { subspace: keys.shard(shard), config },
        { id, safetyMargin, priority: priorityOf(holding.role ?? "standby") },
        () => holding.role !== "owner"
      )
      holding.candidate = candidate
      const yieldsUntil = this.yieldsUntil.get(shard)
      if (yieldsUntil !== undefined) candidate.memory.yieldsUntil(yieldsUntil)
      return yield* withLeadership(contender(candidate), lead, { again: true, once: true }).pipe(
        Effect.tapError((error) =>
          isOfElection(error)
            ? Effect.annotateLogs(Log.error(`"${id}" cannot take part in the election of shard ${shard}`, error), {
              election: candidate.keys.name,
              candidate: id
            })
            : Effect.void
        ),
        // Damaged records of one shard must not take the others from this member, nor from the next that is given the shard.
        Effect.retry({ schedule: afterFailure, while: isOfElection })
      )
    })).pipe(
      // What a finalizer dies of as all of them end, nobody else tells.
      Effect.onExit((exit) =>
        this.isLeaving && Exit.isFailure(exit) && Exit.hasDies(exit)
          ? Log.error(`the work of shard ${shard} of ${keys.name} has ended with a defect`, exit.cause)
          : Effect.void
      )
    )
  }
}

const isOfRecords = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "_tag" in error &&
  (error._tag === "InvalidState" || error._tag === "NotInitialized")
