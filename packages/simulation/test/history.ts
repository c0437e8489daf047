/** A history to be tampered with: one hand's breadth of the truth away from each violation. */
import type { Event } from "../src/EventLog.ts"
import type { History } from "../src/History.ts"
import type { Scenario } from "../src/Scenario.ts"
import type { CommitRecord } from "../src/SimulatedDatabase.ts"
import * as Simulation from "../src/Simulation.ts"

const process = (id: string, starts: number): Scenario["processes"][number] => ({
  id,
  priority: 0,
  starts,
  drift: 0,
  wallOffset: 0,
  work: { gap: 1, guarded: 0.5, external: 0.4, finalizer: 0.05, guardTimeout: 0.4 }
})

/** Three processes without faults, one of which is asked to resign in the middle. */
export const quiet: Scenario = {
  seed: 1,
  profile: "calm",
  duration: 90,
  quietAt: 30,
  config: { lease: 10, heartbeat: 3, candidateTimeout: 15, preemption: true },
  processes: [process("p1", 0), process("p2", 1), process("p3", 2)],
  faults: [{ kind: "resign", at: 25 }]
}

/** The history of {@link quiet}, or of another scenario, with what `change` gives instead. */
export const tampered = (
  change: (history: History) => {
    readonly events?: ReadonlyArray<Event>
    readonly record?: ReadonlyArray<CommitRecord>
    readonly stored?: History["stored"]
  },
  scenario = quiet
): History => {
  const history = Simulation.run(scenario)
  return { ...history, ...change(history) }
}

/** Adds events, in the order of time. */
export const withEvents = (history: History, ...added: ReadonlyArray<Event>): ReadonlyArray<Event> =>
  [...history.events, ...added].toSorted((a, b) => a.at - b.at)
