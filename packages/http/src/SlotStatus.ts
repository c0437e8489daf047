/** The slots of an election, read in one transaction, as JSON. */
import { type Subspace, Transaction } from "@effect-fdb/core"
import { LeaderElection, type LeaderState, Slots } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { millisOf } from "./internal/millis.ts"
import { type SelectedElection, transact } from "./SelectedElection.ts"

/** Most elections have none, and there may be a hundred to read. */
const hasSlots = (subspace: Subspace.Subspace) =>
  Transaction.use(({ snapshot }) => snapshot.getRange(subspace.subspace(["slots"]).range(), { limit: 1 })).pipe(
    Effect.map((found) => found.length > 0)
  )

/**
 * Reads the slots that exist: none, if the election is that of one slot.
 *
 * @since 0.1.0
 * @category operations
 */
export const read = ({ name: { subspace }, slot: selected }: SelectedElection) => {
  const slots = Effect.forEach(
    LeaderElection.slots(subspace, Slots.maxCount).elections,
    ({ getLeaderRaw, listCandidates }, slot) =>
      Effect.all({
        slot: Effect.succeed(slot),
        leader: Effect.map(getLeaderRaw, Option.getOrUndefined),
        candidates: listCandidates
      }).pipe(
        Effect.map((status) => [status]),
        Effect.catchTag("NotInitialized", () => Effect.succeed([]))
      ),
    { concurrency: "unbounded" }
  )
  const anything = selected === undefined ? hasSlots(subspace) : Effect.succeed(false)
  return transact(Effect.all({
    slots: Effect.flatMap(anything, (some) => some ? Effect.map(slots, (slots) => slots.flat()) : Effect.succeed([])),
    now: Clock.currentTimeNanos
  }))
}

/**
 * See {@link read}.
 *
 * @since 0.1.0
 * @category models
 */
export type SlotStatus = Effect.Success<ReturnType<typeof read>>

/**
 * The candidates that hold no slot.
 *
 * @since 0.1.0
 * @category operations
 */
export const waiting = ({ slots }: SlotStatus): Array<string> => {
  const holders = new Set(slots.map(({ leader }) => leader?.leaderId))
  const ids = slots.flatMap(({ candidates }) => candidates.map(({ processId }) => processId))
  return [...new Set(ids)].filter((id) => !holders.has(id))
}

const holderJson = ({ leaderId, priority, term }: LeaderState) => ({ id: leaderId, priority, term: String(term) })

/**
 * The slots as JSON.
 *
 * @since 0.1.0
 * @category encoding
 */
export const toJson = (status: SlotStatus) => ({
  slots: status.slots.map(({ leader, slot }) => ({
    slot,
    leader: leader === undefined ? null : {
      ...holderJson(leader),
      /** Negative if the lease has lapsed. */
      remainingMillis: millisOf(leader.leaseExpiry - status.now)
    }
  })),
  waiting: waiting(status)
})

/**
 * The part of the JSON that heartbeats and renewals do not change.
 *
 * @since 0.1.0
 * @category encoding
 */
export const lasting = (status: SlotStatus) => ({
  slots: status.slots.map(({ leader, slot }) => ({
    slot,
    leader: leader === undefined ? null : {
      ...holderJson(leader),
      lapsed: !leader.isLeaseValid(status.now)
    }
  })),
  waiting: waiting(status)
})
