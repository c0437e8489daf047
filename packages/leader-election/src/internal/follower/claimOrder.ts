/**
 * Which follower claims a vacancy first (5). Their watches tell all of them at the same moment. If all claimed at once, all but
 * one would conflict, and delay that one. So the one that registered first claims at once, the second a moment later, and the
 * rest after another. Safety does not depend on it.
 */
import { type FdbError, Transaction, Versionstamp } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { InvalidState } from "../../ElectionError.ts"
import * as Protocol from "../protocol/protocol.ts"
import { type HeldRecord, type Identity, sameIdentity } from "../protocol/records.ts"
import type { ElectionKeys } from "../storage/keys.ts"
import * as Reads from "../storage/reads.ts"

/** Enough to read and to claim, where the database is near. */
const step = Duration.millis(5)

/** Those before may be dead: they must not delay the others for longer than a round trip or two. */
const lastRank = 2

/** How many candidates a follower looks at. */
export const mostRead = 100

/** How many of the living others registered before a candidate and do not lead. */
export const rank = (
  others: ReadonlyArray<Reads.CandidateEntry>,
  me: Identity,
  leader: HeldRecord,
  isAlive: (candidate: Reads.CandidateEntry) => boolean
): number => {
  const before = others.filter((other) =>
    Versionstamp.compare(other.registration, me.registration) < 0 && isAlive(other) && !sameIdentity(other, leader)
  )
  return limit(before.length)
}

/** The rank of a candidate before which `count` others claim. */
export const limit = (count: number): number => Math.min(count, lastRank)

/** Reads a candidate's rank. */
export const readRank = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  me: Identity,
  leader: HeldRecord,
  candidateTimeout: Duration.Duration
): Effect.fn.Return<number, FdbError | InvalidState, Transaction> {
  const tx = yield* Transaction
  const others = yield* Reads.readCandidates(tx.snapshot, keys, mostRead)
  const now = yield* Clock.currentTimeNanos
  const timeout = Duration.toNanosUnsafe(candidateTimeout)
  return rank(others, me, leader, (other) => Protocol.isAlive(other, now, timeout))
})

/** How long to let those before a rank claim first. */
export const claimDelay = (rank: number): Duration.Duration => Duration.times(step, rank)

/** Enough to read and to claim, where the database is far: those before are known to live, and nobody waits for the lease meanwhile. */
const stepAfterDeath = 30_000_000n

/** Those before may be stopped, all of them. */
const lastRankAfterDeath = 8

/** How long to let those that live on the host and registered before claim first, after a death, in nanoseconds. */
export const delayAfterDeath = (rank: number, heartbeat: bigint): bigint => {
  const most = heartbeat / 16n
  return BigInt(Math.min(rank, lastRankAfterDeath)) * (stepAfterDeath < most ? stepAfterDeath : most)
}
