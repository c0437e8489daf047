/** A picture on a terminal, drawn over the one before it. */
import type * as Terminal from "effect/Terminal"
import * as StatusLines from "./statusLines.ts"

const toTop = "\u001b[H"
const eraseBelow = "\u001b[J"
/** Characters that are two columns wide are not counted as such; what is too long because of them must not take a second row. */
const wrapOff = "\u001b[?7l"
const wrapOn = "\u001b[?7h"

const hint = ["", "Ctrl-C ends the watch, not the election."]

/** Rows of a terminal of that size; its last one is for the cursor, so that nothing is scrolled away. */
export const rows = (account: StatusLines.StatusLines, size: Terminal.Size): Array<string> => {
  const room = Math.max(size.rows - 1, 1)
  const lines = StatusLines.toFit(account, room)
  const withHint = lines.length + hint.length <= room ? [...lines, ...hint] : lines
  return withHint.map((line) => Array.from(line).slice(0, size.columns).join(""))
}

/** Them, to be written as a line. */
export const draw = (account: StatusLines.StatusLines, size: Terminal.Size): string =>
  wrapOff + toTop + rows(account, size).map((row) => eraseBelow + row).join("\n") + wrapOn
