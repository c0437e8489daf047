/**
 * Following: cycle after cycle of one wave of reads, until the protocol allows to claim (4, 5, 7, 8, 9).
 */
import { type FdbError, Transaction, type TransactionService } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { differences, ElectionConfig } from "../../ElectionConfig.ts"
import { type CampaignError, CandidateSuperseded } from "../../ElectionError.ts"
import type { ElectionCause } from "../../LossReason.ts"
import { leastPatience, mayPass, type Member } from "../candidate/candidate.ts"
import * as Log from "../candidate/log.ts"
import * as Pace from "../candidate/pacing.ts"
import * as Registration from "../candidate/registration.ts"
import * as Candidate from "../candidate/validation.ts"
import type { Armed, WakeUp } from "../candidate/watches.ts"
import { type Instant, instant } from "../leader/belief.ts"
import * as Protocol from "../protocol/protocol.ts"
import type { HeldRecord, LeaseRecord } from "../protocol/records.ts"
import * as Operations from "../storage/operations.ts"
import * as Store from "../storage/reads.ts"
import * as Precedence from "./claimOrder.ts"

/** A claim that was committed. */
export interface Elected {
  readonly leader: HeldRecord
  readonly lease: LeaseRecord
  /** When the attempt that was committed was started. */
  readonly attempt: Instant
  /** The version of the commit. */
  readonly version: bigint
  readonly cause: ElectionCause
  /** Since anybody was last seen to lead, in nanoseconds. */
  readonly leaderless: bigint
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
  readonly cause: ElectionCause
  readonly leader: HeldRecord
  readonly lease: LeaseRecord
  /** To be run after the commit. */
  readonly committedVersion: Effect.Effect<bigint, FdbError>
}

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
  if (!view.enabled || member.closed) return { _tag: "Follow", until: undefined }
  if (memory.supersededBy !== undefined) {
    return Protocol.awaitId(memory.supersededBy, view, readAt, Duration.toNanosUnsafe(view.config.candidateTimeout))
  }
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

/** Reads, and decides. What follows only from a vacancy, a challenge or a lost watch is done in {@link act}. */
const look = (
  member: Member,
  wakeUp: WakeUp,
  expectant: boolean,
  knownVersion: bigint | undefined
): Effect.Effect<Look, CampaignError, Transaction> =>
  Effect.flatMap(Transaction, (tx) => {
    const { clock, keys } = member
    const attempt = instant(clock)
    wakeUp.answer()
    const ending = expectant ? member.memory.observation?.term : undefined
    const reading = Store.readView(tx.snapshot, keys, member.id, ending)
    return Effect.flatMap(
      knownVersion === undefined ? reading : Effect.andThen(tx.setReadVersion(knownVersion), reading),
      (view) =>
        // Known by now: the reads have needed it.
        Effect.flatMap(tx.readVersion, (version) => {
          const readAt = clock.monotonicTimeNanosUnsafe()
          const memory = Protocol.remember(member.memory, view, readAt)
          const step = decide(member, view, memory, readAt)
          const seen: Look = { view, memory, step, attempt, version, armed: undefined, claimed: undefined }
          // Where leadership has moved, and no watch has told of it, that may be lost.
          const watches = wakeUp.isArmed && member.memory.observation?.term === view.leader.term
          return watches && step._tag === "Follow"
            ? Effect.succeed(seen)
            : Effect.flatMap(restrained(member, tx, seen), (seen) => act(member, wakeUp, tx, seen, watches))
        })
    )
  })

/** Leaves the leader unchallenged for a while where others, or itself, have preempted of late and could not lead (7). */
const restrained = (member: Member, tx: TransactionService, seen: Look): Effect.Effect<Look, FdbError> => {
  const { memory, step, view } = seen
  const { term } = view.leader
  if (step._tag !== "Challenge" || memory.challenges?.term === term) return Effect.succeed(seen)
  const renewalsInLease = view.leaseDuration / Duration.toNanosUnsafe(view.config.heartbeatInterval) + 1n
  return Store.readHistory(tx.snapshot, member.keys, Protocol.tenuresConsidered).pipe(
    // A record of long ago that cannot be read keeps nobody from leading.
    Effect.catchTag("InvalidState", () => Effect.succeed([])),
    Effect.map((history) =>
      Protocol.challengeDelay(
        Protocol.failedPreemptions(history, view.lease.ballot, member.id, renewalsInLease),
        view.leaseDuration
      )
    ),
    Effect.flatMap(Pace.jitter),
    Effect.tap((delay) =>
      delay === 0n ? Effect.void : Log.info(
        `"${member.id}" leaves the leader of term ${term} unchallenged for ${
          Duration.format(Duration.nanos(delay))
        }, ` +
          "because recent preemptions failed"
      )
    ),
    Effect.map((delay): Look => {
      const now = member.now()
      const challenges = { term, from: now + delay }
      // Whatever becomes of this attempt: another must not be longer for it, with renewals to conflict with.
      member.memory = { ...member.memory, challenges }
      const remembered = { ...memory, challenges }
      return { ...seen, memory: remembered, step: decide(member, view, remembered, now) }
    })
  )
}

/** Does in the same transaction what a look asks for, and sets the watches unless it still `watches`. */
const act = Effect.fnUntraced(function*(
  member: Member,
  wakeUp: WakeUp,
  tx: TransactionService,
  seen: Look,
  watches: boolean
) {
  const { keys } = member
  const { step, view } = seen
  if (step._tag === "Challenge" || step._tag === "Claim") {
    yield* Candidate.requireAble(member.marginOf, view.leaseDuration)
  }
  if (step._tag === "Challenge") yield* Operations.writeChallenge(tx, keys, view, member.id, step.challenge)
  if (step._tag !== "Claim" || member.identity === undefined) {
    // What is watched has just been read, and need not be asked for again.
    if (watches) return seen
    const watched = [keys.leader, keys.config]
    if (seen.memory.supersededBy !== undefined) watched.push(keys.candidate(member.id))
    return { ...seen, armed: yield* wakeUp.arm(tx, watched) }
  }
  const ended = yield* Operations.readEnded(tx.snapshot, keys, view, step.claim)
  const claimant = { ...member.identity, priority: member.priority }
  member.claiming = true
  const { leader, lease } = yield* Operations.writeClaim(tx, keys, view, claimant, step.claim, ended)
  const committedVersion = yield* tx.committedVersion
  return { ...seen, claimed: { cause: step.cause, leader, lease, committedVersion } }
})

/** One campaign of a member: its watches, its pace, and what it has told of others. */
class Campaign {
  private readonly member: Member
  private readonly wakeUp: WakeUp
  private disabled = false
  private followed: string | undefined = undefined
  /** How many others are to be let go first when there is a vacancy. */
  private place = 0
  /** Whether nobody has set the election up. */
  private isMissing = false

  constructor(member: Member, wakeUp: WakeUp) {
    this.member = member
    this.wakeUp = wakeUp
  }

  /** Sets the election up, registers, or looks and does what the protocol says. */
  round(): Effect.Effect<Elected | Pace.Pause, CampaignError> {
    if (this.isMissing) return this.setUp()
    return this.member.identity === undefined && !this.disabled ? this.register() : this.cycle()
  }

  /**
   * Whether it may set up an election that was not found. Not one that it has seen before: whoever led there may still believe so,
   * and terms would begin anew.
   */
  mayBegin(): boolean {
    this.isMissing = this.member.lastContact === undefined
    return this.isMissing
  }

  private setUp(): Effect.Effect<Pace.Pause, CampaignError> {
    const { config = new ElectionConfig({}), database, keys, patience } = this.member
    return Effect.map(
      database.transact(Operations.initialize(keys, config), { idempotent: true, timeout: patience }),
      () => {
        this.isMissing = false
        return Pace.atOnce
      }
    )
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
    return Effect.suspend(() => {
      const { member, wakeUp } = this
      const { identity, seenAt } = member
      const expectant = !wakeUp.isArmed || mayClaim(member)
      const looking = (version: bigint | undefined) =>
        member.database.transact(this.look(expectant, version), {
          idempotent: true,
          timeout: member.growingPatience
        })
      // It beats first, and looks at what that commit has left: a version that need not be asked for. But not where it may claim,
      // nor where its record has not been seen to stand lately.
      const beatsAhead = identity !== undefined && member.memory.supersededBy === undefined && !this.disabled &&
        !expectant &&
        Registration.isDue(member) && member.isFresh(seenAt)
      const found = beatsAhead
        // The look waits for it, and has to be young; a commit that comes later than that counts all the same.
        ? Effect.flatMap(
          Registration.beat(
            member,
            identity,
            seenAt.version,
            Duration.max(leastPatience, Duration.divideUnsafe(member.patience, 8))
          ),
          looking
        )
        : looking(undefined)
      return Effect.flatMap(found, (found) => this.found(found))
    })
  }

  private found(found: Look): Effect.Effect<Elected | Pace.Pause, CampaignError> {
    const { member, wakeUp } = this
    member.memory = found.memory
    member.answered(found.view.config)
    this.disabled = !found.view.enabled
    const told = this.compare(found.view.config)
    if (found.claimed !== undefined) return Effect.andThen(told, this.elected(found, found.claimed))
    const following = Effect.andThen(told, Effect.suspend(() => this.follow(found)))
    return found.armed === undefined ? following : Effect.andThen(wakeUp.started(found.armed), following)
  }

  /** Tells, once, of a configuration that is not the one which the election was to be set up with. */
  private compare(inForce: ElectionConfig): Effect.Effect<void> {
    const { member } = this
    const given = member.config
    if (given === undefined || member.hasCompared) return Effect.void
    member.hasCompared = true
    return differences(given, inForce).length === 0
      ? Effect.void
      : member.tell((about) => ({ _tag: "ConfigDiffers", ...about, given, inForce }))
  }

  /** Looks; at a known version only once, for that may be what an attempt failed for. */
  private look(expectant: boolean, version: bigint | undefined) {
    let known = version
    return Effect.suspend(() => {
      const at = known
      known = undefined
      return look(this.member, this.wakeUp, expectant, at)
    })
  }

  private elected(found: Look, { cause, committedVersion, leader, lease }: Claimed): Effect.Effect<Elected, FdbError> {
    return Effect.map(committedVersion, (version) => {
      const { member } = this
      const now = member.now()
      const aliveAt = found.memory.vacantSince ?? found.memory.observation?.since ?? now
      member.lastBeat = now
      member.memory = { ...member.memory, vacantSince: undefined, yieldsUntil: undefined }
      return {
        leader,
        lease,
        attempt: found.attempt,
        version,
        cause,
        leaderless: now - aliveAt
      }
    })
  }

  private follow({ attempt, step, version, view }: Look): Effect.Effect<Pace.Pause, CampaignError> {
    const { member } = this
    if (member.closed) return Effect.succeed(Pace.atOnce)
    if (step._tag === "Superseded") {
      // Another campaign of it waits: it does not take the id back from who lives.
      member.memory = { ...member.memory, supersededBy: Protocol.observeOther(undefined, view, member.now()) }
      const told = member.tell((about) => ({ _tag: "Superseded", ...about }))
      return Effect.andThen(told, Effect.fail(new CandidateSuperseded({ processId: member.id })))
    }
    if (step._tag === "Register") return this.register()
    let done: Effect.Effect<unknown, CampaignError> = this.isNews(view) ? this.fallIn(view) : Effect.void
    if (step._tag === "Challenge") {
      const told = member.tell((about) => ({ _tag: "Challenged", ...about, term: view.leader.term }))
      done = Effect.andThen(
        done,
        Effect.suspend(() => {
          // The vacancy that it has asked for will be its own.
          this.place = 0
          return told
        })
      )
    }
    if (member.identity !== undefined && view.enabled && member.memory.supersededBy === undefined) {
      member.sawItself(version, attempt.monotonic)
      if (Registration.isDue(member)) {
        done = Effect.andThen(done, Registration.beat(member, member.identity, version, member.patience))
      }
    }
    return Effect.andThen(done, this.pause(view, step))
  }

  private pause(view: Store.ElectionView, step: Protocol.Step): Effect.Effect<Pace.Pause> {
    return Effect.map(Clock.currentTimeNanos, (wall) => {
      const { heartbeat } = this.member
      const age = view.leader._tag === "Held" ? wall - (view.lease.expiry - view.lease.duration) : 0n
      return { about: Pace.untilNextPoll(age, heartbeat), until: step._tag === "Follow" ? step.until : undefined }
    })
  }

  private isNews({ enabled, leader }: Store.ElectionView): boolean {
    const followed = `${enabled} ${leader.term} ${leader._tag === "Held" ? leader.id : ""}`
    if (followed === this.followed) return false
    this.followed = followed
    return true
  }

  /** Tells whom it follows, and takes its place among those who do. */
  private fallIn({ config, enabled, leader }: Store.ElectionView): Effect.Effect<void> {
    const { member } = this
    const { database, identity, keys, patience } = member
    const leaderId = leader._tag === "Held" ? leader.id : undefined
    const told = member.tell((about) => ({ _tag: "Following", ...about, leader: leaderId, term: leader.term, enabled }))
    if (leader._tag === "Vacant" || identity === undefined) return told
    const place = Precedence.readPlace(keys, identity, leader, config.candidateTimeout)
    return Effect.andThen(told, database.transact(place, { retryLimit: 0, timeout: patience })).pipe(
      Effect.match({
        onFailure: () => {},
        onSuccess: (place) => {
          this.place = place
        }
      })
    )
  }

  /** Lets others go first, where all may have been called to a vacancy. */
  get headStart(): Effect.Effect<void> {
    if (!this.wakeUp.hasFired || this.place === 0) return Effect.void
    // What else is being watched would only tell of what the others do now.
    return Effect.andThen(this.wakeUp.disarm, Effect.sleep(Precedence.headStart(this.place)))
  }
}

/**
 * Campaigns until elected, called by `wakeUp`. When it is interrupted, `member.claiming` tells whether it may have been elected
 * without being told. When the candidacy is closed it interrupts itself.
 */
export const campaign = (member: Member, wakeUp: WakeUp): Effect.Effect<Elected, CampaignError> =>
  Effect.gen(function*() {
    const sleep = yield* Pace.pacer
    const campaign = new Campaign(member, wakeUp)
    member.callUp = wakeUp.call
    while (!member.closed) {
      const round = yield* Effect.result(campaign.round())
      if (Result.isSuccess(round)) {
        if ("leader" in round.success) return round.success
        if (round.success !== Pace.atOnce) {
          yield* wakeUp.during(sleep(round.success))
          yield* campaign.headStart
        }
      } else {
        const error = round.failure
        if (error._tag === "NotInitialized" && campaign.mayBegin()) continue
        // What trying again cannot help, or what whoever campaigns has to decide.
        if (error._tag !== "FdbError" || !mayPass(error)) return yield* error
        member.failures++
        yield* member.tell((about) => ({ _tag: "Retried", ...about, error }))
        yield* sleep({ about: Pace.backOff(member.failures, member.heartbeat) })
      }
    }
    return yield* Effect.interrupt
  })

/**
 * It leaves a vacancy to others, having stepped down itself or its lease being too short for it: for a heartbeat, or, where that
 * is less, for as long as they need to find out and to claim, if their transactions take as long as its last one `took`.
 */
export const yieldToOthers = (member: Member, took: bigint): void => {
  const pause = Duration.max(Duration.max(Duration.nanos(member.heartbeat), leastPatience), Duration.nanos(2n * took))
  member.memory = { ...member.memory, yieldsUntil: member.now() + Duration.toNanosUnsafe(pause) }
}
