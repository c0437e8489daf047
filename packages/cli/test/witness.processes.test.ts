/** The command `witness`, and an application that starts it. */
import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import * as childProcess from "node:child_process"
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import type { TestContext } from "vitest"
import * as ExitCode from "../src/ExitCode.ts"
import { childrenOf, eventually, Stage } from "./support/processes.ts"

const candidateProgram = fileURLToPath(new URL("./support/candidate.mjs", import.meta.url))

/** No lease of this duration lapses during a test. */
const lasting = Duration.minutes(10)

const stage = async ({ onTestFinished }: TestContext): Promise<Stage> => {
  const made = new Stage()
  onTestFinished(() => made.clear())
  await made.configure(lasting)
  return made
}

/** The only candidate of the host, when it leads. */
const leading = async (at: Stage, { onTestFinished }: TestContext, mode = "") => {
  const child = childProcess.spawn(process.execPath, [candidateProgram, at.file("store"), mode], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  let output = ""
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
  await eventually("it leads", () => /^leads$/m.test(output) ? true : undefined)
  return child
}

const hasDied = (at: Stage) =>
  eventually("its tenure is ended", async () => {
    const tenures = await at.history()
    return tenures.some(({ leaderId, reason }) => leaderId === "app" && reason === "died") ? true : undefined
  })

describe.concurrent("the witness", () => {
  it(
    "ends the tenure of the only candidate of a host, as a process beside it, and does nothing else",
    async (context) => {
      const at = await stage(context)
      const witness = at.start(["witness", "--directory", at.file("store/witness")])
      await eventually("it witnesses", () => witness.said.includes("witnesses") ? true : undefined)
      const child = await leading(at, context)
      const status = at.start(["status"])
      let shown = ""
      status.child.stdout!.on("data", (chunk: Buffer) => (shown += chunk.toString()))
      await status.ended
      assert.match(shown, /^Witnesses +1 on this host/m)
      child.kill("SIGSTOP")
      const run = at.run(["--id", "run"], "exit 0")
      await eventually("the other waits", () => /waits: "app" leads/.test(run.said) ? true : undefined)
      run.signal("SIGKILL")
      await run.ended
      assert.strictEqual((await at.leader())?.leaderId, "app")
      child.kill("SIGKILL")
      await hasDied(at)
      // The other, of whose death nobody knows, may have been appointed.
      assert.notStrictEqual((await at.leader())?.leaderId, "app")
      await eventually("it says so", () => witness.said.includes(`the process of "app" has died`) ? true : undefined)
      witness.signal("SIGTERM")
      assert.include(
        ["SIGTERM", ExitCode.ofSignal("SIGTERM")],
        (({ code, signal }) => signal ?? code)(await witness.ended)
      )
    }
  )

  it("may be started by the application, and ends after it", async (context) => {
    const at = await stage(context)
    const child = await leading(at, context, "process")
    const witness = await eventually(
      "the witness runs",
      () => childrenOf(child.pid!).find((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("witness"))
    )
    child.kill("SIGKILL")
    await hasDied(at)
    await eventually("the witness has ended", () => fs.existsSync(`/proc/${witness}`) ? undefined : true)
  })

  it("says what to do where there is no directory", async (context) => {
    const at = await stage(context)
    const witness = at.start(["witness", "--witness", "off"])
    assert.strictEqual((await witness.ended).code, ExitCode.usage)
    assert.match(witness.said, /^fdb-election: witness has no directory: give --directory[^\n]*\n$/)
  })
})
