/** Many histories, one after another, on as many cores as are to be used; and what came of them. */
import * as Effect from "effect/Effect"
import type { Job, Outcome } from "./internal/job.ts"
import * as Thread from "./internal/thread.ts"
import type * as Profile from "./Profile.ts"
import { Statistics } from "./Statistics.ts"

export type { Job, Outcome } from "./internal/job.ts"

/** What is to be simulated. */
export interface Options {
  readonly profiles: ReadonlyArray<Profile.Name>
  /** How many histories in all; the profiles take turns. */
  readonly seeds: number
  /** The first seed. */
  readonly from: number
  readonly processes?: number | undefined
  /** How long each history is, in seconds of simulated time. */
  readonly duration?: number | undefined
  /** How many threads; one by default. */
  readonly threads?: number | undefined
}

/** See the module. */
export interface Result {
  readonly statistics: Statistics
  /** The histories that broke promises. */
  readonly failures: ReadonlyArray<Outcome>
  /** The history in which most tenures happened, the first of these. */
  readonly liveliest: Outcome | undefined
}

/** The jobs, in their order: each seed once with every profile. */
const jobAt = ({ duration, from, processes, profiles }: Options, index: number): Job => ({
  profile: profiles[index % profiles.length]!,
  seed: from + Math.floor(index / profiles.length),
  processes,
  duration
})

/** Runs all jobs, in threads; `progress` is told after each what has come of them so far. */
export const run = (
  options: Options,
  progress: (result: Result) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const statistics = new Statistics()
    const failures: Array<Outcome> = []
    let liveliest: Outcome | undefined
    let next = 0
    // Threads are not done in the order of the jobs.
    const inOrder = ({ job: a }: Outcome, { job: b }: Outcome): number =>
      a.seed - b.seed || options.profiles.indexOf(a.profile) - options.profiles.indexOf(b.profile)
    const isLivelier = (outcome: Outcome, than: Outcome): boolean =>
      (outcome.summary.tenures - than.summary.tenures || inOrder(than, outcome)) > 0
    const work = Effect.gen(function*() {
      const thread = yield* Thread.make
      while (next < options.seeds) {
        const outcome = yield* thread("perform", jobAt(options, next++))
        statistics.merge(outcome.summary)
        if (outcome.violations.length > 0) failures.push(outcome)
        if (liveliest === undefined || isLivelier(outcome, liveliest)) liveliest = outcome
        yield* progress({ statistics, failures, liveliest })
      }
    })
    const threads = Math.min(options.threads ?? 1, options.seeds)
    yield* Effect.all(Array.from({ length: threads }, () => Effect.scoped(work)), {
      concurrency: "unbounded",
      discard: true
    })
    return { statistics, failures: failures.toSorted(inOrder), liveliest }
  })
