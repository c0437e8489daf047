/**
 * `npm run demo [-- --json] [--cluster-file FILE]`: real processes elect, resign, die, freeze, are cut off and preempt, on
 * LMDB in a temporary directory, or on a FoundationDB cluster.
 */
import { Database } from "@effect-fdb/core"
import * as NodeChildProcessSpawner from "@effect/platform-node-shared/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import * as NodeRuntime from "@effect/platform-node-shared/NodeRuntime"
import * as NodeStdio from "@effect/platform-node-shared/NodeStdio"
import { Clock, Console, Duration, Effect, FileSystem, Layer, Schema, Stdio } from "effect"
import { parseArgs } from "node:util"
import * as CandidateProcesses from "./CandidateProcesses.ts"
import { config, makeRecords, open } from "./records.ts"
import * as Scenario from "./scenario.ts"
import * as Timeline from "./timeline.ts"
import { judge } from "./verdict.ts"

class WrongUse extends Schema.TaggedError<WrongUse>()("WrongUse", { message: Schema.String }) {}
class Broken extends Schema.TaggedError<Broken>()("Broken", { message: Schema.String }) {}

const usage = "npm run demo [-- [--json] [--cluster-file FILE]]"

const parse = (args: ReadonlyArray<string>) =>
  Effect.try({
    try: () =>
      parseArgs({ args: [...args], options: { json: { type: "boolean" }, "cluster-file": { type: "string" } } }).values,
    catch: () => new WrongUse({ message: `there is no ${args.join(" ")}: ${usage}` })
  })

const demo = Effect.gen(function*() {
  const stdio = yield* Stdio.Stdio
  const { "cluster-file": clusterFile, json } = yield* parse(yield* stdio.args)
  const useColours = (yield* stdio.stdoutIsTerminal) && process.env["NO_COLOR"] === undefined
  const { makeTempDirectoryScoped } = yield* FileSystem.FileSystem
  const [engine, place] = clusterFile === undefined
    ? ["lmdb", yield* makeTempDirectoryScoped({ prefix: "effect-fdb-demo-" })]
    : ["fdb", clusterFile]
  const run = String(yield* Clock.currentTimeMillis)
  const records = makeRecords(run)
  const timeline = yield* Timeline.make(useColours)
  const processes = yield* CandidateProcesses.make([engine, place, run], timeline.report)

  const { changes, counter } = yield* Effect.gen(function*() {
    yield* Database.transact(records.election.initialize(config))
    yield* Effect.addFinalizer(() => Effect.ignore(Database.transact(records.clear)))
    const lease = Duration.format(config.leaseDuration)
    yield* Console.log(`An election among processes of this host, on ${engine} (${place}): the lease is ${lease}.`)
    const changes = yield* Scenario.run(
      processes,
      records,
      timeline,
      engine === "lmdb" ? `${place}/witness` : undefined
    )
    return { changes, counter: yield* Database.transact(records.audit) }
  }).pipe(Effect.scoped, Effect.provide(open(engine, place)))

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
    const took = `${tookMillis.toFixed(1).padStart(7)} ms  ${tookLeases.toFixed(2)} leases`
    yield* Console.log(`  term ${String(term).padStart(3)}  ${leader.padEnd(5)} ${reason.padEnd(12)} ${took}`)
  }
  yield* timeline.heading("What was promised")
  for (const [promise, kept] of promises) {
    yield* Console.log(`  ${kept ? timeline.paint("green", "kept  ") : timeline.paint("red", "BROKEN")} ${promise}`)
  }
  if (json) {
    const { lateSteps, lateWrites, overlaps, termsStrictlyIncreasing } = verdict
    const tenures = changes.map((change) => ({
      ...change,
      term: String(change.term),
      overlapMillis: verdict.tenures.find(({ term }) => term === change.term)?.overlapMillis
    }))
    yield* Console.log(JSON.stringify({ tenures, overlaps, counter, termsStrictlyIncreasing, lateSteps, lateWrites }))
  }
  const broken = promises.flatMap(([promise, kept]) => kept ? [] : [promise])
  if (broken.length > 0) return yield* new Broken({ message: `broken: ${broken.join(", ")}` })
})

demo.pipe(
  Effect.scoped,
  Effect.tapError((error) => Console.error(`demo: ${error.message}`)),
  Effect.provide(
    Layer.provideMerge(
      NodeChildProcessSpawner.layer,
      Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeStdio.layer)
    )
  ),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
