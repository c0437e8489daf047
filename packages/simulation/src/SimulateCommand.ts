/** The command `simulate`: for `npm run simulate`, and a part of `fdb-election`. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { longest, second } from "./EventScheduler.ts"
import { plural } from "./internal/plural.ts"
import * as Thread from "./internal/thread.ts"
import * as Mutants from "./Mutants.ts"
import * as Profile from "./Profile.ts"
import * as Shrink from "./Shrink.ts"
import * as Simulate from "./Simulate.ts"
import { Statistics, transitions } from "./Statistics.ts"

/** A promise was broken; the command has told which. */
export class PromiseBroken extends Data.TaggedError("PromiseBroken")<{ readonly violations: number }> {
  override get message(): string {
    return `${plural(this.violations, "promise")} ${this.violations === 1 ? "was" : "were"} broken`
  }
}

/** The command line asks for something that there is not. */
export class Unusable extends Data.TaggedError("Unusable")<{ readonly problem: string }> {
  override get message(): string {
    return this.problem
  }
}

const flags = {
  seeds: Flag.Int("seeds").pipe(
    Flag.withDefault(50),
    Flag.withDescription("How many histories to make, the profiles taking turns; 50 unless set")
  ),
  from: Flag.Int("from").pipe(Flag.withDefault(0), Flag.withDescription("The first seed; 0 unless set")),
  processes: Flag.Int("processes").pipe(
    Flag.withDefault(5),
    Flag.withDescription("How many processes take part; 5 unless set")
  ),
  duration: Flag.String("duration").pipe(
    Flag.withMetavar("SPAN"),
    Flag.withDefault("10m"),
    Flag.withDescription("How long each history is, in simulated time, as 90s, 1m30s or 2h; 10m unless set")
  ),
  profile: Flag.String("profile").pipe(
    Flag.optional,
    Flag.withDescription(`Only this kind of history: ${Profile.names.join(", ")}`)
  ),
  threads: Flag.Int("threads").pipe(
    Flag.withDefault(1),
    Flag.withDescription("How many threads to use; 1 unless set")
  ),
  report: Flag.String("report").pipe(
    Flag.optional,
    Flag.withDescription(
      "Write a page that shows the first history that broke a promise, or else the one of most tenures"
    )
  ),
  json: Flag.Boolean("json").pipe(Flag.withDefault(false), Flag.withDescription("End with one line of JSON"))
}

/** Fails unless each of the numbers is at least so much. */
const requireAtLeast = (least: number, numbers: Readonly<Record<string, number>>): Effect.Effect<void, Unusable> => {
  const wrong = Object.keys(numbers).filter((name) => numbers[name]! < least)
  return wrong.length === 0
    ? Effect.void
    : Effect.fail(
      new Unusable({ problem: `${wrong.map((name) => `--${name}`).join(" and ")}: give at least ${least}` })
    )
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds. */
const parseDuration = (text: string): Effect.Effect<number, Unusable> =>
  /^(?:\d+(?:\.\d+)?\s*[smhd]\s*)+$/.test(text.trim())
    ? Effect.succeed(
      [...text.matchAll(/([\d.]+)\s*([smhd])/g)].reduce(
        (sum, [, count, unit]) => sum + Number(count) * units[unit!]!,
        0
      )
    )
    : Effect.fail(new Unusable({ problem: `"${text}" is no duration: write 90s, 1m30s or 2h` }))

/** Shorter histories are over before anything could go wrong. */
const shortest = 60

const parseProfiles = (name: Option.Option<string>): Effect.Effect<ReadonlyArray<Profile.Name>, Unusable> => {
  if (Option.isNone(name)) return Effect.succeed(Profile.names)
  const found = Profile.names.filter((known) => known === name.value)
  return found.length > 0
    ? Effect.succeed(found)
    : Effect.fail(
      new Unusable({ problem: `there is no profile "${name.value}": choose one of ${Profile.names.join(", ")}` })
    )
}

const write = (text: string) => Effect.sync(() => void process.stderr.write(text))

const bar = (done: number, total: number): string => {
  const width = 40
  const filled = Math.round(width * done / total)
  return `\r${"█".repeat(filled)}${"░".repeat(width - filled)} ${done}/${total} ${done === total ? "\n" : ""}`
}

/** Tells of each seed that breaks a promise when it is found; and on a terminal, with a bar, how far it is. */
const progressOf = (total: number) => {
  let told = 0
  return ({ failures, statistics }: Simulate.Result): Effect.Effect<void> => {
    const news = failures.slice(told).map(({ job: { profile, seed }, violations }) => {
      const broken = [...new Set(violations.map(({ checker }) => checker))].join(", ")
      return `${process.stderr.isTTY ? "\r\x1b[K" : ""}${profile}, seed ${seed} breaks ${broken}\n`
    })
    told = failures.length
    const text = news.join("") + (process.stderr.isTTY ? bar(statistics.histories, total) : "")
    return text === "" ? Effect.void : write(text)
  }
}

/** A page that could not be written should not be found out after a night. */
const requireWritable = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fileSystem) => Effect.scoped(fileSystem.open(path, { flag: "a" }))).pipe(
    Effect.mapError(({ reason }) =>
      new Unusable({ problem: `the report cannot be written to ${path}: ${reason.message}` })
    )
  )

const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of).toSorted(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`).join(", ") || "none"

const leases = (value: number | undefined): string => value === undefined ? "–" : value.toFixed(2)

/** What a person wants to know of the run. */
const account = ({ failures, statistics }: Simulate.Result, realSeconds: number): ReadonlyArray<string> => {
  const { causes, faults, histories, leaderlessSeconds, losses, missing, simulatedSeconds, tenures } = statistics
  const violations = failures.reduce((sum, failure) => sum + failure.violations.length, 0)
  return [
    `${plural(histories, "history", "histories")}, ${(simulatedSeconds / 3600).toFixed(1)} simulated hours in ${
      realSeconds.toFixed(1)
    } s ` +
    `(${Math.round(simulatedSeconds / realSeconds)} × real time)`,
    `elections    ${tenures}: ${counts(causes)}`,
    `ends         ${counts(losses)}`,
    `leaderless   ${(100 * leaderlessSeconds / Math.max(1, simulatedSeconds)).toFixed(2)} % of the time`,
    `failover     p50 ${leases(statistics.percentile(0.5))}, p99 ${leases(statistics.percentile(0.99))} leases, over ` +
    `${plural(statistics.failovers.length, "crash", "crashes")} of a leader with nothing else wrong`,
    `faults       ${counts(faults)}`,
    `transitions  ${transitions.length - missing.length} of ${transitions.length}` +
    (missing.length === 0
      ? ""
      : missing.length > 12
      ? "; more seeds and profiles take the others"
      : `; not taken: ${missing.join(", ")}`),
    `violations   ${violations}`
  ]
}

/** Tells of a failing seed, and of the smallest scenario that was found for it. */
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

/** The page of a history. */
const draw = (job: Simulate.Job): Effect.Effect<string> =>
  Effect.scoped(Effect.flatMap(Thread.make, (thread) => thread("draw", job)))

const simulate = Effect.fnUntraced(function*(input: {
  readonly seeds: number
  readonly from: number
  readonly processes: number
  readonly duration: string
  readonly profile: Option.Option<string>
  readonly threads: number
  readonly report: Option.Option<string>
  readonly json: boolean
}) {
  const { from, json, processes, seeds, threads } = input
  yield* requireAtLeast(1, { seeds, processes, threads })
  yield* requireAtLeast(0, { from })
  const duration = yield* parseDuration(input.duration)
  if (duration < shortest) {
    return yield* new Unusable({
      problem:
        `--duration has to be at least ${shortest}s: in the last 55 seconds or more of a history nothing goes wrong`
    })
  }
  if (duration > longest) {
    return yield* new Unusable({
      problem: `--duration has to be at most ${longest / 3600}h: no simulation lasts longer`
    })
  }
  const profiles = yield* parseProfiles(input.profile)
  const options: Simulate.Options = { profiles, seeds, from, processes, duration, threads }
  if (Option.isSome(input.report)) yield* requireWritable(input.report.value)
  const begun = yield* Clock.monotonicTimeNanos
  const elapsed = Effect.map(Clock.monotonicTimeNanos, (now) => Duration.toSeconds(Duration.nanos(now - begun)))
  const progress = progressOf(seeds)
  let sofar: Simulate.Result = { statistics: new Statistics(), failures: [], liveliest: undefined }
  yield* progress(sofar)
  const result = yield* Simulate.run(options, (result) => {
    sofar = result
    return progress(result)
  }).pipe(
    Effect.onInterrupt(() =>
      Effect.flatMap(
        elapsed,
        (realSeconds) =>
          Console.log(
            [
              "",
              `interrupted before ${seeds === 1 ? "it was" : `all ${seeds} were`} made`,
              ...account(sofar, realSeconds)
            ].join("\n")
          )
      )
    )
  )
  const realSeconds = yield* elapsed
  const { failures, statistics } = result
  for (const line of account(result, realSeconds)) yield* Console.log(line)
  const [first] = failures
  if (first !== undefined) yield* explain(first)
  const shown = first ?? result.liveliest
  if (Option.isSome(input.report) && shown !== undefined) {
    const page = yield* draw(shown.job)
    const fileSystem = yield* FileSystem.FileSystem
    yield* fileSystem.writeFileString(input.report.value, page)
    yield* Console.log(`report       ${shown.job.profile}, seed ${shown.job.seed}: ${input.report.value}`)
  }
  const violations = failures.reduce((sum, failure) => sum + failure.violations.length, 0)
  if (json) {
    yield* Console.log(JSON.stringify({
      seeds,
      violations,
      simulatedSeconds: Math.round(statistics.simulatedSeconds),
      realSeconds: Number(realSeconds.toFixed(3)),
      tenures: statistics.tenures,
      faults: statistics.faults,
      transitionsCovered: `${transitions.length - statistics.missing.length}/${transitions.length}`,
      failoverLeases: { p50: statistics.percentile(0.5) ?? null, p99: statistics.percentile(0.99) ?? null }
    }))
  }
  if (violations > 0) return yield* new PromiseBroken({ violations })
})

const mutations = Command.make(
  "mutations",
  {
    only: Flag.String("only").pipe(
      Flag.optional,
      Flag.withDescription("Only the mutation of this name; all unless set")
    ),
    seeds: Flag.Int("seeds").pipe(
      Flag.optional,
      Flag.withDescription("How many seeds to try; each mutation's own number unless set")
    )
  },
  Effect.fnUntraced(function*({ only, seeds }) {
    if (Option.isSome(seeds)) yield* requireAtLeast(1, { seeds: seeds.value })
    const chosen = Mutants.all.filter(({ name }) => Option.isNone(only) || only.value === name)
    if (chosen.length === 0) {
      const names = Mutants.all.map(({ name }) => name).join(", ")
      return yield* new Unusable({
        problem: `there is no mutation "${Option.getOrNull(only)}": choose one of ${names}`
      })
    }
    const found = yield* Mutants.judge(chosen, Option.getOrUndefined(seeds), (line) => write(`${line}\n`))
    yield* Console.log(Mutants.toTable(found))
    const problems = Mutants.problems(found, Option.isNone(only))
    for (const problem of problems) yield* Console.log(problem)
    if (problems.length > 0) return yield* new PromiseBroken({ violations: problems.length })
  })
).pipe(
  Command.withDescription("Break the protocol on purpose, in each of the known ways, and see which checker notices")
)

/** See the module. */
export const command = Command.make("simulate", flags, simulate).pipe(
  Command.withDescription("Simulate clusters with faults, and check that leader election keeps its promises"),
  Command.withSubcommands([mutations])
)
