/** Many histories, one after another, on as many cores as are to be used; and what came of them. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { Worker } from "node:worker_threads"
import type { Violation } from "./Checker.ts"
import * as Checkers from "./Checkers.ts"
import * as Profile from "./Profile.ts"
import * as Simulation from "./Simulation.ts"
import { Statistics, type Summary } from "./Statistics.ts"

/** What is to be simulated. */
export interface Options {
  readonly profiles: ReadonlyArray<Profile.Name>
  /** How many histories in all; the profiles take turns. */
  readonly seeds: number
  /** The first seed. */
  readonly from: number
  readonly processes?: number | undefined
  /** How long each history is, in seconds of the world. */
  readonly duration?: number | undefined
  /** How many threads; one by default. */
  readonly threads?: number | undefined
}

/** One history to be made. */
export interface Job {
  readonly profile: Profile.Name
  readonly seed: number
  readonly processes: number | undefined
  readonly duration: number | undefined
}

/** A history that broke promises. */
export interface Failure {
  readonly profile: Profile.Name
  readonly seed: number
  readonly violations: ReadonlyArray<Violation>
}

/** What became of one history. */
export interface Outcome {
  readonly job: Job
  readonly violations: ReadonlyArray<Violation>
  readonly summary: Summary
}

/** See the module. */
export interface Result {
  readonly statistics: Statistics
  readonly failures: ReadonlyArray<Failure>
}

/** The jobs, in their order: each seed once with every profile. */
export const jobs = ({ duration, from, processes, profiles, seeds }: Options): ReadonlyArray<Job> =>
  Array.from({ length: seeds }, (_, index) => ({
    profile: profiles[index % profiles.length]!,
    seed: from + Math.floor(index / profiles.length),
    processes,
    duration
  }))

/** Makes one history and judges it. */
export const perform = (job: Job): Outcome => {
  const { duration, processes, profile, seed } = job
  const history = Simulation.run(Profile.generate(profile, seed, { duration, processes }))
  const statistics = new Statistics()
  statistics.add(history)
  return { job, violations: Checkers.check(history), summary: statistics.summary }
}

/** Hands jobs to a thread, one after another, and gives back what comes of them. */
const inThread = (queue: Array<Job>, report: (outcome: Outcome) => void): Effect.Effect<void> =>
  Effect.acquireUseRelease(
    Effect.sync(() => new Worker(new URL("./internal/worker.js", import.meta.url))),
    (worker) =>
      Effect.callback<void>((resume) => {
        const next = (): void => {
          const job = queue.shift()
          if (job === undefined) resume(Effect.void)
          else worker.postMessage(job, [])
        }
        worker.on("message", (outcome: Outcome) => {
          report(outcome)
          next()
        })
        worker.on("error", (error) => resume(Effect.die(error)))
        next()
      }),
    (worker) => Effect.promise(() => worker.terminate())
  )

/** Runs all jobs; `progress` is told after each what has come of them so far. */
export const run = (
  options: Options,
  progress: (result: Result) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const statistics = new Statistics()
    const failures: Array<Failure> = []
    const all = jobs(options)
    const result = { statistics, failures }
    const report = ({ job, summary, violations }: Outcome): void => {
      statistics.merge(summary)
      if (violations.length > 0) failures.push({ profile: job.profile, seed: job.seed, violations })
    }
    const threads = Math.min(options.threads ?? 1, all.length)
    if (threads <= 1) {
      for (const job of all) {
        report(perform(job))
        yield* progress(result)
        yield* Effect.yieldNow
      }
    } else {
      const queue = [...all]
      const told = yield* Queue.unbounded<void>()
      const teller = Effect.forever(
        Effect.andThen(Queue.take(told), Effect.suspend(() => progress(result)))
      )
      yield* Effect.all(
        Array.from({ length: threads }, () =>
          inThread(queue, (outcome) => {
            report(outcome)
            Queue.offerUnsafe(told, undefined)
          })),
        { concurrency: "unbounded" }
      ).pipe(Effect.raceFirst(teller))
      yield* progress(result)
    }
    return { statistics, failures: failures.toSorted((a, b) => a.seed - b.seed) }
  })
