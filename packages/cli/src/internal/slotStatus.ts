/** The slots of an election, read in one transaction, as text and as JSON. */
import { LeaderElection, Slots } from "@effect-fdb/leader-election"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Durations from "./durations.ts"
import { type SelectedElection, transact } from "./selectedElection.ts"
import * as Table from "./table.ts"

/** The slots that exist: none, if the election is that of one slot. */
export const read = ({ name, slot: selected }: SelectedElection) => {
  const { elections } = LeaderElection.slots(name.subspace, Slots.maxCount)
  const slots = Effect.forEach(
    selected === undefined ? elections : [],
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
  return transact(Effect.all({ slots: Effect.map(slots, (slots) => slots.flat()), now: Clock.currentTimeNanos }))
}

export type SlotStatus = Effect.Success<ReturnType<typeof read>>

/** The candidates that hold no slot. */
const waiting = ({ slots }: SlotStatus): Array<string> => {
  const holders = new Set(slots.map(({ leader }) => leader?.leaderId))
  const ids = slots.flatMap(({ candidates }) => candidates.map(({ processId }) => processId))
  return [...new Set(ids)].filter((id) => !holders.has(id))
}

export const toJson = (status: SlotStatus) => ({
  slots: status.slots.map(({ leader, slot }) => ({
    slot,
    leader: leader === undefined ? null : {
      id: leader.leaderId,
      priority: leader.priority,
      term: String(leader.term),
      /** Negative if the lease has lapsed. */
      remainingMillis: Math.round(Number(leader.leaseExpiry - status.now) / 1e6)
    }
  })),
  waiting: waiting(status)
})

/** The part of the status that heartbeats and renewals do not change. */
export const lasting = (status: SlotStatus) => ({
  slots: status.slots.map(({ leader, slot }) => ({
    slot,
    leader: leader === undefined ? null : {
      id: leader.leaderId,
      priority: leader.priority,
      term: String(leader.term),
      lapsed: !leader.isLeaseValid(status.now)
    }
  })),
  waiting: waiting(status)
})

export const facts = (status: SlotStatus): ReadonlyArray<ReadonlyArray<string>> => {
  const held = status.slots.filter(({ leader }) => leader !== undefined).length
  const ids = waiting(status)
  return [
    ["Slots", `${held} of ${status.slots.length} held`],
    ["Waiting", ids.length === 0 ? "none" : ids.join(", ")]
  ]
}

export const details = ({ now, slots }: SlotStatus): ReadonlyArray<string> => {
  const rows = slots.map(({ leader, slot }): ReadonlyArray<string> => {
    if (leader === undefined) return [`slot ${slot}`, "none", "", "", ""]
    const left = leader.leaseExpiry - now
    return [
      `slot ${slot}`,
      leader.leaderId,
      `priority ${leader.priority}`,
      `term ${leader.term}`,
      left >= 0n
        ? `${Durations.formatNanos(left)} left of ${Durations.format(leader.leaseDuration)}`
        : `lapsed ${Durations.formatNanos(-left)} ago`
    ]
  })
  return Table.lines(rows).map((line) => `  ${line}`)
}
