/** A service outside of the database that refuses tokens below the highest so far of an election. Messages arrive even if the sender has died. */
import type { EventLog } from "./EventLog.ts"
import { type EventScheduler, millisecond } from "./EventScheduler.ts"
import type { SimulatedProcess } from "./SimulatedProcess.ts"
import type { Triggers } from "./Triggers.ts"

/** Sends a write with a fencing token for a tenure. Calls `answer` on the process if it still runs. */
export type Sink = (
  process: SimulatedProcess,
  election: string | undefined,
  tenure: string,
  token: bigint,
  answer: (accepted: boolean) => void
) => void

export const makeSink = (scheduler: EventScheduler, log: EventLog, triggers: Triggers): Sink => {
  const random = scheduler.random("sink")
  const send = (run: () => void) =>
    scheduler.after(
      Math.floor(random.happens(0.05) ? random.exponential(2000 * millisecond) : random.next() * 5 * millisecond),
      run
    )
  const highest = new Map<string | undefined, bigint>()
  return (process, election, tenure, token, answer) => {
    triggers.fire("send", process.name)
    send(() => {
      const accepted = token >= (highest.get(election) ?? 0n)
      if (accepted) highest.set(election, token)
      log.add("sink", accepted ? "accepts" : "refuses", { election, tenure, token })
      send(() => process.post(() => answer(accepted)))
    })
  }
}
