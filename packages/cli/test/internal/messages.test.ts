import type { ElectionEvent } from "@effect-fdb/leader-election"
import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { eventLine } from "../../src/internal/eventLine.ts"
import { messageLine } from "../../src/internal/messages.ts"

const elected: ElectionEvent = {
  _tag: "Elected",
  election: "fdb-election/app/mailer",
  candidate: "web-1",
  term: 2n ** 60n,
  ballot: 4n,
  cause: "lapsed",
  leaderless: Duration.millis(1500),
  leaseDuration: Duration.seconds(10),
  believesUntil: 1n,
  witnesses: 2
}

describe("a line of JSON", () => {
  it("has the time, the name of the event as it is, and terms as strings", () => {
    assert.deepStrictEqual(JSON.parse(eventLine(0, elected, { election: "app/mailer", slot: 2 })), {
      time: "1970-01-01T00:00:00.000Z",
      event: "Elected",
      election: "app/mailer",
      candidate: "web-1",
      term: "1152921504606846976",
      ballot: "4",
      cause: "lapsed",
      leaderlessMillis: 1500,
      leaseDurationMillis: 10_000,
      witnesses: 2,
      slot: 2
    })
  })

  it("is one line without control characters, whatever an id or a message contains", () => {
    const nasty = "a\nb\u001b[31m\u0085c\u2028d\u009b\"\\"
    const lines = [
      eventLine(0, { ...elected, candidate: nasty }, { election: "e" }),
      messageLine({ current: "json" }, 0, "warning", nasty)
    ]
    for (const line of lines) {
      assert.notMatch(line, /[\p{Cc}\u2028\u2029]/u)
      assert.include(Object.values(JSON.parse(line) as object), nasty)
    }
  })
})

describe("a sentence", () => {
  it("names the command, and escapes what is not printable", () => {
    assert.strictEqual(messageLine({ current: "text" }, 0, "error", "a\u001bb"), "fdb-election: a\\x1bb")
  })
})
