/** What `fdb-election simulate` and `fdb-election simulate mutations` do. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { availableParallelism } from "node:os"
import { longest, second } from "../EventScheduler.ts"
import * as Mutants from "../Mutants.ts"
import * as Profile from "../Profile.ts"
import * as Shrink from "../Shrink.ts"
import * as Simulate from "../Simulate.ts"
import { type Flags, type MutationsFlags, PromiseBroken, UsageError } from "../SimulateCommand.ts"
import * as Statistics from "../Statistics.ts"
import * as JudgeMutants from "./judgeMutants.ts"
import { plural } from "./plural.ts"
import * as Thread from "./thread.ts"

const usageError = (message: string) => Effect.fail(new UsageError({ message }))

/** Fails unless each number is at least `least`. */
const requireAtLeast = (least: number, numbers: Readonly<Record<string, number>>): Effect.Effect<void, UsageError> => {
  const wrong = Object.keys(numbers).filter((name) => numbers[name]! < least).map((name) => `--${name}`)
  return wrong.length === 0 ? Effect.void : usageError(`${wrong.join(" and ")}: give at least ${least}`)
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Shorter histories have no time for faults. In seconds. */
const shortest = 60

const parseDuration = (text: string): Effect.Effect<number, UsageError> => {
  if (!/^(?:\d+(?:\.\d+)?\s*[smhd]\s*)+$/.test(text.trim())) {
    return usageError(`"${text}" is no duration: write 90s, 1m30s or 2h`)
  }
  const parts = [...text.matchAll(/([\d.]+)\s*([smhd])/g)]
  const duration = parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0)
  if (duration < shortest) {
    return usageError(
      `--duration has to be at least ${shortest}s: the last 55 seconds or more of a history have no faults`
    )
  }
  return duration > longest
    ? usageError(`--duration has to be at most ${longest / 3600}h: no simulation lasts longer`)
    : Effect.succeed(duration)
}

/** The item of a name, or all without one. */
const select = <A>(kind: string, items: ReadonlyArray<A>, nameOf: (item: A) => string, name: Option.Option<string>) => {
  const selected = items.filter((item) => Option.isNone(name) || nameOf(item) === name.value)
  return selected.length > 0
    ? Effect.succeed(selected)
    : usageError(`there is no ${kind} "${Option.getOrNull(name)}": choose one of ${items.map(nameOf).join(", ")}`)
}

const write = (text: string) => Effect.sync(() => void process.stderr.write(text))

const bar = (done: number, total: number): string => {
  const filled = Math.round(40 * done / total)
  return `\r${"█".repeat(filled).padEnd(40, "░")} ${done}/${total} ${done === total ? "\n" : ""}`
}

/** Prints each seed that violates a guarantee when it is found, and a progress bar on a terminal. */
const progressOf = (total: number) => {
  let reported = 0
  return ({ failures, statistics }: Simulate.Result): Effect.Effect<void> => {
    const news = failures.slice(reported).map(({ job: { profile, seed }, violations }) => {
      const broken = [...new Set(violations.map(({ checker }) => checker))].join(", ")
      return `${process.stderr.isTTY ? "\r\x1b[K" : ""}${profile}, seed ${seed} violates ${broken}\n`
    })
    reported = failures.length
    const text = news.join("") + (process.stderr.isTTY ? bar(statistics.histories, total) : "")
    return text === "" ? Effect.void : write(text)
  }
}

/** Fails before a long run if the page cannot be written after it. */
const requireWritable = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fileSystem) => Effect.scoped(fileSystem.open(path, { flag: "a" }))).pipe(
    Effect.catch(({ reason }) => usageError(`the report cannot be written to ${path}: ${reason.message}`))
  )

const violationsIn = ({ failures }: Simulate.Result): number =>
  failures.reduce((sum, { violations }) => sum + violations.length, 0)

const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of).toSorted(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`).join(", ") || "none"

/** The result for a person. */
const summary = (result: Simulate.Result, realSeconds: number): string => {
  const { statistics } = result
  const { failovers, histories, leaderlessSeconds, simulatedSeconds, taken } = statistics
  const all = Statistics.transitions
  const missing = all.filter((name) => !taken.includes(name))
  const others = missing.length > 12
    ? "; more seeds and profiles take the others"
    : `; not taken: ${missing.join(", ")}`
  const leases = (p: number): string => `p${100 * p} ${Statistics.percentile(statistics, p)?.toFixed(2) ?? "–"}`
  return [
    `${plural(histories, "history", "histories")}, ${(simulatedSeconds / 3600).toFixed(1)} simulated hours in ` +
    `${realSeconds.toFixed(1)} s (${Math.round(simulatedSeconds / realSeconds)} × real time)`,
    `elections    ${statistics.tenures}: ${counts(statistics.causes)}`,
    `ends         ${counts(statistics.losses)}`,
    `leaderless   ${(100 * leaderlessSeconds / Math.max(1, simulatedSeconds)).toFixed(2)} % of the time`,
    `failover     ${leases(0.5)}, ${leases(0.99)} leases, over ` +
    `${plural(failovers.length, "crash", "crashes")} of a leader with nothing else wrong`,
    `faults       ${counts(statistics.faults)}`,
    `transitions  ${all.length - missing.length} of ${all.length}${missing.length === 0 ? "" : others}`,
    `violations   ${violationsIn(result)}`
  ].join("\n")
}

const toJson = (result: Simulate.Result, seeds: number, realSeconds: number): string => {
  const { faults, simulatedSeconds, taken, tenures } = result.statistics
  const leases = (p: number): number | null => Statistics.percentile(result.statistics, p) ?? null
  return JSON.stringify({
    seeds,
    violations: violationsIn(result),
    simulatedSeconds: Math.round(simulatedSeconds),
    realSeconds: Number(realSeconds.toFixed(3)),
    tenures,
    faults,
    transitionsCovered: `${taken.length}/${Statistics.transitions.length}`,
    failoverLeases: { p50: leases(0.5), p99: leases(0.99) }
  })
}

/** Prints a failing seed, and the smallest scenario that was found for it. */
const explain = Effect.fnUntraced(function*({ job, violations }: Simulate.Outcome) {
  yield* Console.log(`\n${job.profile}, seed ${job.seed}:`)
  for (const { at, checker, message } of violations.slice(0, 5)) {
    yield* Console.log(`  ${(at / second).toFixed(6)} s  ${checker}: ${message}`)
  }
  const first = violations[0]
  if (first === undefined) return
  yield* write("looking for a smaller scenario…\n")
  const thread = yield* Thread.make
  const smallest = yield* thread("shrink", { job, violation: first })
  yield* Console.log(
    `\nThe smallest scenario that was found has ${plural(smallest.processes.length, "process", "processes")} and ` +
      `${plural(smallest.faults.length, "fault")}:\n\n${Shrink.toTest(smallest, first.checker)}`
  )
}, Effect.scoped)

export const simulate = Effect.fnUntraced(function*(
  { from, json, processes, seeds, threads, ...input }: Flags
) {
  yield* requireAtLeast(1, { seeds, processes, threads })
  yield* requireAtLeast(0, { from })
  const duration = yield* parseDuration(input.duration)
  const profiles = yield* select("profile", Profile.names, (name) => name, input.profile)
  const path = Option.getOrUndefined(input.report)
  if (path !== undefined) yield* requireWritable(path)
  const begun = yield* Clock.monotonicTimeNanos
  const elapsed = Effect.map(Clock.monotonicTimeNanos, (now) => Duration.toSeconds(Duration.nanos(now - begun)))
  const progress = progressOf(seeds)
  let sofar = Simulate.none
  yield* progress(sofar)
  const result = yield* Simulate.run({ profiles, seeds, from, processes, duration, threads }, (result) => {
    sofar = result
    return progress(result)
  }).pipe(
    Effect.onInterrupt(() => {
      const which = seeds === 1 ? "it was" : `all ${seeds} were`
      return Effect.flatMap(
        elapsed,
        (seconds) => Console.log(`\ninterrupted before ${which} made\n${summary(sofar, seconds)}`)
      )
    })
  )
  const realSeconds = yield* elapsed
  yield* Console.log(summary(result, realSeconds))
  const [first] = result.failures
  if (first !== undefined) yield* explain(first)
  const shown = first ?? result.liveliest
  if (path !== undefined && shown !== undefined) {
    const page = yield* Effect.scoped(Effect.flatMap(Thread.make, (thread) => thread("draw", shown.job)))
    yield* Effect.flatMap(FileSystem.FileSystem, (fileSystem) => fileSystem.writeFileString(path, page))
    yield* Console.log(`report       ${shown.job.profile}, seed ${shown.job.seed}: ${path}`)
  }
  if (json) yield* Console.log(toJson(result, seeds, realSeconds))
  if (first !== undefined) return yield* new PromiseBroken({ violations: violationsIn(result) })
})

export const mutations = Effect.fnUntraced(function*({ only, ...given }: MutationsFlags) {
  const [seeds, threads] = [Option.getOrUndefined(given.seeds), Option.getOrElse(given.threads, availableParallelism)]
  yield* requireAtLeast(1, { ...(seeds !== undefined && { seeds }), threads })
  const chosen = yield* select("mutant", Mutants.all, ({ name }) => name, only)
  if (!JudgeMutants.isPossible()) {
    return yield* usageError(
      "mutations changes the built files of the packages, which are bundled here: use it in the repository, with " +
        "`npm run simulate -- mutations`"
    )
  }
  const begun = yield* Clock.monotonicTimeNanos
  let judged = 0
  const found = yield* JudgeMutants.judge(
    chosen,
    { seeds, threads },
    (line) => write(`${++judged}. ${line}\n`)
  )
  const took = Duration.toSeconds(Duration.nanos((yield* Clock.monotonicTimeNanos) - begun))
  const width = process.stdout.isTTY ? process.stdout.columns : undefined
  yield* Console.log(`${JudgeMutants.toTable(found, width)}\n\n${JudgeMutants.summary(found, took)}`)
  const problems = JudgeMutants.problems(found, Option.isNone(only))
  for (const problem of problems) yield* Console.log(problem)
  if (problems.length > 0) return yield* new PromiseBroken({ violations: problems.length })
})
