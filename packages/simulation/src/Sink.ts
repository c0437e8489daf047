/**
 * A service outside of the database that is fenced by the term: it keeps the highest that it has seen, and refuses what
 * comes with a smaller one. Messages to it take their time, whatever has become of their sender.
 */
import type { EventLog } from "./EventLog.ts"
import type { Chance } from "./internal/chance.ts"
import type { Machine } from "./Machine.ts"
import type { Triggers } from "./Triggers.ts"
import { millisecond, type World } from "./World.ts"

export class Sink {
  private readonly world: World
  private readonly log: EventLog
  private readonly chance: Chance
  private readonly triggers: Triggers
  private highest = 0n

  constructor(world: World, log: EventLog, triggers: Triggers) {
    this.triggers = triggers
    this.world = world
    this.log = log
    this.chance = world.chance("sink")
  }

  /**
   * Sends a write with a fencing token, on behalf of a tenure; `answer` is called on the machine, if that still runs then.
   */
  write(machine: Machine, tenure: string, token: bigint, answer: (accepted: boolean) => void): void {
    this.triggers.fire("send", machine.name)
    const latency = () =>
      this.chance.happens(0.05) ? this.chance.exponential(2000 * millisecond) : this.chance.next() * 5e6
    this.world.after(Math.floor(latency()), () => {
      const accepted = token >= this.highest
      if (accepted) this.highest = token
      this.log.add("sink", accepted ? "accepts" : "refuses", { tenure, token })
      this.world.after(Math.floor(latency()), () => machine.post(() => answer(accepted)))
    })
  }
}
