/** Columns under each other. */
import { printable } from "./printable.ts"

/** The lines of a table whose columns are as wide as what is in them; the last one is not padded. */
export const lines = (cells: ReadonlyArray<ReadonlyArray<string>>): Array<string> => {
  const rows = cells.map((row) => row.map(printable))
  const widths = rows.reduce<Array<number>>(
    (widths, row) => row.map((cell, i) => Math.max(widths[i] ?? 0, cell.length)),
    []
  )
  return rows.map((row) =>
    row.map((cell, i) => i === row.length - 1 ? cell : cell.padEnd(widths[i]!)).join("  ").trimEnd()
  )
}
