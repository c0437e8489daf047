import { assert, describe, it } from "@effect/vitest"
import { Duration, Option, Schema } from "effect"
import * as Durations from "../../src/internal/durations.ts"

const parse = (text: string) => Option.map(Durations.parse(text), Duration.toMillis)

describe("a duration", () => {
  it("is read as numbers with units", () => {
    const durations: ReadonlyArray<readonly [string, number]> = [
      ["500ms", 500],
      ["10s", 10_000],
      [" 10 seconds ", 10_000],
      ["1.5m", 90_000],
      ["1m30s", 90_000],
      ["1d 2h 3m 4s 5ms", 93_784_005],
      ["2h", 7_200_000],
      ["0.5ms", 0.5]
    ]
    for (const [text, millis] of durations) assert.deepStrictEqual(parse(text), Option.some(millis), text)
  })

  it("is refused without a unit, with an unknown one, or with anything else in it", () => {
    for (const text of ["", "10", "s", "10 parsecs", "-5s", "10s!", "!10s", "1e3s", "1s,2s"]) {
      assert.isTrue(Option.isNone(Durations.parse(text)), text)
    }
  })

  it("is refused where a unit comes twice, or after a smaller one", () => {
    for (const text of ["10s10s", "30s1m", "1m30s1m", "1s 1sec", "1h 1d", "1ms1us1s"]) {
      assert.isTrue(Option.isNone(Durations.parse(text)), text)
    }
  })

  it("is negative with a sign before it, and then refused", () => {
    for (const text of ["-1s", "-1m30s", "-0.5ms", "- 5 s"]) assert.isTrue(Durations.isNegative(text), text)
    for (const text of ["1s", "-1", "-s", "--1s", "-e", "-n5x"]) assert.isFalse(Durations.isNegative(text), text)
  })

  it("is shown short and rounded", () => {
    const shown: ReadonlyArray<readonly [Duration.Input, string]> = [
      [0, "0 ms"],
      [0.25, "0.3 ms"],
      [999, "999 ms"],
      [1000, "1 s"],
      [8149, "8.1 s"],
      [59_949, "60 s"],
      [60_000, "1 min"],
      [182_000, "3 min 2 s"],
      ["125 minutes", "2 h 5 min"],
      ["97 hours", "4 d 1 h"]
    ]
    for (const [input, text] of shown) assert.strictEqual(Durations.format(Duration.fromInputUnsafe(input)), text)
  })

  it("between the clocks of two hosts is not shown as negative", () => {
    assert.strictEqual(Durations.formatNanos(-5_000_000_000n), "0 ms")
    assert.strictEqual(Durations.formatNanos(5_000_000_000n), "5 s")
  })

  it.prop("that is shown exactly is read as it was", { nanos: Schema.BigInt }, ({ nanos }) => {
    const duration = Duration.nanos((nanos < 0n ? -nanos : nanos) % 2n ** 53n)
    assert.deepStrictEqual(
      Option.map(Durations.parse(Durations.exact(duration)), Duration.toNanosUnsafe),
      Option.some(Duration.toNanosUnsafe(duration))
    )
  })
})
