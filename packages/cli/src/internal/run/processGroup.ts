/** Processes, process groups and signals. Plain functions, because the launcher and the watchdog process use them too. */
import * as fs from "node:fs"

/** `gone`: the process does not exist; `refused`: it belongs to another user. */
export type Sent = "sent" | "gone" | "refused"

/** Sends a signal to a process; 0 only checks whether it could be sent. */
export const signalProcess = (pid: number, signal: NodeJS.Signals | 0): Sent => {
  try {
    process.kill(pid, signal)
    return "sent"
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "ESRCH" ? "gone" : "refused"
  }
}

/** The fields of `/proc/PID/stat` after the command's name: state, parent, group, session, terminal, its foreground group. */
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

let parent = process.ppid

/** Remembers the parent. The program does so first, because the parent may end soon. */
export const rememberParent = (): void => {
  parent = process.ppid
}

/**
 * Whether the process that started this one is known to be gone. A process that is in another session than its parent, and does not
 * lead it, lost its original parent before it was remembered.
 */
export const parentIsGone = (): boolean => {
  if (process.ppid !== parent) return true
  if (process.platform !== "linux") return false
  const [own, adopter] = [statOf("self")?.[3], statOf(process.ppid)?.[3]]
  return own !== undefined && adopter !== undefined && own !== adopter && own !== String(process.pid)
}

/** `undefined` for a process that has ended, even if it is still a zombie. */
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

/** All running processes; `undefined` if this is not Linux, or this process cannot open more files. */
const processes = (): ReadonlyArray<Process> | undefined => {
  if (process.platform !== "linux") return undefined
  try {
    return fs.readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) && readProcess(Number(name))) || [])
  } catch {
    return undefined
  }
}

/** The processes of a group, of a child's own group (a shell with job control makes one), and of the leader's session, if any. */
const membersOf = (leader: number): ReadonlyArray<Process> | undefined => {
  const all = processes()
  if (all === undefined) return undefined
  const moved = new Set(
    all.filter(({ group, parent, pid }) => parent === leader && group === pid).map(({ pid }) => pid)
  )
  return all.filter(({ group, session }) => group === leader || session === leader || moved.has(group))
}

/** Sends a signal to {@link membersOf} a group. */
export const signalGroup = (leader: number, signal: NodeJS.Signals | 0): Sent => {
  const groups = new Set(membersOf(leader)?.map(({ group }) => group))
  groups.delete(leader)
  for (const group of groups) signalProcess(-group, signal)
  // The leader's group comes last, because the caller may be the leader.
  const sent = signalProcess(-leader, signal)
  return groups.size === 0 ? sent : "sent"
}

/** Sends a group a signal that ends it, and SIGCONT, because a stopped process does not handle the signal. */
export const endGroup = (leader: number, signal: NodeJS.Signals): void => {
  signalGroup(leader, signal)
  signalGroup(leader, "SIGCONT")
}

/** Whether no process of the group is seen to run. Zombies do not count: in a container without an init they stay for ever. */
export const groupIsGone = (leader: number): boolean => {
  const members = membersOf(leader)
  return members === undefined ? signalProcess(-leader, 0) === "gone" : members.length === 0
}

/**
 * Whether no process of the group runs or ever will. A scan may miss a process that another has forked meanwhile. So this function
 * kills the group and scans again: no process forks after SIGKILL.
 */
export const endIfGone = (group: number): boolean =>
  groupIsGone(group) && (signalGroup(group, "SIGKILL") === "gone" || groupIsGone(group))

/**
 * Whether a process is seen to run that has the text in its environment, wherever it has moved to: a daemon of the command, for
 * example. Only Linux tells, and only of processes of the same user.
 */
export const isInEnvironments = (text: string): boolean =>
  (processes() ?? []).some(({ pid }) => {
    try {
      return fs.readFileSync(`/proc/${pid}/environ`, "utf8").includes(text)
    } catch {
      return false
    }
  })

/** The processes of a group that belong to another user and cannot get signals. */
export const refusing = (leader: number): ReadonlyArray<number> =>
  (membersOf(leader) ?? []).map(({ pid }) => pid).filter((pid) => signalProcess(pid, 0) === "refused")
