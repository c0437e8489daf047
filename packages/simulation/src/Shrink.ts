/**
 * Makes a scenario that breaks a promise smaller, as long as it still breaks it: fewer episodes, fewer processes, shorter.
 */
import * as Checkers from "./Checkers.ts"
import type { Scenario } from "./Scenario.ts"
import * as Simulation from "./Simulation.ts"

/** How a scenario is told to be failing; by its checker's name unless it is given. */
export type Fails = (scenario: Scenario) => boolean

/** Whether a scenario breaks the promise of a checker. */
export const breaks = (checker: string, options: Simulation.Options = {}): Fails => (scenario) =>
  Checkers.check(Simulation.run(scenario, options)).some((violation) => violation.checker === checker)

/** Takes parts away, in halves and then smaller, while `fails` says that it still fails. */
const without = <A>(items: ReadonlyArray<A>, fails: (rest: ReadonlyArray<A>) => boolean): ReadonlyArray<A> => {
  let rest = items
  for (let size = Math.ceil(rest.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < rest.length;) {
      const fewer = [...rest.slice(0, at), ...rest.slice(at + size)]
      if (fails(fewer)) rest = fewer
      else at += size
    }
  }
  return rest
}

/**
 * The smallest scenario that was found. `seconds` is when the promise was broken, in seconds of the world: nothing after it
 * matters, so the first step is to end the history there.
 */
export const shrink = (scenario: Scenario, fails: Fails, seconds: number): Scenario => {
  let smallest = scenario
  const attempt = (candidate: Scenario): boolean => {
    if (!fails(candidate)) return false
    smallest = candidate
    return true
  }
  const end = Math.ceil(seconds) + 5
  if (end < scenario.duration) {
    attempt({
      ...smallest,
      duration: end,
      quietAt: Math.min(smallest.quietAt, end),
      episodes: smallest.episodes.filter(({ at }) => at <= seconds)
    })
  }
  without(smallest.episodes, (episodes) => attempt({ ...smallest, episodes }))
  for (let count = 1; count < smallest.processes.length; count++) {
    if (attempt({ ...smallest, processes: smallest.processes.slice(0, count) })) break
  }
  return smallest
}

/** A scenario as something to paste into a test. */
export const toTest = (scenario: Scenario, checker: string): string =>
  [
    `it("${scenario.profile}, seed ${scenario.seed}: ${checker}", () => {`,
    `  const history = Simulation.run(${JSON.stringify(scenario, undefined, 2).replaceAll("\n", "\n  ")})`,
    `  assert.deepStrictEqual(Checkers.check(history), [])`,
    `})`
  ].join("\n")
