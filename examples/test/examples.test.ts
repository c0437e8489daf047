import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, References } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import { examples } from "../src/examples.ts"

/** What each example has to print, line by line, whenever that is. */
const expected: Record<string, ReadonlyArray<string>> = {
  singleton: [
    "host-1 sends the outbox",
    "host-1 sends the outbox",
    "host-1 sends the outbox",
    "host-1 is shut down",
    "host-2 sends the outbox",
    "host-2 is shut down"
  ],
  scheduler: [
    "scheduler-1 has done backup",
    "scheduler-1 is refused: \"scheduler-1\" no longer leads in term 1: replaced",
    "scheduler-3 has done invoices in term 4",
    "scheduler-3 has done report in term 4"
  ],
  "primary-backup": [
    "node-1: writes are mine, in term 1",
    "node-2: writes go to node-1, in term 1",
    "node-1 has stopped to accept writes",
    "node-1: writes go to node-2, in term 2",
    "node-2: writes are mine, in term 2",
    "node-2 has stopped to accept writes",
    "node-2: writes have to wait, there is no primary"
  ],
  "partitioned-queue": [
    "consumer-1 consumes 0, 1, 2, 3",
    "consumer-1 consumes 0, 1",
    "consumer-2 consumes 2, 3",
    "consumer-1 is to be drained",
    "consumer-2 consumes 0, 1, 2, 3",
    "consumer-2 consumes 0, 1",
    "consumer-3 consumes 2, 3",
    "40 jobs are done, each once and in order"
  ],
  "rolling-deployment": [
    "host-1, release 1 leads in term 1",
    "release 2 is deployed, host by host",
    "host-1, release 1 has put its work away",
    "host-3, release 2 leads in term 2",
    "host-3, release 2 has put its work away"
  ],
  testing: [
    "while the first leads, the second counts 0",
    "a second after the first was shut down, the second counts 11",
    "after the second has crashed, candidate-1 works, in tenure 3"
  ],
  fencing: [
    "the store takes \"from the first\" of term 1",
    "the store takes \"from the second\" of term 2",
    "the store refuses: term 1 is over, the store has seen term 2"
  ],
  cron: [
    "host-1 reports",
    "host-1 reports",
    "host-1 is shut down",
    "host-2 reports"
  ],
  "managed-runtime": [
    "web-1 sends the mail",
    "after the shutdown it has sent 0 more"
  ],
  "http-api": [
    "host-1: 200 \"report was done in term 1\"",
    "host-2: 503 {\"_tag\":\"NotLeader\"}"
  ],
  otlp: [
    "fdb_election_leaderless_seconds{} 2 values in s",
    "fdb_election_leading{} 0",
    "fdb_election_transitions_total{cause=vacant} 2",
    "spans of tenures, too"
  ]
}

describe("the examples", () => {
  it("are all tested", () => {
    assert.deepStrictEqual(Object.keys(examples).toSorted(), Object.keys(expected).toSorted())
  })

  for (const [name, example] of Object.entries(examples)) {
    it.effect(`${name} does what it says`, () =>
      Effect.gen(function*() {
        const running = yield* Effect.forkChild(example)
        for (let i = 0; i < 100 && running.pollUnsafe() === undefined; i++) yield* TestClock.adjust("100 millis")
        yield* Fiber.join(running)
        assert.deepStrictEqual(yield* TestConsole.logLines, expected[name])
      }).pipe(Effect.provideService(References.MinimumLogLevel, "Error")))
  }
})
