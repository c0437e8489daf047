import { assert, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as path from "node:path"
import { eventually, Stage } from "./support/processes.ts"

/** A stage on which `systemd-notify` writes what it is told into a file, or is not installed. */
const stage = (context: { readonly onTestFinished: (end: () => void) => void }, installed = true) => {
  const at = new Stage()
  context.onTestFinished(() => at.clear())
  const bin = at.file("bin")
  fs.mkdirSync(bin)
  fs.symlinkSync(process.execPath, path.join(bin, "node"))
  for (const name of ["sh", "sleep", "env"]) fs.symlinkSync(`/bin/${name}`, path.join(bin, name))
  if (installed) {
    fs.writeFileSync(
      path.join(bin, "systemd-notify"),
      `#!/bin/sh\nfor field; do echo "$field" >>'${at.file("told")}'; done\n`,
      { mode: 0o755 }
    )
  }
  const env = { ...at.env, PATH: bin, NOTIFY_SOCKET: "/run/manager" }
  return { at, env, told: () => at.lines("told") }
}

const isTold = (told: () => Array<string>, pattern: RegExp) =>
  eventually(
    String(pattern),
    () => told().some((line) => pattern.test(line)) ? true : undefined,
    () => told().join("; ")
  )

describe.concurrent("a service manager", () => {
  it(
    "is told that the process takes part and who leads, and its watchdog is fed by a follower, too",
    async (context) => {
      const { at, env, told } = stage(context)
      await at.configure("30 seconds")
      const fed = { ...env, WATCHDOG_USEC: "300000" }
      const leader = at.run(["--id", "a"], "env >env; exec sleep 1000", { env: fed })
      await isTold(told, /^READY=1$/)
      await isTold(told, /^STATUS=leads app\/test in term 1/)
      const follower = at.run(["--id", "b"], "exec sleep 1000", { env: fed })
      await isTold(told, /^STATUS=waits: "a" leads app\/test in term 1$/)
      await at.stop(leader)
      const before = told().length
      await eventually("the follower feeds", () => told().slice(before).includes("WATCHDOG=1") ? true : undefined)
      leader.signal("SIGCONT")
      // The command does not get what would let it speak for the wrapper.
      assert.notMatch(at.lines("env").join("\n"), /NOTIFY_SOCKET|WATCHDOG_/)
      follower.signal("SIGTERM")
      leader.signal("SIGTERM")
      await Promise.all([leader.ended, follower.ended])
    }
  )

  it("does not hear from a process that it is not the watchdog of, but that it is ready", async (context) => {
    const { at, env, told } = stage(context)
    await at.configure("30 seconds")
    const run = at.run([], "exec sleep 1000", { env: { ...env, WATCHDOG_USEC: "30000", WATCHDOG_PID: "1" } })
    await isTold(told, /^STATUS=leads/)
    run.signal("SIGTERM")
    await run.ended
    assert.include(told(), "READY=1")
    assert.notInclude(told(), "WATCHDOG=1")
  })

  it("that cannot be spoken to does not keep the process from leading; it says so once", async (context) => {
    const { at, env } = stage(context, false)
    await at.configure("30 seconds")
    const run = at.run([], "exec sleep 1000", { env: { ...env, WATCHDOG_USEC: "30000" } })
    await eventually("it leads", () => /leads/.test(run.said) ? true : undefined)
    await eventually("it says so", () => /cannot tell the service manager/.test(run.said) ? true : undefined)
    run.signal("SIGTERM")
    await run.ended
    assert.lengthOf(run.said.match(/cannot tell the service manager/g)!, 1)
  })
})
