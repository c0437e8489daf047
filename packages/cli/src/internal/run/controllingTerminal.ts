/** The controlling terminal of this process. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as tty from "node:tty"
import { statOf } from "./processGroup.ts"

/** The group of a process, and the foreground group of its terminal. */
const groups = (pid: number): { readonly own: number; readonly foreground: number } | undefined => {
  const stat = process.platform === "linux"
    ? statOf(pid)?.slice(2)
    : spawnSync("ps", ["-o", "pgid=,pid=,pid=,tpgid=", "-p", String(pid)], { encoding: "utf8" })
      .stdout?.trim().split(/\s+/)
  return stat === undefined ? undefined : { own: Number(stat[0]), foreground: Number(stat[3]) }
}

/** The process group of a process; `undefined` if the process is gone. */
export const groupOf = (pid: number): number | undefined => groups(pid)?.own

/** The group of this process if it is in the foreground; `undefined` in the background, or without a terminal. */
export const foregroundGroup = (): number | undefined => {
  const found = groups(process.pid)
  return found !== undefined && found.own > 0 && found.own === found.foreground ? found.own : undefined
}

/** The group of this process if it can give its terminal away. In a pipeline, other processes of the group may need it. */
export const terminalToGive = (): number | undefined => tty.isatty(0) && tty.isatty(1) ? foregroundGroup() : undefined

/** Whether this process has a controlling terminal. It loses it for good when the terminal hangs up. */
export const hasTerminal = (): boolean => {
  if (process.platform === "linux") return statOf("self")?.[4] !== "0"
  try {
    fs.closeSync(fs.openSync("/dev/tty", fs.constants.O_RDONLY | fs.constants.O_NOCTTY))
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== "ENXIO"
  }
}
