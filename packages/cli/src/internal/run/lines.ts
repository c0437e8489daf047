/** Lines from another process, in plain programs, too. */
import { createInterface } from "node:readline"

/** A connection that is reset, because the other process has died and left something unread, ends as one that is closed does. */
export const readLines = (
  input: NodeJS.ReadableStream,
  onLine: (line: string) => void,
  onEnd: () => void = () => {}
): void => {
  const lines = createInterface({ input }).on("line", onLine).on("close", onEnd)
  lines.on("error", () => lines.close())
}
