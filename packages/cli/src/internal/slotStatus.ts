/** The slots of an election as text. */
import { type SlotStatus, waiting } from "@effect-fdb/http/SlotStatus"
import * as Durations from "./durations.ts"
import * as Table from "./table.ts"

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
