import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as ExitCode from "../../../src/ExitCode.ts"
import { resolveCommand } from "../../../src/internal/run/resolveCommand.ts"

/** A directory with `runs`, which can be executed, `plain`, which cannot, `directory`, and `loop`, which leads nowhere. */
const directory = Effect.acquireRelease(
  Effect.sync(() => {
    const made = fs.mkdtempSync(path.join(os.tmpdir(), "fdb-election-test-"))
    fs.writeFileSync(path.join(made, "runs"), "", { mode: 0o755 })
    fs.writeFileSync(path.join(made, "plain"), "", { mode: 0o644 })
    fs.mkdirSync(path.join(made, "directory"))
    fs.symlinkSync("loop", path.join(made, "loop"))
    return made
  }),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)

const refusal = (command: string, searchPath: string) =>
  Effect.flip(resolveCommand(command, searchPath)).pipe(
    Effect.map((error) => [ExitCode.ofError(error), error.message] as const)
  )

describe("the command to run", () => {
  it.effect("is a path, or a name that is looked for in PATH", () =>
    Effect.gen(function*() {
      const made = yield* directory
      yield* resolveCommand(`${made}/runs`, "")
      yield* resolveCommand("runs", `/nowhere:${made}/loop:${made}/runs:${made}`)
    }))

  it.effect("is refused with the shell's exit codes, and told why", () =>
    Effect.gen(function*() {
      const made = yield* directory
      const refused: ReadonlyArray<readonly [command: string, code: number, why: string]> = [
        ["", ExitCode.notFound, "the command to run is empty: "],
        ["missing", ExitCode.notFound, "missing was not found in PATH: "],
        ["directory", ExitCode.notFound, "directory was not found in PATH: "],
        ["loop", ExitCode.notFound, "loop was not found in PATH: "],
        [`${made}/missing`, ExitCode.notFound, `there is no file ${made}/missing: `],
        [`${made}/loop`, ExitCode.notFound, `there is no file ${made}/loop: `],
        ["plain", ExitCode.notExecutable, "plain cannot be executed: "],
        [`${made}/plain`, ExitCode.notExecutable, `${made}/plain cannot be executed: `],
        ["/dev/null", ExitCode.notExecutable, "/dev/null cannot be executed: "],
        [made, ExitCode.notExecutable, `${made} is a directory: `],
        [`${made}/`, ExitCode.notExecutable, `${made}/ is a directory: `]
      ]
      for (const [command, code, why] of refused) {
        const [gave, message] = yield* refusal(command, `/nowhere:${made}`)
        assert.strictEqual(gave, code, command)
        assert.strictEqual(message.slice(0, why.length), why)
      }
    }))
})
