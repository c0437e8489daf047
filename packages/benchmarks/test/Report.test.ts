import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Benchmark, Report } from "../src/index.ts"

const figures: ReadonlyArray<Benchmark.Figure> = [
  { name: "p50", unit: "ms", here: 4.5, baseline: 1800, reach: { atMost: 6 } },
  { name: "speed", unit: "times", here: 1026.4, reach: { atLeast: 5000 } },
  { name: "most", unit: "ms", here: 0 }
]
const outcome: Benchmark.Outcome = {
  benchmark: {
    name: "resignation",
    title: "how long it takes",
    against: "another",
    run: () => Effect.succeed(figures)
  },
  figures,
  seconds: 1.25
}
const circumstances: Report.Circumstances = { machine: "2 × Processor", node: "20.0.0", quick: false }

describe("whether a figure is reached", () => {
  it("is said of figures that have something to reach, and of no others", () => {
    assert.deepStrictEqual(figures.map(Benchmark.isReached), [true, false, undefined])
  })

  it("counts the limit itself as reached", () => {
    const at = (here: number, reach: Benchmark.Reach) => Benchmark.isReached({ name: "", unit: "", here, reach })
    assert.isTrue(at(0, { atMost: 0 }))
    assert.isTrue(at(5000, { atLeast: 5000 }))
  })

  it("is denied of a figure that could not be measured", () => {
    assert.isFalse(Benchmark.isReached({ name: "", unit: "", here: Number.NaN, reach: { atMost: 1 } }))
  })
})

describe("numbers", () => {
  it("are told with three digits that count", () => {
    assert.deepStrictEqual([0, 0.12345, 4.5, 12.345, 1026.4, Number.NaN].map(Report.format), [
      "0",
      "0.123",
      "4.5",
      "12.3",
      "1026",
      "-"
    ])
  })
})

describe("the table", () => {
  const table = Report.table([outcome], circumstances)

  it("tells what was measured where, against what, and whether it is enough", () => {
    const lines = table.split("\n")
    assert.strictEqual(lines[0], "2 × Processor, Node 20.0.0")
    const row = (name: string) => lines.find((line) => line.startsWith(`  ${name}`))?.split(/ {2,}/).filter(Boolean)
    assert.deepStrictEqual(row("p50"), ["p50", "ms", "4.5", "1800", "400", "<= 6", "reached"])
    assert.deepStrictEqual(row("speed"), ["speed", "times", "1026", ">= 5000", "MISSED"])
    assert.deepStrictEqual(row("most"), ["most", "ms", "0"])
    assert.include(table, "baseline: another; took 1.25 s")
  })

  it("says when too little was measured", () => {
    assert.notInclude(table, "QUICK")
    assert.include(Report.table([outcome], { ...circumstances, quick: true }), "QUICK")
  })
})

describe("the line for machines", () => {
  it("is one line of JSON with the numbers as they were measured", () => {
    const line = Report.json([outcome], circumstances)
    assert.notInclude(line, "\n")
    const { benchmarks, quick } = JSON.parse(line)
    assert.isFalse(quick)
    assert.strictEqual(benchmarks[0].name, "resignation")
    assert.deepStrictEqual(benchmarks[0].figures[1], { ...figures[1], reached: false })
  })
})
