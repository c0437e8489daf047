import { assert, describe } from "@effect/vitest"
import { Effect, Fiber, Logger, Metric } from "effect"
import { TestClock } from "effect/testing"
import { ElectionObserver, type Leadership } from "../src/index.ts"
import { election, logged, onHosts } from "./support/candidates.ts"

describe("the loss of a tenure", () => {
  onHosts("is told, measured and logged before what follows from it", function*(a) {
    const lines: Array<string> = []
    const logger = Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])
    let leadership: Leadership | undefined
    const led = a.run(election.withLeadership({ id: "gauged" }, (given) => {
      leadership = given
      return Effect.never
    }, { again: true }))
    yield* Effect.forkDetach(Effect.provide(led, logger), { startImmediately: true })
    yield* TestClock.adjust("1 second")
    a.wallOffset = 60_000
    assert.isFalse(yield* Effect.provide(leadership!.isHeld, logger))
    yield* TestClock.adjust("1 second")
    assert.isTrue(yield* leadership!.isHeld)
    const isLeading = (yield* Metric.snapshot).find(({ attributes, id }) =>
      id === "fdb_election_leading" && attributes?.["candidate"] === "gauged"
    )
    assert.deepInclude(isLeading?.state, { value: 1 })
    const [lost, resigned] = ["lost", "resigned"].map((what) => lines.findIndex((line) => line.includes(what)))
    assert.isAtLeast(lost!, 0)
    assert.isBelow(lost!, resigned!)
  })
})

describe("the metrics of a candidate", () => {
  onHosts("are given up when it has left", function*(a) {
    yield* a.run(election.withLeadership({ id: "brief" }, () => Effect.void))
    assert.deepStrictEqual(
      (yield* Metric.snapshot).filter(({ attributes }) => attributes?.["candidate"] === "brief"),
      []
    )
  })
})

describe("an observer", () => {
  onHosts("that interrupts the campaign at once is told of the end of its tenure as well", function*(a) {
    const tags: Array<string> = []
    let fiber: Fiber.Fiber<unknown, unknown> | undefined
    const campaign = Effect.scoped(Effect.andThen(election.campaign({ id: "a" }), Effect.never))
    fiber = yield* Effect.forkDetach(a.run(Effect.provideService(campaign, ElectionObserver, ({ _tag }) => {
      tags.push(_tag)
      if (_tag === "Elected") fiber?.interruptUnsafe()
    })))
    yield* TestClock.adjust("1 second")
    yield* Fiber.await(fiber)
    assert.deepStrictEqual(tags, ["Registered", "Elected", "Lost", "Resigned"])
  })

  onHosts("that throws neither ends the tenure nor keeps its work going", function*(a) {
    const log: Array<string> = []
    const boom = () => {
      throw new Error("an observer's own")
    }
    yield* Effect.forkDetach(
      a.run(Effect.provideService(election.withLeadership({ id: "a" }, logged(log, "a")), ElectionObserver, boom)),
      { startImmediately: true }
    )
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(log, ["a begins 1"])
    a.connection = "hangs"
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(log, ["a begins 1", "a ends"])
  })
})
