/** The terminal that controls this process, if there is one. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as tty from "node:tty"
import { statOf } from "./processGroup.ts"

/** The group of a process, and the one that has its terminal. */
const groups = (pid: number): { readonly own: number; readonly foreground: number } | undefined => {
  const stat = process.platform === "linux"
    ? statOf(pid)?.slice(2)
    : spawnSync("ps", ["-o", "pgid=,pid=,pid=,tpgid=", "-p", String(pid)], { encoding: "utf8" })
      .stdout?.trim().split(/\s+/)
  return stat === undefined ? undefined : { own: Number(stat[0]), foreground: Number(stat[3]) }
}

/** The process group of a process; none if the process is gone. */
export const groupOf = (pid: number): number | undefined => groups(pid)?.own

/** The group of this process, if that has the terminal now; none in the background, or without a terminal. */
export const foregroundGroup = (): number | undefined => {
  const found = groups(process.pid)
  return found !== undefined && found.own > 0 && found.own === found.foreground ? found.own : undefined
}

/**
 * The group of this process if it has the terminal, and nobody else needs it: input and output are both the terminal's. In
 * a pipeline it stays with the group, for the others there may use it too.
 */
export const terminalToGive = (): number | undefined => tty.isatty(0) && tty.isatty(1) ? foregroundGroup() : undefined

/** Whether this process has a terminal that controls it. It loses it for good when the terminal hangs up. */
export const hasTerminal = (): boolean => {
  if (process.platform === "linux") return statOf("self")?.[4] !== "0"
  try {
    fs.closeSync(fs.openSync("/dev/tty", fs.constants.O_RDONLY | fs.constants.O_NOCTTY))
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== "ENXIO"
  }
}
