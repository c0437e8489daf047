import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Random } from "effect"
import { TestClock } from "effect/testing"
import * as Pacing from "../../../src/internal/candidate/pacing.ts"

const second = 1_000_000_000n

/** How long the pauses last, one after another. */
const lengths = Effect.fnUntraced(function*(pauses: ReadonlyArray<Pacing.Pause>) {
  const measured = yield* Effect.forkChild(Effect.gen(function*() {
    const sleep = yield* Pacing.pacer
    return yield* Effect.forEach(pauses, (pause) =>
      Effect.gen(function*() {
        const begun = yield* Clock.monotonicTimeNanos
        yield* sleep(pause)
        return Number((yield* Clock.monotonicTimeNanos) - begun) / 1e9
      }))
  }))
  yield* TestClock.adjust("1 hour")
  return yield* Fiber.join(measured)
})

describe("the pace", () => {
  it.effect("is about as asked for, jittered by a fifth", () =>
    Effect.gen(function*() {
      const measured = yield* lengths(Array.from({ length: 100 }, () => ({ about: 3n * second })))
      assert.isTrue(measured.every((seconds) => seconds >= 2.4 && seconds <= 3.6))
      assert.isTrue(Math.max(...measured) > 3.3 && Math.min(...measured) < 2.7)
    }).pipe(Random.withSeed("pace")))

  it.effect("never sleeps past an instant that matters", () =>
    Effect.gen(function*() {
      const now = yield* Clock.monotonicTimeNanos
      const [first, second_] = yield* lengths([
        { about: 3n * second, until: now + second },
        { about: 3n * second, until: now + second / 2n }
      ])
      assert.strictEqual(first, 1)
      assert.strictEqual(second_, 0)
    }))

  it("looks at a lease soon after its next renewal is due", () => {
    const heartbeat = 3n * second
    assert.strictEqual(Pacing.untilNextPoll(0n, heartbeat), 3_600_000_000n)
    assert.strictEqual(Pacing.untilNextPoll(second, heartbeat), 2_600_000_000n)
    assert.strictEqual(
      Pacing.untilNextPoll(100n * second, heartbeat),
      heartbeat / 2n,
      "not hastily, whatever a clock says"
    )
    assert.strictEqual(Pacing.untilNextPoll(-100n * second, heartbeat), 3_600_000_000n)
  })

  it("renews each heartbeat, and early enough for a second try", () => {
    assert.strictEqual(Pacing.renewalPeriod(3n, 9n), 3n)
    assert.strictEqual(Pacing.renewalPeriod(8n, 9n), 4n)
  })

  it("renews the earlier the longer the last attempt took, but rests, and leaves room for as much as a claim", () => {
    assert.strictEqual(Pacing.untilRenewal(30n, 900n, 6n, 0n), 24n)
    assert.strictEqual(Pacing.untilRenewal(30n, 900n, 20n, 0n), 80n)
    assert.strictEqual(Pacing.untilRenewal(30n, 900n, 5n, 50n), 150n)
    assert.strictEqual(Pacing.untilRenewal(30n, 900n, 200n, 200n), 300n, "a third of the belief, and no more")
    assert.strictEqual(Pacing.untilRenewal(450n, 900n, 300n, 0n), 300n)
  })

  it("backs off by doubling, up to a bound", () => {
    assert.deepStrictEqual([1, 2, 3, 4, 5, 6, 50].map((n) => Pacing.backOff(n, 16n)), [1n, 2n, 4n, 8n, 16n, 16n, 16n])
    assert.strictEqual(Pacing.backOff(1, 1n), 1n)
    assert.strictEqual(Pacing.beforeDeadline(8n * second, 3n * second), 2n * second)
    assert.strictEqual(Pacing.beforeDeadline(80n * second, 3n * second), 3n * second)
    // Not ever more often the nearer the deadline comes.
    assert.strictEqual(Pacing.beforeDeadline(1n, 5n * second), second / 10n)
  })
})
