import type * as Terminal from "effect/Terminal"
import stringWidth from "string-width"
import type { StatusLines } from "./electionStatus.ts"

const toTop = "\u001b[H"
const eraseBelow = "\u001b[J"
/** A terminal may draw a character wider than `stringWidth` says. Such a line must not wrap. */
const wrapOff = "\u001b[?7l"
const wrapOn = "\u001b[?7h"

const hint = ["", "Ctrl-C ends the watch, not the election."]

/** The lines that fit into `room` rows (at least one). Drops details first, then facts, and the leader last. */
export const fit = ({ details, facts, title }: StatusLines, room: number): Array<string> => {
  const all = [title, ...facts, ...details]
  if (all.length <= room) return all
  const head = facts.length + 1 < room ? [title, ...facts] : facts
  const lines = [...head, ...details]
  if (lines.length <= room) return lines
  const kept = lines.slice(0, room - 1)
  const left = lines.length - Math.max(kept.length, head.length)
  return kept.length > 0 && left > 0 ? [...kept, `  ... ${left} more`] : lines.slice(0, room)
}

/** The beginning of a line that fits into `columns`. */
const cut = (line: string, columns: number): string => {
  let width = 0
  const segmenter = new Intl.Segmenter()
  return Array.from(segmenter.segment(line), ({ segment }) => segment)
    .filter((segment) => (width += stringWidth(segment)) <= columns).join("")
}

/** The rows of a terminal. The last one stays free for the cursor, so that the terminal does not scroll. */
export const rows = (status: StatusLines, size: Terminal.Size): Array<string> => {
  const room = Math.max(size.rows - 1, 1)
  const lines = fit(status, room)
  const withHint = lines.length + hint.length <= room ? [...lines, ...hint] : lines
  return withHint.map((line) => cut(line, size.columns))
}

/** The status, to print over the previous one. */
export const draw = (status: StatusLines, size: Terminal.Size): string =>
  wrapOff + toTop + rows(status, size).map((row) => eraseBelow + row).join("\n") + wrapOn
