/** Whether the command is to have the terminal for its own. */
import { spawnSync } from "node:child_process"
import * as tty from "node:tty"
import { statOf } from "./processGroup.ts"

/** This process's group, and the one that has the terminal. */
const groups = (): { readonly own: number; readonly foreground: number } | undefined => {
  const stat = process.platform === "linux"
    ? statOf("self")?.slice(2)
    : spawnSync("ps", ["-o", "pgid=,pid=,pid=,tpgid=", "-p", String(process.pid)], { encoding: "utf8" })
      .stdout?.trim().split(/\s+/)
  return stat === undefined ? undefined : { own: Number(stat[0]), foreground: Number(stat[3]) }
}

/** The group of this process, if that has the terminal now; none in the background, or without a terminal. */
const foregroundGroup = (): number | undefined => {
  const found = groups()
  return found !== undefined && found.own > 0 && found.own === found.foreground ? found.own : undefined
}

/** Who has the terminal now: the group of this process, one of these other groups, or somebody else. */
export const holderOfTerminal = (others: ReadonlyArray<number>): "own" | "other" | "stranger" => {
  const found = groups()
  if (found === undefined) return "stranger"
  if (found.own === found.foreground) return "own"
  return others.includes(found.foreground) ? "other" : "stranger"
}

/**
 * The group of this process if it has the terminal, and nobody else needs it: input and output are both the terminal's. In
 * a pipeline it stays with the group, for the others there may use it too.
 */
export const terminalToGive = (): number | undefined => tty.isatty(0) && tty.isatty(1) ? foregroundGroup() : undefined
