import * as NodeChildProcessSpawner from "@effect/platform-node-shared/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import * as NodeStdio from "@effect/platform-node-shared/NodeStdio"
import * as NodeTerminal from "@effect/platform-node-shared/NodeTerminal"
import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Fiber, Layer } from "effect"
import * as Command from "effect/cli/Command"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { perform } from "../src/internal/job.ts"
import * as Profile from "../src/Profile.ts"
import { command, PromiseBroken } from "../src/SimulateCommand.ts"

const nodeServices = Layer.provideMerge(
  NodeChildProcessSpawner.layer,
  Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeStdio.layer, NodeTerminal.layer)
)

/** Runs the command, and gives what it has printed. */
const call = (line: string, lines: Array<string> = []) =>
  Effect.suspend(() => {
    const console = { ...globalThis.console, log: (text: string) => void lines.push(text) }
    return Command.runWith(command, { version: "0" })(line.split(" ")).pipe(
      Effect.provideService(Console.Console, console),
      Effect.provide(nodeServices),
      Effect.as(lines)
    )
  })

const small = "--seeds 1 --duration 60s --processes 2 --profile calm"

describe("simulate", () => {
  it.effect("ends with one line of JSON", () =>
    Effect.gen(function*() {
      const result = JSON.parse((yield* call(`${small} --json`)).at(-1)!) as Record<string, unknown>
      assert.deepStrictEqual(Object.keys(result), [
        "seeds",
        "violations",
        "simulatedSeconds",
        "realSeconds",
        "tenures",
        "faults",
        "transitionsCovered",
        "failoverLeases"
      ])
      assert.deepInclude(result, { seeds: 1, violations: 0, simulatedSeconds: 60 })
      assert.match(String(result["transitionsCovered"]), /^\d+\/\d+$/)
      assert.hasAllKeys(result["failoverLeases"], ["p50", "p99"])
    }))

  it.effect("takes a duration of several parts, and counts in words", () =>
    Effect.gen(function*() {
      const lines = yield* call("--seeds 1 --duration 1m30s --processes 1 --profile calm --json")
      assert.match(lines[0]!, /^1 history, /)
      assert.include(lines.at(-1), `"simulatedSeconds":90`)
      assert.strictEqual(new PromiseBroken({ violations: 1 }).message, "1 violation found")
      assert.strictEqual(new PromiseBroken({ violations: 2 }).message, "2 violations found")
    }))

  it.effect("writes the report, of the history with the most tenures", () =>
    Effect.gen(function*() {
      const tenures = Profile.names.slice(0, 8).map((profile) =>
        perform({ profile, seed: 0, processes: 3, duration: 90 }).statistics.tenures
      )
      const most = Math.max(...tenures)
      assert.isBelow(tenures[0]!, most)
      const folder = mkdtempSync(join(tmpdir(), "report-"))
      yield* call(`--seeds ${tenures.length} --duration 90s --processes 3 --threads 2 --report ${folder}/a.html`)
      const profile = Profile.names[tenures.indexOf(most)]
      assert.include(readFileSync(`${folder}/a.html`, "utf8"), `<title>${profile}, seed 0 `)
      rmSync(folder, { recursive: true })
    }))

  it.live("prints the result so far when it is interrupted within a history", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const fiber = yield* Effect.forkChild(call("--seeds 2 --duration 2h --profile calm", lines))
      yield* Effect.sleep("500 millis")
      yield* Fiber.interrupt(fiber)
      assert.include(lines.join("\n"), "interrupted before all 2 were made\n0 histories")
    }))

  for (
    const [line, problem] of [
      ["--seeds 0", "--seeds: give at least 1"],
      ["--processes 0 --threads -1", "--processes and --threads: give at least 1"],
      ["--from -1", "--from: give at least 0"],
      ["--duration 1s", "at least 60s"],
      ["--duration 2401h", "at most 2400h"],
      ["--duration 5", "is no duration"],
      ["--duration 1m30", "is no duration"],
      ["--profile none", "there is no profile"],
      ["--report /there/is/no/such/folder/a.html", "cannot be written"],
      ["mutations --only none", `there is no mutant "none": choose one of claim-without-config, `],
      ["mutations --seeds 0", "--seeds: give at least 1"],
      ["mutations --seeds -1", "--seeds: give at least 1"]
    ] as const
  ) {
    it.effect(`${line}: an error before anything is simulated`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(call(line))
        assert.strictEqual(error._tag, "UsageError")
        assert.include(error.message, problem)
        assert.isFalse(existsSync("/there"))
      }))
  }
})
