/** Processes of this host, and signals to groups of them. Plain functions: the launcher and the watchdog process use them too. */
import * as fs from "node:fs"

/** `gone`: there is no such process; `refused`: there is one, of another user. */
export type Sent = "sent" | "gone" | "refused"

/** Sends a signal to a process; 0 sends none and asks. */
export const signalProcess = (pid: number, signal: NodeJS.Signals | 0): Sent => {
  try {
    process.kill(pid, signal)
    return "sent"
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "ESRCH" ? "gone" : "refused"
  }
}

/** What of `/proc/PID/stat` follows the command's name: state, parent, group, session, terminal, its foreground group. */
const readStat = (pid: number | "self"): ReadonlyArray<string> => {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")
}

export const statOf = (pid: number | "self"): ReadonlyArray<string> | undefined => {
  try {
    return readStat(pid)
  } catch {
    return undefined
  }
}

/** The parent as this module finds it. So the program loads this module before all others: the parent may end soon. */
const parent = process.ppid

/**
 * Whether the process that started this one is gone, as far as that can be seen. Every process is born in the session of its
 * parent: one that is in another, and has not begun its own, had lost its parent before this module was loaded.
 */
export const parentIsGone = (): boolean => {
  if (process.ppid !== parent) return true
  if (process.platform !== "linux") return false
  const [own, adopter] = [statOf("self")?.[3], statOf(process.ppid)?.[3]]
  return own !== undefined && adopter !== undefined && own !== adopter && own !== String(process.pid)
}

/** Nothing for a process that has ended, whether its parent has asked for it yet or not (a zombie). */
const readProcess = (pid: number) => {
  try {
    const [state, parent, group, session] = readStat(pid)
    return /^[ZX]/.test(state!)
      ? undefined
      : { pid, parent: Number(parent), group: Number(group), session: Number(session) }
  } catch (cause) {
    if (/ENOENT|ESRCH/.test(String((cause as NodeJS.ErrnoException).code))) return undefined
    throw cause
  }
}

type Process = NonNullable<ReturnType<typeof readProcess>>

/** All that run; `undefined` where that cannot be told: only Linux tells, and not when this process may open no more files. */
const processes = (): ReadonlyArray<Process> | undefined => {
  if (process.platform !== "linux") return undefined
  try {
    return fs.readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) && readProcess(Number(name))) || [])
  } catch {
    return undefined
  }
}

/**
 * The processes of a group, and those that its leader is the reason of though they have left it: a child of the leader that leads
 * a group of its own, as a shell with job control does, and whatever is in the leader's session, if that has one.
 */
const membersOf = (leader: number): ReadonlyArray<Process> | undefined => {
  const all = processes()
  if (all === undefined) return undefined
  const moved = new Set(
    all.filter(({ group, parent, pid }) => parent === leader && group === pid).map(({ pid }) => pid)
  )
  return all.filter(({ group, session }) => group === leader || session === leader || moved.has(group))
}

/** Sends a signal to each process of a group, and to those that have left it and can be found. */
export const signalGroup = (leader: number, signal: NodeJS.Signals | 0): Sent => {
  const groups = new Set(membersOf(leader)?.map(({ group }) => group))
  groups.delete(leader)
  for (const group of groups) signalProcess(-group, signal)
  // Last, for the caller may be the leader.
  const sent = signalProcess(-leader, signal)
  return groups.size === 0 ? sent : "sent"
}

/** Asks all of a group to end. A stopped process sees the signal only when it goes on. */
export const endGroup = (leader: number, signal: NodeJS.Signals): void => {
  signalGroup(leader, signal)
  signalGroup(leader, "SIGCONT")
}

/**
 * Whether no process of the group is seen to run. A zombie does nothing any more; in a container without an init nobody ever asks
 * for it.
 */
export const groupIsGone = (leader: number): boolean => {
  const members = membersOf(leader)
  return members === undefined ? signalProcess(-leader, 0) === "gone" : members.length === 0
}

/**
 * Whether no process of the group runs or ever will. A look at one process after another misses what forks and ends meanwhile; so
 * what was missed is killed. No process forks after SIGKILL, and the next look shows all there is.
 */
export const endIfGone = (group: number): boolean =>
  groupIsGone(group) && (signalGroup(group, "SIGKILL") === "gone" || groupIsGone(group))

/** Those of a group that belong to another user, to whom this process cannot send signals. */
export const refusing = (leader: number): ReadonlyArray<number> =>
  (membersOf(leader) ?? []).map(({ pid }) => pid).filter((pid) => signalProcess(pid, 0) === "refused")
