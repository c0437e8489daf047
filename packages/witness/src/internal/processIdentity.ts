/**
 * Which process a peer is, and whether it still runs. A second opinion: it can only withhold a death, for a process that has lost
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

/** A process or a thread. */
interface Stat {
  readonly start: string
  /** Whether it has ended, or is being ended by the kernel: either way it runs no code of the program any more. */
  readonly hasEnded: boolean
}

/** The kernel sets this flag before it takes anything from a thread that ends, and never clears it. */
const exiting = 0x4

/** Decodes what Linux tells in a file `stat`. */
export const decodeStat = (stat: string): Stat => {
  // The name of the program stands in parentheses and may contain any character.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  const [state] = fields
  return { start: fields[19]!, hasEnded: state === "Z" || state === "X" || (Number(fields[6]) & exiting) !== 0 }
}

/** `undefined` if there is none. */
const statOf = (directory: string): Stat | undefined => {
  try {
    return decodeStat(fs.readFileSync(`${directory}/stat`, "latin1"))
  } catch {
    return undefined
  }
}

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

/** Whether the process is seen to run. `false` also if this process cannot know it. */
export const isSeen = (identity: ProcessIdentity | undefined): boolean => {
  if (identity === undefined || self === undefined || identity.namespace !== self.namespace) return false
  if (process.platform !== "linux") return canBeSignalled(identity.pid)
  const directory = `/proc/${identity.pid}`
  const stat = statOf(directory)
  if (stat === undefined || stat.start !== identity.start) return false
  return !stat.hasEnded || hasThreads(directory)
}

/** Whether other threads of a process run on although its first one has ended. */
const hasThreads = (directory: string): boolean => {
  try {
    return fs.readdirSync(`${directory}/task`).some((thread) => {
      const stat = statOf(`${directory}/task/${thread}`)
      return stat !== undefined && !stat.hasEnded
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
