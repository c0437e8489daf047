/** Signals to process groups, and whether anybody is left in one. Plain functions: the keeper uses them as well. */
import * as fs from "node:fs"
import { codeOf } from "../errorCode.ts"

/** `gone`: there is no such process; `refused`: there is one, of another user. */
export type Sent = "sent" | "gone" | "refused"

/** Sends a signal to a process; 0 sends none and asks. */
export const signalProcess = (pid: number, signal: NodeJS.Signals | 0): Sent => {
  try {
    process.kill(pid, signal)
    return "sent"
  } catch (cause) {
    return codeOf(cause) === "ESRCH" ? "gone" : "refused"
  }
}

/** Sends a signal to each process of a group. */
export const signalGroup = (group: number, signal: NodeJS.Signals | 0): Sent => signalProcess(-group, signal)

/** What of `/proc/PID/stat` follows the command's name: state, parent, group, session, terminal, its foreground group. */
export const statOf = (pid: number | "self"): ReadonlyArray<string> | undefined => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  } catch {
    return undefined
  }
}

/** The pids of Linux; none elsewhere. */
const allPids = (): Array<number> => {
  try {
    return fs.readdirSync("/proc").flatMap((name) => /^\d+$/.test(name) ? [Number(name)] : [])
  } catch {
    return []
  }
}

/**
 * Whether no process of the group is seen to run. A zombie, which its parent has not asked for yet, does nothing any more; in a
 * container without an init nobody ever asks for it.
 */
export const groupIsGone = (group: number): boolean => {
  if (signalGroup(group, 0) === "gone") return true
  if (process.platform !== "linux") return false
  const runs = (pid: number): boolean => {
    const stat = statOf(pid)
    return stat !== undefined && stat[2] === String(group) && !/^[ZX]/.test(stat[0]!)
  }
  return !runs(group) && !allPids().some(runs)
}

/**
 * Whether no process of the group runs or ever will. Who looks at one process after another misses what forks and ends
 * meanwhile; so what was missed is killed. No process forks that has been sent SIGKILL, and the next look shows all there is.
 */
export const endIfGone = (group: number): boolean =>
  groupIsGone(group) && (signalGroup(group, "SIGKILL") === "gone" || groupIsGone(group))
