import { Versionstamp } from "@effect-fdb/core"
import { CandidateInfo, Challenge, ElectionConfig, LeaderState } from "@effect-fdb/leader-election"
import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { type Look, type Observed, ofElection, ofLatency } from "../../../src/internal/doctor/election.ts"
import { exitCode, type Finding, sorted, toLines } from "../../../src/internal/doctor/findings.ts"

const second = 1_000_000_000n
const start = 1000n * second
const registration = Versionstamp.make(new Uint8Array(10), 0)

const candidate = (processId: string, lastHeartbeat: bigint) =>
  new CandidateInfo({ processId, priority: 0, lastHeartbeat, registration })

const leader = (ballot: bigint, term = 1n) =>
  new LeaderState({
    leaderId: "a",
    priority: 0,
    registration,
    term,
    ballot,
    leaseDuration: Duration.seconds(10),
    leaseExpiry: start + 10n * second
  })

const look = (changes: Partial<Look>): Look => ({
  config: new ElectionConfig({}),
  leader: leader(5n),
  challenge: undefined,
  candidates: [candidate("a", start - second), candidate("b", start - second)],
  now: start,
  ...changes
})

/** A healthy election, seen twice six seconds apart. */
const observed = (first: Partial<Look> = {}, last: Partial<Look> = {}, rest: Partial<Observed> = {}): Observed => ({
  title: "app/x",
  first: look(first),
  last: look({
    leader: leader(7n),
    candidates: [candidate("a", start + 5n * second), candidate("b", start + 4n * second)],
    now: start + 6n * second,
    ...last
  }),
  span: Duration.seconds(6),
  witnesses: 1,
  ...rest
})

const bad = (findings: ReadonlyArray<Finding>) =>
  findings.filter(({ severity }) => severity !== "ok").map(({ check, severity }) => `${severity} ${check}`)

const lease = (leaseDuration: Duration.Input, changes: object = {}) =>
  new ElectionConfig({ ...ElectionConfig.withLeaseDuration(leaseDuration), ...changes })

describe("an election", () => {
  it("that is well has nothing wrong", () => {
    const findings = ofElection(observed())
    assert.deepStrictEqual(bad(findings), [])
    assert.strictEqual(exitCode(findings), 0)
  })

  const both = (changes: Partial<Look>) => observed(changes, changes)
  const cases: ReadonlyArray<readonly [what: string, observed: Observed, findings: ReadonlyArray<string>]> = [
    ["whose leader does not renew", observed({}, { leader: leader(5n) }), ["error leader"]],
    [
      "whose leader was not seen for long enough",
      observed({}, { leader: leader(5n) }, { span: Duration.seconds(2) }),
      ["info leader"]
    ],
    ["that is disabled", both({ config: new ElectionConfig({ electionEnabled: false }) }), ["warning leader"]],
    ["that nobody leads, with candidates", observed({ leader: undefined }, { leader: undefined }), ["error leader"]],
    ["that nobody leads, after a resignation", observed({}, { leader: undefined }), ["info leader"]],
    ["without candidates", both({ leader: undefined, candidates: [] }), ["warning leader"]],
    [
      "whose leader does not step down",
      both({ challenge: new Challenge({ term: 1n, challengerId: undefined, priority: 0 }) }),
      ["warning challenge"]
    ],
    [
      "with a candidate whose clock is ahead",
      observed({}, { candidates: [candidate("a", start + 5n * second), candidate("b", start + 60n * second)] }),
      ["warning clock"]
    ],
    [
      "with a leader whose clock is behind",
      observed({ candidates: [candidate("a", start - 63n * second)] }, {
        candidates: [candidate("a", start - 60n * second), candidate("b", start + 5n * second)]
      }),
      ["warning clock", "info candidates"]
    ],
    [
      "with many dead candidates",
      observed({}, { candidates: Array.from({ length: 30 }, (_, i) => candidate(`dead-${i}`, 1n)) }),
      ["warning candidates"]
    ],
    [
      "with a heartbeat near the lease",
      both({ config: lease("10 seconds", { heartbeatInterval: Duration.seconds(8) }) }),
      ["warning configuration", "warning configuration"]
    ],
    ["with a short lease", observed({ config: lease("1 second") }, { config: lease("1 second") }), [
      "info candidates",
      "warning margin"
    ]],
    ["whose terms JSON cannot hold", observed({}, { leader: leader(2n ** 60n + 3n, 2n ** 60n) }), ["info terms"]],
    ["without a witness", observed({}, {}, { witnesses: 0 }), ["info witness"]],
    ["of which this process cannot tell a witness", observed({}, {}, { witnesses: undefined }), []]
  ]
  for (const [what, observed, findings] of cases) {
    it(`${what} is found so`, () => {
      assert.deepStrictEqual(bad(ofElection(observed)), findings)
    })
  }
})

describe("the latency of a store", () => {
  it("is judged by the lease", () => {
    const severity = (millis: number) =>
      ofLatency({ commit: Duration.millis(millis), read: Duration.millis(1) }, new ElectionConfig({})).severity
    assert.deepStrictEqual([50, 500, 1200].map(severity), ["ok", "warning", "error"])
  })
})

describe("what was found", () => {
  it("comes worst first, with what to do, and decides the exit code", () => {
    const findings = sorted(ofElection(observed({}, { leader: leader(5n) }, { witnesses: 0 })))
    assert.deepStrictEqual(findings.map(({ severity }) => severity).slice(0, 2), ["error", "info"])
    const lines = toLines("app/x", findings)
    assert.strictEqual(lines[0], "app/x: 1 error")
    assert.match(lines[1]!, /^error +leader +"a" has not renewed its lease of term 1 of app\/x for 6 s: it is dead/)
    assert.match(lines[2]!, /^ +-> wait: one of 1 other candidates takes over/)
    assert.strictEqual(exitCode(findings), 2)
    assert.strictEqual(exitCode(ofElection(observed({}, { config: lease("1 second") }))), 1)
  })
})
