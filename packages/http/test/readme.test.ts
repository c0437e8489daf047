import { assert, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { vi } from "vitest"

const root = path.resolve(import.meta.dirname, "..")
/** Within the workspace, so that its packages are found; not kept by git. */
const scratch = path.join(root, "dist/readme")

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })

describe("the program of the README", () => {
  it(
    "runs in two processes: one answers 200 to /leader, and the other does when that has ended",
    async ({ onTestFinished }) => {
      const children: Array<ChildProcess> = []
      onTestFinished(() => {
        for (const child of children) child.kill("SIGKILL")
        rmSync(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
      })
      rmSync(scratch, { recursive: true, force: true })
      mkdirSync(scratch, { recursive: true })
      const [, program] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(path.join(root, "README.md"), "utf8"))!
      const ports = [await freePort(), await freePort()]
      for (const port of ports) {
        assert.include(program!, "port: 8008")
        writeFileSync(path.join(scratch, `${port}.mjs`), program!.replace("port: 8008", `port: ${port}`))
        children.push(spawn(process.execPath, [`${port}.mjs`], { cwd: scratch, stdio: "ignore" }))
      }
      const statusOf = (port: number) =>
        fetch(`http://127.0.0.1:${port}/leader`).then(({ status }) => status, () => undefined)
      const statuses = async () => (await Promise.all(ports.map(statusOf))).join(" ")
      await vi.waitUntil(async () => /200 503|503 200/.test(await statuses()), { timeout: 120_000 })
      const leader = (await statuses()).startsWith("200") ? 0 : 1
      children[leader]!.kill("SIGTERM")
      await vi.waitUntil(async () => await statusOf(ports[1 - leader]!) === 200, { timeout: 120_000 })
    }
  )
})
