/**
 * Whether this process is itself part of a command that leads the election it is to campaign for. It would wait for its own end.
 *
 * Each `run` tells its command, in a variable of the environment, which elections the processes above it lead.
 */
import { identityOf, type Store } from "../stores.ts"
import { signalProcess, statOf } from "./processGroup.ts"

/** Entries of process, start of the process and election, each a line. */
export const variable = "FDB_ELECTION_ABOVE"

/** What tells a process from a later one of the same number; unknown where the system does not tell. */
const startOf = (pid: number): string => statOf(pid)?.[19] ?? "unknown"

const electionOf = (store: Store, name: string): string => JSON.stringify([identityOf(store), name])

/** The value of the variable for the command of this process. */
export const entriesFor = (above: string | undefined, store: Store, name: string): string =>
  [...above?.split("\n") ?? [], `${process.pid} ${startOf(process.pid)} ${electionOf(store, name)}`].join("\n")

/** The process above this one that leads the election, if there is one. */
export const leaderAbove = (above: string | undefined, store: Store, name: string): number | undefined => {
  const election = electionOf(store, name)
  return above?.split("\n").flatMap((entry) => {
    const [, pid, start, of] = /^(\d+) (\S+) (.*)$/.exec(entry) ?? []
    const isAlive = signalProcess(Number(pid), 0) !== "gone" && start === startOf(Number(pid))
    return of === election && isAlive ? [Number(pid)] : []
  })[0]
}
