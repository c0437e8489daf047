/** One history among many: what it is made from, and what becomes of it. */
import type { Violation } from "../Checker.ts"
import * as Checkers from "../Checkers.ts"
import * as Profile from "../Profile.ts"
import type { Scenario } from "../Scenario.ts"
import * as Simulation from "../Simulation.ts"
import * as Statistics from "../Statistics.ts"

/** One history to be made. */
export interface Job {
  readonly profile: Profile.Name
  readonly seed: number
  readonly processes?: number | undefined
  readonly duration?: number | undefined
}

/** What became of one history. */
export interface Outcome {
  readonly job: Job
  readonly violations: ReadonlyArray<Violation>
  readonly statistics: Statistics.Statistics
}

export const scenarioOf = ({ profile, seed, ...options }: Job): Scenario => Profile.generate(profile, seed, options)

/** Makes one history and checks it. */
export const perform = (job: Job): Outcome => {
  const history = Simulation.run(scenarioOf(job))
  return { job, violations: Checkers.check(history), statistics: Statistics.of(history) }
}
