/** What is told of an election, in lines for people; and as many of them as there is room for. */
import * as Table from "./table.ts"

/** See the module. */
export interface StatusLines {
  /** Which election it is. */
  readonly title: string
  /** Who leads, and whatever else is so. */
  readonly facts: ReadonlyArray<string>
  /** The leader first. */
  readonly candidates: ReadonlyArray<string>
}

/** The first row of the table is the title, the others are the facts. */
export const make = (table: ReadonlyArray<ReadonlyArray<string>>, candidates: ReadonlyArray<string>): StatusLines => {
  const [title = "", ...facts] = Table.lines(table)
  return { title, facts, candidates }
}

/** All of it. */
export const toLines = ({ candidates, facts, title }: StatusLines): Array<string> => [title, ...facts, ...candidates]

/** So many lines of it, one or more: rather candidates are left out than facts, and rather anything else than who leads. */
export const toFit = (account: StatusLines, room: number): Array<string> => {
  const all = toLines(account)
  if (all.length <= room) return all
  const { candidates, facts, title } = account
  const head = facts.length + 1 < room ? [title, ...facts] : facts
  const lines = [...head, ...candidates]
  if (lines.length <= room) return lines
  const kept = lines.slice(0, room - 1)
  const cut = lines.length - Math.max(kept.length, head.length)
  return kept.length > 0 && cut > 0 ? [...kept, `  ... ${cut} more alive`] : lines.slice(0, room)
}
