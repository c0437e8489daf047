/** The status of an election on a terminal, drawn over the one before it. */
import type * as Terminal from "effect/Terminal"
import stringWidth from "string-width"
import type { StatusLines } from "./electionStatus.ts"

const toTop = "\u001b[H"
const eraseBelow = "\u001b[J"
/** Terminals may think a character wider than we do; such a line must not take a second row. */
const wrapOff = "\u001b[?7l"
const wrapOn = "\u001b[?7h"

const hint = ["", "Ctrl-C ends the watch, not the election."]

/** As many lines as there is room for, one or more: candidates are left out before facts, and who leads stays to the last. */
export const fit = ({ candidates, facts, title }: StatusLines, room: number): Array<string> => {
  const all = [title, ...facts, ...candidates]
  if (all.length <= room) return all
  const head = facts.length + 1 < room ? [title, ...facts] : facts
  const lines = [...head, ...candidates]
  if (lines.length <= room) return lines
  const kept = lines.slice(0, room - 1)
  const left = lines.length - Math.max(kept.length, head.length)
  return kept.length > 0 && left > 0 ? [...kept, `  ... ${left} more alive`] : lines.slice(0, room)
}

const segmenter = new Intl.Segmenter()

/** The beginning of a line that takes so many columns. */
const cut = (line: string, columns: number): string => {
  let width = 0
  return Array.from(segmenter.segment(line), ({ segment }) => segment)
    .filter((segment) => (width += stringWidth(segment)) <= columns).join("")
}

/** Rows of a terminal of that size; its last one is for the cursor, so that nothing is scrolled away. */
export const rows = (status: StatusLines, size: Terminal.Size): Array<string> => {
  const room = Math.max(size.rows - 1, 1)
  const lines = fit(status, room)
  const withHint = lines.length + hint.length <= room ? [...lines, ...hint] : lines
  return withHint.map((line) => cut(line, size.columns))
}

export const draw = (status: StatusLines, size: Terminal.Size): string =>
  wrapOff + toTop + rows(status, size).map((row) => eraseBelow + row).join("\n") + wrapOn
