/** Simulates many histories in threads, and sums their results. */
import * as Effect from "effect/Effect"
import type { Job, Outcome } from "./internal/job.ts"
import * as Thread from "./internal/thread.ts"
import type * as Profile from "./Profile.ts"
import * as Statistics from "./Statistics.ts"

export type { Job, Outcome } from "./internal/job.ts"

/** The histories to simulate. */
export interface Options extends Omit<Job, "profile" | "seed"> {
  readonly profiles: ReadonlyArray<Profile.Name>
  /** The number of histories. The profiles take turns. */
  readonly seeds: number
  readonly from: number
  /** The number of threads. One by default. */
  readonly threads?: number | undefined
}

/** The result of no history. */
export const none = {
  statistics: Statistics.none as Statistics.Statistics,
  /** The histories that violated a guarantee. */
  failures: [] as ReadonlyArray<Outcome>,
  /** The first history with the most tenures. */
  liveliest: undefined as Outcome | undefined
}

export type Result = Readonly<typeof none>

/** Runs each seed once with every profile. Calls `progress` with the result so far after each history. */
export const run = (
  { duration, from, processes, profiles, seeds, threads = 1 }: Options,
  progress: (result: Result) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<Result> =>
  Effect.gen(function*() {
    let result: Result = none
    let next = 0
    const jobAt = (index: number): Job => ({
      profile: profiles[index % profiles.length]!,
      seed: from + Math.floor(index / profiles.length),
      processes,
      duration
    })
    // Threads are not done in the order of the jobs.
    const inOrder = ({ job: a }: Outcome, { job: b }: Outcome): number =>
      a.seed - b.seed || profiles.indexOf(a.profile) - profiles.indexOf(b.profile)
    const livelier = (a: Outcome | undefined, b: Outcome): Outcome =>
      a === undefined || (b.statistics.tenures - a.statistics.tenures || inOrder(a, b)) > 0 ? b : a
    const work = Effect.gen(function*() {
      const thread = yield* Thread.make
      while (next < seeds) {
        const outcome = yield* thread("perform", jobAt(next++))
        result = {
          statistics: Statistics.merge(result.statistics, outcome.statistics),
          failures: outcome.violations.length > 0 ? [...result.failures, outcome] : result.failures,
          liveliest: livelier(result.liveliest, outcome)
        }
        yield* progress(result)
      }
    })
    const works = Array.from({ length: Math.min(threads, seeds) }, () => Effect.scoped(work))
    yield* Effect.all(works, { concurrency: "unbounded", discard: true })
    return { ...result, failures: result.failures.toSorted(inOrder) }
  })
