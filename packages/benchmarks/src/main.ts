/** `npm run bench`. See `usage`. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as os from "node:os"
import { parseArgs } from "node:util"
import type { Benchmark, Outcome, Scale } from "./Benchmark.ts"
import * as Peers from "./processes/Peers.ts"
import type { EngineChoice } from "./processes/Store.ts"
import { benchmarks } from "./registry.ts"
import * as Report from "./Report.ts"

class WrongUse extends Data.TaggedError("WrongUse")<{ readonly problem: string }> {
  override get message(): string {
    return `${this.problem}\nnpm run bench -- [--json] [--quick] [--engine lmdb|fdb] [--cluster-file FILE] ` +
      `[--peer ${Peers.names.join("|")}]… [--only NAME]…, ` +
      "where NAME is one of: " +
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
          only: { type: "string", multiple: true },
          engine: { type: "string" },
          peer: { type: "string", multiple: true, default: [] },
          "cluster-file": { type: "string" }
        }
      }),
    catch: (error) => new WrongUse({ problem: error instanceof Error ? error.message : String(error) })
  })
  const { engine, json, only, peer, quick } = values
  if (engine !== undefined && engine !== "lmdb" && engine !== "fdb") {
    return yield* new WrongUse({ problem: `there is no engine "${engine}"` })
  }
  const peers = Peers.names.filter((name) => peer.includes(name))
  const unknownPeer = peer.find((name) => !peers.some((known) => known === name))
  if (unknownPeer !== undefined) return yield* new WrongUse({ problem: `there is no peer "${unknownPeer}"` })
  const unknown = only?.find((chosen) => !benchmarks.some(({ name }) => name === chosen))
  if (unknown !== undefined) return yield* new WrongUse({ problem: `there is no benchmark "${unknown}"` })
  const choice: EngineChoice = engine === "fdb" ? { engine, clusterFile: values["cluster-file"] } : { engine: "lmdb" }
  const scale: Scale = { quick, engine: choice, peers }
  // With an engine, only the benchmarks that depend on it run.
  const isMeant = ({ betweenProcesses, name, onlyByName }: Benchmark): boolean =>
    only === undefined
      ? onlyByName !== true && (engine === undefined || betweenProcesses === true)
      : only.includes(name)
  return { json, scale, chosen: benchmarks.filter(isMeant) }
})

const perform = (benchmark: Benchmark, scale: Scale): Effect.Effect<Outcome, Error> =>
  Effect.gen(function*() {
    // Standard output may be JSON.
    yield* Console.error(`measuring ${benchmark.name} …`)
    const begun = yield* Clock.monotonicTimeNanos
    const figures = yield* benchmark.run(scale)
    return { benchmark, figures, seconds: Number((yield* Clock.monotonicTimeNanos) - begun) / 1e9 }
  })

const main = Effect.gen(function*() {
  const { chosen, json, scale } = yield* readArguments
  const outcomes = yield* Effect.forEach(chosen, (benchmark) => perform(benchmark, scale))
  const cpus = os.cpus()
  const circumstances: Report.Circumstances = {
    machine: `${cpus.length} × ${cpus[0]?.model ?? "unknown processor"}`,
    node: process.versions.node,
    quick: scale.quick
  }
  yield* Console.log(json ? Report.json(outcomes, circumstances) : Report.table(outcomes, circumstances))
}).pipe(
  // Thousands of elections log their leaders.
  Effect.provideService(References.MinimumLogLevel, "Warn"),
  Effect.catchTag(
    "WrongUse",
    (error) => Effect.andThen(Console.error(error.message), Effect.sync(() => void (process.exitCode = usage)))
  )
)

await Effect.runPromise(main)
