/** One look of a follower at the election: a transaction that reads, asks the protocol, and writes the claim or challenge (4, 5, 7, 8, 9). */
import { type FdbError, Transaction, type TransactionService } from "@effect-fdb/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { CampaignError } from "../../ElectionError.ts"
import type { ElectionCause } from "../../LossReason.ts"
import type { Candidate } from "../candidate/candidate.ts"
import { type Instant, instant } from "../candidate/instant.ts"
import * as Log from "../candidate/log.ts"
import * as Pacing from "../candidate/pacing.ts"
import type { Watches, WatchSet } from "../candidate/watches.ts"
import * as Protocol from "../protocol/protocol.ts"
import type { HeldRecord, LeaseRecord } from "../protocol/records.ts"
import { requireAble } from "../protocol/validation.ts"
import * as Reads from "../storage/reads.ts"
import * as Writes from "../storage/writes.ts"

/** What was seen, and done in the same transaction. */
export interface Look {
  readonly view: Reads.ElectionView
  readonly memory: Protocol.Memory
  readonly step: Protocol.Step
  readonly attempt: Instant
  readonly version: bigint
  readonly watchSet: WatchSet | undefined
  readonly claimed: Claimed | undefined
}

/** A tenure that was claimed, accepted, or is led as it was appointed. */
export interface Claimed {
  readonly cause: ElectionCause
  readonly leader: HeldRecord
  readonly lease: LeaseRecord
  /** From when on the belief counts. */
  readonly since: Instant
  /** To be run after the commit; there is none where the tenure is led as it was appointed. */
  readonly committedVersion: Effect.Effect<bigint, FdbError> | undefined
}

const allowed = (
  { isAppointable, isStandby, lifecycle, registration: { identity, priority }, witnessed }: Candidate,
  view: Reads.ElectionView,
  memory: Protocol.Memory,
  readAt: bigint
): Protocol.Step => {
  if (!view.enabled || lifecycle.isClosing) return { _tag: "Follow", until: undefined }
  if (memory.supersededBy !== undefined) {
    return Protocol.awaitId(memory.supersededBy, view, readAt, Duration.toNanosUnsafe(view.config.candidateTimeout))
  }
  if (identity === undefined) return { _tag: "Register" }
  const me = { ...identity, priority, isStandby: isStandby(), isAppointable }
  const died = view.leader._tag === "Held" && witnessed.hasDied(view.leader)
  return Protocol.step(memory, view, me, readAt, Duration.toNanosUnsafe(view.config.heartbeatInterval), died)
}

const decide = (
  candidate: Candidate,
  view: Reads.ElectionView,
  memory: Protocol.Memory,
  readAt: bigint
): Protocol.Step => candidate.admission.admit(allowed(candidate, view, memory, readAt), view, memory)

/**
 * What a candidate remembers after a view that was read at `readAt` in an attempt, and what it is to do. `lookedAt`: before the read version
 * was asked for, or the heartbeat sent whose commit has told it.
 */
export const consider = (
  candidate: Candidate,
  view: Reads.ElectionView,
  attempt: Instant,
  lookedAt: Instant,
  readAt: bigint
): Pick<Look, "view" | "memory" | "step" | "attempt"> => {
  const { current: before } = candidate.memory
  const seen = Protocol.rememberLook(Protocol.remember(before, view, readAt), view, candidate.id, lookedAt)
  const memory = view.called === undefined ? seen : { ...seen, call: view.called.call }
  return { view, memory, step: decide(candidate, view, memory, readAt), attempt }
}

/** When to look again, about: soon after the next renewal of the leader. */
export const untilNextLook = ({ clock, contact }: Candidate, { leader, lease }: Reads.ElectionView): bigint => {
  const age = leader._tag === "Held" ? clock.currentTimeNanosUnsafe() - (lease.expiry - lease.duration) : 0n
  return Pacing.untilNextPoll(age, contact.heartbeat)
}

/** Leaves the leader unchallenged for a while after preemptions that failed (7). */
const delayChallenge = (candidate: Candidate, tx: TransactionService, seen: Look): Effect.Effect<Look, FdbError> => {
  const { memory, step, view } = seen
  const { term } = view.leader
  if (step._tag !== "Challenge" || memory.challenges?.term === term) return Effect.succeed(seen)
  const renewalsInLease = view.leaseDuration / Duration.toNanosUnsafe(view.config.heartbeatInterval) + 1n
  return Reads.readHistory(tx.snapshot, candidate.keys, Protocol.tenuresConsidered).pipe(
    // An old record that cannot be read keeps nobody from leading.
    Effect.catchTag("InvalidState", () => Effect.succeed([])),
    Effect.map((history) =>
      Protocol.challengeDelay(
        Protocol.failedPreemptions(history, view.lease.ballot, candidate.id, renewalsInLease),
        view.leaseDuration
      )
    ),
    Effect.flatMap(Pacing.jitter),
    Effect.tap((delay) =>
      delay === 0n ? Effect.void : Log.info(
        `"${candidate.id}" leaves the leader of term ${term} unchallenged for ${
          Duration.format(Duration.nanos(delay))
        }, ` +
          "because recent preemptions failed"
      )
    ),
    Effect.map((delay): Look => {
      const now = candidate.now()
      const challenges = { term, from: now + delay }
      // Also where this attempt fails: another must not take longer for it, with renewals to conflict with.
      candidate.memory.challengesFrom(term, challenges.from)
      const remembered = { ...memory, challenges }
      return { ...seen, memory: remembered, step: decide(candidate, view, remembered, now) }
    })
  )
}

/** What a follower watches: what calls it; or the leader, where nothing does. */
export const keysWatched = (
  { id, keys, registration: { isCalled } }: Candidate,
  { supersededBy }: Protocol.Memory
): ReadonlyArray<Uint8Array> => [
  isCalled ? keys.call(id) : keys.leader,
  keys.config,
  ...(supersededBy === undefined ? [] : [keys.candidate(id)])
]

/**
 * Leads the tenure to which it was appointed: at once, if it may believe in it; else it accepts that first, as a leader renews, for the
 * election's lease.
 */
const beginAppointed = Effect.fnUntraced(function*(
  { clock, contact: { commitTook }, keys, lifecycle, marginOf, registration: { mayStillResign, priority } }: Candidate,
  tx: TransactionService,
  { attempt, memory: { lookedAt }, view }: Look,
  leader: HeldRecord
) {
  const cause = "appointed" as const
  const { lease, leaseDuration } = view
  const margin = marginOf(lease.duration)
  const now = instant(clock)
  const took = now.monotonic - attempt.monotonic
  lifecycle.claim()
  const longer = took > commitTook ? took : commitTook
  if (!mayStillResign && Protocol.mayAdopt(lookedAt, lease.duration, margin, now, longer)) {
    return { cause, leader, lease, since: lookedAt, committedVersion: undefined }
  }
  yield* requireAble(marginOf, leaseDuration)
  const accepted = yield* Writes.writeRenewal(tx, keys, leader, priority, lease.ballot + 1n, leaseDuration)
  return { cause, leader, lease: accepted, since: attempt, committedVersion: yield* tx.committedVersion }
})

/** Writes what the step asks for, and sets the watches unless they still stand. */
const act = Effect.fnUntraced(function*(
  candidate: Candidate,
  watches: Watches,
  tx: TransactionService,
  seen: Look,
  isWatching: boolean
) {
  const { id, keys, lifecycle, marginOf, registration: { identity, priority } } = candidate
  const { step, view } = seen
  if (step._tag === "Challenge" || step._tag === "Claim") yield* requireAble(marginOf, view.leaseDuration)
  if (step._tag === "Challenge") yield* Writes.writeChallenge(tx, keys, view, id, step.challenge)
  if (step._tag === "Appointed" && view.leader._tag === "Held") {
    return { ...seen, claimed: yield* beginAppointed(candidate, tx, seen, view.leader) }
  }
  if (step._tag !== "Claim" || identity === undefined) {
    return isWatching ? seen : { ...seen, watchSet: yield* watches.set(tx, keysWatched(candidate, seen.memory)) }
  }
  const ended = yield* Reads.readEnded(tx.snapshot, keys, view, step.claim)
  lifecycle.claim()
  const { leader, lease } = yield* Writes.writeClaim(tx, keys, view, { ...identity, priority }, step.claim, ended)
  const committedVersion = yield* tx.committedVersion
  return { ...seen, claimed: { cause: step.cause, leader, lease, since: seen.attempt, committedVersion } }
})

/** Whether a look may find a vacancy or a lapsed lease: it then reads what a claim needs in the same wave. */
export const mayClaim = ({ memory: { current: { observation, vacantSince } }, now }: Candidate): boolean =>
  observation === undefined || vacantSince !== undefined || now() >= Protocol.lapsesAt(observation)

/** The version of a heartbeat's commit, and an instant before that was sent. */
export interface Beat {
  readonly version: bigint
  readonly sentAfter: Instant
}

/** Looks, at the version of a heartbeat or at one to be asked for. `expectant`: see {@link mayClaim}. */
export const look = (
  candidate: Candidate,
  watches: Watches,
  expectant: boolean,
  beat: Beat | undefined
): Effect.Effect<Look, CampaignError, Transaction> =>
  Effect.flatMap(Transaction, (tx) => {
    const { clock, id, keys, memory: { current: before }, now, registration: { isCalled } } = candidate
    const attempt = instant(clock)
    watches.acknowledge()
    const reading = Reads.readView(tx.snapshot, keys, id, expectant ? before.observation?.term : undefined, isCalled)
    return Effect.flatMap(
      beat === undefined ? reading : Effect.andThen(tx.setReadVersion(beat.version), reading),
      (view) =>
        // No further request: the reads have needed the version.
        Effect.flatMap(tx.readVersion, (version) => {
          const considered = consider(candidate, view, attempt, beat?.sentAfter ?? attempt, now())
          const seen: Look = { ...considered, version, watchSet: undefined, claimed: undefined }
          if (isCalled && view.called === undefined) candidate.registration.notCalled()
          // A watch that has not told of a call, or that leadership moved, may be lost.
          const isTold = isCalled
            ? Protocol.sameCall(before.call, view.called?.call)
            : before.observation?.term === view.leader.term
          const isWatching = isTold && watches.isWatchingAll(keysWatched(candidate, seen.memory))
          return isWatching && seen.step._tag === "Follow"
            ? Effect.succeed(seen)
            : Effect.flatMap(
              delayChallenge(candidate, tx, seen),
              (seen) => act(candidate, watches, tx, seen, isWatching)
            )
        })
    )
  })
