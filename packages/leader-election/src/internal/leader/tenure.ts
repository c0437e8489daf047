/** One tenure as its leader knows it: whether it is still believed in, and how it ends. */
import { Bytes, FdbError, Transaction, type TransactionOptions } from "@effect-fdb/core"
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scheduler from "effect/Scheduler"
import { LeadershipLost } from "../../ElectionError.ts"
import type { Leadership } from "../../Leadership.ts"
import type { LossReason } from "../../LossReason.ts"
import type { KnownVersion, Member } from "../candidate/candidate.ts"
import * as Log from "../candidate/log.ts"
import type { Elected } from "../follower/campaign.ts"
import type { HeldRecord, LeaseRecord } from "../protocol/records.ts"
import * as Codec from "../storage/codec.ts"
import * as Operations from "../storage/operations.ts"
import { Belief, type Instant } from "./belief.ts"

/** The end of a tenure. Its error is made when somebody asks for it: a resignation waits for nobody who does. */
interface Loss {
  readonly reason: LossReason
  readonly error: () => LeadershipLost
}

/** A fiber of the work looks at the belief when it goes on after a wait, and then every so many operations. */
const operationsPerLook = 32

export class Tenure {
  readonly member: Member
  readonly term: bigint
  /** The record at S("leader") for as long as the tenure stands. */
  readonly leader: HeldRecord
  readonly belief: Belief
  /** As it was last written and confirmed. */
  lease: LeaseRecord
  /** The version of the last claim or renewal. */
  version: KnownVersion
  /** Why it is not being renewed, where trying again may help until the belief is over. */
  obstacle: "disabled" | "broken" | "clock-jumped" | undefined = undefined
  /** Whether its loss has cut a guarded transaction short that may have been committed. */
  isInDoubt = false
  /** When a watchdog looks at the belief again, on the monotonic clock. */
  looksAt = 0n
  /** Whether it was told that its work went on past its lease. */
  overrunTold = false
  /** Whether what its claim has left for later is done: the watches, and the history. */
  isSettled = false

  /** From the start of the claim's attempt until it was confirmed, in nanoseconds. */
  readonly claimTook: bigint

  private readonly record: Uint8Array
  /** When it began, as its history tells. */
  private readonly start: bigint
  private readonly losing = Deferred.makeUnsafe<LeadershipLost>()
  private ended: Loss | undefined = undefined
  private told: LeadershipLost | undefined = undefined
  private work: Fiber.Fiber<unknown, unknown> | undefined = undefined
  private cut: Loss | undefined = undefined

  constructor(member: Member, elected: Elected) {
    const { attempt, leader, lease, version } = elected
    this.member = member
    this.term = leader.term
    this.leader = leader
    this.lease = lease
    // As the claim has written it.
    this.record = Result.getOrThrow(Codec.encodeLeader(leader))
    this.start = lease.expiry - lease.duration
    this.belief = new Belief(member.clock, attempt, lease.duration, member.marginOf(lease.duration))
    this.version = { version, at: attempt.monotonic }
    this.claimTook = member.now() - attempt.monotonic
  }

  /** Why it is over for its leader, if it is. */
  get reason(): LossReason | undefined {
    return this.ended?.reason
  }

  /** Whether an error tells of the loss of this very tenure, and not of one in another election. */
  isLoss(error: unknown): error is LeadershipLost {
    return error !== undefined && error === this.told
  }

  /** The loss that has interrupted the work, if one has. */
  get cutShortBy(): LeadershipLost | undefined {
    return this.cut?.error()
  }

  /** The fiber of the work, to be interrupted within the very call that finds the tenure to be over. */
  supervise(work: Fiber.Fiber<unknown, unknown>): void {
    this.work = work
    if (this.ended !== undefined) this.interruptWork(this.ended)
  }

  /** Whether its work has begun and has not ended. */
  get isWorking(): boolean {
    return this.work !== undefined && this.work.pollUnsafe() === undefined
  }

  private interruptWork(loss: Loss): void {
    if (!this.isWorking) return
    this.cut = loss
    this.work?.interruptUnsafe()
  }

  /** Completes once it is over for its leader. */
  readonly lost: Effect.Effect<LeadershipLost> = Effect.suspend(() => Deferred.await(this.losing))

  /** It is over for its leader, from this very moment on. */
  lose(reason: LossReason): Effect.Effect<void> {
    return Effect.contextWith((context: Context.Context<never>) => {
      this.endNow(reason, context)
      return Effect.void
    })
  }

  private endNow(reason: LossReason, context: Context.Context<never>): void {
    if (this.ended !== undefined) return
    const { member, term } = this
    const error = () => this.told ??= new LeadershipLost({ processId: member.id, term, reason })
    const loss: Loss = { reason, error }
    this.ended = loss
    // Told, measured and logged before it has consequences: on a database in memory all of them are had within this call.
    Effect.runForkWith(context)(member.announce((about) => ({ _tag: "Lost", ...about, term, reason })))
    // Not by way of a fiber that waits for the loss: it would be for the scheduler to say when that goes on.
    this.interruptWork(loss)
    Deferred.doneUnsafe(this.losing, Effect.sync(error))
  }

  /** Looks at the belief, and ends the tenure where that is over. */
  private look(context: Context.Context<never>): boolean {
    if (this.ended !== undefined) return false
    // Clocks that throw end it too: nothing would tell when it is over.
    const over = Result.getOrElse(Result.try(() => this.belief.over()), () => "broken" as const)
    if (over === undefined) return true
    this.endNow(over === "expired" ? this.obstacle ?? "expired" : over, context)
    return false
  }

  /** Whether the leader still believes in it. Finding that it should not any more ends it. */
  readonly isHeld: Effect.Effect<boolean> = Effect.contextWith((context: Context.Context<never>) =>
    Effect.succeed(this.look(context))
  )

  /**
   * The scheduler of the work: no fiber of the work goes on after a wait before the belief has been looked at, nor runs for long
   * without. What a look finds interrupts the work within it, and the fiber gives way before it takes its step: timers do not
   * come first where a loop was blocked, and a socket's data may be what the fiber goes on with.
   *
   * It asks once: finalizers have to go on, in fibers of their own too. One that `neverYields` gives way for this and nothing else.
   */
  scheduler(base: Scheduler.Scheduler, neverYields: boolean): Scheduler.Scheduler {
    // Counted from the last look: the count leaves numbers out, and begins anew when a fiber goes on after a wait.
    let looked: Fiber.Fiber<unknown, unknown> | undefined
    let at = 0
    const isDue = (fiber: Fiber.Fiber<unknown, unknown>): boolean => {
      const count = fiber.currentOpCount
      if (fiber === looked && count > at && count - at < operationsPerLook) return false
      looked = fiber
      at = count
      return true
    }
    return {
      executionMode: base.executionMode,
      makeDispatcher: () => base.makeDispatcher(),
      shouldYield: (fiber) =>
        (this.ended === undefined && isDue(fiber) && !this.look(fiber.context)) ||
        (!neverYields && base.shouldYield(fiber))
    }
  }

  /** An attempt to renew, started at `attempt`, has been committed. */
  renewed(attempt: Instant, lease: LeaseRecord, version: bigint): void {
    this.lease = lease
    this.version = { version, at: attempt.monotonic }
    this.obstacle = undefined
    this.belief.confirm(attempt, lease.duration, this.member.marginOf(lease.duration))
    this.member.lastBeat = attempt.monotonic
    this.member.reached()
  }

  /** See `Leadership.guard`. */
  guard<A, E, R>(
    body: Effect.Effect<A, E, R>,
    options?: TransactionOptions
  ): Effect.Effect<A, E | FdbError | LeadershipLost, Exclude<R, Transaction>> {
    return Effect.suspend(() => {
      const lost = Effect.flatMap(this.lost, Effect.fail)
      /** Whether an attempt may have been committed. */
      let asked = false
      const standing = Effect.flatMap(Transaction, (tx) => {
        asked = tx.maybeCommitted
        return Effect.flatMap(this.isHeld, (held) =>
          held
            ? Effect.flatMap(tx.get(this.member.keys.leader), (stored) =>
              stored !== undefined && Bytes.equals(stored, this.record)
                ? Effect.void
                : Effect.andThen(this.lose("replaced"), lost))
            : lost)
      })
      const guarded = Effect.tap(Effect.andThen(standing, body), () =>
        Effect.sync(() => {
          asked = true
        }))
      // A stale read after a fault would end a tenure that stands.
      return this.member.database.transact(guarded, { ...options, causalReadRisky: false }).pipe(
        Effect.onError((cause) => Effect.sync(() => this.leftInDoubt(cause, asked)))
      )
    })
  }

  /** The work that is interrupted with its tenure is not told any more what has become of its transaction. */
  private leftInDoubt(cause: Cause.Cause<unknown>, asked: boolean): void {
    if (this.ended === undefined) return
    const error = Cause.findErrorOption(cause)
    const inDoubt = Option.isSome(error) ? error.value instanceof FdbError && error.value.maybeCommitted : asked
    if (inDoubt) this.isInDoubt = true
  }

  /** What the application is given; how it resigns depends on who runs the work. */
  leadership(resign: Effect.Effect<void>): Leadership {
    return {
      term: this.term,
      state: Effect.sync(() => Operations.heldState(this.leader, this.lease)),
      isHeld: this.isHeld,
      lost: this.lost,
      guard: (body, options) => this.guard(body, options),
      resign
    }
  }

  /**
   * Ends it in the database, if it still stands there, and tells whether the database has answered. Bounded: what is not told the
   * database ends with the lease.
   */
  readonly resign: Effect.Effect<boolean> = Effect.suspend(() => {
    const { member, term } = this
    // Another tenure has begun for certain.
    if (this.reason === "replaced") return Effect.succeed(false)
    const isQuiet = this.reason === "resigned" && this.obstacle === undefined && member.isFresh(this.version)
    const leaves = member.closed
    return Effect.suspend(() => isQuiet ? this.endAsKnown(leaves) : this.endAsRead(leaves)).pipe(
      Effect.flatMap((end) => {
        if (leaves) member.identity = undefined
        return end !== "replaced" ? member.tell((about) => ({ _tag: "Resigned", ...about, term })) : Effect.void
      }),
      Effect.as(true),
      Effect.catch((error) =>
        Effect.as(Log.warning(`"${member.id}" could not resign from term ${term}: ${error.message}`), false)
      ),
      Effect.catchDefect((defect) =>
        Effect.as(Log.error(`the resignation of "${member.id}" from term ${term} failed with a defect`, defect), false)
      )
    )
  })

  private endAsRead(leaves: boolean) {
    return this.member.database.transact(Operations.endTenure(this.member.keys, this.leader, leaves), {
      idempotent: true,
      timeout: this.member.patience
    })
  }

  /** One round trip, for the leader is being waited for: what the last claim or renewal has left still stands, or else. */
  private endAsKnown(leaves: boolean) {
    const { leader, lease, member, start, version } = this
    const body = Effect.flatMap(Transaction, (tx) =>
      Effect.andThen(
        tx.setReadVersion(version.version),
        Operations.endStandingTenure(tx, member.keys, leader, lease, start, leaves)
      ))
    return member.database.transact(body, { retryLimit: 0, timeout: member.patience }).pipe(
      Effect.as("ended" as const),
      // After a timeout there is no time left; whatever else it was, it shows in what stands now.
      Effect.catchIf((error) => error._tag !== "FdbError" || error.code !== 1031, () => this.endAsRead(leaves))
    )
  }

  /**
   * The clock of the work: no sleep returns before the belief has been looked at, and finding that it is over interrupts the
   * work within that very look. So the work of a process that was frozen does not go on. It never waits itself: finalizers
   * sleep by this clock too, in fibers of their own where they set themselves a timeout.
   */
  get clock(): Clock.Clock {
    const { clock } = this.member
    return {
      // What else it can do, as a test clock can be set.
      ...clock,
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
      currentTimeMillis: clock.currentTimeMillis,
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
      currentTimeNanos: clock.currentTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => Effect.andThen(clock.sleep(duration), Effect.asVoid(this.isHeld))
    }
  }
}
