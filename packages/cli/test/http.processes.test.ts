import { assert, describe, it } from "@effect/vitest"
import { fileURLToPath } from "node:url"
import { freePorts } from "./support/freePorts.ts"
import { judge } from "./support/judge.ts"
import { LeaderProbe } from "./support/leaderProbe.ts"
import { eventually, type Run, Stage } from "./support/processes.ts"

/** How long faults are made; `PROBE_SECONDS=60 PROBE_PER_SECOND=2000` for a minute of them, and figures. */
const seconds = Number(process.env["PROBE_SECONDS"] ?? 0)

/** To all processes together. */
const perSecond = Number(process.env["PROBE_PER_SECOND"] ?? 1000)

const servingCandidate = fileURLToPath(new URL("./support/servingCandidate.mjs", import.meta.url))

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

const get = async (port: number, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined)
  return response === undefined ? undefined : { status: response.status, json: await response.json() as any }
}

describe("run --http", () => {
  it(
    "never has two processes answer 200 to /leader while leaders are killed, frozen, stopped, asked to step down and cut off",
    async ({ onTestFinished }) => {
      const stage = new Stage()
      onTestFinished(() => stage.clear())
      await stage.configure("2 seconds")
      const ports = await freePorts(4)
      // The death of an application is witnessed; of a wrapper, it is that of its command.
      const start = (i: number): Run =>
        i < 2
          ? stage.start(["run", "--again", "--id", `p${i}`, "--http", String(ports[i]), "--", "sleep", "1000"])
          : stage.startProgram(servingCandidate, [stage.file("store"), `p${i}`, String(ports[i])])
      const runs = ports.map((_, i) => start(i))
      const probe = new LeaderProbe(ports, perSecond)
      onTestFinished(() => probe.stop())
      const leading = () =>
        eventually("somebody leads", () => probe.leader, () => runs.map(({ said }) => said).join("\n"))
      const faults: ReadonlyArray<(leader: number) => Promise<void>> = [
        async (leader) => {
          runs[leader]!.signal("SIGKILL")
          await runs[leader]!.ended
          await pause(500)
          runs[leader] = start(leader)
        },
        async () => {
          await stage.askToStepDown()
        },
        async (leader) => {
          await stage.stop(runs[leader]!)
          await pause(3000)
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
      await probe.stop()
      const { answers, led, sent } = probe
      const { contradictions, late, terms } = judge(led)
      const took = led.map(({ received, sent }) => received - sent).toSorted((a, b) => a - b)
      const inSeconds = probe.perSecond.toSorted((a, b) => a - b)
      const at = (sorted: ReadonlyArray<number>, part: number) =>
        (sorted[Math.floor(part * (sorted.length - 1))] ?? NaN).toFixed(1)
      const ends: Record<string, number> = {}
      for (const { reason = "leads" } of await stage.history()) ends[reason] = (ends[reason] ?? 0) + 1
      const figures = `${made} faults in ${((performance.now() - begun) / 1000).toFixed(1)} s; ${sent} requests, ` +
        `${answers.length} answers (in a second: ${at(inSeconds, 0.5)} at the median, ${at(inSeconds, 0)} at least); ` +
        `${led.length} of them 200, in ${terms} terms, after ${at(took, 0.5)} ms at the median, ${
          at(took, 0.99)
        } ms for 99 %; ` +
        `${late.count} late, by ${late.mostMillis.toFixed(1)} ms at most; ends of tenures: ${JSON.stringify(ends)}`
      if (process.env["PROBE_SECONDS"] !== undefined) console.log(figures)
      assert.deepStrictEqual(contradictions, [], figures)
      assert.isAbove(terms, 1, figures)
    },
    300_000 + 3000 * seconds
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
