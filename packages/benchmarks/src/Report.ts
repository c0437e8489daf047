/** The figures as a table and as a line of JSON. */
import { type Figure, isReached, type Outcome, type Reach } from "./Benchmark.ts"

/** The machine and the extent of the run. */
export interface Circumstances {
  readonly machine: string
  readonly node: string
  readonly quick: boolean
}

/** Three significant digits, without an exponent. */
export const format = (value: number): string => {
  if (!Number.isFinite(value)) return "-"
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3
  return String(Number(value.toFixed(digits)))
}

const formatReach = (reach: Reach | undefined): string =>
  reach === undefined ? "" : "atMost" in reach ? `<= ${format(reach.atMost)}` : `>= ${format(reach.atLeast)}`

const heading = ["", "unit", "here", "baseline", "baseline / here", "to reach", ""]

const toRow = (figure: Figure): Array<string> => {
  const { baseline, here, name, reach, unit } = figure
  const reached = isReached(figure)
  return [
    name,
    unit,
    format(here),
    baseline === undefined ? "" : format(baseline),
    baseline === undefined || here === 0 ? "" : format(baseline / here),
    formatReach(reach),
    reached === undefined ? "" : reached ? "reached" : "MISSED"
  ]
}

/** A table under a heading for each benchmark. */
export const table = (outcomes: ReadonlyArray<Outcome>, { machine, node, quick }: Circumstances): string => {
  const rows = outcomes.map(({ figures }) => figures.map(toRow))
  const widths = heading.map((_, column) => Math.max(...[heading, ...rows.flat()].map((row) => row[column]!.length)))
  const line = (row: ReadonlyArray<string>): string =>
    row.map((cell, column) =>
      column < 2 || column === 6 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    )
      .join("  ").trimEnd()
  const parts = outcomes.map(({ benchmark, seconds }, index) =>
    [
      "",
      `${benchmark.name}: ${benchmark.title}`,
      `  ${benchmark.against === undefined ? "" : `baseline: ${benchmark.against}; `}took ${format(seconds)} s`,
      ...rows[index]!.map((row) => `  ${line(row)}`)
    ].join("\n")
  )
  return [
    `${machine}, Node ${node}${quick ? "; QUICK: too little was measured to be quoted" : ""}`,
    "",
    `  ${line(heading)}`,
    ...parts
  ].join("\n")
}

export const json = (outcomes: ReadonlyArray<Outcome>, circumstances: Circumstances): string =>
  JSON.stringify({
    ...circumstances,
    benchmarks: outcomes.map(({ benchmark: { against, name, title }, figures, seconds }) => ({
      name,
      title,
      against,
      seconds,
      figures: figures.map((figure) => ({ ...figure, reached: isReached(figure) }))
    }))
  })
