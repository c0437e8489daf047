/** What has become of a process, as far as the operating system tells. */
import * as fs from "node:fs"

export type ProcessState = "running" | "stopped" | "unknown"

/** `unknown` where there is no `/proc`, or no such process in it: it may be one of another container. */
export const processState = (pid: number): ProcessState => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
    // The name of the program, in parentheses, may hold anything.
    return /^[Tt]$/.test(stat.charAt(stat.lastIndexOf(")") + 2)) ? "stopped" : "running"
  } catch {
    return "unknown"
  }
}
