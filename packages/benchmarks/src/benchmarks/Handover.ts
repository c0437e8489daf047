/** From a leader's resignation to the successor's work, between real processes that share an LMDB database. */
import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { LeaderElection } from "@effect-fdb/leader-election"
import { LmdbDatabase } from "@effect-fdb/lmdb"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { Benchmark, Figure } from "../Benchmark.ts"
import { subspaceName } from "../handover/election.ts"
import * as Troupe from "../handover/troupe.ts"
import { percentile } from "../Summary.ts"

class Stuck extends Data.TaggedError("Stuck")<{ readonly waitingFor: string }> {
  override get message(): string {
    return `nothing happens: waited too long for ${this.waitingFor}`
  }
}

const names = ["ada", "bea", "cyn"]
const patience = "20 seconds"
/** In milliseconds: a candidate that has resigned comes back when another works. */
const backAfter = 50

const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "effect-fdb-bench-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
)

/** The milliseconds of so many handovers. */
const measure = Effect.fnUntraced(function*(troupe: Troupe.Troupe, handovers: number) {
  const took: Array<number> = []
  const next = (waitingFor: string) =>
    troupe.next.pipe(
      Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(new Stuck({ waitingFor })) })
    )
  let campaigning = 0
  let leader: string | undefined
  let working: number | undefined
  let resigned: number | undefined
  while (took.length < handovers) {
    // The leader is left alone until all are there, and a while longer.
    while (leader === undefined || campaigning < names.length) {
      const report = yield* next("a leader and its followers")
      if (report.kind === "campaigns") {
        campaigning++
        resigned = report.resigned ?? resigned
      } else {
        leader = report.who
        working = report.at
      }
    }
    if (resigned !== undefined && working !== undefined) took.push(working - resigned)
    yield* Effect.sleep(yield* Random.nextBetween(30, 70))
    yield* troupe.resign(leader, backAfter)
    leader = undefined
    campaigning--
  }
  return took
})

/** The milliseconds of so many small commits, while the candidates do nothing but be candidates. */
const commits = Effect.fnUntraced(function*(count: number) {
  const key = Subspace.fromTuple(["beside"]).pack(["counter"])
  const took: Array<number> = []
  for (let i = 0; i < count; i++) {
    const begun = yield* Clock.monotonicTimeNanos
    yield* Database.transact(Effect.flatMap(Transaction, (tx) => tx.set(key, new Uint8Array(8).fill(i % 256))))
    took.push(Number((yield* Clock.monotonicTimeNanos) - begun) / 1e6)
  }
  return took
})

const run = Effect.fnUntraced(function*(handovers: number) {
  const place = yield* directory
  const election = LeaderElection.make(Subspace.fromTuple([subspaceName]))
  return yield* Effect.gen(function*() {
    yield* Database.transact(election.initialize())
    const took = yield* measure(yield* Troupe.make(place, names), handovers)
    return { took, commits: yield* commits(handovers) }
  }).pipe(Effect.provide(LmdbDatabase.layer({ path: place, durability: "process" })))
}, Effect.scoped)

export const handover: Benchmark = {
  name: "handover",
  title: "from a resignation to the successor's work, three real processes on LMDB, durability `process`",
  run: ({ quick }) =>
    Effect.map(run(quick ? 30 : 200), ({ commits, took }): ReadonlyArray<Figure> => [
      { name: "p50", unit: "ms", here: percentile(took, 0.5), reach: { atMost: 5 } },
      { name: "p95", unit: "ms", here: percentile(took, 0.95), reach: { atMost: 25 } },
      { name: "most", unit: "ms", here: percentile(took, 1) },
      { name: "a commit beside it, p50", unit: "ms", here: percentile(commits, 0.5) },
      { name: "p50 in such commits", unit: "commits", here: percentile(took, 0.5) / percentile(commits, 0.5) }
    ])
}
