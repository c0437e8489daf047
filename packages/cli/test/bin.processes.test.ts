import { assert, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as os from "node:os"
import type { TestContext } from "vitest"
import * as ExitCode from "../src/ExitCode.ts"
import { Stage } from "./support/processes.ts"

const stage = async ({ onTestFinished }: TestContext): Promise<Stage> => {
  const made = new Stage()
  onTestFinished(() => made.clear())
  await made.configure("30 seconds")
  return made
}

describe.concurrent("standard output", () => {
  it("that nobody reads ends the command as SIGPIPE would, without a word", async (context) => {
    const at = await stage(context)
    const run = at.start(["status"])
    run.child.stdout!.destroy()
    assert.strictEqual((await run.ended).code, ExitCode.ofSignal(os.constants.signals.SIGPIPE))
    assert.strictEqual(run.said, "")
  }, 60_000)

  it("that cannot be written to for another reason is told of", async (context) => {
    const at = await stage(context)
    const full = fs.openSync("/dev/full", "w")
    context.onTestFinished(() => fs.closeSync(full))
    const run = at.start(["status"], { stdio: ["ignore", full, "pipe"] })
    assert.strictEqual((await run.ended).code, ExitCode.system)
    assert.match(
      run.said,
      /^fdb-election: standard output cannot be written to: [^\n]*no space left on device[^\n]*\n$/
    )
  }, 60_000)
})
