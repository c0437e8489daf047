import { Transaction } from "@effect-fdb/core"
import { assert, describe } from "@effect/vitest"
import { Effect, Scheduler } from "effect"
import { TestClock } from "effect/testing"
import { ElectionConfig } from "../src/index.ts"
import { election, eventsOf, lead, onHosts, reasonOf, start, transact } from "./support/candidates.ts"
import { LastFirst } from "./support/LastFirst.ts"

describe("a belief that is not renewed", () => {
  onHosts("ends the work at its deadline, while a call hangs", function*(a) {
    let endedAt: bigint | undefined
    yield* start(a, { id: "a" }, () =>
      Effect.ensuring(
        Effect.never,
        Effect.clockWith((clock) => Effect.sync(() => void (endedAt = clock.monotonicTimeNanosUnsafe())))
      ))
    yield* TestClock.adjust("5 seconds")
    a.connection = "hangs"
    yield* TestClock.adjust("1 minute")
    // The wall clock is read in whole milliseconds, and the more pessimistic of the two wins.
    const late = endedAt! - eventsOf(a, "Renewed").at(-1)!.believesUntil
    assert.isTrue(late > -1_100_000n && late < 1000n, `${late} ns late`)
    assert.strictEqual(reasonOf(a), "expired")
  })

  onHosts("ends at its deadline where the records are damaged, and the loss says so", function*(a) {
    yield* lead(a, { id: "a" })
    const key = election.subspace.pack(["lease"])
    yield* a.run(transact(Effect.flatMap(Transaction, (tx) => tx.set(key, Uint8Array.of(0xff)))))
    yield* TestClock.adjust("7 seconds")
    assert.isUndefined(reasonOf(a))
    yield* TestClock.adjust("3 seconds")
    assert.strictEqual(reasonOf(a), "broken")
  })
})

describe("the clocks of a leader", () => {
  onHosts("end its belief when the wall clock jumps past it, though the monotonic clock stands still", function*(a) {
    yield* start(a, { id: "a" })
    yield* TestClock.adjust("500 millis")
    a.wallOffset = 60_000
    yield* TestClock.adjust("1 second")
    assert.strictEqual(reasonOf(a), "clock-jumped")
  })

  onHosts("are why it has ended, whatever kept it from being renewed before", function*(a, b) {
    yield* lead(a, { id: "a" })
    yield* b.run(transact(election.writeConfig(new ElectionConfig({ electionEnabled: false }))))
    yield* TestClock.adjust("1 second")
    assert.isUndefined(reasonOf(a))
    a.wallOffset = 60_000
    yield* TestClock.adjust("1 second")
    assert.strictEqual(reasonOf(a), "clock-jumped")
  })

  for (const safetyMargin of [0, 1]) {
    onHosts(`are not read without a pause where the margin is ${safetyMargin} ms`, function*(a) {
      yield* start(a, { id: "a", safetyMargin })
      yield* TestClock.adjust("2 seconds")
      a.looks = 0
      yield* TestClock.adjust("1 minute")
      assert.isTrue(a.looks > 100 && a.looks < 10_000, `${a.looks} looks`)
      a.wallOffset = 60_000
      yield* TestClock.adjust("150 millis")
      assert.strictEqual(reasonOf(a), "clock-jumped")
    })
  }

  onHosts("do not end its belief when the wall clock is set back", function*(a) {
    // A time before 1970 is another matter.
    yield* TestClock.adjust("1 day")
    yield* start(a, { id: "a" })
    yield* TestClock.adjust("10 seconds")
    a.wallOffset = -3_600_000
    yield* TestClock.adjust("1 minute")
    assert.isUndefined(reasonOf(a))
  })
})

describe("a work whose belief is over", () => {
  onHosts("does not go on after a sleep", function*(a) {
    const steps: Array<bigint> = []
    yield* start(a, { id: "a" }, () =>
      Effect.gen(function*() {
        while (true) {
          yield* Effect.sleep("10 millis")
          steps.push((yield* Effect.clockWith((clock) => clock.monotonicTimeNanos)) / 1_000_000n)
        }
      }))
    yield* TestClock.adjust("100 millis")
    const before = steps.length
    // Frozen: both clocks go on, and every timer that is due goes off at once.
    a.wallOffset = 3_600_000
    yield* TestClock.adjust("10 millis")
    assert.strictEqual(steps.length, before)
    assert.strictEqual(reasonOf(a), "clock-jumped")
  })

  onHosts("does not go on where the scheduler runs the fiber that waits for the loss last", function*(a) {
    let steps = 0
    const step = Effect.andThen(Effect.sleep("10 millis"), Effect.sync(() => void steps++))
    yield* Effect.provideService(
      start(a, { id: "a" }, () => Effect.forever(step)),
      Scheduler.Scheduler,
      new LastFirst()
    )
    yield* Effect.repeat(TestClock.adjust("10 millis"), { until: () => steps > 5 })
    const before = steps
    a.wallOffset = 3_600_000
    yield* TestClock.adjust("100 millis")
    assert.strictEqual(steps, before)
    assert.strictEqual(reasonOf(a), "clock-jumped")
  })

  onHosts("does not go on in a fiber that it has forked", function*(a) {
    let steps = 0
    const step = Effect.andThen(Effect.sleep("10 millis"), Effect.sync(() => void steps++))
    yield* start(a, { id: "a" }, () => Effect.andThen(Effect.forkChild(Effect.forever(step)), Effect.never))
    yield* TestClock.adjust("100 millis")
    const before = steps
    assert.isTrue(before > 5)
    a.wallOffset = 60_000
    yield* TestClock.adjust("500 millis")
    assert.strictEqual(steps, before)
  })
})

describe("a work that is led from where nothing can be interrupted", () => {
  onHosts("is interrupted when its lease cannot be renewed", function*(a, b) {
    const acts: Array<string> = []
    const act = (name: string) => () =>
      Effect.forever(Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => void acts.push(name))))
    const led = a.run(election.withLeadership({ id: "a" }, act("a")))
    yield* Effect.forkDetach(Effect.uninterruptible(led), { startImmediately: true })
    yield* TestClock.adjust("1 second")
    yield* start(b, { id: "b" }, act("b"))
    a.connection = "hangs"
    yield* TestClock.adjust("1 minute")
    assert.match(acts.join(""), /^a+b+$/)
  })
})
