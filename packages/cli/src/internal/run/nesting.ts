/**
 * Detects a `run` within a command of the same election, which would wait for its own end. Each `run` passes the elections that it
 * and the processes above it lead to its command, in a variable of the environment.
 */
import { identityOf, type Store } from "../stores.ts"
import { signalProcess, statOf } from "./processGroup.ts"

/** Each line contains a process, its start time and an election. */
export const variable = "FDB_ELECTION_ABOVE"

/** The start time, which distinguishes a process from a later one with the same id; only Linux reports it. */
const startOf = (pid: number): string => statOf(pid)?.[19] ?? "unknown"

const electionOf = (store: Store, name: string): string => JSON.stringify([identityOf(store), name])

/** The entry of this process. Every process of its command has it in its environment, unless it has removed it. */
export const ownEntry = (store: Store, name: string): string =>
  `${process.pid} ${startOf(process.pid)} ${electionOf(store, name)}`

/** The value of the variable for the command of this process. */
export const entriesFor = (above: string | undefined, store: Store, name: string): string =>
  [...above?.split("\n") ?? [], ownEntry(store, name)].join("\n")

/** The process above this one that leads the election. */
export const leaderAbove = (above: string | undefined, store: Store, name: string): number | undefined => {
  const election = electionOf(store, name)
  return above?.split("\n").flatMap((entry) => {
    const [, pid, start, of] = /^(\d+) (\S+) (.*)$/.exec(entry) ?? []
    const isAlive = signalProcess(Number(pid), 0) !== "gone" && start === startOf(Number(pid))
    return of === election && isAlive ? [Number(pid)] : []
  })[0]
}
