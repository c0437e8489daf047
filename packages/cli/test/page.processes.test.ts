import { assert, describe, it } from "@effect/vitest"
import { Browser, chromium } from "./support/browser.ts"
import { freePorts } from "./support/freePorts.ts"
import { eventually, Stage } from "./support/processes.ts"

const leaderOn = "document.querySelector('.leader')?.textContent"

describe.skipIf(chromium === undefined)("the page", () => {
  it(
    "tells who leads now when the leader is killed, asks nobody else, and can be read aloud",
    async ({ onTestFinished }) => {
      const stage = new Stage()
      onTestFinished(() => stage.clear())
      await stage.configure("30 seconds")
      const [port] = await freePorts(1) as [number]
      const address = `http://127.0.0.1:${port}/`
      const runs = ["ada", "grace"].map((id) => ({
        id,
        run: stage.start(["run", "--again", "--id", id, "--", "sleep", "1000"])
      }))
      stage.start(["serve", "app/test", "app/nobody", "--http", String(port)])
      await eventually("the page is served", () => fetch(address).then(({ ok }) => ok || undefined, () => undefined))
      const browser = new Browser(chromium!)
      onTestFinished(() => browser.close())
      const page = await browser.open(address, { width: 390, height: 800, dark: true })
      const shows = (what: string, expression: string) =>
        eventually(what, async () => await page.evaluate(expression) || undefined, () => page.errors.join("\n"))

      await shows("a leader is shown", `/^(ada|grace)$/.test(${leaderOn})`)
      const first = await page.evaluate(leaderOn) as string
      const waiting = runs.find(({ id }) => id !== first)!.id
      await shows("the other waits", `document.querySelector('.waiting')?.textContent === '${waiting}'`)
      await shows(
        "its tenure is told",
        `document.querySelector('.happened').textContent.includes('${first} leads in term')`
      )
      await shows(
        "nobody leads the other one",
        "document.querySelectorAll('.leader')[1]?.textContent === 'Nobody leads'"
      )
      runs.find(({ id }) => id === first)!.run.signal("SIGKILL")
      await shows("the other one leads", `${leaderOn} === '${waiting}'`)
      await shows(
        "a screen reader is told",
        `document.getElementById('news').textContent.includes('${waiting} leads in term')`
      )
      await shows(
        "the timeline has both tenures",
        "document.querySelector('.lanes canvas').getAttribute('aria-label').includes('2 tenures')"
      )

      assert.deepStrictEqual(page.errors, [])
      assert.deepStrictEqual(page.requested.filter((url) => !url.startsWith(address) && !url.startsWith("data:")), [])
      const facts = await page.evaluate(`({
      overflows: document.documentElement.scrollWidth > innerWidth,
      landmarks: ["header", "main", "footer", "article"].every((name) => document.querySelector(name) !== null),
      live: document.getElementById("news").getAttribute("aria-live"),
      labelled: [...document.querySelectorAll("article")].every((one) => document.getElementById(one.getAttribute("aria-labelledby"))),
      meters: document.querySelectorAll("[role=meter][aria-valuenow]").length,
      ground: getComputedStyle(document.body).backgroundColor,
      title: document.title
    })`)
      assert.deepStrictEqual(facts, {
        overflows: false,
        landmarks: true,
        live: "polite",
        labelled: true,
        meters: 1,
        ground: "rgb(19, 21, 25)",
        title: `${waiting}, nobody – elections`
      })
    }
  )
})
