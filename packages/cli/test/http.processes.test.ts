import { assert, describe, it } from "@effect/vitest"
import { freePorts } from "./support/freePorts.ts"
import { LeaderProbe } from "./support/leaderProbe.ts"
import { eventually, type Run, Stage } from "./support/processes.ts"

/** How long faults are made; `PROBE_SECONDS=60` for a minute of them. */
const seconds = Number(process.env["PROBE_SECONDS"] ?? 0)

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

const get = async (port: number, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
  return response === undefined ? undefined : { status: response.status, json: await response.json() as any }
}

describe("run --http", () => {
  it(
    "never has two processes answer 200 to /leader while leaders are killed, frozen, stopped and cut off",
    async ({ onTestFinished }) => {
      const stage = new Stage()
      onTestFinished(() => stage.clear())
      await stage.configure("2 seconds")
      const ports = await freePorts(3)
      const start = (i: number): Run =>
        stage.start(["run", "--again", "--id", `p${i}`, "--http", `127.0.0.1:${ports[i]}`, "--", "sleep", "1000"])
      const runs = ports.map((_, i) => start(i))
      const probe = new LeaderProbe(ports, 1000)
      onTestFinished(() => probe.stop())
      const leading = () =>
        eventually("somebody leads", () => probe.leader, () => runs.map(({ said }) => said).join("\n"))
      const faults: ReadonlyArray<(leader: number) => Promise<void>> = [
        async (leader) => {
          runs[leader]!.signal("SIGKILL")
          await runs[leader]!.ended
          await pause(1000)
          runs[leader] = start(leader)
        },
        async (leader) => {
          await stage.stop(runs[leader]!)
          await pause(3500)
          runs[leader]!.signal("SIGCONT")
          await pause(500)
        },
        async (leader) => {
          runs[leader]!.signal("SIGTERM")
          await runs[leader]!.ended
          runs[leader] = start(leader)
        },
        async () => {
          const release = await stage.hold()
          await pause(3000)
          release()
        }
      ]
      await leading()
      const begun = performance.now()
      let made = 0
      while (made < faults.length || performance.now() - begun < seconds * 1000) {
        await faults[made++ % faults.length]!(await leading())
        await pause(500)
      }
      await leading()
      const { answered, led, longestGap, problems, sent } = probe
      const figures =
        `${made} faults in ${
          ((performance.now() - begun) / 1000).toFixed(1)
        } s; ${sent} requests, ${answered} answers, ` +
        `${led.length} of them 200, in ${problems.terms} terms; ${problems.late} late; longest without a leader ${
          Math.round(longestGap)
        } ms`
      if (process.env["PROBE_SECONDS"] !== undefined) console.log(figures)
      assert.deepStrictEqual(problems.contradictions, [], figures)
      assert.isAbove(problems.terms, 2, figures)
    },
    60_000 + 3000 * seconds
  )

  it("serves nothing that changes anything, unless it has a token", async ({ onTestFinished }) => {
    const stage = new Stage()
    onTestFinished(() => stage.clear())
    await stage.configure("30 seconds")
    const [plain, secured] = await freePorts(2) as [number, number]
    stage.start(["serve", "--http", String(plain)])
    stage.start(["serve", "--http", `127.0.0.1:${secured}`], {
      env: { ...stage.env, FDB_ELECTION_HTTP_TOKEN: "a secret" }
    })
    const post = (port: number, headers: Record<string, string> = {}) =>
      fetch(`http://127.0.0.1:${port}/step-down`, { method: "POST", headers }).then(({ status }) => status)
    await eventually(
      "both serve",
      async () =>
        (await get(plain, "/live"))?.status === 200 && (await get(secured, "/live"))?.status === 200 ? true : undefined
    )
    assert.strictEqual(await post(plain, { authorization: "Bearer a secret" }), 404)
    assert.strictEqual(await post(secured), 401)
    assert.strictEqual(await post(secured, { authorization: "Bearer a secre" }), 401)
    assert.strictEqual(await post(secured, { authorization: "Bearer a secret" }), 202)
  })
})
