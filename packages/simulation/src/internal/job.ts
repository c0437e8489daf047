/** The simulation of one history among many, and its result. */
import * as Checkers from "../Checkers.ts"
import * as Profile from "../Profile.ts"
import type { Scenario } from "../Scenario.ts"
import * as Simulation from "../Simulation.ts"
import * as Statistics from "../Statistics.ts"

/** The history to simulate. */
export interface Job {
  readonly profile: Profile.Name
  readonly seed: number
  readonly processes?: number | undefined
  /** In simulated seconds. */
  readonly duration?: number | undefined
}

export const scenarioOf = ({ profile, seed, ...options }: Job): Scenario => Profile.generate(profile, seed, options)

/** Simulates one history and checks it. */
export const perform = (job: Job) => {
  const history = Simulation.run(scenarioOf(job))
  return { job, violations: Checkers.check(history), statistics: Statistics.of(history) }
}

/** The result of one history. */
export type Outcome = ReturnType<typeof perform>
