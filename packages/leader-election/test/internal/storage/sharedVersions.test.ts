/** FoundationDB gives several commits one version: what a blind transaction rests on must not be written at the version of its base. */
import { Database, type FdbError, MemoryDatabase, Subspace, Transaction } from "@effect-fdb/core"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Option, Predicate, Result } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig, type ElectionEvent, ElectionObserver, LeaderElection } from "../../../src/index.ts"
import type { HeldRecord, LeaseRecord } from "../../../src/internal/protocol/records.ts"
import * as Codec from "../../../src/internal/storage/codec.ts"
import * as Keys from "../../../src/internal/storage/keys.ts"
import { heldState } from "../../../src/internal/storage/leaderState.ts"
import * as Reads from "../../../src/internal/storage/reads.ts"
import * as Writes from "../../../src/internal/storage/writes.ts"
import { makeHosts } from "../../support/host.ts"

const election = LeaderElection.make(Subspace.fromTuple(["app", "election"]))
const keys = Keys.make(election.subspace)
const leaseDuration = Duration.toNanosUnsafe(new ElectionConfig({}).leaseDuration)

type Body = Effect.Effect<unknown, unknown, Transaction | Database>

interface Standing {
  readonly leader: HeldRecord
  readonly lease: LeaseRecord
  readonly version: bigint
}

const transact = <A, E>(body: Effect.Effect<A, E, Transaction>) => Database.transact(body)

/** Reads what stands; "a" leads, "b" is another candidate. */
const standing = Effect.gen(function*() {
  const version = yield* Effect.flatten(transact(Effect.gen(function*() {
    const tx = yield* Transaction
    yield* tx.set(Subspace.fromTuple(["app", "other"]).prefix, new Uint8Array())
    return yield* tx.committedVersion
  })))
  const [leader, lease] = yield* transact(
    Effect.flatMap(Transaction, (tx) => Reads.readAll(tx, [Reads.leader(keys), Reads.lease(keys)]))
  )
  assert(leader._tag === "Held")
  return { leader, lease, version }
})

const lead = Effect.gen(function*() {
  yield* transact(election.initialize())
  yield* Effect.forEach(["a", "b"], (id) => transact(election.registerCandidate(id)))
  yield* transact(election.tryClaimLeadership("a"))
})

/** What a leader writes, whose version its next blind transaction is going to rest on. */
const bases: Record<string, (standing: Standing) => Body> = {
  "a renewal in one round trip": ({ leader, lease, version }) =>
    Effect.flatMap(Transaction, (tx) =>
      Effect.andThen(
        tx.setReadVersion(version),
        Writes.writeRenewal(tx, keys, leader, 0, lease.ballot + 1n, leaseDuration)
      )),
  "a renewal that has read": ({ leader }) =>
    Effect.flatMap(Transaction, (tx) =>
      Effect.flatMap(
        Reads.readView(tx.snapshot, keys, leader.id),
        (view) => Writes.writeRenewal(tx, keys, leader, 0, view.lease.ballot + 1n, view.leaseDuration)
      )),
  "a claim": ({ leader }) =>
    Effect.flatMap(
      Transaction,
      (tx) =>
        Effect.flatMap(Reads.readView(tx.snapshot, keys, leader.id), (view) =>
          Writes.writeClaim(
            tx,
            keys,
            view,
            leader,
            { term: view.lease.ballot + 1n, ends: undefined },
            undefined
          ))
    )
}

const state = ({ leader, lease }: Standing) => heldState(leader, lease)

/** Everything that writes what a leader's blind transactions rest on, or may. */
const writers: Record<string, (standing: Standing) => Body> = {
  "another configuration": () => election.writeConfig(new ElectionConfig({ leaseDuration: Duration.seconds(4) })),
  "a configuration that disables": () => election.writeConfig(new ElectionConfig({ electionEnabled: false })),
  "a request to step down": () => election.requestStepDown,
  "raised terms": () => election.raiseTerms(1000n),
  "an initialisation that raises terms": () => election.initialize({ termsFrom: 1000n }),
  "a challenge": ({ leader }) =>
    Effect.flatMap(
      Transaction,
      (tx) =>
        Effect.flatMap(Reads.readView(tx.snapshot, keys, "b"), (view) =>
          Writes.writeChallenge(tx, keys, view, "b", {
            term: leader.term,
            challenger: { id: "b", registration: leader.registration },
            priority: 1
          }))
    ),
  "a claim at once, of higher priority": () => election.tryClaimLeadership("b", 1),
  "another renewal": (standing) => election.refreshLease(state(standing)),
  "a resignation": (standing) => election.resignLeadership(state(standing)),
  "a resignation in one round trip": ({ leader, lease, version }) =>
    Effect.flatMap(Transaction, (tx) =>
      Effect.andThen(
        tx.setReadVersion(version),
        Writes.resignFast(tx, keys, leader, lease, 0n, {
          leaves: true,
          appoints: true,
          seenAt: 0n,
          hasDied: () => false
        })
      )),
  "a resignation that leaves": ({ leader }) => Writes.resignFully(keys, leader, true),
  "a second registration of the id": () => election.registerCandidate("a"),
  "a heartbeat with another priority": () => election.heartbeatCandidate("a", 3),
  "a removal of the candidate": () => election.unregisterCandidate("a"),
  "another leader, by hand": ({ leader }) =>
    Transaction.use((tx) =>
      Effect.andThen(
        tx.get(keys.lease),
        tx.set(keys.leader, Result.getOrThrow(Codec.encodeLeader({ ...leader, id: "b" })))
      )
    )
}

/** Runs one attempt up to its commit, which waits. */
const upToCommit = Effect.fnUntraced(function*(body: Body) {
  const read = yield* Deferred.make<void>()
  const commit = yield* Deferred.make<void>()
  const attempt = yield* Effect.forkChild(Database.transact(
    Effect.gen(function*() {
      yield* body
      yield* Deferred.succeed(read, undefined)
      yield* Deferred.await(commit)
    }),
    { retryLimit: 0 }
  ))
  yield* Effect.raceFirst(Deferred.await(read), Fiber.join(attempt))
  return { commit: Effect.andThen(Deferred.succeed(commit, undefined), Fiber.await(attempt)) }
})

/** Both have read before either commits, as they have where they end up in one batch. */
const inOneBatch = Effect.fnUntraced(function*(first: Body, second: Body) {
  const attempts = [yield* upToCommit(first), yield* upToCommit(second)] as const
  const committed = yield* attempts[0].commit
  assert.isTrue(Exit.isSuccess(committed), String(committed))
  const refused = Option.getOrUndefined(Exit.findErrorOption(yield* attempts[1].commit))
  return Predicate.isTagged(refused, "FdbError") ? (refused as FdbError).code : undefined
})

/** On a database of its own. */
const onDatabase = <A, E>(effect: Effect.Effect<A, E, Database>) =>
  Effect.flatMap(MemoryDatabase.make, (database) => Effect.provideService(effect, Database, database))

/** Tells the pairs of which the second is committed at the version of the first. */
const shared = (
  prepare: Effect.Effect<Standing, unknown, Database>,
  bases: Record<string, (standing: Standing) => Body>,
  writers: Record<string, (standing: Standing) => Body>
) =>
  Effect.forEach(
    Object.entries(bases).flatMap(([base, makeBase]) =>
      Object.entries(writers).flatMap(([writer, makeWriter]) => [
        { pair: `${base}, then ${writer}`, first: makeBase, second: makeWriter },
        { pair: `${writer}, then ${base}`, first: makeWriter, second: makeBase }
      ])
    ),
    ({ first, pair, second }) =>
      onDatabase(Effect.flatMap(prepare, (standing) => inOneBatch(first(standing), second(standing)))).pipe(
        Effect.map((code) => code === 1020 ? [] : [pair])
      )
  ).pipe(Effect.map((pairs) => pairs.flat()))

describe("no two commits share a version", () => {
  it.effect("of which one is a claim or a renewal, and the other writes what the next renewal rests on", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(yield* shared(Effect.andThen(lead, standing), bases, writers), [])
    }))

  it.effect("of which one is a follower's heartbeat, and the other writes its record", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      const dead = Effect.andThen(lead, Effect.andThen(TestClock.adjust("1 minute"), standing))
      // As a follower writes it ahead of its reads.
      const beat = ({ version }: Standing) =>
        Effect.gen(function*() {
          const record = yield* election.getCandidate("b").pipe(transact, Effect.flatMap(Effect.fromOption))
          const tx = yield* Transaction
          yield* tx.setReadVersion(version)
          yield* tx.addReadConflictKey(keys.candidate("b"))
          yield* Writes.writeHeartbeat(tx, keys, { id: "b", registration: record.registration }, 0, 0n)
        })
      assert.deepStrictEqual(
        yield* shared(dead, { "a beat": beat }, {
          "a second registration of the id": () => election.registerCandidate("b"),
          "a removal of the candidate": () => election.unregisterCandidate("b"),
          "an eviction": () => election.evictDeadCandidates,
          "a heartbeat": () => election.heartbeatCandidate("b", 3),
          "a claim": () => election.tryClaimLeadership("b", 1)
        }),
        []
      )
    }))
})

describe("an election that is disabled in the batch of a renewal", () => {
  it.effect("is not renewed, though no watch has told the leader", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(0)
      let isOpen = false
      const make = yield* makeHosts({}, MemoryDatabase.makeBatchingEngine({ joins: () => isOpen }))
      const [leader, operator] = [make(), make()]
      leader.watches = false
      yield* operator.run(transact(election.initialize()))
      const renewed = yield* Deferred.make<void>()
      const lost: Array<string> = []
      const observe = (event: ElectionEvent) => {
        if (isOpen && event._tag === "Renewed" && event.path === "fast") Deferred.doneUnsafe(renewed, Effect.void)
        if (event._tag === "Lost") lost.push(event.reason)
      }
      yield* election.withLeadership({ id: "a" }, () => Effect.never).pipe(
        Effect.provideService(ElectionObserver, observe),
        leader.run,
        Effect.forkDetach({ startImmediately: true })
      )
      yield* TestClock.adjust("5 seconds")
      // It has read before the renewal, and asks for its commit when that is told.
      isOpen = true
      const disabled = yield* Effect.forkChild(operator.run(transact(Effect.gen(function*() {
        yield* election.writeConfig(new ElectionConfig({ electionEnabled: false }))
        yield* Deferred.await(renewed)
      }))))
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(disabled)
      assert.deepStrictEqual(lost, ["disabled"])
    }))
})
