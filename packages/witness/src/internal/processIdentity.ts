/**
 * Which process a peer is, and whether it still exists. A second opinion: it can only withhold a death, for a process that has lost
 * its sockets without having ended, for example because native code closed descriptors that were not its own.
 */
import * as fs from "node:fs"

export interface ProcessIdentity {
  readonly pid: number
  /** When the process was started, which distinguishes it from a later one with the same pid. */
  readonly start: string
  /** The PID namespace in which `pid` and `start` are valid. */
  readonly namespace: string
}

/** The state of a process or a thread, and the time of its start; `undefined` if there is none. */
const statOf = (directory: string): { readonly state: string; readonly start: string } | undefined => {
  try {
    const stat = fs.readFileSync(`${directory}/stat`, "latin1")
    // The name of the program stands in parentheses and may contain any character.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return { state: fields[0]!, start: fields[19]! }
  } catch {
    return undefined
  }
}

const hasEnded = (state: string): boolean => state === "Z" || state === "X"

/** `undefined` where processes are not listed, or by pids of another namespace. */
const identify = (): ProcessIdentity | undefined => {
  const { pid } = process
  if (process.platform !== "linux") return { pid, start: "", namespace: "" }
  try {
    if (fs.readlinkSync("/proc/self") !== String(pid)) return undefined
    const { start } = statOf("/proc/self")!
    return { pid, start, namespace: fs.readlinkSync("/proc/self/ns/pid") }
  } catch {
    return undefined
  }
}

export const self: ProcessIdentity | undefined = identify()

/** Whether the process is seen to exist. `false` also if this process cannot know it. */
export const isSeen = (identity: ProcessIdentity | undefined): boolean => {
  if (identity === undefined || self === undefined || identity.namespace !== self.namespace) return false
  if (process.platform !== "linux") return canBeSignalled(identity.pid)
  const directory = `/proc/${identity.pid}`
  const stat = statOf(directory)
  if (stat === undefined || stat.start !== identity.start) return false
  return !hasEnded(stat.state) || hasThreads(directory)
}

/** Whether other threads of a process run on although its first one has ended. */
const hasThreads = (directory: string): boolean => {
  try {
    return fs.readdirSync(`${directory}/task`).some((thread) => {
      const stat = statOf(`${directory}/task/${thread}`)
      return stat !== undefined && !hasEnded(stat.state)
    })
  } catch {
    return false
  }
}

const canBeSignalled = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== "ESRCH"
  }
}
