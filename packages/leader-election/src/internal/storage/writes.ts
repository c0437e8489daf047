/** Writes the records of an election in a transaction: what each step of the protocol writes, and which keys it conflicts with. */
import { Bytes, type FdbError, Transaction, type TransactionService, Versionstamp } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { ElectionConfig, validate as validateConfig } from "../../ElectionConfig.ts"
import { CandidateSuperseded, type ClockOutOfRange, ElectionDisabled, type InvalidState } from "../../ElectionError.ts"
import * as Protocol from "../protocol/protocol.ts"
import {
  type Call,
  type CandidateRecord,
  type ChallengeRecord,
  type HeldRecord,
  type Identity,
  type LeaseRecord,
  sameIdentity,
  type TenureIdentity
} from "../protocol/records.ts"
import { isId, validateBallot } from "../protocol/validation.ts"
import * as Codec from "./codec.ts"
import type { ElectionKeys } from "./keys.ts"
import * as Reads from "./reads.ts"

/** Bytes to be written at a key, where they can be read again; nothing is written else. */
const encoded = <A, E>(
  key: Uint8Array,
  record: Result.Result<A, E>
): Effect.Effect<A, Exclude<E, string> | InvalidState> =>
  Effect.fromResult(
    Result.mapError(
      record,
      (problem) => typeof problem === "string" ? Reads.invalid(key, problem) : problem as Exclude<E, string>
    )
  )

const write = <E>(
  tx: TransactionService,
  key: Uint8Array,
  record: Result.Result<Uint8Array, E>
): Effect.Effect<void, Exclude<E, string> | FdbError | InvalidState> =>
  Effect.flatMap(encoded(key, record), (bytes) => tx.set(key, bytes))

/** Makes the transaction conflict with everything that a decision to claim, renew or resign rests on. */
const addDecisionConflicts = (
  tx: TransactionService,
  keys: ElectionKeys,
  id: string
): Effect.Effect<void, FdbError> =>
  tx.addReadConflictKey(keys.config).pipe(
    Effect.andThen(tx.addReadConflictKey(keys.leader)),
    Effect.andThen(tx.addReadConflictKey(keys.lease)),
    Effect.andThen(tx.addReadConflictKey(keys.challenge)),
    Effect.andThen(tx.addReadConflictKey(keys.candidate(id)))
  )

const larger = (a: bigint, b: bigint): bigint => a > b ? a : b

/**
 * Writes what is missing, and nothing over what is there: ballots survive a lost configuration, and terms a lost lease, or a lost leader
 * and lease if the history is there.
 */
export const initialize = Effect.fnUntraced(function*(keys: ElectionKeys, config: ElectionConfig) {
  yield* validateConfig(config)
  const tx = yield* Transaction
  const [written, held, lease] = yield* tx.getAll([keys.config, keys.leader, keys.lease])
  const stored = yield* Effect.fromResult(Reads.configIfAny(keys).decode(written))
  const leader = yield* Effect.fromResult(Reads.leaderIfAny(keys).decode(held))
  if (stored !== undefined) return stored
  const duration = Duration.toNanosUnsafe(config.leaseDuration)
  yield* write(tx, keys.config, Codec.encodeConfig(config))
  if (leader === undefined) {
    yield* write(tx, keys.leader, Codec.encodeLeader({ _tag: "Vacant", term: 0n, successor: undefined }))
  }
  if (lease === undefined) {
    const ballot = larger(leader?.term ?? 0n, yield* Reads.readNewestTerm(tx, keys))
    const lapsed = Codec.encodeLease({ ballot, duration, expiry: 0n })
    yield* Effect.catchTag(write(tx, keys.lease, lapsed), "ClockOutOfRange", Effect.die)
  }
  return config
})

/**
 * Raises the ballot to `above` at least, and gives it: every term from now on is greater. Whoever leads keeps its tenure, and its lease as
 * it is: its next renewal conflicts with this one write, and then reads the ballot.
 */
export const raiseBallot = Effect.fnUntraced(function*(keys: ElectionKeys, above: bigint) {
  yield* validateBallot(above)
  const tx = yield* Transaction
  const [, lease] = yield* Reads.readAll(tx, [Reads.config(keys), Reads.lease(keys)])
  if (lease.ballot >= above) return lease.ballot
  const raised = Codec.encodeLease({ ...lease, ballot: above })
  yield* Effect.catchTag(write(tx, keys.lease, raised), "ClockOutOfRange", Effect.die)
  return above
})

/** Writes tenures of another store into a history that is empty. One that had not ended ends here, at `now`, without a reason. */
export const importHistory = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  tenures: ReadonlyArray<Reads.HistoryEntry>
) {
  const tx = yield* Transaction
  if ((yield* Reads.readNewestTerm(tx, keys)) > 0n) return
  const now = yield* Clock.currentTimeNanos
  for (const { term, ...tenure } of tenures.slice(0, Reads.historyLength)) {
    yield* write(tx, keys.historyEntry(term), Codec.encodeHistory({ ...tenure, end: tenure.end ?? now }))
  }
})

export const writeConfig = Effect.fnUntraced(function*(keys: ElectionKeys, config: ElectionConfig) {
  yield* validateConfig(config)
  const tx = yield* Transaction
  yield* Reads.read(tx, Reads.config(keys))
  // Not at the version of a renewal, which the next one takes for read: see step 9 of the proof.
  yield* tx.addReadConflictKey(keys.lease)
  yield* write(tx, keys.config, Codec.encodeConfig(config))
})

export const requireEnabled = (keys: ElectionKeys, config: ElectionConfig): Effect.Effect<void, ElectionDisabled> =>
  config.electionEnabled ? Effect.void : Effect.fail(new ElectionDisabled({ election: keys.name }))

/** Which registration a caller claims to be; without it, the one that stands under the id. */
export interface IdentityOptions {
  readonly registration?: Versionstamp.Versionstamp | undefined
}

/** The candidate registered under the id; fails where another registration was meant. */
export const identify = (
  id: string,
  record: CandidateRecord,
  options: IdentityOptions
): Effect.Effect<Identity, CandidateSuperseded> => {
  const identity = { id, registration: record.registration }
  return options.registration === undefined || sameIdentity(identity, { id, registration: options.registration })
    ? Effect.succeed(identity)
    : Effect.fail(new CandidateSuperseded({ processId: id }))
}

/**
 * Gives an effect to be run after the commit, that tells the registration. What else the configuration has to fulfil is
 * required of it where it is read anyway: whoever registers may know nothing yet of how long a transaction may take.
 */
export const writeRegistration = Effect.fnUntraced(function*<E = never>(
  keys: ElectionKeys,
  id: string,
  priority: number,
  requireOf: (config: ElectionConfig) => Effect.Effect<void, E> = () => Effect.void,
  calls: "written" | "cleared" = "cleared"
) {
  const tx = yield* Transaction
  const config = yield* Reads.read(tx, Reads.config(keys))
  yield* requireEnabled(keys, config)
  yield* requireOf(config)
  const now = yield* Clock.currentTimeNanos
  // So that a commit that arrives late, its caller having given it up, cannot undo a later registration.
  yield* tx.addReadConflictKey(keys.candidate(id))
  const record = yield* encoded(keys.candidate(id), Codec.encodeRegistration(priority, now))
  yield* tx.setVersionstampedValue(keys.candidate(id), record)
  yield* calls === "written" ? writeCall(tx, keys, id, undefined) : tx.clear(keys.call(id))
  return yield* Effect.map(
    tx.versionstamp,
    (versionstamp) => Effect.map(versionstamp, (bytes) => Versionstamp.make(bytes, 0))
  )
})

/** Writes that the candidate may be appointed, or what it is told. */
export const writeCall = (tx: TransactionService, keys: ElectionKeys, id: string, call: Call | undefined) =>
  write(tx, keys.call(id), Codec.encodeCall({ call }))

/** Removes a candidate. */
export const clearCandidate = (tx: TransactionService, keys: ElectionKeys, id: string): Effect.Effect<void, FdbError> =>
  Effect.andThen(tx.clear(keys.candidate(id)), tx.clear(keys.call(id)))

const encodeHeartbeat = (keys: ElectionKeys, { id, registration }: Identity, priority: number, now: bigint) =>
  encoded(keys.candidate(id), Codec.encodeCandidate({ priority, lastHeartbeat: now, registration }))

/** Writes that the candidate lives. */
export const writeHeartbeat = (
  tx: TransactionService,
  keys: ElectionKeys,
  me: Identity,
  priority: number,
  now: bigint
): Effect.Effect<void, FdbError | InvalidState | ClockOutOfRange> =>
  Effect.flatMap(encodeHeartbeat(keys, me, priority, now), (heartbeat) => tx.set(keys.candidate(me.id), heartbeat))

/** Writes a claim: the leader, its lease, and the history with the tenure `ended`. Gives the two records. */
export const writeClaim = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ElectionKeys,
  view: Reads.ElectionView,
  claimant: Protocol.Claimant,
  claim: Protocol.Claim,
  ended: Reads.HistoryEntry | undefined
) {
  const now = yield* Clock.currentTimeNanos
  const leader = { ...claimant, _tag: "Held", term: claim.term } as const
  const lease = { ballot: claim.term, duration: view.leaseDuration, expiry: now + view.leaseDuration }
  yield* addDecisionConflicts(tx, keys, claimant.id)
  yield* write(tx, keys.leader, Codec.encodeLeader(leader))
  yield* write(tx, keys.lease, Codec.encodeLease(lease))
  yield* writeHeartbeat(tx, keys, claimant, claimant.priority, now)
  if (view.challenge !== undefined) yield* tx.clear(keys.challenge)
  if (claim.ends !== undefined && ended !== undefined) {
    yield* write(
      tx,
      keys.historyEntry(ended.term),
      Codec.encodeHistory({ ...ended, end: now, reason: claim.ends.reason })
    )
  }
  yield* write(
    tx,
    keys.historyEntry(claim.term),
    Codec.encodeHistory({ leaderId: claimant.id, start: now, end: undefined, reason: undefined })
  )
  return { leader, lease }
})

/** Writes a renewal: the lease, which it gives, and the leader's own heartbeat, nothing else; and nothing at all where it fails. */
export const writeRenewal = (
  tx: TransactionService,
  keys: ElectionKeys,
  leader: HeldRecord,
  priority: number,
  ballot: bigint,
  leaseDuration: bigint
): Effect.Effect<LeaseRecord, FdbError | InvalidState | ClockOutOfRange> =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeNanos
    const renewed = { ballot, duration: leaseDuration, expiry: now + leaseDuration }
    // Both before anything is written: other renewals may be in the same transaction.
    const lease = yield* encoded(keys.lease, Codec.encodeLease(renewed))
    const heartbeat = yield* encodeHeartbeat(keys, leader, priority, now)
    yield* addDecisionConflicts(tx, keys, leader.id)
    yield* tx.set(keys.lease, lease)
    yield* tx.set(keys.candidate(leader.id), heartbeat)
    return renewed
  })

/** Writes a challenge of the candidate of that id, if its wall clock tells a time that its claim could record. */
export const writeChallenge = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ElectionKeys,
  view: Reads.ElectionView,
  id: string,
  challenge: ChallengeRecord
) {
  const now = yield* Clock.currentTimeNanos
  for (const expiry of [now, now + view.leaseDuration]) {
    yield* encoded(keys.lease, Codec.encodeLease({ ...view.lease, expiry }))
  }
  yield* addDecisionConflicts(tx, keys, id)
  yield* write(tx, keys.challenge, Codec.encodeChallenge(challenge))
})

/** Writes an operator's request that the leader of `term` steps down. */
export const writeStepDownRequest = (tx: TransactionService, keys: ElectionKeys, term: bigint) =>
  write(tx, keys.challenge, Codec.encodeChallenge({ term, challenger: undefined, priority: 0 }))

/** Removes the tenures that are not kept any longer, the newest of which is `outdated`. */
export const trimHistory = (
  tx: TransactionService,
  keys: ElectionKeys,
  outdated: Uint8Array | undefined
): Effect.Effect<void, FdbError> =>
  outdated === undefined
    ? Effect.void
    : tx.clearRange({ begin: keys.history.range().begin, end: Bytes.successor(outdated) })

/** A tenure that ends, as the transaction that ends it sees it. */
interface Ending extends Pick<Reads.ElectionView, "lease" | "challenge" | "allowPreemption"> {
  readonly leader: HeldRecord
  readonly tenure: Reads.HistoryEntry | undefined
  /** Whether the record of its candidate is still its own. */
  readonly isRegistered: boolean
  readonly succession: Succession
  /** Whether its process is known to have ended; it resigns else. */
  readonly died: boolean
}

/** Who may be appointed. */
interface Succession {
  readonly nominees: ReadonlyArray<Protocol.Nominee>
  readonly config: ElectionConfig
  /** The wall clock of whoever appoints, when they were seen. */
  readonly seenAt: bigint
  readonly hasDied: HasDied
}

/** Whether the process of a candidate is known to have ended. */
type HasDied = (identity: Identity) => boolean

const nobody: Succession = { nominees: [], config: new ElectionConfig({}), seenAt: 0n, hasDied: () => false }

/** Ends a tenure, and begins that of the next in line; where there is nobody, a vacancy, to which all are called. Gives the reason. */
const endTenure = Effect.fnUntraced(function*(tx: TransactionService, keys: ElectionKeys, ending: Ending) {
  const { challenge, leader, succession: { config, hasDied, nominees, seenAt }, tenure } = ending
  const now = yield* Clock.currentTimeNanos
  const heartbeat = Duration.toNanosUnsafe(config.heartbeatInterval)
  const { reason: resigned, successor } = Protocol.resignation(ending)
  const reason = ending.died ? "died" : resigned
  const challenger = successor && nominees.find((nominee) => sameIdentity(nominee, successor) && !hasDied(nominee))
  const ordered = Protocol.inOrder(nominees, leader)
  // A challenger that cannot be appointed claims the vacancy that is left to it.
  const isVacated = !config.electionEnabled || (successor !== undefined && challenger === undefined)
  const called = isVacated ? [] : Protocol.toCall(Protocol.line(ordered, seenAt, heartbeat), challenger, hasDied)
  const [appointed] = called
  if (challenge !== undefined) yield* tx.clear(keys.challenge)
  if (tenure !== undefined) {
    yield* write(tx, keys.historyEntry(leader.term), Codec.encodeHistory({ ...tenure, end: now, reason }))
  }
  const isVacancy = appointed === undefined
  const term = isVacancy ? leader.term : ending.lease.ballot + 1n
  if (isVacancy) yield* writeVacancy(tx, keys, ending, successor, now)
  else {
    const duration = Protocol.appointmentLease(heartbeat, Duration.toNanosUnsafe(config.leaseDuration))
    yield* writeAppointment(tx, keys, leader, appointed, term, duration, now)
  }
  const told = isVacancy ? ordered.filter((nominee) => !hasDied(nominee)) : called
  for (const [rank, { id }] of told.entries()) {
    // Not of one that has left, or of another registration, since it was seen.
    yield* tx.addReadConflictKey(keys.call(id))
    yield* writeCall(tx, keys, id, { term, rank, isVacancy })
  }
  // It campaigns no more, or shows with a heartbeat that it does.
  if (ending.isRegistered) yield* tx.clear(keys.call(leader.id))
  return reason
})

/** The ballot stays, the lease is over. Whoever waits to be called is called: nobody has begun to since the nominees were seen. */
const writeVacancy = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ElectionKeys,
  view: Pick<Ending, "leader" | "lease">,
  successor: Identity | undefined,
  now: bigint
) {
  yield* tx.addReadConflictRange(keys.calls.range())
  yield* write(tx, keys.leader, Codec.encodeLeader({ _tag: "Vacant", term: view.leader.term, successor }))
  yield* write(tx, keys.lease, Codec.encodeLease({ ...view.lease, expiry: now }))
})

/** The tenure of the appointed candidate begins. */
const writeAppointment = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ElectionKeys,
  { id, registration }: Identity,
  appointed: Protocol.Nominee,
  ballot: bigint,
  duration: bigint,
  now: bigint
) {
  const leader: HeldRecord = {
    _tag: "Held",
    term: ballot,
    id: appointed.id,
    registration: appointed.registration,
    priority: appointed.priority,
    appointedBy: { id, registration }
  }
  yield* write(tx, keys.leader, Codec.encodeLeader(leader))
  yield* write(tx, keys.lease, Codec.encodeLease({ ballot, duration, expiry: now + duration }))
  yield* write(
    tx,
    keys.historyEntry(ballot),
    Codec.encodeHistory({ leaderId: appointed.id, start: now, end: undefined, reason: undefined })
  )
})

/** Ends the tenure that a view shows, which the transaction has read. */
const endSeen = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  view: Reads.ElectionView,
  leader: HeldRecord,
  tenure: Reads.HistoryEntry | undefined,
  { died = false, hasDied = () => false }: { readonly died?: boolean; readonly hasDied?: HasDied } = {}
) {
  const tx = yield* Transaction
  const nominees = yield* Reads.readNominees(tx.snapshot, keys)
  const seenAt = yield* Clock.currentTimeNanos
  const isRegistered = Protocol.registrationStatus(view, leader) === "registered"
  const succession = { nominees, config: view.config, seenAt, hasDied }
  return yield* endTenure(tx, keys, { ...view, leader, tenure, isRegistered, succession, died })
})

/**
 * Ends a tenure, and tells how it has ended. `over`: it had ended without leaving anybody in its place, or by appointing the one that
 * stands, be it by an attempt of unknown outcome. A candidate that `leaves` is removed with it.
 */
export const resignFully = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  tenure: TenureIdentity,
  leaves: boolean,
  hasDied?: HasDied
) {
  const tx = yield* Transaction
  const view = yield* Reads.readView(tx, keys, tenure.id, tenure.term)
  const { leader } = view
  if (leaves && Protocol.registrationStatus(view, tenure) === "registered") {
    yield* clearCandidate(tx, keys, tenure.id)
  }
  if (leader._tag === "Held" && Protocol.isCurrent(leader, tenure)) {
    return { end: "ended", reason: yield* endSeen(keys, view, leader, view.tenure, hasDied && { hasDied }) } as const
  }
  const isOver = leader._tag === "Vacant"
    ? leader.term === tenure.term
    : leader.appointedBy !== undefined && sameIdentity(leader.appointedBy, tenure)
  return { end: isOver ? "over" : "replaced", reason: isOver ? view.tenure?.reason : undefined } as const
})

/**
 * Ends a tenure that stood at the transaction's read version, with nothing asked of its leader: by reads at that version, and only if
 * nothing has changed since. `seenAt`: the wall clock, when that version was known.
 */
export const resignFast = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ElectionKeys,
  leader: HeldRecord,
  lease: LeaseRecord,
  start: bigint,
  options: { readonly leaves: boolean; readonly appoints: boolean; readonly seenAt: bigint; readonly hasDied: HasDied }
) {
  yield* addDecisionConflicts(tx, keys, leader.id)
  const { id: leaderId, term } = leader
  const { appoints, hasDied, leaves, seenAt } = options
  const succession = appoints
    ? yield* Effect.map(
      Effect.all([Reads.read(tx.snapshot, Reads.config(keys)), Reads.readNominees(tx.snapshot, keys)], {
        concurrency: "unbounded"
      }),
      ([config, nominees]) => ({ config, nominees, seenAt, hasDied })
    )
    : nobody
  yield* endTenure(tx, keys, {
    leader,
    lease,
    challenge: undefined,
    allowPreemption: false,
    tenure: { term, leaderId, start, end: undefined, reason: undefined },
    isRegistered: true,
    succession,
    died: false
  })
  // There may be one that asks nothing of this leader.
  yield* tx.clear(keys.challenge)
  if (leaves) yield* clearCandidate(tx, keys, leaderId)
})

/**
 * Ends the tenure of this very candidate, if it has one, and tells whether it had. It resigns, unless it is known to have `died`, and is not
 * to be appointed any more.
 */
export const resignIfLeading = Effect.fnUntraced(function*(keys: ElectionKeys, me: Identity, died?: "died") {
  const tx = yield* Transaction
  const view = yield* Reads.readView(tx, keys, me.id)
  const { leader } = view
  if (Protocol.registrationStatus(view, me) === "registered") yield* tx.clear(keys.call(me.id))
  if (leader._tag === "Vacant" || !sameIdentity(leader, me)) return false
  const tenure = yield* Reads.read(tx.snapshot, Reads.historyOf(keys, leader.term))
  yield* endSeen(keys, view, leader, tenure, { died: died !== undefined })
  return true
})

/** Removes the candidate; one that leads resigns with it, for a leader is always registered. */
export const unregisterCandidate = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  id: string,
  options: IdentityOptions
) {
  const tx = yield* Transaction
  const candidate = isId(id) ? yield* Reads.read(tx, Reads.candidate(keys, id)) : undefined
  if (candidate === undefined) return
  yield* resignIfLeading(keys, yield* identify(id, candidate, options))
  yield* clearCandidate(tx, keys, id)
})
