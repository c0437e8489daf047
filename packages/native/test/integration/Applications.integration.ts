import { Database, Subspace, Transaction } from "@effect-fdb/core"
import { NativeDatabase } from "@effect-fdb/native"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll } from "vitest"
import { clusterFile, onCluster } from "./cluster.ts"

const root = fileURLToPath(new URL("../../../../", import.meta.url))

interface Ended {
  readonly status: number
  readonly output: string
  readonly errors: string
}

const run = (program: string, args: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.callback((resume) => {
    execFile(program, args, { cwd: root, timeout: 120_000 }, (error, output, errors) => {
      const status = error === null ? 0 : typeof error.code === "number" ? error.code : -1
      resume(Effect.succeed({ status, output, errors }))
    })
  })

const election = `effect-fdb-test/${process.pid}`
const records = Subspace.fromTuple(["fdb-election", election.split("/")])
const cli = (...args: ReadonlyArray<string>) =>
  run(process.execPath, [
    "packages/cli/bin/fdb-election.cjs",
    "--engine",
    "fdb",
    "--cluster-file",
    clusterFile!,
    "--election",
    election,
    ...args
  ])

onCluster("the applications on a cluster", () => {
  beforeAll(
    () =>
      Effect.runPromise(
        Effect.map(run("npx", ["tsc", "-b", "examples/tsconfig.src.json", "packages/cli/tsconfig.src.json"]), (built) =>
          assert.strictEqual(built.status, 0, built.output))
      ),
    120_000
  )
  // The command clears no election.
  afterAll(() =>
    Effect.runPromise(
      Database.transact(Transaction.use((tx) => tx.clearRange(records.range())), { idempotent: true }).pipe(
        Effect.provide(NativeDatabase.layer())
      )
    )
  )

  it.live("the demonstration keeps its promises", () =>
    Effect.gen(function*() {
      const ended = yield* run(process.execPath, [
        "examples/dist/demo/main.js",
        "--json",
        "--cluster-file",
        clusterFile!
      ])
      assert.strictEqual(ended.status, 0, ended.output + ended.errors)
      const told = JSON.parse(ended.output.trim().split("\n").at(-1)!)
      assert.deepInclude(told, { overlaps: 0, termsStrictlyIncreasing: true, lateSteps: 0, lateWrites: 0 })
      assert.strictEqual(told.counter.actual, told.counter.expected)
      assert.lengthOf(told.tenures, 6)
    }), 180_000)

  it.live("the command elects, runs, and passes the exit status on", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* cli("init")).status, 0)
      const first = yield* cli("run", "--", "sh", "-c", "echo term $FDB_ELECTION_TERM; exit 3")
      assert.strictEqual(first.status, 3, first.errors)
      assert.match(first.output, /^term \d+\n$/)
      const second = yield* cli("run", "--", "sh", "-c", "echo term $FDB_ELECTION_TERM")
      const term = (ended: Ended) => BigInt(ended.output.trim().split(" ")[1]!)
      assert.isTrue(term(second) > term(first), "terms grow")
      const status = yield* cli("status", "--json")
      assert.strictEqual(status.status, 0, status.errors)
      assert.isNull(JSON.parse(status.output).leader)
    }), 180_000)
})
