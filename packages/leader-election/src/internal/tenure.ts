/** One tenure as its leader knows it: whether it is still believed in, and how it ends. */
import { Bytes, type FdbError, Transaction, type TransactionOptions } from "@effect-fdb/core"
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { LeadershipLost, type LossReason } from "../ElectionError.ts"
import { ElectionEvent } from "../ElectionEvent.ts"
import type { Leadership } from "../Leadership.ts"
import type { LeaderState } from "../LeaderState.ts"
import { Belief, type Instant } from "./belief.ts"
import * as Codec from "./codec.ts"
import type { Elected } from "./follower.ts"
import type { KnownVersion, Member } from "./member.ts"
import * as Operations from "./operations.ts"
import type { LeaderRecord } from "./records.ts"

type Held = LeaderRecord & { readonly _tag: "Held" }

export class Tenure {
  readonly member: Member
  readonly term: bigint
  /** The record at S("leader") for as long as the tenure stands. */
  readonly leader: Held
  readonly belief: Belief
  state: LeaderState
  /** The version of the last claim or renewal. */
  version: KnownVersion
  /** Why it is not being renewed, where trying again may help until the belief is over. */
  obstacle: "Disabled" | "Broken" | undefined = undefined

  private readonly record: Uint8Array
  /** When it began, as its history tells. */
  private readonly start: bigint
  private readonly losing = Deferred.makeUnsafe<LeadershipLost>()
  private ended: LossReason | undefined = undefined

  constructor(member: Member, elected: Elected) {
    const { attempt, state, version } = elected
    const leaseDuration = Duration.toNanosUnsafe(state.leaseDuration)
    this.member = member
    this.term = state.term
    this.state = state
    this.leader = {
      _tag: "Held",
      term: state.term,
      id: state.leaderId,
      priority: state.priority,
      registration: state.registration
    }
    this.record = Codec.encodeLeader(this.leader)
    this.start = state.leaseExpiry - leaseDuration
    this.belief = new Belief(member.clock, attempt, leaseDuration, member.marginOf(leaseDuration))
    this.version = { version, at: attempt.monotonic }
  }

  /** Why it is over for its leader, if it is. */
  get reason(): LossReason | undefined {
    return this.ended
  }

  /** Completes once it is over for its leader. */
  readonly lost: Effect.Effect<LeadershipLost> = Effect.suspend(() => Deferred.await(this.losing))

  /** It is over for its leader, from this very moment on. */
  lose(reason: LossReason): Effect.Effect<void> {
    return Effect.uninterruptible(Effect.suspend(() => {
      if (this.ended !== undefined) return Effect.void
      this.ended = reason
      const { member, term } = this
      const recorded = member.announce((about) => ElectionEvent.Lost({ ...about, term, reason }))
      // Whoever waits for it goes on within this call, and may interrupt the fiber that makes it.
      Deferred.doneUnsafe(this.losing, Effect.succeed(new LeadershipLost({ processId: member.id, term, reason })))
      return recorded
    }))
  }

  /** Whether the leader still believes in it. Finding that it should not any more ends it. */
  readonly isHeld: Effect.Effect<boolean> = Effect.suspend(() => {
    if (this.ended !== undefined) return Effect.succeed(false)
    const over = this.belief.over()
    if (over === undefined) return Effect.succeed(true)
    return Effect.as(this.lose(over === "Expired" ? this.obstacle ?? "Expired" : over), false)
  })

  /** An attempt to renew, started at `attempt`, has been committed. */
  renewed(attempt: Instant, state: LeaderState, version: bigint): void {
    const leaseDuration = Duration.toNanosUnsafe(state.leaseDuration)
    this.state = state
    this.version = { version, at: attempt.monotonic }
    this.obstacle = undefined
    this.belief.confirm(attempt, leaseDuration, this.member.marginOf(leaseDuration))
    this.member.lastBeat = attempt.monotonic
    this.member.reached()
  }

  /** See `Leadership.guard`. */
  guard<A, E, R>(
    body: Effect.Effect<A, E, R>,
    options?: TransactionOptions
  ): Effect.Effect<A, E | FdbError | LeadershipLost, Exclude<R, Transaction>> {
    const standing = Effect.gen({ self: this }, function*() {
      if (!(yield* this.isHeld)) return yield* Effect.flatMap(this.lost, Effect.fail)
      const tx = yield* Transaction
      const stored = yield* tx.get(this.member.keys.leader)
      if (stored !== undefined && Bytes.equals(stored, this.record)) return
      yield* this.lose("Replaced")
      return yield* Effect.flatMap(this.lost, Effect.fail)
    })
    // A stale read after a fault would end a tenure that stands.
    return this.member.database.transact(Effect.andThen(standing, body), { ...options, causalReadRisky: false })
  }

  /** What the application is given; how it resigns depends on who runs the work. */
  leadership(resign: Effect.Effect<void>): Leadership {
    return {
      term: this.term,
      state: Effect.sync(() => this.state),
      isHeld: this.isHeld,
      lost: this.lost,
      guard: (body, options) => this.guard(body, options),
      resign
    }
  }

  /** Ends it in the database, if it still stands there. Bounded: what is not told the database ends with the lease. */
  readonly resign: Effect.Effect<void> = Effect.suspend(() => {
    const { member, term } = this
    // Another tenure has begun for certain.
    if (this.ended === "Replaced") return Effect.void
    const isQuiet = this.ended === "Resigned" && this.obstacle === undefined && member.isFresh(this.version)
    return (isQuiet ? this.endAsKnown : this.endAsRead).pipe(
      Effect.flatMap((end) =>
        end !== "replaced" ? member.tell((about) => ElectionEvent.Resigned({ ...about, term })) : Effect.void
      ),
      Effect.catch((error) => Effect.logWarning(`"${member.id}" could not resign from term ${term}: ${error.message}`))
    )
  })

  private readonly endAsRead = Effect.suspend(() =>
    this.member.database.transact(Operations.endTenure(this.member.keys, this.state), {
      idempotent: true,
      timeout: this.member.patience
    })
  )

  /** One round trip, for the leader is being waited for: what the last claim or renewal has left still stands, or else. */
  private readonly endAsKnown = Effect.suspend(() => {
    const { leader, member, start, state, version } = this
    const lease = {
      ballot: state.ballot,
      duration: Duration.toNanosUnsafe(state.leaseDuration),
      expiry: state.leaseExpiry
    }
    const body = Effect.flatMap(Transaction, (tx) =>
      Effect.andThen(
        tx.setReadVersion(version.version),
        Operations.endStandingTenure(tx, member.keys, leader, lease, start)
      ))
    return member.database.transact(body, { retryLimit: 0, timeout: member.patience }).pipe(
      Effect.as("ended" as const),
      // After a timeout there is no time left; whatever else it was, it shows in what stands now.
      Effect.catchIf((error) => error.code !== 1031, () => this.endAsRead)
    )
  })

  /**
   * The clock of the work: it does not let the work go on after a sleep through which the tenure has ended, as happens to
   * a process that was frozen. What must go on, as finalizers must, does.
   */
  get clock(): Clock.Clock {
    const { clock } = this.member
    return {
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
      currentTimeMillis: clock.currentTimeMillis,
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
      currentTimeNanos: clock.currentTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) =>
        Effect.andThen(
          clock.sleep(duration),
          Effect.flatMap(this.isHeld, (held) => held ? Effect.void : untilInterrupted)
        )
    }
  }
}

/** Waits to be interrupted, where that is possible; elsewhere `restore` changes nothing, and it does not wait. */
const untilInterrupted: Effect.Effect<void> = Effect.uninterruptibleMask((restore) => {
  const waiting = restore(Effect.never)
  return waiting === Effect.never ? Effect.void : waiting
})
