import { assert, describe } from "@effect/vitest"
import { Clock, Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { CandidateSuperseded, ElectionConfig } from "../src/index.ts"
import { election, logged, onHosts, transact } from "./support/candidates.ts"

describe("a singleton", () => {
  onHosts("runs in one process at a time, moves on when its process ends, and is built at once", function*(a, b) {
    const log: Array<string> = []
    const service = (name: string) => election.singleton({ id: name }, logged(log, name))
    const scope = yield* Scope.make()
    yield* a.run(Layer.buildWithScope(service("a"), scope))
    yield* b.run(Layer.build(service("b")))
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(log, ["a begins 1"])
    yield* Scope.close(scope, Exit.void)
    yield* TestClock.adjust(0)
    assert.deepStrictEqual(log.slice(1, 2), ["a ends"])
    assert.match(log[2]!, /^b begins/)
  })

  onHosts("is run again after a failure, ever more slowly", function*(a) {
    let runs = 0
    const service = Effect.suspend(() => ++runs % 2 === 0 ? Effect.die("defect") : Effect.fail("failure"))
    yield* a.run(Layer.build(election.singleton({ id: "a" }, service)))
    yield* TestClock.adjust("1 hour")
    assert.isTrue(runs > 100 && runs < 1000, `${runs} runs`)
  })

  onHosts("is run again soon after a failure where it had run well for long", function*(a) {
    const begun: Array<bigint> = []
    const service = Effect.gen(function*() {
      if (begun.push(yield* Clock.monotonicTimeNanos) > 10) yield* Effect.sleep("1 hour")
      return yield* Effect.fail("failure")
    })
    yield* a.run(Layer.build(election.singleton({ id: "a" }, service)))
    yield* TestClock.adjust("2 hours")
    assert.strictEqual(begun.length, 12)
    assert.isBelow(Number(begun[11]! - begun[10]!) / 1e9, 3_601)
  })

  onHosts("goes on where the lease was not longer than its margin for a while", function*(a, b) {
    const log: Array<string> = []
    yield* a.run(Layer.build(election.singleton({ id: "a", safetyMargin: "2 seconds" }, logged(log, "a"))))
    yield* TestClock.adjust("10 seconds")
    yield* b.run(transact(election.writeConfig(ElectionConfig.withLeaseDuration("2 seconds"))))
    yield* TestClock.adjust("30 seconds")
    assert.deepStrictEqual(log, ["a begins 1", "a ends"])
    yield* b.run(transact(election.writeConfig(new ElectionConfig({}))))
    yield* TestClock.adjust("1 minute")
    assert.match(log[2] ?? "", /^a begins/)
  })

  onHosts("does not take what another election has told its service for its own", function*(a) {
    let runs = 0
    const service = Effect.suspend(() => {
      runs++
      return Effect.fail(new CandidateSuperseded({ processId: "of another election" }))
    })
    yield* a.run(Layer.build(election.singleton({ id: "a" }, service)))
    yield* TestClock.adjust("1 minute")
    assert.isAbove(runs, 2)
  })
})
