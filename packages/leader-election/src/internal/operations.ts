/**
 * The transaction-level interface: each operation runs in the caller's transaction, asks the protocol, and takes the wall time from
 * `Clock`.
 */
import { Transaction, type Versionstamp } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { CandidateInfo } from "../CandidateInfo.ts"
import { Challenge } from "../Challenge.ts"
import type { ElectionConfig } from "../ElectionConfig.ts"
import { ProcessNotFound, UnregisteredCandidate } from "../ElectionError.ts"
import type { ElectionExport } from "../ElectionExport.ts"
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
import * as Terms from "./terms.ts"

export type { IdentityOptions } from "./storage/writes.ts"

const toInfo = (processId: string, record: CandidateRecord): CandidateInfo =>
  new CandidateInfo({ processId, ...record })

/** The operations of one election. */
export const make = (keys: ElectionKeys, config: ElectionConfig | undefined) => {
  const readConfig = Effect.flatMap(Transaction, (tx) => Reads.read(tx, Reads.config(keys)))

  const getLeaderRaw = Effect.gen(function*() {
    const tx = yield* Transaction
    const [, leader, lease] = yield* Reads.readAll(tx, [Reads.config(keys), Reads.leader(keys), Reads.lease(keys)])
    return toState(leader, lease)
  })

  const getLeader = Effect.gen(function*() {
    const now = yield* Clock.currentTimeNanos
    return Option.filter(yield* getLeaderRaw, (state) => state.isLeaseValid(now))
  })

  /** Reads everything, for a candidate that is registered; `missing` is its error where it is not. */
  const readAs = Effect.fnUntraced(function*<E>(
    id: string,
    priority: number | undefined,
    options: Writes.IdentityOptions,
    missing: E
  ) {
    yield* validate(id, priority ?? 0)
    const view = yield* Reads.readView(yield* Transaction, keys, id)
    yield* Writes.requireEnabled(keys, view.config)
    if (view.candidate === undefined) return yield* Effect.fail(missing)
    const identity = yield* Writes.identify(id, view.candidate, options)
    return { view, me: { ...identity, priority: priority ?? view.candidate.priority } }
  })

  /** Claims, or renews a tenure that is this candidate's already. */
  const claimOrRenew = Effect.fnUntraced(function*(view: Reads.ElectionView, me: Protocol.Claimant) {
    const tx = yield* Transaction
    if (view.leader._tag === "Held" && sameIdentity(view.leader, me)) {
      const renewal = Protocol.renew(view, view.leader)
      if (renewal._tag === "Refuse") return Option.none<LeaderState>()
      const { ballot } = renewal
      const lease = yield* Writes.writeRenewal(tx, keys, view.leader, me.priority, ballot, view.leaseDuration)
      return Option.some(heldState(view.leader, lease))
    }
    const now = yield* Clock.currentTimeNanos
    const claim = Protocol.claim(view, me, { lapsed: now >= view.lease.expiry, died: false, preempt: true })
    if (claim === undefined) return Option.none<LeaderState>()
    const ended = yield* Reads.readEnded(tx.snapshot, keys, view, claim)
    const { leader, lease } = yield* Writes.writeClaim(tx, keys, view, me, claim, ended)
    yield* Writes.trimHistory(tx, keys, yield* Reads.readOutdated(tx.snapshot, keys))
    return Option.some(heldState(leader, lease))
  })

  return {
    initialize: (given?: ElectionConfig | Terms.InitializeOptions) => Terms.initialize(keys, config, given),
    readConfig,
    writeConfig: (config: ElectionConfig) => Writes.writeConfig(keys, config),
    raiseTerms: (above: bigint) => Writes.raiseBallot(keys, above),
    export: Terms.exportElection(keys),
    import: (exported: ElectionExport) => Terms.importElection(keys, exported),

    registerCandidate: (id: string, priority = 0) =>
      Effect.andThen(validate(id, priority), Writes.writeRegistration(keys, id, priority)),

    heartbeatCandidate: Effect.fnUntraced(
      function*(id: string, priority?: number, options: Writes.IdentityOptions = {}) {
        yield* validate(id, priority ?? 0)
        const tx = yield* Transaction
        const [config, record] = yield* Reads.readAll(tx, [Reads.config(keys), Reads.candidate(keys, id)])
        yield* Writes.requireEnabled(keys, config)
        if (record === undefined) return yield* new ProcessNotFound({ processId: id })
        const me = yield* Writes.identify(id, record, options)
        yield* Writes.writeHeartbeat(tx, keys, me, priority ?? record.priority, yield* Clock.currentTimeNanos)
      }
    ),

    unregisterCandidate: (id: string, options: Writes.IdentityOptions = {}) =>
      Writes.unregisterCandidate(keys, id, options),

    getCandidate: Effect.fnUntraced(function*(id: string) {
      const record = isId(id) ? yield* Reads.read(yield* Transaction, Reads.candidate(keys, id)) : undefined
      return Option.map(Option.fromUndefinedOr(record), (record) => toInfo(id, record))
    }),

    listCandidates: Effect.gen(function*() {
      const tx = yield* Transaction
      const { candidateTimeout } = yield* Reads.read(tx, Reads.config(keys))
      const now = yield* Clock.currentTimeNanos
      return yield* Reads.streamCandidates(tx.snapshot, keys).pipe(
        Stream.map(({ id, ...record }) => toInfo(id, record)),
        Stream.filter((candidate) => candidate.isAlive(now, candidateTimeout)),
        Stream.runCollect
      )
    }),

    /** Conflicts only on the candidates that it removes (12). The leader stays, because a leader is always registered. */
    evictDeadCandidates: Effect.gen(function*() {
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
            Effect.andThen(Writes.clearCandidate(tx, keys, id)),
            Effect.as(evicted + 1)
          ))
      )
    }),

    tryClaimLeadership: Effect.fnUntraced(
      function*(id: string, priority?: number, options: Writes.IdentityOptions = {}) {
        const { me, view } = yield* readAs(id, priority, options, new UnregisteredCandidate({ processId: id }))
        return yield* claimOrRenew(view, me)
      }
    ),

    refreshLease: Effect.fnUntraced(function*(state: LeaderState) {
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
    }),

    resignLeadership: (state: LeaderState) =>
      Effect.map(Writes.resignFully(keys, toTenure(state), false), ({ end }) => end === "ended"),

    endTenureOfDead: (id: string, registration: Versionstamp.Versionstamp) =>
      isId(id) ? Writes.resignIfLeading(keys, { id, registration }, "died") : Effect.succeed(false),

    getLeaderRaw,
    getLeader,

    isLeader: Effect.fnUntraced(function*(id: string, options: Writes.IdentityOptions = {}) {
      yield* Writes.requireEnabled(keys, yield* readConfig)
      return Option.exists(yield* getLeader, (leader) =>
        leader.leaderId === id &&
        (options.registration === undefined ||
          sameIdentity(toTenure(leader), { id, registration: options.registration })))
    }),

    runElectionCycle: Effect.fnUntraced(
      function*(id: string, priority?: number, options: Writes.IdentityOptions = {}) {
        const { me, view } = yield* readAs(id, priority, options, new ProcessNotFound({ processId: id }))
        const won = yield* claimOrRenew(view, me)
        if (Option.isSome(won)) return ElectionResult.leader(won.value)
        const now = yield* Clock.currentTimeNanos
        yield* Writes.writeHeartbeat(yield* Transaction, keys, me, me.priority, now)
        const leader = toState(view.leader, view.lease)
        return ElectionResult.follower(Option.filter(leader, (state) => state.isLeaseValid(now)))
      }
    ),

    requestStepDown: Effect.gen(function*() {
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
    }),

    /** The challenge to the tenure that stands. */
    readChallenge: Effect.gen(function*() {
      const tx = yield* Transaction
      const [leader, challenge] = yield* Reads.readAll(tx, [Reads.leader(keys), Reads.challenge(keys)])
      if (leader._tag === "Vacant" || challenge?.term !== leader.term) return Option.none<Challenge>()
      const { challenger, priority, term } = challenge
      return Option.some(new Challenge({ term, challengerId: challenger?.id, priority }))
    }),

    readHistory: Effect.fnUntraced(function*(limit: number = Reads.historyLength) {
      const tenures = yield* Reads.readHistory((yield* Transaction).snapshot, keys, limit)
      return tenures.map((tenure) => new HistoryEntry(tenure))
    })
  }
}
