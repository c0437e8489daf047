import { assert, describe, it } from "@effect/vitest"
import * as Checkers from "../src/Checkers.ts"
import { second } from "../src/EventScheduler.ts"
import * as Report from "../src/Report.ts"
import { tampered, withEvents } from "./history.ts"

interface Data {
  readonly duration: number
  readonly lanes: ReadonlyArray<{
    readonly name: string
    readonly spans: ReadonlyArray<{ readonly kind: string; readonly from: number; readonly to: number }>
    readonly marks: ReadonlyArray<{ readonly kind: string; readonly line?: number }>
    readonly leases?: ReadonlyArray<{ readonly from: number; readonly to: number; readonly deadline: number }>
  }>
  readonly violations: ReadonlyArray<{ readonly checker: string; readonly lane?: string; readonly message: string }>
  readonly promises: { readonly [checker: string]: string }
  readonly log: ReadonlyArray<readonly [number, string, string, string]>
}

const scriptsOf = (html: string) => [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, text]) => text!)
const dataOf = (html: string): Data => JSON.parse(scriptsOf(html)[0]!) as Data

const history = tampered(() => ({}))
const html = Report.toHtml(history, [])
const data = dataOf(html)

describe("the report", () => {
  it("is one file that asks for no other, with a script that can be read", () => {
    assert.notMatch(html, /\b(?:src|href)=|https?:|url\(|@import|fetch\(/)
    const [, script] = scriptsOf(html)
    assert.doesNotThrow(() => new Function(script!))
  })

  it("has a lane for who leads, the database, each process, the faults and the operators", () => {
    assert.deepStrictEqual(
      data.lanes.map(({ name }) => name),
      ["leader", "database", "p1", "p2", "p3", "faults", "operators"]
    )
  })

  it("shows each instant in the leader's lane either with a leader or without one", () => {
    const spans = data.lanes[0]!.spans
    let reached = 0
    for (const { from, kind, to } of spans) {
      assert.include(["leads", "nobody"], kind)
      assert.closeTo(from, reached, 1e-5)
      reached = to
    }
    assert.closeTo(reached, data.duration, 1e-5)
  })

  it("shows a leader's deadline after what is shown of its belief", () => {
    const leases = data.lanes.flatMap(({ leases }) => leases ?? [])
    assert.isAbove(leases.length, 20)
    for (const { deadline, from, to } of leases) {
      assert.isTrue(from < to && to <= deadline + 1e-5)
      // The lease of ten seconds less the margin, the last one of the history included.
      assert.isAtMost(deadline - from, 9)
    }
  })

  it("shows the event of each mark of a process", () => {
    const lane = data.lanes.find(({ marks }) => marks.some(({ kind }) => kind === "elected"))!
    for (const { kind, line } of lane.marks) assert.strictEqual(data.log[line!]![2], kind)
  })

  it("lists spans and instants in seconds, whatever the log has them in", () => {
    const [first] = data.log.filter(([, , what]) => what === "elected")
    assert.match(first![3], /^term=1 ballot=1 cause=vacant leaderless=0\.0\d+s until=\d{2,4}\.\d+s$/)
    assert.isTrue(data.log.some(([, , , rest]) => rest === "term=1 guardTimeout=0.4s finalizer=0.05s"))
    const nanoseconds = data.log.filter(([, , what, rest]) =>
      what !== "conflict" && what !== "registered" && /=-?\d{7}/.test(rest)
    )
    assert.deepStrictEqual(nanoseconds, [])
  })

  it("shows a violation in its lane, and two leaders at once in the leader's lane", () => {
    const elected = history.events.find(({ what }) => what === "elected")!
    const other = history.events.find(({ what, who }) => what === "starts" && who !== elected.who)!
    const clock = history.events.find(({ what, who }) => what === "clock" && who === other.who)!
    const until = Number(clock.details["monotonic"]) + 9 * second
    const wrong = {
      ...history,
      events: withEvents(history, {
        at: other.at + second,
        who: other.who,
        what: "elected",
        details: { term: 1n, cause: "</script>", until }
      })
    }
    const found = dataOf(Report.toHtml(wrong, Checkers.check(wrong)))
    const violation = found.violations.find(({ checker }) => checker === "beliefs")!
    assert.strictEqual(`${violation.lane}#1`, other.who)
    assert.isDefined(found.promises[violation.checker])
    assert.isTrue(found.lanes[0]!.spans.some(({ kind }) => kind === "overlap"))
  })
})
