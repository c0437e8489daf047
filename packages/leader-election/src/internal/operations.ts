/**
 * The transaction-level interface: each operation runs in the caller's transaction, asks the protocol, and takes the wall time from
 * `Clock`.
 */
import { Transaction, type TransactionService } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { CandidateInfo } from "../CandidateInfo.ts"
import { Challenge } from "../Challenge.ts"
import { ProcessNotFound, UnregisteredCandidate } from "../ElectionError.ts"
import * as ElectionResult from "../ElectionResult.ts"
import { HistoryEntry } from "../HistoryEntry.ts"
import type { LeaderState } from "../LeaderState.ts"
import * as Protocol from "./protocol/protocol.ts"
import { type CandidateRecord, type Identity, sameIdentity } from "./protocol/records.ts"
import { isId, validate } from "./protocol/validation.ts"
import type { ElectionKeys } from "./storage/keys.ts"
import { heldState, toState, toTenure } from "./storage/leaderState.ts"
import * as Reads from "./storage/reads.ts"
import * as Writes from "./storage/writes.ts"

export { initialize, unregisterCandidate, writeConfig } from "./storage/writes.ts"
export type { IdentityOptions } from "./storage/writes.ts"

export const readConfig = Effect.fnUntraced(function*(keys: ElectionKeys) {
  return yield* Reads.read(yield* Transaction, Reads.config(keys))
})

export const registerCandidate = (keys: ElectionKeys, id: string, priority: number) =>
  Effect.andThen(validate(id, priority), Writes.writeRegistration(keys, id, priority))

export const heartbeatCandidate = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  id: string,
  priority: number | undefined,
  options: Writes.IdentityOptions
) {
  yield* validate(id, priority ?? 0)
  const tx = yield* Transaction
  const [config, record] = yield* Reads.readAll(tx, [Reads.config(keys), Reads.candidate(keys, id)])
  yield* Writes.requireEnabled(keys, config)
  if (record === undefined) return yield* new ProcessNotFound({ processId: id })
  const me = yield* Writes.identify(id, record, options)
  yield* Writes.writeHeartbeat(tx, keys, me, priority ?? record.priority, yield* Clock.currentTimeNanos)
})

const toInfo = (id: string, record: CandidateRecord): CandidateInfo =>
  new CandidateInfo({
    processId: id,
    priority: record.priority,
    lastHeartbeat: record.lastHeartbeat,
    registration: record.registration
  })

export const getCandidate = Effect.fnUntraced(function*(keys: ElectionKeys, id: string) {
  const record = isId(id) ? yield* Reads.read(yield* Transaction, Reads.candidate(keys, id)) : undefined
  return Option.map(Option.fromUndefinedOr(record), (record) => toInfo(id, record))
})

export const listCandidates = Effect.fnUntraced(function*(keys: ElectionKeys) {
  const tx = yield* Transaction
  const { candidateTimeout } = yield* Reads.read(tx, Reads.config(keys))
  const now = yield* Clock.currentTimeNanos
  return yield* Reads.streamCandidates(tx.snapshot, keys).pipe(
    Stream.map(({ id, ...record }) => toInfo(id, record)),
    Stream.filter((candidate) => candidate.isAlive(now, candidateTimeout)),
    Stream.runCollect
  )
})

/** Conflicts only on the candidates that it removes (12). Who leads is left, for a leader is always registered. */
export const evictDeadCandidates = Effect.fnUntraced(function*(keys: ElectionKeys) {
  const tx = yield* Transaction
  const { candidateTimeout } = yield* Reads.read(tx.snapshot, Reads.config(keys))
  const timeout = Duration.toNanosUnsafe(candidateTimeout)
  const leader = yield* Reads.read(tx, Reads.leader(keys))
  const now = yield* Clock.currentTimeNanos
  const isLeader = (candidate: Identity) => leader._tag === "Held" && sameIdentity(leader, candidate)
  return yield* Reads.streamCandidates(tx.snapshot, keys).pipe(
    Stream.filter((candidate) => !Protocol.isAlive(candidate, now, timeout) && !isLeader(candidate)),
    Stream.runFoldEffect(() => 0, (evicted, { id }) =>
      tx.addReadConflictKey(keys.candidate(id)).pipe(
        Effect.andThen(tx.clear(keys.candidate(id))),
        Effect.as(evicted + 1)
      ))
  )
})

/** Asks whoever leads to step down, without a challenger; tells whom, if anybody leads. */
export const requestStepDown = Effect.fnUntraced(function*(keys: ElectionKeys) {
  const tx = yield* Transaction
  const [, leader, lease, challenge] = yield* Reads.readAll(tx, [
    Reads.config(keys),
    Reads.leader(keys),
    Reads.lease(keys),
    Reads.challenge(keys)
  ])
  if (leader._tag === "Held" && !(challenge?.term === leader.term && challenge.challenger === undefined)) {
    yield* Writes.writeStepDownRequest(tx, keys, leader.term)
  }
  return toState(leader, lease)
})

/** The challenge to the tenure that stands. */
export const readChallenge = Effect.fnUntraced(function*(keys: ElectionKeys) {
  const tx = yield* Transaction
  const [leader, challenge] = yield* Reads.readAll(tx, [Reads.leader(keys), Reads.challenge(keys)])
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
  const tenures = yield* Reads.readHistory(tx.snapshot, keys, limit)
  return tenures.map((tenure) => new HistoryEntry(tenure))
})

const requireCandidate = (id: string, view: Reads.ElectionView) =>
  view.candidate === undefined
    ? Effect.fail(new UnregisteredCandidate({ processId: id }))
    : Effect.succeed(view.candidate)

/** Claims, or renews a tenure that is this candidate's already. */
const claimOrRenew = Effect.fnUntraced(function*(
  tx: TransactionService,
  keys: ElectionKeys,
  view: Reads.ElectionView,
  claimant: Protocol.Claimant
) {
  yield* Writes.requireEnabled(keys, view.config)
  if (view.leader._tag === "Held" && sameIdentity(view.leader, claimant)) {
    const renewal = Protocol.renew(view, view.leader)
    if (renewal._tag === "Refuse") return Option.none<LeaderState>()
    const { ballot } = renewal
    const lease = yield* Writes.writeRenewal(tx, keys, view.leader, claimant.priority, ballot, view.leaseDuration)
    return Option.some(heldState(view.leader, lease))
  }
  const now = yield* Clock.currentTimeNanos
  const claim = Protocol.claim(view, claimant, { lapsed: now >= view.lease.expiry, preempt: true })
  if (claim === undefined) return Option.none<LeaderState>()
  const ended = yield* Reads.readEnded(tx.snapshot, keys, view, claim)
  const { leader, lease } = yield* Writes.writeClaim(tx, keys, view, claimant, claim, ended)
  yield* Writes.trimHistory(tx, keys, yield* Reads.readOutdated(tx.snapshot, keys))
  return Option.some(heldState(leader, lease))
})

export const tryClaimLeadership = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  id: string,
  priority: number | undefined,
  options: Writes.IdentityOptions
) {
  yield* validate(id, priority ?? 0)
  const tx = yield* Transaction
  const view = yield* Reads.readView(tx, keys, id)
  yield* Writes.requireEnabled(keys, view.config)
  const candidate = yield* requireCandidate(id, view)
  const me = yield* Writes.identify(id, candidate, options)
  return yield* claimOrRenew(tx, keys, view, { ...me, priority: priority ?? candidate.priority })
})

export const refreshLease = Effect.fnUntraced(function*(keys: ElectionKeys, state: LeaderState) {
  const tx = yield* Transaction
  const tenure = toTenure(state)
  const view = yield* Reads.readView(tx, keys, tenure.id)
  const renewal = Protocol.renew(view, tenure)
  if (renewal._tag === "Renew" && view.leader._tag === "Held") {
    const priority = view.candidate?.priority ?? view.leader.priority
    const lease = yield* Writes.writeRenewal(tx, keys, view.leader, priority, renewal.ballot, view.leaseDuration)
    return Option.some(heldState(view.leader, lease))
  }
  yield* Writes.requireEnabled(keys, view.config)
  return Option.none<LeaderState>()
})

export const resignLeadership = (keys: ElectionKeys, state: LeaderState) =>
  Effect.map(Writes.resignFully(keys, toTenure(state), false), ({ end }) => end === "ended")

export const getLeaderRaw = Effect.fnUntraced(function*(keys: ElectionKeys) {
  const tx = yield* Transaction
  const [, leader, lease] = yield* Reads.readAll(tx, [Reads.config(keys), Reads.leader(keys), Reads.lease(keys)])
  return toState(leader, lease)
})

export const getLeader = Effect.fnUntraced(function*(keys: ElectionKeys) {
  const now = yield* Clock.currentTimeNanos
  return Option.filter(yield* getLeaderRaw(keys), (state) => state.isLeaseValid(now))
})

export const isLeader = Effect.fnUntraced(function*(keys: ElectionKeys, id: string, options: Writes.IdentityOptions) {
  yield* Writes.requireEnabled(keys, yield* readConfig(keys))
  const leader = yield* getLeader(keys)
  return Option.isSome(leader) && leader.value.leaderId === id &&
    (options.registration === undefined ||
      sameIdentity(toTenure(leader.value), { id, registration: options.registration }))
})

export const runElectionCycle = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  id: string,
  priority: number | undefined,
  options: Writes.IdentityOptions
) {
  yield* validate(id, priority ?? 0)
  const tx = yield* Transaction
  const view = yield* Reads.readView(tx, keys, id)
  yield* Writes.requireEnabled(keys, view.config)
  if (view.candidate === undefined) return yield* new ProcessNotFound({ processId: id })
  const me = { ...yield* Writes.identify(id, view.candidate, options), priority: priority ?? view.candidate.priority }
  const won = yield* claimOrRenew(tx, keys, view, me)
  if (Option.isSome(won)) return ElectionResult.leader(won.value)
  const now = yield* Clock.currentTimeNanos
  yield* Writes.writeHeartbeat(tx, keys, me, me.priority, now)
  return ElectionResult.follower(Option.filter(toState(view.leader, view.lease), (state) => state.isLeaseValid(now)))
})
