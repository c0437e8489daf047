/** Simulates histories off the page's thread. Bundled once for the protocol as it is, and once for each mutant. */
import { Checkers, Profile, Report, Simulation } from "@effect-fdb/simulation"

/** What to simulate. */
export interface Order {
  readonly profile: Profile.Name
  readonly seed: number
  /** Seeds that are tried, one after another, until a guarantee is violated. */
  readonly seeds: number
  /** In seconds of simulated time. */
  readonly duration: number
  /** In seconds. Unset: the one that the seed chooses. */
  readonly lease: number | undefined
}

/** What came of a seed. A page only for the last one. */
export interface Result {
  readonly seed: number
  readonly violations: ReadonlyArray<string>
  readonly page: string | undefined
}

self.addEventListener("message", ({ data: { duration, lease, profile, seed: first, seeds } }: MessageEvent<Order>) => {
  for (let seed = first; seed < first + seeds; seed++) {
    const scenario = Profile.generate(profile, seed, { duration })
    const history = Simulation.run(
      lease === undefined
        ? scenario
        : { ...scenario, config: { ...scenario.config, lease, heartbeat: lease * 0.3, candidateTimeout: lease * 1.5 } }
    )
    const violations = Checkers.check(history)
    const isLast = violations.length > 0 || seed === first + seeds - 1
    const result: Result = {
      seed,
      violations: violations.map(({ checker, message }) => `${checker}: ${message}`),
      page: isLast ? Report.toHtml(history, violations) : undefined
    }
    self.postMessage(result)
    if (isLast) return
  }
})
