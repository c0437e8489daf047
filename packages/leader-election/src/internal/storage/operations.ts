/**
 * The operations: Effects that read, ask the protocol, and write. Each runs in the caller's transaction and takes the
 * wall time from `Clock`.
 */
import { Bytes, type FdbError, type Reads, Transaction, type TransactionService, Versionstamp } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { CandidateInfo } from "../../CandidateInfo.ts"
import { Challenge } from "../../Challenge.ts"
import { type ElectionConfig, validate as validateConfig } from "../../ElectionConfig.ts"
import {
  CandidateSuperseded,
  type ClockOutOfRange,
  ElectionDisabled,
  type InvalidState,
  ProcessNotFound,
  UnregisteredCandidate
} from "../../ElectionError.ts"
import * as ElectionResult from "../../ElectionResult.ts"
import { HistoryEntry } from "../../HistoryEntry.ts"
import { LeaderState } from "../../LeaderState.ts"
import * as Candidate from "../candidate/validation.ts"
import * as Protocol from "../protocol/protocol.ts"
import {
  type CandidateRecord,
  type ChallengeRecord,
  type HeldRecord,
  type Identity,
  type LeaderRecord,
  type LeaseRecord,
  sameIdentity,
  type Tenure
} from "../protocol/records.ts"
import * as Codec from "./codec.ts"
import type { ElectionKeys } from "./keys.ts"
import * as Store from "./reads.ts"

/** Which registration a caller claims to be; without it, the one that stands under the id. */
export interface IdentityOptions {
  readonly registration?: Versionstamp.Versionstamp | undefined
}

/** A leader, as the two records tell together. */
export const heldState = (leader: HeldRecord, lease: LeaseRecord): LeaderState =>
  new LeaderState({
    leaderId: leader.id,
    priority: leader.priority,
    registration: leader.registration,
    term: leader.term,
    ballot: lease.ballot,
    leaseDuration: Duration.nanos(lease.duration),
    leaseExpiry: lease.expiry
  })

/** Who leads, if anybody does. */
export const toState = (leader: LeaderRecord, lease: LeaseRecord): Option.Option<LeaderState> =>
  leader._tag === "Vacant" ? Option.none() : Option.some(heldState(leader, lease))

const toInfo = (id: string, record: CandidateRecord): CandidateInfo =>
  new CandidateInfo({
    processId: id,
    priority: record.priority,
    lastHeartbeat: record.lastHeartbeat,
    registration: record.registration
  })

export const toTenure = (state: LeaderState): Tenure => ({
  id: state.leaderId,
  registration: state.registration,
  term: state.term
})

const requireEnabled = (keys: ElectionKeys, config: ElectionConfig): Effect.Effect<void, ElectionDisabled> =>
  config.electionEnabled ? Effect.void : Effect.fail(new ElectionDisabled({ election: keys.name }))

// -- configuration -----------------------------------------------------------------------------------------------------

/** Writes what is missing, and nothing over what is there: ballots survive a lost configuration, and terms a lost lease. */
export const initialize = Effect.fnUntraced(function*(keys: ElectionKeys, config: ElectionConfig) {
  yield* validateConfig(config)
  const tx = yield* Transaction
  const [written, held, lease] = yield* tx.getAll([keys.config, keys.leader, keys.lease])
  const stored = yield* Effect.fromResult(Store.configIfAny(keys).decode(written))
  const leader = yield* Effect.fromResult(Store.leaderIfAny(keys).decode(held))
  if (stored !== undefined) return stored
  const duration = Duration.toNanosUnsafe(config.leaseDuration)
  yield* Store.write(tx, keys.config, Codec.encodeConfig(config))
  if (leader === undefined) {
    yield* Store.write(tx, keys.leader, Codec.encodeLeader({ _tag: "Vacant", term: 0n, successor: undefined }))
  }
  if (lease === undefined) {
    const lapsed = Codec.encodeLease({ ballot: leader?.term ?? 0n, duration, expiry: 0n })
    yield* Effect.catchTag(Store.write(tx, keys.lease, lapsed), "ClockOutOfRange", Effect.die)
  }
  return config
})

export const readConfig = Effect.fnUntraced(function*(keys: ElectionKeys) {
  return yield* Store.read(yield* Transaction, Store.config(keys))
})

export const writeConfig = Effect.fnUntraced(function*(keys: ElectionKeys, config: ElectionConfig) {
  yield* validateConfig(config)
  const tx = yield* Transaction
  yield* Store.read(tx, Store.config(keys))
  // Not at the version of a renewal, which the next one takes for read: see step 9 of the proof.
  yield* tx.addReadConflictKey(keys.lease)
  yield* Store.write(tx, keys.config, Codec.encodeConfig(config))
})

// -- candidates --------------------------------------------------------------------------------------------------------

/**
 * Gives an effect to be run after the commit, that tells the registration. What else the configuration has to fulfil is
 * required of it where it is read anyway: whoever registers may know nothing yet of how long a transaction may take.
 */
export const registerCandidate = Effect.fnUntraced(function*<E = never>(
  keys: ElectionKeys,
  id: string,
  priority: number,
  requireOf: (config: ElectionConfig) => Effect.Effect<void, E> = () => Effect.void
) {
  yield* Candidate.validate(id, priority)
  const tx = yield* Transaction
  const config = yield* Store.read(tx, Store.config(keys))
  yield* requireEnabled(keys, config)
  yield* requireOf(config)
  const now = yield* Clock.currentTimeNanos
  // So that a commit that arrives late, its caller having given it up, cannot undo a later registration.
  yield* tx.addReadConflictKey(keys.candidate(id))
  const record = yield* Store.encoded(keys.candidate(id), Codec.encodeRegistration(priority, now))
  yield* tx.setVersionstampedValue(keys.candidate(id), record)
  return yield* Effect.map(
    tx.versionstamp,
    (versionstamp) => Effect.map(versionstamp, (bytes) => Versionstamp.make(bytes, 0))
  )
})

/** The candidate registered under the id; fails where another registration was meant. */
const identify = (
  id: string,
  record: CandidateRecord,
  options: IdentityOptions
): Effect.Effect<Identity, CandidateSuperseded> => {
  const identity = { id, registration: record.registration }
  return options.registration === undefined || sameIdentity(identity, { id, registration: options.registration })
    ? Effect.succeed(identity)
    : Effect.fail(new CandidateSuperseded({ processId: id }))
}

/** Writes that the candidate lives. */
export const beat = (
  tx: TransactionService,
  keys: ElectionKeys,
  me: Identity,
  priority: number,
  now: bigint
): Effect.Effect<void, FdbError | InvalidState | ClockOutOfRange> =>
  Store.write(
    tx,
    keys.candidate(me.id),
    Codec.encodeCandidate({ priority, lastHeartbeat: now, registration: me.registration })
  )

export const heartbeatCandidate = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  id: string,
  priority: number | undefined,
  options: IdentityOptions
) {
  yield* Candidate.validate(id, priority ?? 0)
  const tx = yield* Transaction
  const [config, record] = yield* Store.readAll(tx, [Store.config(keys), Store.candidate(keys, id)])
  yield* requireEnabled(keys, config)
  if (record === undefined) return yield* new ProcessNotFound({ processId: id })
  const me = yield* identify(id, record, options)
  yield* beat(tx, keys, me, priority ?? record.priority, yield* Clock.currentTimeNanos)
})

/** Ends the tenure of this very candidate, if it has one. */
export const relinquish = Effect.fnUntraced(function*(keys: ElectionKeys, me: Identity) {
  const tx = yield* Transaction
  const view = yield* Store.readView(tx, keys, me.id)
  if (view.leader._tag === "Vacant" || !sameIdentity(view.leader, me)) return
  yield* vacate(tx, keys, view, yield* Store.read(tx.snapshot, Store.tenure(keys, view.leader.term)))
})

/** Removes the candidate; one that leads resigns with it, for a leader is always registered. */
export const unregisterCandidate = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  id: string,
  options: IdentityOptions
) {
  const tx = yield* Transaction
  const candidate = Candidate.isId(id) ? yield* Store.read(tx, Store.candidate(keys, id)) : undefined
  if (candidate === undefined) return
  yield* relinquish(keys, yield* identify(id, candidate, options))
  yield* tx.clear(keys.candidate(id))
})

export const getCandidate = Effect.fnUntraced(function*(keys: ElectionKeys, id: string) {
  const record = Candidate.isId(id) ? yield* Store.read(yield* Transaction, Store.candidate(keys, id)) : undefined
  return Option.map(Option.fromUndefinedOr(record), (record) => toInfo(id, record))
})

export const listCandidates = Effect.fnUntraced(function*(keys: ElectionKeys) {
  const tx = yield* Transaction
  const { candidateTimeout } = yield* Store.read(tx, Store.config(keys))
  const now = yield* Clock.currentTimeNanos
  return yield* Store.streamCandidates(tx.snapshot, keys).pipe(
    Stream.map(({ id, ...record }) => toInfo(id, record)),
    Stream.filter((candidate) => candidate.isAlive(now, candidateTimeout)),
    Stream.runCollect
  )
})

/** Conflicts only on the candidates that it removes (12). Who leads is left, for a leader is always registered. */
export const evictDeadCandidates = Effect.fnUntraced(function*(keys: ElectionKeys) {
  const tx = yield* Transaction
  const { candidateTimeout } = yield* Store.read(tx.snapshot, Store.config(keys))
  const timeout = Duration.toNanosUnsafe(candidateTimeout)
  const leader = yield* Store.read(tx, Store.leader(keys))
  const now = yield* Clock.currentTimeNanos
  const isLeader = (candidate: Identity) => leader._tag === "Held" && sameIdentity(leader, candidate)
  return yield* Store.streamCandidates(tx.snapshot, keys).pipe(
    Stream.filter((candidate) => !Protocol.isAlive(candidate, now, timeout) && !isLeader(candidate)),
    Stream.runFoldEffect(() => 0, (evicted, { id }) =>
      tx.addReadConflictKey(keys.candidate(id)).pipe(
        Effect.andThen(tx.clear(keys.candidate(id))),
        Effect.as(evicted + 1)
      ))
  )
})

// -- leadership --------------------------------------------------------------------------------------------------------

/** Writes a claim: the leader, its lease, and the history with the tenure `ended`. Gives the two records. */
export const writeClaim = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ElectionKeys,
  view: Store.ElectionView,
  claimant: Protocol.Claimant,
  claim: Protocol.Claim,
  ended: Store.HistoryEntry | undefined
) {
  const now = yield* Clock.currentTimeNanos
  const leader = { ...claimant, _tag: "Held", term: claim.term } as const
  const lease = { ballot: claim.term, duration: view.leaseDuration, expiry: now + view.leaseDuration }
  yield* Store.addDecisionConflicts(tx, keys, claimant.id)
  yield* Store.write(tx, keys.leader, Codec.encodeLeader(leader))
  yield* Store.write(tx, keys.lease, Codec.encodeLease(lease))
  yield* beat(tx, keys, claimant, claimant.priority, now)
  if (view.challenge !== undefined) yield* tx.clear(keys.challenge)
  if (claim.ends !== undefined && ended !== undefined) {
    yield* Store.write(
      tx,
      keys.tenure(ended.term),
      Codec.encodeHistory({ ...ended, end: now, reason: claim.ends.reason })
    )
  }
  yield* Store.write(
    tx,
    keys.tenure(claim.term),
    Codec.encodeHistory({ leaderId: claimant.id, start: now, end: undefined, reason: undefined })
  )
  return { leader, lease }
})

/** Writes a challenge of the candidate of that id, if its wall clock tells a time that its claim could record. */
export const writeChallenge = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ElectionKeys,
  view: Store.ElectionView,
  id: string,
  challenge: ChallengeRecord
) {
  const now = yield* Clock.currentTimeNanos
  for (const expiry of [now, now + view.leaseDuration]) {
    yield* Store.encoded(keys.lease, Codec.encodeLease({ ...view.lease, expiry }))
  }
  yield* Store.addDecisionConflicts(tx, keys, id)
  yield* Store.write(tx, keys.challenge, Codec.encodeChallenge(challenge))
})

/** The history of the tenure that a claim ends, if it ends one. */
export const readEnded = (
  reads: Reads,
  keys: ElectionKeys,
  view: Store.ElectionView,
  { ends }: Protocol.Claim
): Effect.Effect<Store.HistoryEntry | undefined, FdbError | InvalidState> =>
  ends === undefined || ends.term === view.tenure?.term
    ? Effect.succeed(view.tenure)
    : Store.read(reads, Store.tenure(keys, ends.term))

/** Removes the tenures that are not kept any longer, the newest of which is `outdated`. */
export const trimHistory = (
  tx: TransactionService,
  keys: ElectionKeys,
  outdated: Uint8Array | undefined
): Effect.Effect<void, FdbError> =>
  outdated === undefined
    ? Effect.void
    : tx.clearRange({ begin: keys.history.range().begin, end: Bytes.successor(outdated) })

/** Writes a renewal: the lease, which it gives, and the leader's own heartbeat, nothing else. */
export const writeRenewal = (
  tx: TransactionService,
  keys: ElectionKeys,
  leader: HeldRecord,
  priority: number,
  ballot: bigint,
  leaseDuration: bigint
): Effect.Effect<LeaseRecord, FdbError | InvalidState | ClockOutOfRange> =>
  Effect.flatMap(Clock.currentTimeNanos, (now) => {
    const lease = { ballot, duration: leaseDuration, expiry: now + leaseDuration }
    return Store.addDecisionConflicts(tx, keys, leader.id).pipe(
      Effect.andThen(Store.write(tx, keys.lease, Codec.encodeLease(lease))),
      Effect.andThen(beat(tx, keys, leader, priority, now)),
      Effect.as(lease)
    )
  })

/** Ends the tenure of the view: the ballot stays, the lease is over, the challenge is answered. */
const vacate = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ElectionKeys,
  view: Pick<Store.ElectionView, "leader" | "lease" | "challenge" | "allowPreemption">,
  tenure: Store.HistoryEntry | undefined
) {
  const now = yield* Clock.currentTimeNanos
  const { term } = view.leader
  const { reason, successor } = Protocol.resignation(view)
  yield* Store.write(tx, keys.leader, Codec.encodeLeader({ _tag: "Vacant", term, successor }))
  yield* Store.write(tx, keys.lease, Codec.encodeLease({ ...view.lease, expiry: now }))
  if (view.challenge !== undefined) yield* tx.clear(keys.challenge)
  if (tenure !== undefined) {
    yield* Store.write(tx, keys.tenure(term), Codec.encodeHistory({ ...tenure, end: now, reason }))
  }
})

// -- operators ---------------------------------------------------------------------------------------------------------

/** Asks whoever leads to step down, without a challenger; tells whom, if anybody leads. */
export const requestStepDown = Effect.fnUntraced(function*(keys: ElectionKeys) {
  const tx = yield* Transaction
  const [, leader, lease, challenge] = yield* Store.readAll(tx, [
    Store.config(keys),
    Store.leader(keys),
    Store.lease(keys),
    Store.challenge(keys)
  ])
  if (leader._tag === "Held" && !(challenge?.term === leader.term && challenge.challenger === undefined)) {
    yield* Store.write(
      tx,
      keys.challenge,
      Codec.encodeChallenge({ term: leader.term, challenger: undefined, priority: 0 })
    )
  }
  return toState(leader, lease)
})

/** The challenge to the tenure that stands. */
export const readChallenge = Effect.fnUntraced(function*(keys: ElectionKeys) {
  const tx = yield* Transaction
  const [leader, challenge] = yield* Store.readAll(tx, [Store.leader(keys), Store.challenge(keys)])
  return leader._tag === "Held" && challenge?.term === leader.term
    ? Option.some(
      new Challenge({
        term: challenge.term,
        challengerId: challenge.challenger?.id,
        priority: challenge.priority
      })
    )
    : Option.none<Challenge>()
})

export const readHistory = Effect.fnUntraced(function*(keys: ElectionKeys, limit: number) {
  const tx = yield* Transaction
  const tenures = yield* Store.readHistory(tx.snapshot, keys, limit)
  return tenures.map((tenure) => new HistoryEntry(tenure))
})

// -- claims and renewals -----------------------------------------------------------------------------------------------

const requireCandidate = (id: string, view: Store.ElectionView) =>
  view.candidate === undefined
    ? Effect.fail(new UnregisteredCandidate({ processId: id }))
    : Effect.succeed(view.candidate)

/** Claims, or renews a tenure that is this candidate's already. */
const claimOrRenew = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ElectionKeys,
  view: Store.ElectionView,
  claimant: Protocol.Claimant
) {
  yield* requireEnabled(keys, view.config)
  if (view.leader._tag === "Held" && sameIdentity(view.leader, claimant)) {
    const renewal = Protocol.renew(view, view.leader)
    if (renewal._tag === "Refuse") return Option.none<LeaderState>()
    const { ballot } = renewal
    const lease = yield* writeRenewal(tx, keys, view.leader, claimant.priority, ballot, view.leaseDuration)
    return Option.some(heldState(view.leader, lease))
  }
  const now = yield* Clock.currentTimeNanos
  const claim = Protocol.claim(view, claimant, { lapsed: now >= view.lease.expiry, preempt: true })
  if (claim === undefined) return Option.none<LeaderState>()
  const ended = yield* readEnded(tx.snapshot, keys, view, claim)
  const { leader, lease } = yield* writeClaim(tx, keys, view, claimant, claim, ended)
  yield* trimHistory(tx, keys, yield* Store.readOutdated(tx.snapshot, keys))
  return Option.some(heldState(leader, lease))
})

export const tryClaimLeadership = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  id: string,
  priority: number | undefined,
  options: IdentityOptions
) {
  yield* Candidate.validate(id, priority ?? 0)
  const tx = yield* Transaction
  const view = yield* Store.readView(tx, keys, id)
  yield* requireEnabled(keys, view.config)
  const candidate = yield* requireCandidate(id, view)
  const me = yield* identify(id, candidate, options)
  return yield* claimOrRenew(tx, keys, view, { ...me, priority: priority ?? candidate.priority })
})

export const refreshLease = Effect.fnUntraced(function*(keys: ElectionKeys, state: LeaderState) {
  const tx = yield* Transaction
  const tenure = toTenure(state)
  const view = yield* Store.readView(tx, keys, tenure.id)
  const renewal = Protocol.renew(view, tenure)
  if (renewal._tag === "Renew" && view.leader._tag === "Held") {
    const priority = view.candidate?.priority ?? view.leader.priority
    const lease = yield* writeRenewal(tx, keys, view.leader, priority, renewal.ballot, view.leaseDuration)
    return Option.some(heldState(view.leader, lease))
  }
  yield* requireEnabled(keys, view.config)
  return Option.none<LeaderState>()
})

/**
 * `over`: it had ended without leaving anybody in its place, be it by an attempt of which nobody was told. A candidate that
 * `leaves` is removed with it.
 */
export const endTenure = Effect.fnUntraced(function*(keys: ElectionKeys, tenure: Tenure, leaves: boolean) {
  const tx = yield* Transaction
  const view = yield* Store.readView(tx, keys, tenure.id, tenure.term)
  if (leaves && Protocol.standing(view, tenure) === "registered") yield* tx.clear(keys.candidate(tenure.id))
  if (!Protocol.stands(view.leader, tenure)) {
    return view.leader._tag === "Vacant" && view.leader.term === tenure.term ? "over" : "replaced"
  }
  yield* vacate(tx, keys, view, view.tenure)
  return "ended"
})

/**
 * Ends a tenure that stood at the transaction's read version, with nothing asked of its leader: without a read, and only if
 * nothing has changed since.
 */
export const endStandingTenure = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ElectionKeys,
  leader: HeldRecord,
  lease: LeaseRecord,
  start: bigint,
  leaves: boolean
) {
  yield* Store.addDecisionConflicts(tx, keys, leader.id)
  const { id: leaderId, term } = leader
  yield* vacate(
    tx,
    keys,
    { leader, lease, challenge: undefined, allowPreemption: false },
    { term, leaderId, start, end: undefined, reason: undefined }
  )
  // There may be one that asks nothing of this leader.
  yield* tx.clear(keys.challenge)
  if (leaves) yield* tx.clear(keys.candidate(leaderId))
})

export const resignLeadership = (keys: ElectionKeys, state: LeaderState) =>
  Effect.map(endTenure(keys, toTenure(state), false), (end) => end === "ended")

export const getLeaderRaw = Effect.fnUntraced(function*(keys: ElectionKeys) {
  const tx = yield* Transaction
  const [, leader, lease] = yield* Store.readAll(tx, [Store.config(keys), Store.leader(keys), Store.lease(keys)])
  return toState(leader, lease)
})

export const getLeader = Effect.fnUntraced(function*(keys: ElectionKeys) {
  const now = yield* Clock.currentTimeNanos
  return Option.filter(yield* getLeaderRaw(keys), (state) => state.isLeaseValid(now))
})

export const isLeader = Effect.fnUntraced(function*(keys: ElectionKeys, id: string, options: IdentityOptions) {
  yield* requireEnabled(keys, yield* readConfig(keys))
  const leader = yield* getLeader(keys)
  return Option.isSome(leader) && leader.value.leaderId === id &&
    (options.registration === undefined ||
      sameIdentity(toTenure(leader.value), { id, registration: options.registration }))
})

export const runElectionCycle = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  id: string,
  priority: number | undefined,
  options: IdentityOptions
) {
  yield* Candidate.validate(id, priority ?? 0)
  const tx = yield* Transaction
  const view = yield* Store.readView(tx, keys, id)
  yield* requireEnabled(keys, view.config)
  if (view.candidate === undefined) return yield* new ProcessNotFound({ processId: id })
  const me = { ...yield* identify(id, view.candidate, options), priority: priority ?? view.candidate.priority }
  const won = yield* claimOrRenew(tx, keys, view, me)
  if (Option.isSome(won)) return ElectionResult.leader(won.value)
  const now = yield* Clock.currentTimeNanos
  yield* beat(tx, keys, me, me.priority, now)
  return ElectionResult.follower(Option.filter(toState(view.leader, view.lease), (state) => state.isLeaseValid(now)))
})
