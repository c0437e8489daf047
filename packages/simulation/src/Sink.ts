/**
 * A service outside of the database that is fenced by the term: it keeps the highest that it has seen, and refuses what
 * comes with a smaller one. Messages to it take their time, whatever has become of their sender.
 */
import type { EventLog } from "./EventLog.ts"
import { type EventScheduler, millisecond } from "./EventScheduler.ts"
import type { SeededRandom } from "./internal/seededRandom.ts"
import type { SimulatedProcess } from "./SimulatedProcess.ts"
import type { Triggers } from "./Triggers.ts"

export class Sink {
  private readonly scheduler: EventScheduler
  private readonly log: EventLog
  private readonly random: SeededRandom
  private readonly triggers: Triggers
  private highest = 0n

  constructor(scheduler: EventScheduler, log: EventLog, triggers: Triggers) {
    this.triggers = triggers
    this.scheduler = scheduler
    this.log = log
    this.random = scheduler.random("sink")
  }

  /**
   * Sends a write with a fencing token, on behalf of a tenure; `answer` is called on the process, if that still runs then.
   */
  write(process: SimulatedProcess, tenure: string, token: bigint, answer: (accepted: boolean) => void): void {
    this.triggers.fire("send", process.name)
    const latency = () =>
      this.random.happens(0.05) ? this.random.exponential(2000 * millisecond) : this.random.next() * 5e6
    this.scheduler.after(Math.floor(latency()), () => {
      const accepted = token >= this.highest
      if (accepted) this.highest = token
      this.log.add("sink", accepted ? "accepts" : "refuses", { tenure, token })
      this.scheduler.after(Math.floor(latency()), () => process.post(() => answer(accepted)))
    })
  }
}
