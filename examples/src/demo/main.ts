/** `npm run demo [-- --json]`: real processes elect, resign, die, freeze, are cut off and preempt, on LMDB. */
import { Database } from "@effect-fdb/core"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Account from "./account.ts"
import { audit, config, election } from "./election.ts"
import { play } from "./scenario.ts"
import { Troupe } from "./troupe.ts"
import { judge } from "./verdict.ts"

/** A promise was not kept; the summary tells which. */
class Broken extends Schema.TaggedError<Broken>()("Broken", { promises: Schema.Array(Schema.String) }) {
  override get message(): string {
    return `broken: ${this.promises.join(", ")}`
  }
}

const demo = Effect.gen(function*() {
  const stdio = yield* Stdio.Stdio
  const json = (yield* stdio.args).includes("--json")
  const useColours = (yield* stdio.stdoutIsTerminal) && process.env["NO_COLOR"] === undefined
  const path = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "effect-fdb-demo-" })
  const account = yield* Account.make(useColours)
  const troupe = yield* Troupe.make(path, account.report)

  const { changes, counter } = yield* Effect.gen(function*() {
    yield* Database.transact(election.initialize(config))
    yield* Console.log(
      `An election among processes of this host, in ${path}: the lease is ${Duration.format(config.leaseDuration)}.`
    )
    const changes = yield* play(troupe, account)
    return { changes, counter: yield* Database.transact(audit) }
  }).pipe(Effect.provide(LmdbDatabase.layer({ path })))

  const verdict = judge(troupe.testimonies)
  const promises: ReadonlyArray<readonly [string, boolean]> = [
    [`${verdict.tenures.length} tenures, ${verdict.overlaps} overlaps`, verdict.overlaps === 0],
    ["terms strictly increasing", verdict.termsStrictlyIncreasing],
    [`the guarded counter is ${counter.actual}, by the book ${counter.expected}`, counter.actual === counter.expected],
    [`${verdict.lateSteps} steps of work after another led`, verdict.lateSteps === 0],
    [`${verdict.refusedWrites} guarded writes too late, ${verdict.lateWrites} let through`, verdict.lateWrites === 0]
  ]
  yield* account.act("Who led, and how long it took until the work was running")
  for (const { leader, reason, term, tookLeases, tookMillis } of changes) {
    yield* Console.log(
      `  term ${String(term).padStart(3)}  ${leader.padEnd(5)} ${reason.padEnd(12)} ${
        `${tookMillis.toFixed(1)} ms`.padStart(10)
      }  ${tookLeases.toFixed(2)} leases`
    )
  }
  yield* account.act("What was promised")
  for (const [promise, kept] of promises) {
    yield* Console.log(`  ${kept ? account.paint("green", "kept  ") : account.paint("red", "BROKEN")} ${promise}`)
  }
  if (json) {
    yield* Console.log(JSON.stringify({
      tenures: changes.map((change) => ({ ...change, term: String(change.term) })),
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
