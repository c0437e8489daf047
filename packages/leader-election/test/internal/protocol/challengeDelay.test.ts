import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Protocol from "../../../src/internal/protocol/protocol.ts"

const lease = 10n
const renewalsInLease = 4n

/** What becomes of a tenure: by whom, how often it was renewed, and how it ended. */
const Past = Schema.Struct({
  leaderId: Schema.Literals(["me", "a", "b"]),
  renewals: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })),
  reason: Schema.Literals(["resigned", "expired", "preempted", "stepped-down"])
})
type Past = typeof Past.Type

/** The history that they leave, newest first, and the ballot; the last of them goes on. */
const toHistory = (tenures: ReadonlyArray<Past>) => {
  let ballot = 0n
  const history = tenures.map(({ leaderId, reason, renewals }, i): Protocol.PastTenure => {
    const term = ballot + 1n
    ballot = term + BigInt(renewals)
    return { leaderId, term, reason: i === tenures.length - 1 ? undefined : reason }
  })
  return { history: history.toReversed(), ballot }
}

const failed = (tenures: ReadonlyArray<Past>, id = "me") => {
  const { ballot, history } = toHistory(tenures)
  return Protocol.failedPreemptions(history, ballot, id, renewalsInLease)
}

const led = (leaderId: "me" | "a" | "b", renewals: number, reason: Past["reason"] = "resigned"): Past => ({
  leaderId,
  renewals,
  reason
})
/** A healthy leader that is preempted by one that fails at once. */
const failure = (reason: Past["reason"] = "expired") => [led("a", 9, "preempted"), led("b", 1, reason)]
const now = led("a", 1)

describe("preemptions that have failed", () => {
  it("are counted back to the last that has not, whoever failed", () => {
    assert.strictEqual(failed([...failure(), ...failure("resigned"), now]), 2)
    assert.strictEqual(failed([...failure(), led("a", 9, "preempted"), led("b", 9), ...failure(), now]), 1)
    assert.strictEqual(failed([...failure(), led("a", 9, "preempted"), led("b", 9)]), 0)
  })

  it("are none where the leadership was vacant or its lease had lapsed, or where others ended it", () => {
    assert.strictEqual(failed([led("a", 9, "expired"), led("b", 1, "expired"), now]), 0)
    assert.strictEqual(failed([led("a", 9, "resigned"), led("b", 1, "resigned"), now]), 0)
    assert.strictEqual(failed([...failure("preempted"), now]), 0)
    assert.strictEqual(failed([...failure("stepped-down"), now]), 0)
  })

  it("are forgotten once the candidate itself has led for long, however it came to that", () => {
    assert.strictEqual(failed([...failure(), led("me", 9, "preempted"), now]), 0)
    assert.strictEqual(failed([...failure(), led("me", 2, "resigned"), now]), 1)
    assert.strictEqual(failed([...failure(), led("b", 9, "resigned"), now], "a"), 1)
  })

  it.prop("are no more than the preemptions of the history, and none where there was none", {
    tenures: Schema.Array(Past)
  }, ({ tenures }) => {
    const preemptions = tenures.slice(0, -1).filter(({ reason }) => reason === "preempted").length
    assert.isAtMost(failed(tenures), preemptions)
    assert.strictEqual(failed(tenures.map((tenure) => ({ ...tenure, reason: "resigned" }))), 0)
  })

  it.prop("grow by one with each that fails after them, and are over with one that lasts", {
    tenures: Schema.Array(Past)
  }, ({ tenures }) => {
    const ended = tenures.filter((tenure) => tenure.reason !== "preempted")
    assert.strictEqual(failed([...ended, ...failure(), now]), failed([...ended, now]) + 1)
    assert.strictEqual(failed([...ended, led("a", 0, "preempted"), led("b", 5)]), 0)
  })
})

describe("the delay of a challenge", () => {
  it.prop("begins with a lease, doubles with each failure, and is bounded", {
    count: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))
  }, ({ count }) => {
    const delay = Protocol.challengeDelay(count, lease)
    const next = Protocol.challengeDelay(count + 1, lease)
    assert.isTrue(count === 0 ? delay === 0n && next === lease : next === 2n * delay || next === 64n * lease)
    assert.isTrue(delay <= next && next <= 64n * lease)
  })
})
