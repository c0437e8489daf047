import stringWidth from "string-width"
import { printable } from "./printable.ts"

/** The lines of a table. Columns are padded by their width on a terminal; the last one is not. */
export const lines = (cells: ReadonlyArray<ReadonlyArray<string>>): Array<string> => {
  const rows = cells.map((row) => row.map(printable))
  const width = (i: number) => Math.max(...rows.map((row) => stringWidth(row[i] ?? "")))
  const widths = rows[0]?.map((_, i) => width(i)) ?? []
  const pad = (cell: string, i: number) => cell + " ".repeat(widths[i]! - stringWidth(cell))
  return rows.map((row) => [...row.slice(0, -1).map(pad), row.at(-1)].join("  ").trimEnd())
}
