/**
 * For your own tests: your effect, under `withLeadership`, on every process of a virtual cluster with faults; and then your
 * invariant.
 *
 * **Example**
 *
 * ```ts
 * import { VirtualCluster } from "@effect-fdb/simulation"
 * import { Effect } from "effect"
 *
 * // Numbers that leaders hand out, through a service that refuses smaller fencing tokens, never go back.
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

/** Which histories are made. */
export interface Options {
  /** How many; 20 unless set. */
  readonly seeds?: number | undefined
  /** The first seed; 0 unless set. */
  readonly from?: number | undefined
  /** What goes wrong in them; `everything` unless set. See `Profile.descriptions`. */
  readonly profile?: Profile.Name | undefined
  /** How many processes campaign; 3 unless set. */
  readonly processes?: number | undefined
  /** How long each history is, in simulated seconds; 180 unless set. The last 55 or more of them are without faults. */
  readonly duration?: number | undefined
}

/** What is put to the test: made anew for each history, so that what it remembers is that history's. */
export interface SystemUnderTest {
  /**
   * What a process does while it leads. It has the clock, the random numbers and the faulty database of its process, and the scope of
   * the tenure; what it keeps outside of these survives crashes, as an external service would. If it fails, its process ends and is
   * started again.
   */
  readonly work: (
    leadership: Leadership,
    process: { readonly name: string }
  ) => Effect.Effect<void, unknown, Database | Leadership | Scope.Scope>
  /**
   * Whether all is well at the end; `history` tells what happened and what is stored. Instead of `false` it may throw, as
   * assertions do.
   */
  readonly invariant: (history: History) => boolean | void
}

/** An invariant did not hold; or leadership was not what it should be, which would be a fault of this library. */
export class InvariantBroken extends Data.TaggedError("InvariantBroken")<{
  readonly problem: string
  /** The smallest scenario that was found in which it does not hold; {@link replay} runs it again. */
  readonly scenario: Scenario
  /** What happened then, an event to a line, as far as it matters for who leads. */
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

const telling: ReadonlySet<string> = new Set([
  "starts",
  "elected",
  "lost",
  "resigned",
  "overrun",
  "crashes",
  "exits",
  "stops",
  "fault-begins",
  "fault-ends"
])

const storyOf = ({ events }: History): ReadonlyArray<string> =>
  events.filter(({ what, who }) => telling.has(what) || who === "operator").map(({ at, details, what, who }) => {
    const { cause, kind, reason, term } = details
    const rest = [term === undefined ? undefined : `term ${term}`, cause, reason, kind].filter((part) =>
      part !== undefined
    )
    return `${(at / second).toFixed(3).padStart(9)} s  ${who.padEnd(8)}  ${[what, ...rest].join(" ")}`
  })

/** What is wrong after a history, and when it went wrong, in nanoseconds of simulated time. */
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

/** Runs one scenario and gives its history, whether the invariant holds or not: for `Report.toHtml`, say. */
export const run = (scenario: Scenario, system: () => SystemUnderTest): Effect.Effect<History> =>
  Effect.sync(() => runOne(scenario, system).history)

/** Runs one scenario, such as an {@link InvariantBroken} tells, and gives its history. */
export const replay = (scenario: Scenario, system: () => SystemUnderTest): Effect.Effect<History, InvariantBroken> =>
  Effect.suspend(() => {
    const { history, problem } = runOne(scenario, system)
    return problem === undefined
      ? Effect.succeed(history)
      : Effect.fail(new InvariantBroken({ problem: problem.problem, scenario, story: storyOf(history) }))
  })

/** Runs the histories, and fails with the smallest scenario found in which the invariant does not hold. */
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
