import { assert, describe, it } from "@effect/vitest"
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import type { TestContext } from "vitest"
import * as ExitCode from "../src/ExitCode.ts"
import { eventually, program, Stage } from "./support/processes.ts"

const stage = async ({ onTestFinished }: TestContext): Promise<Stage> => {
  const made = new Stage()
  onTestFinished(() => made.clear())
  await made.configure("30 seconds")
  return made
}

describe.concurrent("standard output", () => {
  it("has the help of the command line, whether the build has written it or the command makes it", () => {
    const { FORCE_COLOR: _, ...env } = process.env
    const print = (...args: ReadonlyArray<string>) =>
      childProcess.execFileSync(process.execPath, [program, ...args], { encoding: "utf8", env })
    for (
      const [subcommand, usage] of [["", "<subcommand> [flags]"], ["run", "run [flags]"], ["config get", "config get"]]
    ) {
      const path = subcommand === "" ? [] : subcommand!.split(" ")
      const help = print(...path, "--help")
      assert.include(help, `fdb-election ${usage}`)
      assert.strictEqual(help, print(...path, "--help", "--log-level", "info"))
    }
  })

  it("that nobody reads ends the command as SIGPIPE would, without a word", async (context) => {
    const at = await stage(context)
    const run = at.start(["status"])
    run.child.stdout!.destroy()
    assert.strictEqual((await run.ended).code, ExitCode.ofSignal("SIGPIPE"))
    assert.strictEqual(run.said, "")
  })

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
  })
})

describe.concurrent("standard error", () => {
  it("has sentences and no stack traces, though what LMDB writes is refused", async (context) => {
    const at = await stage(context)
    await at.configure("10 seconds")
    const run = at.run(["--id", "a"], "exec sleep 1000")
    await eventually("it leads", () => /leads/.test(run.said) ? true : undefined)
    childProcess.execFileSync("prlimit", ["--pid", String(run.pid), "--fsize=4096"])
    assert.strictEqual((await run.ended).code, ExitCode.tryAgain)
    assert.match(run.said, /the store does not answer correctly/)
    // LMDB itself, in C, tells of a "Write error" there.
    assert.notMatch(run.said, /^ +at |Error: /m)
  })

  it("has sentences and no stack traces, though the store is damaged or away", async (context) => {
    const at = await stage(context)
    fs.writeFileSync(at.file("store/data.mdb"), "x".repeat(10_000))
    const damaged = at.start(["status"])
    assert.strictEqual((await damaged.ended).code, ExitCode.unavailable)
    assert.match(damaged.said, /^fdb-election: [^\n]*\n$/)
    fs.rmSync(at.file("store"), { recursive: true })
    fs.writeFileSync(at.file("store"), "")
    const away = at.start(["run", "--", "true"])
    assert.strictEqual((await away.ended).code, ExitCode.unavailable)
    assert.match(away.said, /^fdb-election: [^\n]*\n$/)
  })
})
