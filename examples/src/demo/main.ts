/**
 * `npm run demo [-- --json] [--cluster-file FILE]`: real processes elect, resign, die, freeze, are cut off and preempt, on
 * LMDB in a temporary directory, or on a FoundationDB cluster.
 */
import { Database } from "@effect-fdb/core"
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import { parseArgs } from "node:util"
import * as NodeServices from "./nodeServices.ts"
import { Processes } from "./Processes.ts"
import { config, makeRecords } from "./Records.ts"
import * as Scenario from "./scenario.ts"
import { open, type Store } from "./store.ts"
import * as Timeline from "./Timeline.ts"
import { judge } from "./verdict.ts"

/** A promise was not kept; the summary tells which. */
class Broken extends Schema.TaggedError<Broken>()("Broken", { promises: Schema.Array(Schema.String) }) {
  override get message(): string {
    return `broken: ${this.promises.join(", ")}`
  }
}

class WrongUse extends Schema.TaggedError<WrongUse>()("WrongUse", { argument: Schema.String }) {
  override get message(): string {
    return `there is no ${this.argument}: npm run demo [-- [--json] [--cluster-file FILE]]`
  }
}

const options = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
  const { values } = yield* Effect.try({
    try: () =>
      parseArgs({ args: [...args], options: { json: { type: "boolean" }, "cluster-file": { type: "string" } } }),
    catch: () => new WrongUse({ argument: args.join(" ") })
  })
  return { json: values.json === true, clusterFile: values["cluster-file"] }
})

const makeDirectory = Effect.flatMap(
  FileSystem.FileSystem,
  (files) => files.makeTempDirectoryScoped({ prefix: "effect-fdb-demo-" })
)

const demo = Effect.gen(function*() {
  const stdio = yield* Stdio.Stdio
  const { clusterFile, json } = yield* options(yield* stdio.args)
  const useColours = (yield* stdio.stdoutIsTerminal) && process.env["NO_COLOR"] === undefined
  const store: Store = clusterFile === undefined
    ? { engine: "lmdb", place: yield* makeDirectory }
    : { engine: "fdb", place: clusterFile }
  const run = String(yield* Clock.currentTimeMillis)
  const records = makeRecords(run)
  const timeline = yield* Timeline.make(useColours)
  const processes = yield* Processes.make([store.engine, store.place, run], timeline.report)

  const { changes, counter } = yield* Effect.gen(function*() {
    yield* Database.transact(records.election.initialize(config))
    yield* Effect.addFinalizer(() => Effect.ignore(Database.transact(records.clear)))
    yield* Console.log(
      `An election among processes of this host, on ${store.engine} (${store.place}): the lease is ${
        Duration.format(config.leaseDuration)
      }.`
    )
    const changes = yield* Scenario.run(processes, records, timeline)
    return { changes, counter: yield* Database.transact(records.audit) }
  }).pipe(Effect.scoped, Effect.provide(open(store)))

  const verdict = judge(processes.reports)
  const promises: ReadonlyArray<readonly [string, boolean]> = [
    [`${verdict.tenures.length} tenures, ${verdict.overlaps} overlaps`, verdict.overlaps === 0],
    ["terms strictly increasing", verdict.termsStrictlyIncreasing],
    [`the guarded counter is ${counter.actual}, expected ${counter.expected}`, counter.actual === counter.expected],
    [`${verdict.lateSteps} steps of work after another led`, verdict.lateSteps === 0],
    [`${verdict.refusedWrites} guarded writes too late, ${verdict.lateWrites} let through`, verdict.lateWrites === 0]
  ]
  yield* timeline.heading("Who led, and how long it took until the work was running")
  for (const { leader, reason, term, tookLeases, tookMillis } of changes) {
    yield* Console.log(
      `  term ${String(term).padStart(3)}  ${leader.padEnd(5)} ${reason.padEnd(12)} ${
        `${tookMillis.toFixed(1)} ms`.padStart(10)
      }  ${tookLeases.toFixed(2)} leases`
    )
  }
  yield* timeline.heading("What was promised")
  for (const [promise, kept] of promises) {
    yield* Console.log(`  ${kept ? timeline.paint("green", "kept  ") : timeline.paint("red", "BROKEN")} ${promise}`)
  }
  if (json) {
    yield* Console.log(JSON.stringify({
      tenures: changes.map((change) => ({
        ...change,
        term: String(change.term),
        overlapMillis: verdict.tenures.find(({ term }) => term === change.term)?.overlapMillis
      })),
      overlaps: verdict.overlaps,
      counter,
      termsStrictlyIncreasing: verdict.termsStrictlyIncreasing,
      lateSteps: verdict.lateSteps,
      lateWrites: verdict.lateWrites
    }))
  }
  const broken = promises.flatMap(([promise, kept]) => kept ? [] : [promise])
  if (broken.length > 0) return yield* new Broken({ promises: broken })
})

demo.pipe(
  Effect.scoped,
  Effect.tapError((error) => Console.error(`demo: ${error.message}`)),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
