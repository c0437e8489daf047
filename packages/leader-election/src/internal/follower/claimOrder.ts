/**
 * Who tries a vacancy first. All followers are told of it in the same moment; if all claimed at once, all but one would do so
 * in vain, and keep that one waiting for conflicts, locks and processors. So the one that has registered first goes at
 * once, the second a moment later, and after another all the rest: whoever is new stands in nobody's way.
 *
 * Nothing depends on it but how soon there is a leader, and at what cost.
 */
import { type FdbError, Transaction, Versionstamp } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { InvalidState } from "../../ElectionError.ts"
import * as Protocol from "../protocol/protocol.ts"
import { type HeldRecord, type Identity, sameIdentity } from "../protocol/records.ts"
import type { ElectionKeys } from "../storage/keys.ts"
import * as Store from "../storage/reads.ts"

/** Whoever is not kept from it has read and claimed by then, where the database is near. */
const apart = Duration.millis(5)

/** Those before may be dead, or have just resigned: they must not hold off the others for longer than a round trip or two. */
const lastPlace = 2

/** However many candidates there are, a follower looks at so many of them and no more. */
const looksAt = 100

/** How many of the living others have registered before a candidate and do not lead. */
export const place = (
  others: ReadonlyArray<Store.CandidateEntry>,
  me: Identity,
  leader: HeldRecord,
  isAlive: (candidate: Store.CandidateEntry) => boolean
): number => {
  const before = others.filter((other) =>
    Versionstamp.compare(other.registration, me.registration) < 0 && isAlive(other) && !sameIdentity(other, leader)
  )
  return Math.min(before.length, lastPlace)
}

/** Reads a candidate's place. */
export const readPlace = Effect.fnUntraced(function*(
  keys: ElectionKeys,
  me: Identity,
  leader: HeldRecord,
  candidateTimeout: Duration.Duration
): Effect.fn.Return<number, FdbError | InvalidState, Transaction> {
  const tx = yield* Transaction
  const others = yield* Store.readCandidates(tx.snapshot, keys, looksAt)
  const now = yield* Clock.currentTimeNanos
  const timeout = Duration.toNanosUnsafe(candidateTimeout)
  return place(others, me, leader, (other) => Protocol.isAlive(other, now, timeout))
})

/** How long to let those before a place go first. */
export const headStart = (place: number): Duration.Duration => Duration.times(apart, place)
