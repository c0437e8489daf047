/**
 * Which slot a candidate claims first, where several are vacant and several candidates wait: the one that registered first takes the first
 * slot, and so on, so that no claim is in vain. Safety does not depend on it.
 */
import { Transaction, Versionstamp } from "@effect-fdb/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Candidate } from "../candidate/candidate.ts"
import * as ClaimOrder from "../follower/claimOrder.ts"
import * as Protocol from "../protocol/protocol.ts"
import type { LeaderRecord } from "../protocol/records.ts"
import * as Reads from "../storage/reads.ts"

/** The slot that is to be claimed first, and the rank among those that claim the same one. */
export interface Choice {
  readonly slot: number
  readonly rank: number
}

/** The choice of a candidate before which `before` others choose; none where no slot is vacant. */
export const choose = (vacant: ReadonlyArray<number>, before: number): Choice | undefined => {
  const slot = vacant[before % vacant.length]
  return slot === undefined ? undefined : { slot, rank: ClaimOrder.limit(Math.floor(before / vacant.length)) }
}

/**
 * How many choose before a candidate: the living ones that registered before it and hold no slot. One that has just been elected may not
 * have left the other elections yet.
 */
const countBefore = (
  me: { readonly registration: Versionstamp.Versionstamp },
  others: ReadonlyArray<Reads.CandidateEntry>,
  leaders: ReadonlyArray<LeaderRecord | undefined>,
  isAlive: (candidate: Reads.CandidateEntry) => boolean
): number => {
  const holders = new Set(leaders.flatMap((leader) => leader?._tag === "Held" ? [leader.id] : []))
  return others.filter((other) =>
    Versionstamp.compare(other.registration, me.registration) < 0 && isAlive(other) && !holders.has(other.id)
  ).length
}

/** Reads what is vacant and who waits. All candidates of a process register together: those of one slot are those of all. */
export const readChoice = Effect.fnUntraced(function*(candidates: ReadonlyArray<Candidate>) {
  const tx = yield* Transaction
  const registered = candidates.find(({ registration }) => registration.identity !== undefined)
  const records = candidates.map(({ keys }) => Reads.leaderIfAny(keys))
  const { id, keys } = registered ?? candidates[0]!
  const [values, config, others] = yield* Effect.all([
    tx.snapshot.getAll(records.map(({ key }) => key)),
    Reads.read(tx.snapshot, Reads.config(keys)),
    Reads.readCandidates(tx.snapshot, keys, ClaimOrder.mostRead)
  ], { concurrency: "unbounded" })
  const leaders = records.map(({ decode }, slot) => decode(values[slot]))
  const vacant = leaders.flatMap((leader, slot) =>
    Result.isSuccess(leader) && leader.success?._tag !== "Held" ? [slot] : []
  )
  const me = others.find((other) => other.id === id)
  const now = yield* Clock.currentTimeNanos
  const timeout = Duration.toNanosUnsafe(config.candidateTimeout)
  const before = me === undefined ? 0 : countBefore(
    me,
    others,
    leaders.map((leader) => Result.getOrUndefined(leader)),
    (other) => Protocol.isAlive(other, now, timeout)
  )
  return choose(vacant, before)
})
