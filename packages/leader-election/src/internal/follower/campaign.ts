/** A campaign: look after look at the election, until the candidate is elected. */
import type { FdbError } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { differences, ElectionConfig } from "../../ElectionConfig.ts"
import { type CampaignError, CandidateSuperseded } from "../../ElectionError.ts"
import type { ElectionCause } from "../../LossReason.ts"
import { type Candidate, yieldToOthers } from "../candidate/candidate.ts"
import { isTransient, minTimeout } from "../candidate/contact.ts"
import { type Instant, instant } from "../candidate/instant.ts"
import * as Pacing from "../candidate/pacing.ts"
import { throttled } from "../candidate/throttle.ts"
import type { Watches } from "../candidate/watches.ts"
import * as Protocol from "../protocol/protocol.ts"
import type { HeldRecord, LeaseRecord } from "../protocol/records.ts"
import type * as Reads from "../storage/reads.ts"
import * as Writes from "../storage/writes.ts"
import * as ClaimOrder from "./claimOrder.ts"
import { type Beat, type Claimed, type Look, look, mayClaim, untilNextLook } from "./look.ts"
import { isLed, keepFollowing, type LedView } from "./steady.ts"

/** A tenure that was claimed or appointed. */
export interface Elected {
  readonly leader: HeldRecord
  readonly lease: LeaseRecord
  /** From when on the belief counts. */
  readonly since: Instant
  /** When the attempt was started that was committed, or that has shown the appointment. */
  readonly attempt: Instant
  /** The version of the commit, or of what has shown the appointment. */
  readonly version: bigint
  /** Whether nothing has been committed for it yet, and its lease is short. */
  readonly isToBeRenewed: boolean
  readonly cause: ElectionCause
  /** Since anybody was last seen to lead, in nanoseconds. */
  readonly leaderless: bigint
}

/** How long to wait until the next round. */
interface Pause extends Pacing.Pause {
  /** What it has seen, where it has nothing to do but to look again. */
  readonly steady?: LedView | undefined
}

class Campaign {
  private readonly candidate: Candidate
  private readonly watches: Watches
  private readonly sleep: (pause: Pacing.Pause) => Effect.Effect<void>
  private disabled = false
  private followed: string | undefined = undefined
  /** How many others claim a vacancy first. */
  private rank = 0
  /** Whether nobody has set the election up. */
  private isMissing = false
  /** How many deaths were told since the last look. */
  private deaths = 0
  /** When the first of the last ones was told. */
  private deathTold: bigint | undefined = undefined

  constructor(candidate: Candidate, watches: Watches, sleep: (pause: Pacing.Pause) => Effect.Effect<void>) {
    this.candidate = candidate
    this.watches = watches
    this.sleep = sleep
  }

  /** Sets the election up, registers, or looks and does what the protocol says. */
  round(): Effect.Effect<Elected | Pause, CampaignError> {
    if (this.isMissing) return this.setUp()
    return this.candidate.registration.identity === undefined && !this.disabled ? this.register() : this.cycle()
  }

  /**
   * Whether it may set up an election that was not found. Not one that it has seen before: whoever led there may still believe so,
   * and terms would begin anew.
   */
  maySetUp(): boolean {
    this.isMissing = !this.candidate.contact.hasAnswered
    return this.isMissing
  }

  private setUp(): Effect.Effect<Pause, CampaignError> {
    const { config = new ElectionConfig({}), contact, database, keys } = this.candidate
    return Effect.map(
      database.transact(Writes.initialize(keys, config), { idempotent: true, timeout: contact.transactionTimeout }),
      () => {
        this.isMissing = false
        return Pacing.atOnce
      }
    )
  }

  private register(): Effect.Effect<Pause, CampaignError> {
    const { lifecycle, memory, registration } = this.candidate
    if (lifecycle.isClosing) return Effect.interrupt
    return registration.register(memory.current.supersededBy).pipe(
      Effect.map((registered) => {
        if (registered) memory.registered()
        return Pacing.atOnce
      }),
      Effect.catchTag("ElectionDisabled", () =>
        Effect.sync(() => {
          this.disabled = true
          return Pacing.atOnce
        }))
    )
  }

  /** A candidate of the election has died: it may have been the leader, though it was not known to be. */
  readonly onDeath = (): void => {
    if (this.deaths++ === 0) this.deathTold = this.candidate.now()
    this.watches.alert()
  }

  private cycle(): Effect.Effect<Elected | Pause, CampaignError> {
    return Effect.suspend(() => {
      const { contact, database, memory, registration } = this.candidate
      const { identity, isDue, seenAt } = registration
      const expectant = !this.watches.isWatching || this.deaths > 0 || mayClaim(this.candidate)
      this.deaths = 0
      const sentAfter = instant(this.candidate.clock)
      const looking = (version: bigint | undefined) =>
        database.transact(this.look(expectant, version === undefined ? undefined : { version, sentAfter }), {
          idempotent: true,
          timeout: contact.growingTimeout
        })
      // The look takes the version of the heartbeat's commit, which need not be asked for. But not where it may claim.
      const looked = identity !== undefined && memory.current.supersededBy === undefined && !this.disabled &&
          !expectant && isDue && seenAt !== undefined
        // The look waits for it, and has to be young; a commit that comes later than that counts all the same.
        ? Effect.flatMap(
          registration.heartbeat(
            seenAt.version,
            Duration.max(minTimeout, Duration.divideUnsafe(contact.transactionTimeout, 8))
          ),
          looking
        )
        : looking(undefined)
      return Effect.flatMap(looked, (looked) => this.looked(looked))
    })
  }

  /** Looks; at a known version only once, for that may be what an attempt failed for. */
  private look(expectant: boolean, beat: Beat | undefined) {
    let known = beat
    return Effect.suspend(() => {
      const at = known
      known = undefined
      return look(this.candidate, this.watches, expectant, at)
    })
  }

  private looked(looked: Look): Effect.Effect<Elected | Pause, CampaignError> {
    const { contact, memory } = this.candidate
    const { claimed, view: { config, enabled }, watchSet } = looked
    memory.looked(looked.memory)
    contact.configured(config)
    this.disabled = !enabled
    const told = this.compare(config)
    if (claimed !== undefined) return Effect.andThen(told, this.elected(looked, claimed))
    const following = told.pipe(
      Effect.andThen(Effect.suspend(() => this.candidate.admission.followed(looked.step, looked.view))),
      Effect.andThen(Effect.suspend(() => this.follow(looked)))
    )
    return watchSet === undefined ? following : Effect.andThen(this.watches.use(watchSet), following)
  }

  /** Tells, once, of a configuration that is not the one which the election was to be set up with. */
  private compare(inForce: ElectionConfig): Effect.Effect<void> {
    const { config: given, events, memory } = this.candidate
    return given === undefined || !memory.isFirstComparison() || differences(given, inForce).length === 0
      ? Effect.void
      : events.tell({ _tag: "ConfigDiffers", given, inForce })
  }

  private elected(
    { attempt, memory: seen, version: seenAt }: Look,
    { cause, committedVersion, leader, lease, since }: Claimed
  ): Effect.Effect<Elected, FdbError> {
    return Effect.map(committedVersion ?? Effect.succeed(seenAt), (version) => {
      const { memory, now, registration } = this.candidate
      const at = now()
      const isToBeRenewed = committedVersion === undefined
      if (!isToBeRenewed) registration.writtenAt(at)
      memory.elected(leader.term)
      const leaderless = at - (this.lastLed(cause, seen) ?? at)
      return { leader, lease, since, attempt, version, isToBeRenewed, cause, leaderless }
    })
  }

  /** When somebody was last known to lead: a leader lives until its death is told. */
  private lastLed(cause: ElectionCause, { observation, vacantSince }: Protocol.Memory): bigint | undefined {
    const seen = vacantSince ?? observation?.since
    const { deathTold } = this
    return cause === "died" && deathTold !== undefined && seen !== undefined && deathTold > seen ? deathTold : seen
  }

  private follow({ attempt, step, version, view }: Look): Effect.Effect<Pause, CampaignError> {
    const { contact, events, id, lifecycle, memory, now, registration, witnessed } = this.candidate
    if (lifecycle.isClosing) return Effect.succeed(Pacing.atOnce)
    if (step._tag === "Superseded") {
      // The next campaign waits: it does not take the id back from a process that lives.
      memory.superseded(Protocol.observeOther(undefined, view, now()))
      return events.tell({ _tag: "Superseded" }).pipe(
        Effect.andThen(witnessed.takeBack),
        Effect.andThen(Effect.fail(new CandidateSuperseded({ processId: id })))
      )
    }
    if (step._tag === "Register") return this.register()
    let done: Effect.Effect<unknown, CampaignError> = this.isNews(view) ? this.onLeaderChange(view) : Effect.void
    if (step._tag === "Challenge") {
      done = Effect.andThen(
        done,
        Effect.suspend(() => {
          // The vacancy that it has asked for will be its own.
          this.rank = 0
          return events.tell({ _tag: "Challenged", term: view.leader.term })
        })
      )
    }
    if (step._tag === "Resign") {
      const yields = Protocol.stepDownReason(view) === "stepped-down"
      done = Effect.andThen(
        Effect.andThen(done, registration.resignIfLeading),
        Effect.sync(() => yields ? yieldToOthers(this.candidate, 0n) : undefined)
      )
    }
    const { identity } = registration
    if (identity !== undefined && view.enabled && memory.current.supersededBy === undefined) {
      registration.sawAt(version, attempt.monotonic)
      if (registration.isDue) {
        done = Effect.andThen(done, registration.heartbeat(version, contact.transactionTimeout))
      }
    }
    return Effect.andThen(done, Effect.sync(() => this.pause(view, step)))
  }

  private pause(view: Reads.ElectionView, step: Protocol.Step): Pause {
    const { memory, registration } = this.candidate
    const isSteady = step._tag === "Follow" && isLed(view) && registration.identity !== undefined &&
      memory.current.supersededBy === undefined
    return {
      about: untilNextLook(this.candidate, view),
      until: step._tag === "Follow" ? step.until : undefined,
      steady: isSteady ? view : undefined
    }
  }

  /** Waits until it is to look again; where there was nothing else to do, it looks together with others until there is. */
  readonly wait = (pause: Pause): Effect.Effect<void> =>
    pause.steady === undefined
      ? this.sleep(pause)
      : keepFollowing(this.candidate, this.watches, pause.steady, pause)

  private isNews({ enabled, leader }: Reads.ElectionView): boolean {
    const followed = `${enabled} ${leader.term} ${leader._tag === "Held" ? leader.id : ""}`
    if (followed === this.followed) return false
    this.followed = followed
    return true
  }

  /** Tells whom it follows, and finds its rank among those that do. */
  private onLeaderChange({ config, enabled, leader }: Reads.ElectionView): Effect.Effect<void> {
    const { contact, database, events, keys, registration: { identity, isCalled } } = this.candidate
    const leaderId = leader._tag === "Held" ? leader.id : undefined
    const told = events.tell({ _tag: "Following", leader: leaderId, term: leader.term, enabled })
    // Who is called is told its rank with that.
    if (leader._tag === "Vacant" || identity === undefined || isCalled) return told
    const rank = ClaimOrder.readRank(keys, identity, leader, config.candidateTimeout)
    return Effect.andThen(told, database.transact(rank, { retryLimit: 0, timeout: contact.transactionTimeout })).pipe(
      Effect.match({
        onFailure: () => {},
        onSuccess: (rank) => {
          this.rank = rank
        }
      })
    )
  }

  /** Lets others claim first, where all may have been told of a vacancy or of a death. */
  get claimDelay(): Effect.Effect<void> {
    if (!this.watches.hasFired) return this.deaths === 0 ? Effect.void : this.delayAfterDeath
    if (this.rank === 0 || this.candidate.registration.isCalled) return Effect.void
    // What else is watched would only tell what the others do now.
    return Effect.andThen(this.watches.cancel, Effect.sleep(ClaimOrder.claimDelay(this.rank)))
  }

  /** Another death may be that of one before it: it counts anew, from the first death on. Whatever else wakes it is looked at now. */
  private readonly delayAfterDeath: Effect.Effect<void> = Effect.suspend(() => {
    const { contact: { heartbeat }, lifecycle, now, registration: { identity }, witnessed } = this.candidate
    const { deathTold = now(), deaths } = this
    const rank = identity === undefined ? 0 : witnessed.rank(identity)
    const left = deathTold + ClaimOrder.delayAfterDeath(rank, heartbeat) - now()
    if (left <= 0n || lifecycle.isClosing) return Effect.void
    this.watches.acknowledge()
    return Effect.andThen(
      this.watches.during(Effect.sleep(Duration.nanos(left))),
      Effect.suspend(() => this.deaths === deaths ? Effect.void : this.delayAfterDeath)
    )
  })
}

/**
 * Campaigns until elected. Where it is interrupted, the lifecycle tells whether it may have been elected all the same. Where the
 * candidacy is closed, it interrupts itself.
 */
export const untilElected = (candidate: Candidate, watches: Watches): Effect.Effect<Elected, CampaignError> =>
  Effect.scoped(Effect.gen(function*() {
    const { contact, events, lifecycle, witnessed } = candidate
    const sleep = yield* Pacing.pacer
    const campaign = new Campaign(candidate, watches, sleep)
    yield* witnessed.onDeath(campaign.onDeath)
    while (!lifecycle.isClosing) {
      const round = yield* Effect.result(throttled(candidate.database, campaign.round()))
      if (Result.isSuccess(round)) {
        if ("leader" in round.success) return round.success
        if (round.success !== Pacing.atOnce) {
          yield* watches.during(campaign.wait(round.success))
          yield* campaign.claimDelay
        }
      } else {
        const error = round.failure
        if (error._tag === "NotInitialized" && campaign.maySetUp()) continue
        // What trying again cannot help, or what the caller has to decide.
        if (error._tag !== "FdbError" || !isTransient(error)) return yield* error
        contact.failure()
        yield* events.tell({ _tag: "Retried", error })
        yield* sleep({ about: Pacing.backOff(contact.failures, contact.heartbeat) })
      }
    }
    return yield* Effect.interrupt
  }))
