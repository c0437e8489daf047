/** `npm run bench [-- --json] [--quick] [--only NAME]`: measures, and tells. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as os from "node:os"
import { parseArgs } from "node:util"
import type { Benchmark, Outcome, Scale } from "./Benchmark.ts"
import { benchmarks } from "./registry.ts"
import * as Report from "./Report.ts"

class WrongUse extends Data.TaggedError("WrongUse")<{ readonly problem: string }> {
  override get message(): string {
    return `${this.problem}\nnpm run bench [-- --json] [--quick] [--only NAME]…, where NAME is one of: ` +
      benchmarks.map(({ name }) => name).join(", ")
  }
}

const usage = 64

const readArguments = Effect.gen(function*() {
  const { values } = yield* Effect.try({
    try: () =>
      parseArgs({
        options: {
          json: { type: "boolean", default: false },
          quick: { type: "boolean", default: false },
          only: { type: "string", multiple: true }
        }
      }),
    catch: (error) => new WrongUse({ problem: error instanceof Error ? error.message : String(error) })
  })
  const { json, only, quick } = values
  const unknown = only?.find((chosen) => !benchmarks.some(({ name }) => name === chosen))
  if (unknown !== undefined) return yield* new WrongUse({ problem: `there is no benchmark "${unknown}"` })
  return { json, quick, chosen: benchmarks.filter(({ name }) => only === undefined || only.includes(name)) }
})

const perform = (benchmark: Benchmark, scale: Scale): Effect.Effect<Outcome, Error> =>
  Effect.gen(function*() {
    // Not on standard output, which is the machines' where they ask for it.
    yield* Console.error(`measuring ${benchmark.name} …`)
    const begun = yield* Clock.monotonicTimeNanos
    const figures = yield* benchmark.run(scale)
    return { benchmark, figures, seconds: Number((yield* Clock.monotonicTimeNanos) - begun) / 1e9 }
  })

const main = Effect.gen(function*() {
  const { chosen, json, quick } = yield* readArguments
  const outcomes = yield* Effect.forEach(chosen, (benchmark) => perform(benchmark, { quick }))
  const [cpu] = os.cpus()
  const circumstances: Report.Circumstances = {
    machine: `${os.cpus().length} × ${cpu?.model ?? "unknown processor"}`,
    node: process.versions.node,
    quick
  }
  yield* Console.log(json ? Report.json(outcomes, circumstances) : Report.table(outcomes, circumstances))
}).pipe(
  // Elections tell who leads, by the thousand.
  Effect.provideService(References.MinimumLogLevel, "Warn"),
  Effect.catchTag("WrongUse", (error) =>
    Effect.andThen(
      Console.error(error.message),
      Effect.sync(() => {
        process.exitCode = usage
      })
    ))
)

await Effect.runPromise(main)
