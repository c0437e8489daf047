/** Lines from another process, in plain programs, too: `node:readline` takes half a megabyte of memory. */
import { finished, type Readable } from "node:stream"

/**
 * A connection that is reset, because the other process has died and left something unread, ends as one that is closed does. A line
 * without its end is dropped: the other process has died in the middle of it.
 */
export const readLines = (input: Readable, onLine: (line: string) => void, onEnd: () => void = () => {}): void => {
  let rest = ""
  input.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop()!
    for (const line of lines) onLine(line)
  })
  finished(input, { writable: false }, () => onEnd())
}
