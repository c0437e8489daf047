/**
 * Following: cycle after cycle of one wave of reads, until the protocol allows to claim (4, 5, 7, 8, 9).
 */
import { type FdbError, Transaction } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type { CampaignError } from "../Candidacy.ts"
import { CandidateSuperseded, InvalidCandidate } from "../ElectionError.ts"
import { ElectionEvent } from "../ElectionEvent.ts"
import { type Instant, instant } from "./belief.ts"
import * as Codec from "./codec.ts"
import { mayPass, type Member } from "./member.ts"
import * as Operations from "./operations.ts"
import * as Pace from "./pace.ts"
import * as Protocol from "./protocol.ts"
import type { HeldRecord, LeaseRecord } from "./records.ts"
import * as Registration from "./registration.ts"
import * as Store from "./store.ts"
import { type Armed, WakeUp } from "./wakeUp.ts"

/** A claim that was committed. */
export interface Elected {
  readonly leader: HeldRecord
  readonly lease: LeaseRecord
  /** When the attempt that was committed was started. */
  readonly attempt: Instant
  /** The version of the commit. */
  readonly version: bigint
}

/** What a cycle has seen, and done in the same transaction. */
interface Look {
  readonly view: Store.ElectionView
  readonly memory: Protocol.Memory
  readonly step: Protocol.Step
  readonly attempt: Instant
  readonly version: bigint
  readonly armed: Armed | undefined
  readonly claimed: Claimed | undefined
}

interface Claimed {
  readonly leader: HeldRecord
  readonly lease: LeaseRecord
  readonly armed: Armed
  /** To be run after the commit. */
  readonly committedVersion: Effect.Effect<bigint, FdbError>
}

/** The keys that call a leader: it may be replaced, challenged, disabled. */
export const leaderKeys = ({ keys }: Member): ReadonlyArray<Uint8Array> => [keys.leader, keys.challenge, keys.config]

/** Whether this cycle may find a vacancy or a lapsed lease; it then reads what a claim needs in the same wave. */
const mayClaim = (member: Member): boolean => {
  const { observation, vacantSince } = member.memory
  return observation === undefined || vacantSince !== undefined || member.now() >= Protocol.lapsesAt(observation)
}

const decide = (
  member: Member,
  view: Store.ElectionView,
  memory: Protocol.Memory,
  readAt: bigint
): Protocol.Step => {
  if (!view.enabled) return { _tag: "Follow", until: undefined }
  return member.identity === undefined
    ? { _tag: "Register" }
    : Protocol.step(
      memory,
      view,
      { ...member.identity, priority: member.priority },
      readAt,
      Duration.toNanosUnsafe(view.config.heartbeatInterval)
    )
}

const look = Effect.fnUntraced(function*(member: Member, wakeUp: WakeUp, leaderWakeUp: WakeUp, expectant: boolean) {
  const { clock, keys } = member
  const tx = yield* Transaction
  const attempt = instant(clock)
  const readView = Store.readView(tx.snapshot, keys, member.id)
  const [view, armed, expected] = wakeUp.isArmed && !expectant
    ? [yield* readView]
    : yield* Effect.all([
      readView,
      wakeUp.isArmed ? Effect.undefined : wakeUp.arm(tx, [keys.leader, keys.config]),
      expectant ? Store.readHistoryEnds(tx.snapshot, keys) : Effect.undefined
    ], { concurrency: "unbounded" })
  // Known by now: the reads have needed it.
  const version = yield* tx.readVersion
  const readAt = clock.monotonicTimeNanosUnsafe()
  const memory = Protocol.remember(member.memory, view, readAt)
  const step = decide(member, view, memory, readAt)
  const seen: Look = { view, memory, step, attempt, version, armed, claimed: undefined }
  if (step._tag === "Challenge") {
    yield* Store.addDecisionConflicts(tx, keys, member.id)
    yield* tx.set(keys.challenge, Codec.encodeChallenge(step.challenge))
  }
  if (step._tag !== "Claim" || member.identity === undefined) return seen
  const margin = member.marginOf(view.leaseDuration)
  if (margin >= view.leaseDuration) {
    return yield* new InvalidCandidate({
      field: "safetyMargin",
      problem: `is ${Duration.format(Duration.nanos(margin))}; it has to be below the lease of ` +
        Duration.format(view.config.leaseDuration)
    })
  }
  const history = expected ?? (yield* Store.readHistoryEnds(tx.snapshot, keys))
  const claimant = { ...member.identity, priority: member.priority }
  member.claiming = true
  const { leader, lease } = yield* Operations.writeClaim(tx, keys, view, claimant, step.claim, history)
  // After the writes, for these watches are to fire on what others change.
  const called = yield* leaderWakeUp.arm(tx, leaderKeys(member))
  const committedVersion = yield* tx.committedVersion
  return { ...seen, claimed: { leader, lease, armed: called, committedVersion } } satisfies Look
})

const causeOf = (member: Member, { memory, view }: Look): "Vacant" | "Lapsed" | "Own" => {
  if (view.leader._tag === "Vacant") return "Vacant"
  return view.leader.id === member.id && !Protocol.hasLapsed(memory.observation, view, member.now()) ? "Own" : "Lapsed"
}

/** Runs `aside` meanwhile, and is not over before that is. One fiber more, where `Effect.all` would need two. */
const beside = <A, E>(main: Effect.Effect<A, E>, aside: Effect.Effect<void>): Effect.Effect<A, E> =>
  Effect.acquireUseRelease(
    Effect.forkChild(aside, { startImmediately: true }),
    () => main,
    (fiber, exit) => Exit.isSuccess(exit) ? Fiber.await(fiber) : Fiber.interrupt(fiber)
  )

/** One campaign of a member: its watches, its pace, and what it has told of others. */
class Campaign {
  private readonly member: Member
  private readonly wakeUp: WakeUp
  private readonly leaderWakeUp: WakeUp
  private readonly begun: bigint
  private disabled = false
  private followed: string | undefined = undefined

  constructor(member: Member, wakeUp: WakeUp, leaderWakeUp: WakeUp) {
    this.member = member
    this.wakeUp = wakeUp
    this.leaderWakeUp = leaderWakeUp
    this.begun = member.now()
  }

  /** Registers, or looks and does what the protocol says. */
  round(): Effect.Effect<Elected | Pace.Pause, CampaignError> {
    return this.member.identity === undefined && !this.disabled ? this.register() : this.cycle()
  }

  private register(): Effect.Effect<Pace.Pause, CampaignError> {
    if (this.member.closed) return Effect.interrupt
    return Registration.register(this.member).pipe(
      Effect.as(Pace.atOnce),
      Effect.catchTag("ElectionDisabled", () =>
        Effect.sync(() => {
          this.disabled = true
          return Pace.atOnce
        }))
    )
  }

  private cycle(): Effect.Effect<Elected | Pace.Pause, CampaignError> {
    return Effect.gen({ self: this }, function*() {
      const { leaderWakeUp, member, wakeUp } = this
      const { identity, seenAt } = member
      const expectant = !wakeUp.isArmed || mayClaim(member)
      // Beside the reads, where its own record was seen to stand lately; but not where a claim would conflict with it.
      const beatsAhead = identity !== undefined && !this.disabled && !expectant && Registration.isDue(member) &&
        member.isFresh(seenAt)
      const looking = member.database.transact(look(member, wakeUp, leaderWakeUp, expectant), {
        idempotent: true,
        timeout: member.patience
      })
      const found = yield* beatsAhead
        ? beside(looking, Registration.beat(member, identity, seenAt.version))
        : looking
      const known = member.memory.observation
      member.memory = found.memory
      member.answered(found.view.config)
      this.disabled = !found.view.enabled
      if (found.claimed !== undefined) return yield* this.elected(found, found.claimed)
      if (found.armed !== undefined) yield* wakeUp.started(found.armed)
      // Leadership has moved, and the watch has not told of it: it may be lost, and is set again with the next look.
      else if (known?.term !== found.view.leader.term) yield* wakeUp.disarm
      return yield* this.follow(found)
    })
  }

  private elected(found: Look, claimed: Claimed): Effect.Effect<Elected, FdbError> {
    return Effect.gen({ self: this }, function*() {
      const { leaderWakeUp, member } = this
      const { leader, lease } = claimed
      yield* leaderWakeUp.started(claimed.armed)
      const version = yield* claimed.committedVersion
      const now = member.now()
      const aliveAt = found.memory.vacantSince ?? found.memory.observation?.since ?? now
      member.lastBeat = now
      member.memory = { ...member.memory, vacantSince: undefined, yieldsUntil: undefined }
      yield* member.tell((about) =>
        ElectionEvent.Elected({
          ...about,
          term: leader.term,
          cause: causeOf(member, found),
          waited: Duration.nanos(now - this.begun),
          leaderless: Duration.nanos(now - aliveAt),
          believesUntil: Protocol.believesUntil(
            found.attempt.monotonic,
            found.view.leaseDuration,
            member.marginOf(found.view.leaseDuration)
          )
        })
      )
      return { leader, lease, attempt: found.attempt, version }
    })
  }

  private follow(found: Look): Effect.Effect<Pace.Pause, CampaignError> {
    return Effect.gen({ self: this }, function*() {
      const { member } = this
      const { attempt, step, version, view } = found
      if (step._tag === "Superseded") return yield* new CandidateSuperseded({ processId: member.id })
      if (step._tag === "Register") return yield* this.register()
      yield* this.tellWhomItFollows(view)
      if (step._tag === "Challenge") {
        yield* member.tell((about) => ElectionEvent.Challenged({ ...about, term: view.leader.term }))
      }
      if (member.identity !== undefined && view.enabled) {
        member.sawItself(version, attempt.monotonic)
        if (Registration.isDue(member)) yield* Registration.beat(member, member.identity, version)
      }
      return yield* this.pause(view, step)
    })
  }

  private pause(view: Store.ElectionView, step: Protocol.Step): Effect.Effect<Pace.Pause> {
    return Effect.map(Clock.currentTimeNanos, (wall) => {
      const { heartbeat } = this.member
      const age = view.leader._tag === "Held" ? wall - (view.lease.expiry - view.lease.duration) : 0n
      return { about: Pace.untilNextPoll(age, heartbeat), until: step._tag === "Follow" ? step.until : undefined }
    })
  }

  private tellWhomItFollows(view: Store.ElectionView): Effect.Effect<void> {
    const leader = view.leader._tag === "Held" ? view.leader.id : undefined
    const { term } = view.leader
    const followed = `${term} ${leader ?? ""}`
    if (followed === this.followed) return Effect.void
    this.followed = followed
    return this.member.tell((about) => ElectionEvent.Following({ ...about, leader, term }))
  }
}

/**
 * Campaigns until elected. The leader's watches are armed in `leaderWakeUp` by the claim itself. When it is interrupted,
 * `member.claiming` tells whether it may have been elected without being told. When the candidacy is closed it interrupts itself.
 */
export const campaign = (member: Member, leaderWakeUp: WakeUp): Effect.Effect<Elected, CampaignError> =>
  Effect.gen(function*() {
    const wakeUp = yield* WakeUp.make
    const sleep = yield* Pace.pacer
    const campaign = new Campaign(member, wakeUp, leaderWakeUp)
    member.callUp = wakeUp.call
    while (!member.closed) {
      const round = yield* Effect.result(campaign.round())
      if (Result.isSuccess(round)) {
        if ("leader" in round.success) return round.success
        if (round.success !== Pace.atOnce) yield* wakeUp.during(sleep(round.success))
      } else {
        const error = round.failure
        // What trying again cannot help, or what whoever campaigns has to decide.
        if (error._tag !== "FdbError" || !mayPass(error)) return yield* error
        member.failures++
        yield* member.tell((about) => ElectionEvent.Retried({ ...about, error }))
        yield* sleep({ about: Pace.backOff(member.failures, member.heartbeat) })
      }
    }
    return yield* Effect.interrupt
  }).pipe(Effect.scoped)

/** For a heartbeat, it leaves a vacancy to others: it has stepped down. */
export const yieldToOthers = (member: Member): void => {
  member.memory = { ...member.memory, yieldsUntil: member.now() + member.heartbeat }
}
