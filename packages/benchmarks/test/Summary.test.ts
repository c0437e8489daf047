import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Summary } from "../src/index.ts"

describe("percentile", () => {
  it("is the smallest value that the fraction does not exceed, in whatever order the values come", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    assert.strictEqual(Summary.percentile(hundred, 0.5), 50)
    assert.strictEqual(Summary.percentile(hundred, 0.99), 99)
    assert.strictEqual(Summary.percentile(hundred, 1), 100)
    assert.strictEqual(Summary.percentile(hundred, 0), 1)
  })

  it("is the value itself where there is one, and nothing where there is none", () => {
    assert.strictEqual(Summary.percentile([7], 0.99), 7)
    assert.isNaN(Summary.percentile([], 0.5))
  })
})

describe("bursts", () => {
  it("puts together what overlaps or touches, and leaves apart what does not", () => {
    assert.deepStrictEqual(
      Summary.bursts([{ begin: 10, end: 12 }, { begin: 0, end: 5 }, { begin: 1, end: 2 }, { begin: 5, end: 6 }]),
      [{ begin: 0, end: 6 }, { begin: 10, end: 12 }]
    )
  })

  const Spans = Schema.Array(Schema.Struct({ begin: Schema.Natural, length: Schema.Natural }))
  it.prop("covers every span by exactly one burst", { spans: Spans }, ({ spans }) => {
    const given = spans.map(({ begin, length }) => ({ begin, end: begin + length }))
    const merged = Summary.bursts(given)
    return given.every(({ begin, end }) =>
      merged.filter((burst) => burst.begin <= begin && end <= burst.end).length === 1
    ) && merged.every((burst, index) => index === 0 || merged[index - 1]!.end < burst.begin)
  })
})
