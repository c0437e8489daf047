import { assert, describe, it } from "@effect/vitest"
import { type Clock, Effect } from "effect"
import { instant } from "../../../src/internal/candidate/instant.ts"
import { Belief } from "../../../src/internal/leader/belief.ts"

/** A clock that is set by hand, in nanoseconds. */
const makeClock = () => {
  const time = { monotonic: 1_000_000_000_000n, wall: 5_000_000_000_000n }
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => Number(time.wall / 1_000_000n),
    currentTimeMillis: Effect.sync(() => Number(time.wall / 1_000_000n)),
    currentTimeNanosUnsafe: () => time.wall,
    currentTimeNanos: Effect.sync(() => time.wall),
    monotonicTimeNanosUnsafe: () => time.monotonic,
    monotonicTimeNanos: Effect.sync(() => time.monotonic),
    sleep: () => Effect.void
  }
  const pass = (nanos: bigint) => {
    time.monotonic += nanos
    time.wall += nanos
  }
  return { time, clock, pass }
}

const second = 1_000_000_000n

describe("a belief", () => {
  it("holds for the lease less the margin, from the start of the attempt", () => {
    const { clock, pass } = makeClock()
    const attempt = instant(clock)
    pass(2n * second)
    const belief = new Belief(clock, attempt, 10n * second, second)
    assert.strictEqual(belief.remaining(), 7n * second)
    assert.strictEqual(belief.untilLapse(), 8n * second)
    pass(7n * second - 1n)
    assert.isUndefined(belief.over())
    pass(1n)
    assert.strictEqual(belief.over(), "expired")
    assert.strictEqual(belief.remaining(), 0n)
    assert.strictEqual(belief.sinceLapse(), 0n)
    pass(3n * second)
    assert.strictEqual(belief.sinceLapse(), 2n * second)
  })

  it("ends when the wall clock has moved past the span and the monotonic clock has stood still", () => {
    const { clock, time } = makeClock()
    const belief = new Belief(clock, instant(clock), 10n * second, second)
    time.wall += 9n * second
    assert.strictEqual(belief.over(), "clock-jumped")
    assert.strictEqual(belief.remaining(), 0n)
    time.wall -= 100n * second
    assert.strictEqual(belief.over(), "clock-jumped", "what was seen to be over stays so")
    belief.confirm(instant(clock), 10n * second, second)
    assert.isUndefined(belief.over())
    time.monotonic += 9n * second
    assert.strictEqual(belief.over(), "expired")
  })

  it("ends by a jump that comes after the wall clock was set back", () => {
    const { clock, time } = makeClock()
    const belief = new Belief(clock, instant(clock), 10n * second, second)
    time.wall -= 3600n * second
    assert.isUndefined(belief.over())
    time.wall += 9n * second
    assert.strictEqual(belief.over(), "clock-jumped")
  })

  it("ends by such a jump also where the wall clock was set back while an attempt was under way", () => {
    const { clock, pass, time } = makeClock()
    const belief = new Belief(clock, instant(clock), 10n * second, second)
    const attempt = instant(clock)
    pass(second)
    time.wall -= 3600n * second
    assert.isUndefined(belief.over())
    belief.confirm(attempt, 10n * second, second)
    time.wall += 9n * second
    assert.strictEqual(belief.over(), "clock-jumped")
  })

  it("is renewed by what is confirmed, and shortened at once by an attempt to shorten the lease", () => {
    const { clock, pass } = makeClock()
    const belief = new Belief(clock, instant(clock), 10n * second, second)
    pass(5n * second)
    belief.confirm(instant(clock), 10n * second, second)
    assert.strictEqual(belief.remaining(), 9n * second)
    belief.limit(instant(clock), 2n * second, second / 5n)
    assert.strictEqual(belief.remaining(), 2n * second - second / 5n)
    pass(second)
    belief.limit(instant(clock), 2n * second, second / 5n)
    assert.strictEqual(belief.remaining(), second - second / 5n, "a second attempt does not lengthen it")
  })
})
