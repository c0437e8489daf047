/**
 * Tests your own effect: every process of a virtual cluster with faults runs it under `withLeadership`. Your invariant is checked at
 * the end of each history.
 *
 * **Example**
 *
 * ```ts
 * import { VirtualCluster } from "@effect-fdb/simulation"
 * import { Effect } from "effect"
 *
 * // Leaders hand out their terms. These never decrease.
 * export const test = VirtualCluster.check({ seeds: 20, profile: "pauses" }, () => {
 *   const given: Array<bigint> = []
 *   return {
 *     work: ({ term }) => Effect.forever(Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => given.push(term)))),
 *     invariant: () => given.every((term, index) => index === 0 || given[index - 1]! <= term)
 *   }
 * })
 * ```
 */
import type { Database } from "@effect-fdb/core"
import type { Leadership } from "@effect-fdb/leader-election"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Checkers from "./Checkers.ts"
import { second } from "./EventScheduler.ts"
import type { History } from "./History.ts"
import * as Profile from "./Profile.ts"
import type { Scenario } from "./Scenario.ts"
import * as Shrink from "./Shrink.ts"
import * as Simulation from "./Simulation.ts"

/** Which histories to simulate. */
export interface Options {
  /** The number of histories. 20 by default. */
  readonly seeds?: number | undefined
  /** The first seed. 0 by default. */
  readonly from?: number | undefined
  /** The kind of faults, see `Profile.descriptions`. `everything` by default. */
  readonly profile?: Profile.Name | undefined
  /** The number of processes that campaign. 3 by default. */
  readonly processes?: number | undefined
  /** The duration of each history in simulated seconds. The last 55 or more are without faults. 180 by default. */
  readonly duration?: number | undefined
}

/** The tested system. It is made anew for each history, so its state belongs to one history. */
export interface SystemUnderTest {
  /**
   * The work of a leader, with the clock, the random numbers and the faulty database of its process. State outside of
   * these survives crashes, as an external service would. If the work fails, its process exits and restarts.
   */
  readonly work: (
    leadership: Leadership,
    process: { readonly name: string }
  ) => Effect.Effect<void, unknown, Database | Leadership | Scope.Scope>
  /** Checks the history at its end. It returns `false`, or throws as assertions do, if the invariant does not hold. */
  readonly invariant: (history: History) => boolean | void
}

/** An invariant does not hold, or a guarantee of the election is violated, which is a fault of this library. */
export class InvariantBroken extends Data.TaggedError("InvariantBroken")<{
  readonly problem: string
  /** The smallest scenario found in which it does not hold. {@link replay} runs it again. */
  readonly scenario: Scenario
  /** The events that decide who leads, one in each line. */
  readonly story: ReadonlyArray<string>
}> {
  override get message(): string {
    const { scenario: { profile, seed }, story } = this
    const omitted = story.length > longestStory ? [`… ${story.length - longestStory} lines before`] : []
    return [
      this.problem,
      "",
      ...omitted,
      ...story.slice(-longestStory),
      "",
      `Found with seed ${seed} of "${profile}", and made smaller. VirtualCluster.replay runs it again:`,
      "",
      Shrink.toSource(this.scenario)
    ].join("\n")
  }
}

const longestStory = 24

const storyEvent = /^(starts|elected|lost|resigned|overrun|crashes|exits|stops|fault-begins|fault-ends)$/

const storyOf = ({ events }: History): ReadonlyArray<string> =>
  events.filter(({ what, who }) => storyEvent.test(what) || who === "operator").map(({ at, details, what, who }) => {
    const { cause, kind, reason, term } = details
    const parts = [what, term === undefined ? undefined : `term ${term}`, cause, reason, kind]
    const text = parts.filter((part) => part !== undefined).join(" ")
    return `${(at / second).toFixed(3).padStart(9)} s  ${who.padEnd(8)}  ${text}`
  })

/** What is wrong, and since when, in nanoseconds of simulated time. */
const problemOf = (
  history: History,
  { invariant }: SystemUnderTest
): { readonly problem: string; readonly at: number } | undefined => {
  const [violation] = Checkers.check(history, Checkers.ofLeadership)
  if (violation !== undefined) return { problem: `${violation.checker}: ${violation.message}`, at: violation.at }
  const at = history.endedAt
  try {
    return invariant(history) === false ? { problem: "the invariant does not hold", at } : undefined
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error), at }
  }
}

const runOne = (scenario: Scenario, make: () => SystemUnderTest) => {
  const system = make()
  const history = Simulation.run(scenario, {
    work: (process) => (leadership) => system.work(leadership, { name: process.name })
  })
  return { history, problem: problemOf(history, system) }
}

/** Runs one scenario and returns its history, for example for `Report.toHtml`. It does not check the invariant. */
export const run = (scenario: Scenario, system: () => SystemUnderTest): Effect.Effect<History> =>
  Effect.sync(() => runOne(scenario, system).history)

/** Runs the scenario of an {@link InvariantBroken} again, and returns its history if the invariant holds now. */
export const replay = (scenario: Scenario, system: () => SystemUnderTest): Effect.Effect<History, InvariantBroken> =>
  Effect.suspend(() => {
    const { history, problem } = runOne(scenario, system)
    return problem === undefined
      ? Effect.succeed(history)
      : Effect.fail(new InvariantBroken({ problem: problem.problem, scenario, story: storyOf(history) }))
  })

/** Runs the histories. Fails with the smallest scenario found in which the invariant does not hold. */
export const check = (options: Options, system: () => SystemUnderTest): Effect.Effect<void, InvariantBroken> =>
  Effect.suspend(() => {
    const { duration = 180, from = 0, processes = 3, profile = "everything", seeds = 20 } = options
    for (let seed = from; seed < from + seeds; seed++) {
      const scenario = Profile.generate(profile, seed, { processes, duration })
      const { problem } = runOne(scenario, system)
      if (problem === undefined) continue
      const fails = (smaller: Scenario) => runOne(smaller, system).problem !== undefined
      const smallest = Shrink.shrink(scenario, fails, problem.at / second)
      return Effect.asVoid(replay(smallest, system))
    }
    return Effect.void
  })
