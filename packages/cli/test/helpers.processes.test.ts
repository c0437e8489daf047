import { assert, describe, it } from "@effect/vitest"
import * as childProcess from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import type { Duplex } from "node:stream"
import { fileURLToPath } from "node:url"
import type { TestContext } from "vitest"
import { groupIsGone, signalGroup, statOf } from "../src/internal/run/processGroup.ts"
import { eventually } from "./support/processes.ts"

const deafWrapper = fileURLToPath(new URL("./support/deafWrapper.mjs", import.meta.url))

const programs = {
  launcher: { name: "launcherProgram", descriptor: 3 },
  watchdog: { name: "watchdogProgram", descriptor: 0 }
}

const sleeper = JSON.stringify({ file: "/bin/sleep", argv: ["sleep", "1000"], env: {} })

/** A wrapper that has started a helper, and does not read what that says. */
const start = async (
  { onTestFinished }: TestContext,
  helper: keyof typeof programs,
  ...lines: ReadonlyArray<string>
) => {
  const { descriptor, name } = programs[helper]
  const program = fileURLToPath(new URL(`../dist/internal/run/${name}.js`, import.meta.url))
  const wrapper = childProcess.spawn(process.execPath, [deafWrapper, program, String(descriptor), ...lines], {
    stdio: ["ignore", "pipe", "pipe"]
  })
  let said = ""
  wrapper.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()))
  const [told] = await once(wrapper.stdout, "data") as [Buffer]
  const pid = Number(told.toString())
  onTestFinished(() => {
    wrapper.kill("SIGKILL")
    signalGroup(pid, "SIGKILL")
  })
  return {
    pid,
    /** Resets the connection, because something is unread. */
    kill: async () => {
      wrapper.kill("SIGKILL")
      await once(wrapper, "exit")
    },
    said: () => said
  }
}

const isGone = (pid: number) => statOf(pid) === undefined || statOf(pid)?.[0] === "Z"

const inSeconds = (seconds: number) => String(process.hrtime.bigint() + BigInt(Math.round(seconds * 1e9)))

/** Whether a process sleeps in its event loop, as far as the system tells: what it has to say is said. */
const isIdle = (pid: number) =>
  statOf(pid)?.[0] === "S" && /poll|^0?$/.test(fs.readFileSync(`/proc/${pid}/wchan`, "utf8"))

const commandOf = (launcher: number) =>
  eventually(
    "the command runs",
    () =>
      childProcess.spawnSync("pgrep", ["-P", String(launcher), "sleep"], { encoding: "utf8" }).stdout.trim() ||
      undefined
  )

/** What the launcher tells of a command, where the wrapper stands still from the order to begin until after the end of the command. */
const toldLate = async (
  { onTestFinished }: TestContext,
  command: { readonly file: string; readonly argv: ReadonlyArray<string> }
) => {
  const program = fileURLToPath(new URL("../dist/internal/run/launcherProgram.js", import.meta.url))
  const launcher = childProcess.spawn(process.execPath, [program], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "pipe"]
  })
  onTestFinished(() => void launcher.kill("SIGKILL"))
  const channel = launcher.stdio[3] as Duplex
  channel.setEncoding("utf8").on("error", () => {})
  await once(channel, "data")
  let told = ""
  channel.on("data", (text: string) => {
    told += text
    if (/"(Ended|Failed)"/.test(told)) channel.end()
  })
  channel.write(`${JSON.stringify({ ...command, env: {} })}\n`)
  await new Promise((resolve) => setImmediate(resolve))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
  channel.write(`${JSON.stringify({ killAt: inSeconds(1000) })}\n`)
  await once(launcher, "close")
  return told
}

describe("a wrapper that stands still while its command ends, and then writes before it reads", () => {
  it("is told the exit code of the command", async (context) => {
    assert.include(await toldLate(context, { file: "/bin/sh", argv: ["sh", "-c", "exit 6"] }), "\"code\":6")
  })

  it("is told that the command cannot be started", async (context) => {
    assert.include(await toldLate(context, { file: "/bin/none", argv: ["none"] }), "ENOENT")
  })
})

describe.concurrent("when the wrapper dies and has left unread what a helper said", () => {
  it("the launcher ends its command at the deadline, not before and not after", async (context) => {
    const until = process.hrtime.bigint() + 10_000_000_000n
    const { kill, pid, said } = await start(context, "launcher", JSON.stringify({ killAt: String(until) }), sleeper)
    await commandOf(pid)
    await kill()
    await eventually("the command is gone", () => groupIsGone(pid) ? true : undefined)
    assert.isAtLeast(Number(process.hrtime.bigint() - until), 0, said())
    assert.strictEqual(said(), "")
  })

  it("the launcher ends at once where the command has not begun", async (context) => {
    const { kill, pid, said } = await start(context, "launcher", JSON.stringify({ killAt: inSeconds(1000) }))
    await eventually("it waits", () => isIdle(pid) ? true : undefined)
    await kill()
    await eventually("the launcher is gone", () => isGone(pid) ? true : undefined)
    assert.strictEqual(said(), "")
  })

  it("the watchdog process ends the command at once", async (context) => {
    const command = childProcess.spawn("sleep", ["1000"], { detached: true, stdio: "ignore" })
    context.onTestFinished(() => void command.kill("SIGKILL"))
    const guard = `guard ${command.pid} 0`
    const { kill, pid, said } = await start(context, "watchdog", `until ${inSeconds(1000)} ${inSeconds(2000)}`, guard)
    await eventually("it waits", () => isIdle(pid) ? true : undefined)
    await kill()
    await eventually("the command is gone", () => groupIsGone(command.pid!) ? true : undefined)
    await eventually("the watchdog process is gone", () => isGone(pid) ? true : undefined)
    assert.strictEqual(said(), "")
  })
})
